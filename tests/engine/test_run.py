from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zooscope
from tests.measurements.test_transfer import bilinear
from tests.specimens import Array, Counted, InDouble, as_is, classifier_of, family, images_of, two_class
from zooscope.attacks import Attack, Attacked, LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.progress import Progress
from zooscope.errors import ClassifierError
from zooscope.images.image_set import ImageSet
from zooscope.images.make_pixels import make_pixels
from zooscope.records.predictions import NOT_COUNTED, Predictions
from zooscope.study.study import Study

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=4)
NUM_LOOKS = 5  # passes before anything is measured: four to probe the classifier, one for the attack
RANDOM_ATTACK = replace(ATTACK, random_start=True)


def measured(classifiers: Sequence[Classifier], images: ImageSet, attack: Attack = ATTACK, **options: Any) -> Predictions:  # noqa: ANN401
    """Predictions of a whole study."""
    shard_size, batch_size = options.pop("shard_size", 100), options.pop("batch_size", 100)
    with Study.in_memory(classifiers=classifiers, images=images, attack=attack, shard_size=shard_size, **options) as study:
        study.run(device="cpu", batch_size=batch_size, allow_chance=True)
        return study.predictions


def by_name(predictions: Predictions) -> dict[tuple[str, ...], int]:
    """Every prediction under the names of classifiers and image, whatever their order."""
    cells: dict[tuple[str, ...], int] = {}
    for row, source in enumerate(predictions.names):
        for place, image in enumerate(predictions.image_ids):
            cells[source, image] = int(predictions.clean[row, place])
            for column, target in enumerate(predictions.names):
                cells[source, target, image] = int(predictions.transfer[row, column, place])
                cells["control", source, target, image] = int(predictions.control(row, column)[place])
    return cells


# What is measured does not depend on how the work is cut up. Strict where the networks compute in float64.


@pytest.mark.parametrize("attack", [ATTACK, RANDOM_ATTACK], ids=["from clean pixels", "from a random start"])
@pytest.mark.parametrize(("batch_size", "shard_size"), [(1, 30), (7, 30), (30, 3), (5, 7), (100, 10)])
def test_batches_and_shards_change_no_prediction(attack: LinfPGD, batch_size: int, shard_size: int) -> None:
    classifiers, images = family(3, sizes=((6, 6), (9, 9)))
    whole = measured(classifiers, images, attack)
    assert by_name(measured(classifiers, images, attack, batch_size=batch_size, shard_size=shard_size)) == by_name(whole)
    assert len(np.unique(whole.transfer)) == 4, "the example shows all classes, and images that don't count"


@pytest.mark.parametrize("attack", [ATTACK, RANDOM_ATTACK], ids=["from clean pixels", "from a random start"])
def test_another_order_of_images_changes_no_prediction(attack: LinfPGD) -> None:
    classifiers, images = family(3, sizes=((6, 6), (9, 9)))
    shuffled = images.take(np.random.default_rng(0).permutation(len(images)))
    assert by_name(measured(classifiers, shuffled, attack, shard_size=10)) == by_name(
        measured(classifiers, images, attack, shard_size=10)
    )


def test_fewer_images_give_the_same_predictions_on_those() -> None:
    classifiers, images = family(2)
    everything = by_name(measured(classifiers, images, RANDOM_ATTACK))
    part = by_name(measured(classifiers, images.take([3, 20, 11, 5]), RANDOM_ATTACK))
    assert part.items() <= everything.items()


def test_another_order_of_classifiers_changes_no_prediction() -> None:
    classifiers, images = family(4, sizes=((6, 6), (9, 9)))
    turned = [classifiers[place] for place in (2, 0, 3, 1)]
    assert by_name(measured(turned, images)) == by_name(measured(classifiers, images))


