import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.training.making import make_tiny, write_images
from zooscope import load_classifier, load_images
from zooscope.addresses import parse_address
from zooscope.classifiers.selection import select_classifiers
from zooscope.errors import ClassifierError, ImagesError, InvalidValueError, StudyError, TrainingError, UnknownNameError
from zooscope.training.augmentation import Augmentation
from zooscope.training.batches import Batches, Share
from zooscope.training.cards import WEIGHTS, read_card
from zooscope.training.data import load_data, select_images
from zooscope.training.decoded import Decoded
from zooscope.training.network import build_classifier
from zooscope.training.objective import Objective, Result
from zooscope.training.progress import TrainingListener, TrainingProgress
from zooscope.training.recipe import Recipe
from zooscope.training.recipe_file import read_recipe_file
from zooscope.training.recipe_tree import change
from zooscope.training.sweep import Sweep, list_tuned
from zooscope.training.train import make_optimizer, make_schedule, train_network
from zooscope.training.zoo import ZOO, train_recipes


class KilledError(Exception):
    pass


def kill_in(epoch: int, step: int) -> TrainingListener:
    def listen(progress: TrainingProgress) -> None:
        if (progress.epoch, progress.step) == (epoch, step) and not progress.is_tested:
            raise KilledError

    return listen


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_images(tmp_path_factory.mktemp("data") / "colours", per_class=20)


def train(recipe: Recipe, folder: Path, *, listen: TrainingListener = lambda _: None) -> dict[str, torch.Tensor]:
    train_network(recipe, load_data(recipe.images), folder, device="cpu", listen=listen)
    return load_file(folder / WEIGHTS)


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "mixing": {"mixup": 0.5, "cutmix": 0.5}, "average": 0.9},
        {
            "optimizer": {"name": "muon", "learning_rate": 0.01, "clip_norm": 1.0},
            "augmentation": {"crop": "resized", "rand_augment": "rand-m9-mstd0.5-inc1", "random_erasing": 0.5, "repeats": 2},
            "schedule": {"warmup_epochs": 0.5},
        },
        {"mixing": {"mixup": 1.0, "on": "features"}, "loss": {"label_smoothing": 0.1}, "precision": "bf16"},
        {"loss": {"attack": "LinfPGD?step_size=4/255&iterations=2&random_start=true"}},
    ],
    ids=["adamw", "sgd, mixed, averaged", "muon, augmented", "features, bf16", "adversarial"],
)
def test_a_training_killed_at_any_moment_ends_with_the_weights_of_an_uninterrupted_one(
    settings: dict[str, Any], images: str, tmp_path: Path
) -> None:
    recipe = make_tiny(images, **settings)
    whole = train(recipe, tmp_path / "whole")
    torch.manual_seed(99)  # nothing depends on what was drawn before
    np.random.seed(99)  # noqa: NPY002
    for epoch, step in ((1, 2), (2, 1), (2, 4)):
        with pytest.raises(KilledError):
            train(recipe, tmp_path / "killed", listen=kill_in(epoch, step))
        assert not (tmp_path / "killed" / WEIGHTS).exists()
    assert_equal(whole, train(recipe, tmp_path / "killed"))
    cards = [read_card(tmp_path / name) for name in ("whole", "killed")]
    assert cards[0] is not None
    assert cards[1] is not None
    assert cards[0].accuracy == cards[1].accuracy


def test_a_seed_gives_the_same_weights_twice_and_another_seed_others(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=1)
    first = train(recipe, tmp_path / "a")
    assert_equal(first, train(recipe, tmp_path / "b"))
    other = train(replace(recipe, seed=1), tmp_path / "c")
    assert not any(torch.equal(first[name], other[name]) for name in first if first[name].ndim > 1)


