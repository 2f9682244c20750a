"""The bundled classifiers: small, really trained, and as good as their cards say."""

from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.stats import binom

from zooscope import ImageSet, load_classifier, load_images
from zooscope.attacks import LinfPGD, parse_attack
from zooscope.classifiers.bundled.architectures import ARCHITECTURES, INPUT_SIZE
from zooscope.classifiers.bundled.cards import FOLDER, Card, read_cards
from zooscope.images.providers import bundled as bundled_images
from zooscope.training.recipe_file import read_recipe_file

MEGABYTE = 1_000_000


@cache
def images() -> ImageSet:
    return load_images("bundled:cifar10")


@cache
def right_answers(name: str) -> int:
    """How many of the bundled images a bundled classifier gets right."""
    classifier = load_classifier(f"bundled:{name}")
    with torch.inference_mode():
        answers = torch.cat([classifier.logits(batch).argmax(1) for batch in pixels().split(250)])
    return int((answers.numpy() == images().labels).sum())


@cache
def pixels() -> torch.Tensor:
    """Of all bundled images; every bundled classifier takes the same."""
    return images().pixels(load_classifier("bundled:resnet"))


@pytest.mark.parametrize("name", read_cards())
def test_a_card_says_how_its_classifier_was_trained(name: str) -> None:
    card = read_cards()[name]
    assert isinstance(card, Card)
    assert card.architecture in ARCHITECTURES
    seed, training = f"_seed{card.seed}" if card.seed else "", "_robust" if card.is_robust else ""
    assert name == f"{card.architecture}{seed}{training}"
    assert 0.5 < card.test_accuracy < 1
    assert card.epochs > 0
    assert card.batch_size > 0
    assert 0 < card.learning_rate < 1
    assert 0 <= card.weight_decay < 1
    assert 0 <= card.warmup < 1
    assert card.optimizer


@pytest.mark.parametrize("name", read_cards())
def test_a_classifier_has_the_accuracy_of_its_card(name: str) -> None:
    low, high = binom.interval(0.999, len(images()), read_cards()[name].test_accuracy)
    assert low <= right_answers(name) <= high


def test_test_accuracies_lie_within_ten_points_of_each_other() -> None:
    accuracies = {name: card.test_accuracy for name, card in read_cards().items() if not card.is_robust}
    assert max(accuracies.values()) - min(accuracies.values()) <= 0.10, accuracies


@pytest.mark.parametrize("name", [name for name, card in read_cards().items() if card.is_robust])
def test_a_robust_classifier_resists_as_its_card_says_and_its_sibling_does_not(name: str) -> None:
    card = read_cards()[name]
    attack = LinfPGD(epsilon=card.epsilon, step_size=card.epsilon / 4, iterations=20, random_start=True)
    some = images().sample(200, seed=0)
    resisting = []
    for each in (name, card.architecture):
        classifier = load_classifier(f"bundled:{each}")
        pixels, labels = some.pixels(classifier), torch.from_numpy(some.labels)
        attacked = attack.perturb(classifier, pixels, labels, range(len(some))).pixels
        resisting.append(int((classifier.logits(attacked).argmax(1) == labels).sum()))
    low, high = binom.interval(0.999, len(some), card.robust_accuracy or 0.0)
    assert low <= resisting[0] <= high
    assert resisting[1] <= 2


@pytest.mark.parametrize("name", read_cards())
def test_weights_are_stored_in_half_precision_and_used_in_single(name: str) -> None:
    network = load_classifier(f"bundled:{name}").network
    with safe_open(FOLDER / f"{name}.safetensors", "np") as file:
        stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no dictionary)
    assert stored.keys() == network.state_dict().keys()
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            assert (stored[key].dtype, value.dtype) == (np.float16, torch.float32)
            np.testing.assert_array_equal(value.numpy(), stored[key].astype(np.float32))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_is_small_and_tells_ten_classes_apart(architecture: str) -> None:
    network = ARCHITECTURES[architecture](10).eval()
    assert 50_000 <= sum(parameter.numel() for parameter in network.parameters()) <= 750_000
    with torch.inference_mode():
        assert network(torch.rand(3, 3, INPUT_SIZE, INPUT_SIZE)).shape == (3, 10)


def test_every_weights_file_has_its_card_and_every_card_its_weights() -> None:
    assert {file.stem for file in FOLDER.glob("*.safetensors")} == set(read_cards())


def test_every_architecture_is_trained_and_two_of_them_with_three_seeds() -> None:
    seeds = {
        architecture: {card.seed for card in read_cards().values() if card.architecture == architecture}
        for architecture in ARCHITECTURES
    }
    assert all(0 in trained for trained in seeds.values())
    assert [architecture for architecture, trained in seeds.items() if trained == {0, 1, 2}] == ["convnext", "vit"]
    assert len(read_cards()) >= 12


def test_the_cards_are_those_of_the_recipe() -> None:
    recipes = read_recipe_file(Path(__file__).parents[3] / "recipes/bundled.toml").list_recipes()
    cards = read_cards()
    assert {recipe.name.removeprefix("cifar10-") for recipe in recipes} == set(cards)
    for recipe in recipes:
        card, settings = cards[recipe.name.removeprefix("cifar10-")], recipe.settings
        named = {"architecture": f"bundled:{card.architecture}", "warmup": pytest.approx(card.warmup * card.epochs)}
        places = {
            "architecture": "network.architecture",
            "seed": "seed",
            "epochs": "epochs",
            "batch_size": "batch_size",
            "optimizer": "optimizer.name",
            "learning_rate": "optimizer.learning_rate",
            "weight_decay": "optimizer.weight_decay",
            "warmup": "schedule.warmup_epochs",
        }
        assert {key: settings[name] for key, name in places.items()} == {key: asdict(card)[key] for key in places} | named
        attack = parse_attack(settings["loss.attack"]) if card.is_robust else None
        assert (attack is None) == (not settings["loss.attack"])
        if isinstance(attack, LinfPGD):
            assert (attack.epsilon, attack.step_size, attack.iterations) == (card.epsilon, card.attack_step_size, card.attack_steps)


def test_seeds_of_one_architecture_are_other_classifiers() -> None:
    digests = {load_classifier(f"bundled:{name}").digest for name in read_cards()}
    assert len(digests) == len(read_cards())


def test_all_that_is_bundled_stays_under_15_megabytes() -> None:
    files = [file for folder in (FOLDER, bundled_images.FOLDER) for file in folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 15 * MEGABYTE