def test_the_seed_of_the_study_moves_random_starts_only() -> None:
    classifiers, images = family(3, num_images=100)
    strong, weak = (replace(attack, iterations=1, step_size=1e-6) for attack in (ATTACK, RANDOM_ATTACK))
    assert by_name(measured(classifiers, images, strong, seed=1)) == by_name(measured(classifiers, images, strong, seed=2))
    assert by_name(measured(classifiers, images, weak, seed=1)) == by_name(measured(classifiers, images, weak, seed=1))
    assert by_name(measured(classifiers, images, weak, seed=1)) != by_name(measured(classifiers, images, weak, seed=2))


@pytest.mark.parametrize("batch_size", [3, 7])
def test_batches_change_no_prediction_of_bundled_classifiers_computed_in_float64(batch_size: int) -> None:
    loaded = [zooscope.load_classifier(f"bundled:{name}") for name in ("resnet", "vit")]
    classifiers = [replace(one, network=InDouble(one.network).eval()) for one in loaded]
    images, attack = zooscope.load_images("bundled:cifar10").sample(20, seed=3), LinfPGD(iterations=3)
    assert by_name(measured(classifiers, images, attack, batch_size=batch_size)) == by_name(measured(classifiers, images, attack))


def test_in_float32_the_same_settings_give_the_same_predictions_again() -> None:
    # Batches of another size may turn the sign of a gradient that is nearly zero: only equal settings are promised equal results.
    classifiers = [zooscope.load_classifier("bundled:resnet")]
    images, attack = zooscope.load_images("bundled:cifar10").sample(20, seed=3), LinfPGD(iterations=3)
    first, second = (measured(classifiers, images, attack, batch_size=7) for _ in range(2))
    assert by_name(first) == by_name(second)


# No work that no score reads