def test_it_learns_and_its_card_tells_the_accuracy_of_what_the_zoo_file_loads(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=4, average=0.5, group="colours")
    trained = train_recipes([recipe], tmp_path, device="cpu")
    (card,) = trained.cards
    assert card.accuracy > 0.8
    (address,) = select_classifiers([str(tmp_path / ZOO)])
    classifier = load_classifier(address)
    _, held_out = select_images(recipe.images)
    predicted = classifier.logits(held_out.pixels(classifier)).argmax(1).numpy()
    assert (predicted == held_out.labels).mean() == card.accuracy
    assert (classifier.name, address.options["group"]) == ("tiny", "colours")
    kept = pd.read_csv(tmp_path / "tiny" / "held_out.csv")
    assert kept["prediction"].tolist() == predicted.tolist()
    assert kept["id"].tolist() == list(held_out.ids)
    curves = pd.read_csv(tmp_path / "tiny" / "curves.csv")
    assert curves["epoch"].tolist() == [1, 2, 3, 4]
    assert curves["accuracy"].iloc[-1] == card.accuracy
    assert curves["loss"].iloc[-1] < curves["loss"].iloc[0]


def test_the_average_of_weights_is_what_is_kept_and_tested(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, average=0.9)
    with pytest.raises(KilledError):
        train(recipe, tmp_path, listen=kill_in(2, 1))
    state = load_file(tmp_path / "epoch-1.safetensors")
    names = [name for name in state if not name.startswith("average.")]
    start = build_classifier(recipe, ("blue", "green", "red")).network.state_dict()
    moved = [sum(float((state[f"{prefix}{name}"] - start[name]).square().sum()) for name in names) for prefix in ("", "average.")]
    assert 0 < moved[1] < 0.9 * moved[0]  # the average comes after
    kept = train(recipe, tmp_path)
    assert kept.keys() == set(names)
    assert_equal(kept, train(recipe, tmp_path))


def test_fine_tuning_starts_from_the_classifier_and_makes_another_last_layer(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=1, network={"from": "bundled:resnet"}, optimizer={"learning_rate": 1e-6}, seed=3)
    weights = train(recipe, tmp_path / "tuned")
    start = load_classifier("bundled:resnet").network.state_dict()
    assert weights["head.fc.weight"].shape == (3, 128)
    for name, value in start.items():
        if name.endswith("weight") and not name.startswith("head"):
            torch.testing.assert_close(weights[name], value, atol=1e-4, rtol=1e-3)
    assert train_recipes([recipe], tmp_path / "zoo", device="cpu").cards[0].checkpoint["architecture"] == "bundled:resnet"
    (address,) = select_classifiers([str(tmp_path / "zoo" / ZOO)])
    assert load_classifier(address).num_classes == 3


