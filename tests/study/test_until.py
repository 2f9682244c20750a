"""Runs that stop when enough is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.cli.synthetic import write_study
from tests.specimens import family
from zooscope import read_snapshot
from zooscope.attacks import LinfPGD
from zooscope.errors import InvalidValueError, StudyError
from zooscope.records.predictions import NOT_MEASURED
from zooscope.scores.outcomes import Outcomes
from zooscope.study.study import Study
from zooscope.study.until import Look, UntilOrder, UntilWidth, describe_stop

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)


@dataclass
class AfterImages:
    """A rule of one's own."""

    number: int
    seen: list[tuple[int, int, int]] = field(default_factory=list)

    def look(self, outcomes: Outcomes, shards: Sequence[range]) -> Look:
        self.seen.append((len(outcomes.names), len(outcomes.labels), len(shards)))
        return Look(is_reached=len(outcomes.labels) >= self.number, says=f"{len(outcomes.labels)} images are measured")


def make_study(num_classifiers: int = 3, sources: Sequence[str] | None = None, *, is_sorted: bool = False) -> Study:
    classifiers, images = family(num_classifiers, num_images=30)
    images = images.take(np.argsort(images.labels, kind="stable")) if is_sorted else images.sample(30)
    return Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK, shard_size=5, sources=sources)


def count_measured(study: Study) -> int:
    said = [study.predictions.take_source(name) for name in study.sources]
    return int((np.array(said) != NOT_MEASURED).all(axis=(0, 1)).sum())


def test_a_run_stops_after_the_shard_that_reaches_it_and_later_runs_go_on_to_the_same_end() -> None:
    with make_study() as study, make_study() as whole:
        rule = AfterImages(10)
        study.run(device="cpu", allow_chance=True, until=rule)
        assert rule.seen == [(3, 5, 1), (3, 10, 2)]
        assert count_measured(study) == 10
        assert (study.predictions.clean != NOT_MEASURED).all()
        study.run(device="cpu", allow_chance=True, until=AfterImages(8))
        assert count_measured(study) == 10, "what is measured is enough already"
        study.run(device="cpu", allow_chance=True, until=AfterImages(15))
        assert count_measured(study) == 15
        study.run(device="cpu", allow_chance=True)
        whole.run(device="cpu", allow_chance=True)
        np.testing.assert_array_equal(study.predictions.transfer, whole.predictions.transfer)


def test_classifiers_that_are_only_targets_don_t_count_and_what_is_never_reached_measures_all() -> None:
    with make_study(3, ["relative 0", "relative 2"]) as study:
        rule = AfterImages(1000)
        study.run(device="cpu", allow_chance=True, until=rule)
        assert rule.seen[-1] == (2, 25, 5)
        stop = describe_stop(study.snapshot(), rule)
        assert (stop.look.is_reached, stop.num_images, stop.saved) == (False, 30, 0)


def test_what_is_saved_is_the_share_of_passes_that_were_not_made() -> None:
    with make_study() as study:
        study.run(device="cpu", allow_chance=True, until=AfterImages(10))
        stop = describe_stop(study.snapshot(), AfterImages(10))
        right = study.predictions.clean == study.predictions.labels
        per_image = right.sum(0) * (
            3 * ATTACK.iterations + right.sum(0)
        )  # each attack, and everybody that is right on what it gives
    assert stop[:2] == (Look(is_reached=True, says="10 images are measured"), 10)
    assert stop.saved == pytest.approx(100 * per_image[10:].sum() / (per_image.sum() + 3 * 30))


def test_rules_say_how_far_they_are(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"), num_images=300)
    study = read_snapshot(tmp_path)
    reached, missed = (describe_stop(study, UntilWidth(points=points)).look for points in (40, 1))
    assert (reached.is_reached, missed.is_reached) == (True, False)
    assert missed.says.startswith("the widest of 3 intervals, that of ")
    order = describe_stop(study, UntilOrder())
    assert order.look.says.startswith("the nearest neighbour of ") or order.look.is_reached


def test_images_that_come_sorted_by_class_are_refused_before_anything_is_attacked() -> None:
    with make_study(is_sorted=True) as study:
        with pytest.raises(
            StudyError, match=r"can't be told before the last, because they come sorted by class; make the study of"
        ):
            study.run(device="cpu", allow_chance=True, until=UntilOrder())
        assert not study.snapshot().names
        study.run(device="cpu", allow_chance=True)


def test_one_attacked_classifier_makes_no_pair() -> None:
    with (
        make_study(2, ["relative 1"]) as study,
        pytest.raises(StudyError, match=r"can't be told of 1 attacked classifier, which make no pair: add some, or measure all\."),
    ):
        study.run(device="cpu", allow_chance=True, until=UntilWidth(points=5))


def test_where_no_shard_is_complete_there_is_nothing_to_describe(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), num_measured=0)
    with pytest.raises(StudyError, match=r"no shard of .* is measured completely; run it again\."):
        describe_stop(read_snapshot(tmp_path), UntilOrder())


@pytest.mark.parametrize("points", [0, 100, -1, float("nan")])
def test_widths_out_of_range_are_refused(points: float) -> None:
    with pytest.raises(InvalidValueError, match=r"UntilWidth\.points must be above 0 and below 100 \(percentage points\): got"):
        UntilWidth(points=points)


@pytest.mark.parametrize("rule", [UntilOrder, lambda confidence: UntilWidth(points=5, confidence=confidence)])
def test_a_confidence_out_of_range_is_refused(rule: type[UntilOrder]) -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\)"):
        rule(confidence=95)


def test_a_part_can_not_tell_whether_its_images_are_enough() -> None:
    with make_study() as study, pytest.raises(InvalidValueError, match="leave out part or until"):
        study.run(device="cpu", part="1/2", until=AfterImages(10))