def test_only_images_that_the_source_gets_right_are_attacked(monkeypatch: pytest.MonkeyPatch) -> None:
    classifiers, images = family(3)
    attacked: list[tuple[str, Tensor]] = []
    perturb = LinfPGD.perturb

    def spy(self: LinfPGD, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:
        attacked.append((classifier.name, pixels))
        return perturb(self, classifier, pixels, labels, seeds)

    monkeypatch.setattr(LinfPGD, "perturb", spy)
    predictions = measured(classifiers, images, exact=True)
    right = predictions.clean == predictions.labels
    assert not right.all(), "the example must hold images that are not attacked"
    for name, pixels in attacked:
        source = next(one for one in classifiers if one.name == name)
        assert torch.equal(pixels, images.pixels(source, np.flatnonzero(right[predictions.names.index(name)]).tolist()))
    assert [name for name, _ in attacked] == list(predictions.names)


def test_a_target_sees_only_attacked_images_that_it_and_the_source_get_right() -> None:
    (source, plain), images = family(2)
    target = replace(plain, network=Counted(plain.network).eval())
    predictions = measured([source, target], images, exact=True)  # fast, copies of the networks are shown the images
    both = (predictions.clean == predictions.labels).all(0)
    np.testing.assert_array_equal(predictions.transfer[0, 1] == NOT_COUNTED, ~both)
    np.testing.assert_array_equal(predictions.transfer[1, 0] == NOT_COUNTED, ~both)
    assert isinstance(target.network, Counted)
    clean_pass, from_source = target.network.seen[NUM_LOOKS : NUM_LOOKS + 2]
    assert len(clean_pass) == len(images)
    assert len(from_source) == both.sum()


def test_a_shard_that_the_source_gets_all_wrong_is_done_without_an_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.full((4, 4, 4, 3), 200)
    monkeypatch.setattr(LinfPGD, "perturb", lambda *_: pytest.fail("attacked"))
    predictions = measured([two_class("wrong", np.ones(48) / 48)], images_of(levels, [0] * 4, num_classes=2))
    np.testing.assert_array_equal(predictions.transfer, NOT_COUNTED)


# From one input size to another


def test_attacked_pixels_are_resized_bilinearly_for_a_target_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    (source, plain), images = family(2, sizes=((6, 6), (9, 4)))
    target = replace(plain, network=Counted(plain.network).eval())
    attacked: dict[str, Tensor] = {}
    perturb = LinfPGD.perturb

    def spy(self: LinfPGD, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:
        result = perturb(self, classifier, pixels, labels, seeds)
        attacked[classifier.name] = result.pixels
        return result

    monkeypatch.setattr(LinfPGD, "perturb", spy)
    predictions = measured([source, target], images, exact=True)  # fast, copies of the networks are shown the images
    right = predictions.clean == predictions.labels
    chosen = attacked[source.name][torch.from_numpy(right[1][right[0]])]
    expected = np.stack([bilinear(pixels, 9, 4) for pixels in chosen.double().numpy()])
    assert isinstance(target.network, Counted)
    np.testing.assert_allclose(target.network.seen[NUM_LOOKS + 1], expected, rtol=0, atol=1e-6)


def checkered(strength: int) -> tuple[Array, Array]:
    """8 images of 4x4 pixels, half bright with a chequerboard, half dark with its negative; and their labels."""
    sign = 1 - 2 * (np.indices((4, 4)).sum(0) % 2)
    labels = np.arange(8) % 2
    levels = np.where(labels, 1, -1)[:, None, None] * (20 + strength * sign) + 128
    return np.repeat(levels[..., None], 3, axis=-1), labels


def test_a_control_shows_the_damage_of_resizing_and_is_zero_between_equal_transforms() -> None:
    # The small classifier goes by brightness; the large one by the chequerboard, which a detour through 2x2 pixels wipes out, and
    # says class 0 without it. So on that way it errs on half of the clean images: all of class 1.
    levels, labels = checkered(60)
    sign = np.tile((1 - 2 * (np.indices((4, 4)).sum(0) % 2)).ravel(), 3)
    small = replace(
        two_class("small", np.ones(12) / 12, size=(2, 2)),
        transform=zooscope.PixelTransform(height=2, width=2, interpolation="bilinear"),
    )
    large = two_class("large", sign / 48, bias=-0.1)
    twin = replace(large, name="twin")
    with Study.in_memory(
        classifiers=[small, large, twin],
        images=images_of(levels, labels),
        attack=LinfPGD(epsilon=1e-6, step_size=1e-6, iterations=1),
    ) as study:
        study.run(device="cpu", allow_chance=True)
        control = study.transfer().control
    np.testing.assert_array_equal(control, [[0, 50, 50], [0, 0, 0], [0, 0, 0]])


def test_a_control_is_measured_once_per_way_and_not_at_all_between_equal_transforms() -> None:
    relatives, images = family(4, sizes=((6, 6), (6, 6), (9, 9), (9, 9)), num_images=6)
    classifiers = [replace(one, network=Counted(one.network).eval()) for one in relatives]
    predictions = measured(classifiers, images, replace(ATTACK, iterations=1), shard_size=3, exact=True)
    for row, classifier in enumerate(classifiers):
        other = as_is(9, 9) if classifier.transform.size == (6, 6) else as_is(6, 6)
        made = torch.stack([make_pixels(other, images.image(place)) for place in range(6)])
        detour = nn.functional.interpolate(made, size=classifier.transform.size, mode="bilinear").clamp(0, 1)
        assert isinstance(classifier.network, Counted)
        passes = [any(torch.equal(seen, shard) for shard in detour.split(3)) for seen in classifier.network.seen]
        assert sum(passes) == 2, "one per shard, though two sources take this way"
        said = classifier.logits(detour).argmax(1).numpy()
        for column, source in enumerate(classifiers):
            same = source.transform == classifier.transform
            np.testing.assert_array_equal(predictions.control(column, row), predictions.clean[row] if same else said)


# Progress


def test_progress_counts_images_of_both_phases_up_to_their_totals() -> None:
    classifiers, images = family(2)
    told: list[Progress] = []
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, shard_size=10) as study:
        study.run(device="cpu", listen=told.append)
        right = (study.predictions.clean == study.predictions.labels).sum()
    clean, attacks = ([progress for progress in told if progress.phase == phase] for phase in ("classify", "attack"))
    assert len(clean) == len(attacks) == 6
    assert {progress.total for progress in clean} == {60}
    assert {progress.total for progress in attacks} == {right}
    for phase in (clean, attacks):
        assert [progress.done for progress in phase] == sorted({progress.done for progress in phase})
        assert phase[-1].done == phase[-1].total
    assert told[0].item == "relative 0, shard 1"


class _Timed(nn.Module):
    """Advances a clock by one for each image that goes forward, and by three for each that also goes back."""

    def __init__(self, network: nn.Module, clock: list[float]) -> None:
        super().__init__()
        self.network, self.clock = network, clock

    def forward(self, pixels: Tensor) -> Tensor:
        self.clock[0] += len(pixels) * (3 if pixels.requires_grad else 1)
        logits: Tensor = self.network(pixels)
        return logits


@pytest.mark.parametrize("sizes", [((6, 6),), ((6, 6), (9, 9))], ids=["one size", "two sizes"])
def test_the_share_that_is_done_is_that_of_the_time_although_some_attacks_are_kept(
    sizes: tuple[tuple[int, int], ...], tmp_path: Path
) -> None:
    clock, told = [0.0], list[tuple[float, Progress]]()
    relatives, images = family(3, num_images=20, sizes=sizes)
    classifiers = [replace(one, network=_Timed(one.network, clock).eval()) for one in relatives]
    with Study.create(tmp_path, classifiers=classifiers[:-1], images=images, attack=ATTACK, shard_size=8, exact=True) as study:
        for added in ((), classifiers[-1:]):
            study.add(added)
            told.clear()
            study.run(device="cpu", allow_chance=True, listen=lambda progress: told.append((clock[0], progress)))
            began = next(time for time, progress in reversed(told) if progress.phase == "classify")
            attacks = [(time - began, progress) for time, progress in told if progress.phase == "attack"]
            ended = attacks[-1][0]
            assert [progress.share for _, progress in attacks] == [time / ended for time, _ in attacks]
            assert len(attacks) == 3 * len(study.names)
        right = study.predictions.clean == study.predictions.labels
    tests = sum(int((right[2] & one).sum()) for one in right) + sum(int((right[2] & one).sum()) for one in right[:2])
    controls = 20 * (0 if len(sizes) == 1 else 1)  # of the added classifier's size there is one already, and so of the ways from it
    assert attacks[-1][1].passes == ended == 3 * ATTACK.iterations * right[2].sum() + tests + controls


# Classifiers that don't behave


class _Failing(nn.Module):
    """Right while the attack looks at it and on clean images, and then something else."""

    def __init__(self, after: Any) -> None:  # noqa: ANN401  (whatever a network may give)
        super().__init__()
        self.after, self.passes = after, 0
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, pixels: Tensor) -> Any:  # noqa: ANN401
        self.passes += 1
        brightness = pixels.flatten(1).mean(1, keepdim=True) - 0.5
        logits = torch.cat([-brightness, brightness], 1) * self.weight
        return logits if self.passes <= NUM_LOOKS + 1 else self.after(logits)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (lambda logits: logits * float("nan"), "failing gives NaN or infinite logits on image .* attacked through steady"),
        (
            lambda logits: logits[:, [0, 1, 1]],
            r"failing: the network must give .*= \(10, 2\): got float32 of shape \(10, 3\)",
        ),
        (lambda logits: (logits, logits), r"failing: the network must give logits .* \(batch, 2\) .*: got tuple"),
    ],
    ids=["NaN", "three logits", "a tuple"],
)
def test_a_classifier_that_fails_under_attack_is_an_error_and_keeps_what_was_measured(after: Any, message: str) -> None:  # noqa: ANN401
    levels = np.repeat(np.array([40, 200]), 5)[:, None, None, None] * np.ones((1, 4, 4, 3))
    images = images_of(levels, np.repeat([0, 1], 5))
    steady = two_class("steady", np.ones(48) / 48)
    failing = classifier_of("failing", _Failing(after), num_classes=2, size=(4, 4))
    attack = replace(ATTACK, iterations=1)
    with Study.in_memory(classifiers=[steady, failing], images=images, attack=attack, exact=True) as study:
        with pytest.raises(ClassifierError, match=message):
            study.run(device="cpu")
        assert (study.predictions.clean == images.labels).all()