def test_a_loss_that_is_not_finite_stops_with_epoch_and_step_and_keeps_the_last_good_weights(
    images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, calls = Objective.compute, []

    def fail(self: Objective, network: nn.Module, pixels: torch.Tensor, labels: torch.Tensor, *, seed: int) -> Result:
        calls.append(1)
        result = compute(self, network, pixels, labels, seed=seed)
        return result._replace(loss=result.loss * float("nan")) if len(calls) == 7 else result

    monkeypatch.setattr(Objective, "compute", fail)
    recipe = make_tiny(images)
    with pytest.raises(TrainingError, match=r"tiny: the loss is nan in epoch 2, step 3; its weights after epoch 1 are kept in"):
        train(recipe, tmp_path / "tiny")
    monkeypatch.undo()
    kept = load_file(tmp_path / "tiny" / "epoch-1.safetensors")
    assert all(value.isfinite().all() for value in kept.values())
    train(recipe, tmp_path / "tiny")


def test_weights_that_are_not_finite_are_never_kept(images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute, calls = Objective.compute, []

    def spoil(self: Objective, network: nn.Module, pixels: torch.Tensor, labels: torch.Tensor, *, seed: int) -> Result:
        calls.append(1)
        result = compute(self, network, pixels, labels, seed=seed)
        if len(calls) == 8:  # the last step of the second epoch: no later loss tells
            next(network.parameters()).register_hook(lambda gradient: gradient * float("inf"))
        return result

    monkeypatch.setattr(Objective, "compute", spoil)
    with pytest.raises(TrainingError, match=r"tiny: a weight is not finite in epoch 2, step 4; its weights after epoch 1 are kept"):
        train(make_tiny(images, optimizer={"name": "sgd", "learning_rate": 0.1}), tmp_path)
    assert (tmp_path / "epoch-1.safetensors").exists()
    assert not (tmp_path / WEIGHTS).exists()


def test_a_sweep_goes_on_after_a_network_that_diverges(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=1, optimizer={"name": "sgd", "learning_rate": 1e30})
    trained = train_recipes([recipe, make_tiny(images, name="good", epochs=1)], tmp_path, device="cpu")
    assert [card.name for card in trained.cards] == ["good"]
    assert "tiny: the loss is" in trained.failures["tiny"]
    assert [address.options["name"] for address in select_classifiers([str(tmp_path / ZOO)])] == ["good"]


def test_a_trained_network_is_left_as_it_is_and_another_recipe_is_refused(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=1)
    train(recipe, tmp_path)
    before = (tmp_path / WEIGHTS).stat().st_mtime_ns
    train(recipe, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_mtime_ns == before
    with pytest.raises(
        StudyError, match=r"was trained with optimizer\.learning_rate = 0\.003, and the recipe says 0\.5; name another"
    ):
        train(change(recipe, {"optimizer.learning_rate": 0.5}), tmp_path)


def test_another_recipe_and_a_damaged_state_are_not_continued(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images)
    with pytest.raises(KilledError):
        train(recipe, tmp_path, listen=kill_in(2, 1))
    with pytest.raises(StudyError, match=r"was trained with epochs = 2, and the recipe says 5"):
        train(replace(recipe, epochs=5), tmp_path)
    (tmp_path / "epoch-1.optimizer.pt").write_bytes(b"nothing")
    with pytest.raises(StudyError, match=r"can't be continued, since its files are damaged; remove the folder to train anew"):
        train(recipe, tmp_path)
    (tmp_path / "card.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StudyError, match=r"card\.json is no card of a trained network"):
        train(recipe, tmp_path)


def test_settings_that_only_the_libraries_know_are_refused_in_a_sentence(images: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown optimizer\.name 'adamv'\. Did you mean adam"):
        train(make_tiny(images, optimizer={"name": "adamv"}), tmp_path)
    with pytest.raises(InvalidValueError, match=r"there is no device 'cuda:9' here"):
        train_network(make_tiny(images), load_data(make_tiny(images).images), tmp_path, device="cuda:9")
    with pytest.raises(InvalidValueError, match=r"bundled:vit takes no network\.options"):
        train(make_tiny(images, network={"architecture": "bundled:vit", "options": {"depth": 2}}), tmp_path)
    with pytest.raises(UnknownNameError, match=r"unknown bundled architecture 'vitt'\. Did you mean vit"):
        train(make_tiny(images, network={"architecture": "bundled:vitt"}), tmp_path)
    with pytest.raises(InvalidValueError, match=r"torchvision:ResNet18_Weights\.DEFAULT can't be fine-tuned here"):
        train(make_tiny(images, network={"from": "torchvision:ResNet18_Weights.DEFAULT"}), tmp_path)
    with pytest.raises(InvalidValueError, match=r"bundled:vit brings its own size, mean and std"):
        train(make_tiny(images, network={"from": "bundled:vit", "size": 64}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_held_out_images_are_never_trained_on_and_every_network_of_a_sweep_gets_the_same(images: str) -> None:
    settings = make_tiny(images).images
    train_set, held_out = select_images(settings)
    assert not set(train_set.ids) & set(held_out.ids)
    assert (len(train_set), len(held_out)) == (48, 12)
    assert np.bincount(held_out.labels).tolist() == [4, 4, 4]
    assert select_images(settings)[1].ids == held_out.ids


def test_images_that_can_not_be_used_are_refused(images: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"names no images; write images\.train = ADDRESS, or add --images"):
        select_images(make_tiny("").images)
    with pytest.raises(InvalidValueError, match=r"images\.count asks for 90 of the 48 images"):
        select_images(replace(make_tiny(images).images, count=90))
    with pytest.raises(InvalidValueError, match="can't be trained and tested on"):
        select_images(replace(make_tiny(images).images, held_out=images))
    other = write_images(tmp_path / "other", per_class=1)
    (tmp_path / "other" / "red").rename(tmp_path / "other" / "violet")
    with pytest.raises(ImagesError, match="violet"):
        select_images(replace(make_tiny(images).images, held_out=other))


def test_decoded_images_are_those_of_the_set_also_where_they_do_not_fit(images: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image_set = load_images(images)
    kept = Decoded(image_set)
    monkeypatch.setattr("zooscope.training.decoded.SHARE", 0.0)
    read = Decoded(image_set)
    assert (kept.is_kept, read.is_kept) == (True, False)
    for index in (0, 17, 59):
        expected = np.asarray(image_set.image(index))
        np.testing.assert_array_equal(np.asarray(kept.image(index)), expected)
        np.testing.assert_array_equal(np.asarray(read.image(index)), expected)


def test_workers_that_decode_give_the_same_weights(images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_tiny(images, epochs=1)
    kept = train(recipe, tmp_path / "kept")
    monkeypatch.setattr("zooscope.training.decoded.SHARE", 0.0)
    assert_equal(kept, train(recipe, tmp_path / "read"))


def test_the_card_holds_the_recipe(images: str, tmp_path: Path) -> None:
    recipe = make_tiny(images, epochs=1, group="tests")
    train(recipe, tmp_path)
    assert read_card(tmp_path / "none") is None
    kept = read_card(tmp_path)
    assert kept is not None
    assert kept.teacher_address is None
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["settings"] == json.loads(json.dumps(recipe.settings))
    assert (card["group"], card["num_images"], card["num_held_out"], card["teacher"]) == ("tests", 48, 12, None)


def test_the_last_layer_is_kept_for_the_same_classes_and_made_anew_for_others() -> None:
    start, names = load_classifier("bundled:resnet"), load_images("bundled:cifar10").class_names
    recipe = make_tiny("", network={"from": "bundled:resnet"})
    kept, anew = (build_classifier(recipe, classes).network.state_dict() for classes in (names, tuple("abcdefghij")))
    own = start.network.state_dict()
    assert torch.equal(kept["head.fc.weight"], own["head.fc.weight"])
    assert not torch.equal(anew["head.fc.weight"], own["head.fc.weight"])
    assert torch.equal(anew["stages.0.0.conv1_kxk.conv.weight"], own["stages.0.0.conv1_kxk.conv.weight"])


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[2] / "recipes").glob("*.toml")), ids=lambda file: file.stem)
def test_the_networks_of_the_recipes_that_ship_can_be_built(file: Path) -> None:
    networks = {str(recipe.network): recipe for recipe in read_recipe_file(file).list_recipes()}
    for recipe in networks.values():
        classifier = build_classifier(recipe, tuple(map(str, range(10))))
        side = classifier.transform.height
        with torch.inference_mode():
            assert classifier.logits(torch.zeros(2, 3, side, side)).shape == (2, 10)


def test_a_network_of_timm_and_a_checkpoint_are_fine_tuned_and_loaded_again(images: str, tmp_path: Path) -> None:
    first = make_tiny(images, epochs=1, name="first")
    train_recipes([first], tmp_path / "first", device="cpu")
    (checkpoint,) = select_classifiers([str(tmp_path / "first" / ZOO)])
    own = tmp_path / "own"
    own.mkdir()
    network = timm.create_model("resnet18", num_classes=3)
    config = {
        "architecture": "resnet18",
        "num_classes": 3,
        "pretrained_cfg": {"input_size": [3, 32, 32], "label_names": ["a", "b", "c"]},
    }
    (own / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(network.state_dict(), own / "model.safetensors")
    starts = [checkpoint, parse_address(f"timm:local-dir:{own}?name=own")]
    recipes = list_tuned(Sweep(recipe=make_tiny(images, epochs=1)), starts)
    cards = train_recipes(recipes, tmp_path / "tuned", device="cpu").cards
    assert [card.checkpoint["architecture"] for card in cards] == ["vit_tiny_patch16_224", "resnet18"]
    tuned = [load_classifier(address) for address in select_classifiers([str(tmp_path / "tuned" / ZOO)])]
    _, held_out = select_images(first.images)
    for card, classifier in zip(cards, tuned, strict=True):
        predicted = classifier.logits(held_out.pixels(classifier)).argmax(1).numpy()
        assert (predicted == held_out.labels).mean() == card.accuracy


def learning_rates(**schedule: object) -> list[float]:
    recipe = make_tiny("", epochs=4, optimizer={"name": "sgd", "learning_rate": 0.5}, schedule=schedule)
    optimizer = make_optimizer(torch.nn.Linear(2, 2), recipe.optimizer)
    planned, rates = make_schedule(optimizer, recipe, steps_per_epoch=10), []
    for step in range(40):
        planned.step_update(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_schedules_have_their_closed_forms() -> None:
    steps = np.arange(40)
    np.testing.assert_allclose(learning_rates(), 0.25 * (1 + np.cos(np.pi * steps / 40)))
    np.testing.assert_allclose(learning_rates(name="constant"), 0.5)
    np.testing.assert_allclose(learning_rates(name="step", decay_epochs=2), np.where(steps < 20, 0.5, 0.05))
    rising = 0.01 + (0.5 - 0.01) * steps / 10
    warm = {"warmup_epochs": 1, "warmup_learning_rate": 0.01}
    np.testing.assert_allclose(learning_rates(**warm), np.where(steps < 10, rising, 0.25 * (1 + np.cos(np.pi * steps / 40))))
    after = 0.25 * (1 + np.cos(np.pi * (steps - 10) / 30))
    np.testing.assert_allclose(learning_rates(**warm, warmup_prefix=True), np.where(steps < 10, rising, after))
    half = {"warmup_epochs": 0.5, "warmup_learning_rate": 0.0, "name": "constant"}
    np.testing.assert_allclose(learning_rates(**half), np.where(steps < 5, 0.1 * steps, 0.5))


def test_a_batch_that_can_not_be_made_shared_out_or_trained_on_is_refused(images: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="tiny: batch_size, 100, is more than the 48 images to train on; lower it"):
        train(make_tiny(images, batch_size=100), tmp_path)
    data, recipe = load_data(make_tiny(images).images), make_tiny(images, mixing={"mixup": 0.5})
    augment = Augmentation(recipe.augmentation, build_classifier(recipe, data.train.class_names))
    with pytest.raises(InvalidValueError, match="tiny: batch_size must be a multiple of 8 on 4 processes: got 10"):
        Batches(recipe, data.decoded, data.labels, augment, Share(0, 4))
    alone = make_tiny(images, batch_size=1, network={"architecture": "resnet18", "size": 32})
    with pytest.raises(ClassifierError, match=r"tiny can't be trained on batches of 1 images \(Expected more than 1 value"):
        train(alone, tmp_path / "alone")


def test_a_folder_that_can_not_be_written_is_found_before_the_first_step(images: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"progress\.json can't be written"):
        train(make_tiny(images), tmp_path / "file" / "tiny", listen=kill_in(1, 1))


def test_the_processes_share_every_batch_without_overlap(images: str) -> None:
    data, recipe = load_data(make_tiny(images).images), make_tiny(images)
    augment = Augmentation(recipe.augmentation, build_classifier(recipe, data.train.class_names))
    whole, first, second = (
        [pixels for pixels, _ in Batches(recipe, data.decoded, data.labels, augment, share).draw(1)]
        for share in (Share(0, 1), Share(0, 2), Share(1, 2))
    )
    for batch, half, other in zip(whole, first, second, strict=True):
        assert torch.equal(batch[0::2], half)
        assert torch.equal(batch[1::2], other)
