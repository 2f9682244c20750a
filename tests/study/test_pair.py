import json
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

import zooscope
from tests.specimens import Array, family, images_of, two_class
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, EmptyPairWarning, InvalidValueError
from zooscope.images.image_set import ImageSet
from zooscope.study.study import Study

if TYPE_CHECKING:
    from zooscope.engine.progress import Progress

pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


def grey_steps() -> ImageSet:
    """40 plain grey images: 20 of class 1 from just above the middle upwards, 20 of class 0 downwards, in steps of 1/255."""
    up = np.arange(20)
    levels = np.concatenate([128 + up, 127 - up])[:, None, None, None] * np.ones((1, 4, 4, 3), dtype=np.int64)
    return images_of(levels, np.repeat([1, 0], 20))


def going_by(name: str, num_against: int, scale: float = 1.0) -> Classifier:
    """Goes by the brightness, but counts so many of the 48 pixel values against it."""
    return two_class(name, scale * np.where(np.arange(48) < num_against, -1, 1) / 48)


# Grey at (j + 1/2) / 255 from the middle has, for the classifier with k of 48 values against brightness, the margin
# (48 - 2k) / 48 * (j + 1/2) / 255. An attack on it shifts its own margin by epsilon, and the margin of another by epsilon times the
# mean of the product of the two signs; fooled is who is shifted past zero.


def shares(epsilon: float, against_a: Array, against_b: Array) -> tuple[int, int]:
    """Images of 40 on which a's attack fools b, and b's attack fools a: counted from the closed form."""
    sign_a, sign_b = 1.0 - 2 * against_a, 1.0 - 2 * against_b
    overlap, distance = (sign_a * sign_b).mean(), (np.arange(20) + 0.5) / 255
    return tuple(2 * int((sign.mean() * distance < epsilon * overlap).sum()) for sign in (sign_b, sign_a))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("num_against", "levels", "expected"),
    [
        # b's margin is half the distance and half the shift reaches it: fooled up to 8 steps. a's margin is the distance: up to 4.
        pytest.param(12, 8, (40.0, 20.0), id="a quarter against"),
        # Two thirds of the distance, two thirds of the shift: 8 steps again, and 16/3 = 5.3 steps.
        pytest.param(8, 8, (40.0, 25.0), id="a sixth against"),
        pytest.param(0, 8, (40.0, 40.0), id="equal"),
        pytest.param(12, 30, (100.0, 75.0), id="a large epsilon"),
    ],
)
@pytest.mark.parametrize(("step_size", "iterations"), [(0.5, 1), (0.5, 20), (1 / 255, 60)])
def test_sat_of_two_linear_classifiers_is_known_in_closed_form(
    num_against: int, levels: int, expected: tuple[float, float], step_size: float, iterations: int
) -> None:
    order, none = np.arange(48), np.zeros(48)
    assert tuple(2.5 * share for share in shares(levels / 255, none, order < num_against)) == expected
    score = zooscope.sat(
        going_by("plain", 0),
        going_by("mixed", num_against),
        grey_steps(),
        attack=LinfPGD(epsilon=levels / 255, step_size=step_size, iterations=iterations),
        device="cpu",
    )
    assert (score.a_to_b, score.b_to_a) == expected
    assert score == pytest.approx(np.log(sum(expected) / 2), abs=1e-12)
    assert score.percent == sum(expected) / 2
    assert score.count == 40


def test_classifiers_that_go_by_other_pixels_score_log_epsilon_s() -> None:
    left, right = np.zeros(48), np.zeros(48)
    left[::2], right[1::2] = 1 / 24, 1 / 24
    score = zooscope.sat(two_class("left", left), two_class("right", right), grey_steps(), epsilon_s=0.5, device="cpu")
    assert score == pytest.approx(np.log(0.5))
    assert score.percent == 0


def test_the_score_is_that_of_a_study_of_the_two() -> None:
    (a, b), images = family(2, sizes=((6, 6), (9, 9)))
    attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3)
    score = zooscope.sat(a, b, images, attack=attack, confidence=0.8, device="cpu")
    with Study.in_memory(classifiers=[a, b], images=images, attack=attack) as study:
        study.run(device="cpu")
        cell, transfer = study.sat(confidence=0.8).sel(a=a.name, b=b.name), study.transfer()
    assert (score, score.low, score.high, score.percent, score.count) == tuple(
        value.item() for value in (cell, cell.low, cell.high, cell.percent, cell["count"])
    )
    forth, back = transfer.sel(source=a.name, target=b.name), transfer.sel(source=b.name, target=a.name)
    assert (score.a_to_b, score.control_a_to_b) == (forth.item(), forth.control.item())
    assert (score.b_to_a, score.control_b_to_a) == (back.item(), back.control.item())
    assert (score.confidence, score.names, json.loads(score.attack)["iterations"]) == (0.8, (a.name, b.name), 3)


def test_the_score_is_symmetric() -> None:
    (a, b), images = family(2)
    attack = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3)
    forth, back = (zooscope.sat(*pair, images, attack=attack, device="cpu") for pair in ((a, b), (b, a)))
    assert (forth, forth.low, forth.high) == (back, back.low, back.high)
    assert (forth.a_to_b, forth.b_to_a) == (back.b_to_a, back.a_to_b)


def test_a_score_is_a_float_that_shows_its_interval_and_can_be_sent_to_another_process() -> None:
    (a, b), images = family(2)
    score = zooscope.sat(a, b, images, attack=LinfPGD(iterations=1), device="cpu")
    assert isinstance(score, float)
    assert f"{score:.3f}, low={score.low:.3f}, high={score.high:.3f}" in repr(score)
    copy = pickle.loads(pickle.dumps(score))  # noqa: S301  (our own bytes)
    assert (copy, vars(copy)) == (score, vars(score))


def test_classifiers_without_a_shared_image_score_nan_with_a_warning_that_names_them() -> None:
    up, down = two_class("always 1", np.zeros(48), bias=1.0), two_class("always 0", np.zeros(48), bias=-1.0)
    with pytest.warns(EmptyPairWarning, match="always 1 and always 0 share no correctly classified image"):
        score = zooscope.sat(up, down, grey_steps(), device="cpu", allow_chance=True)
    assert np.isnan(score)
    assert score.count == 0


def test_guessing_is_refused_here_too() -> None:
    guesser = two_class("guesser", np.zeros(48), bias=1.0)
    with pytest.raises(ClassifierError, match=r"guesser gets 20 of 40 clean images right: chance level"):
        zooscope.sat(going_by("plain", 0), guesser, grey_steps(), device="cpu")


def test_a_listener_hears_of_the_progress() -> None:
    told: list[Progress] = []
    zooscope.sat(going_by("plain", 0), going_by("mixed", 8), grey_steps(), device="cpu", listen=told.append)
    assert [progress.phase for progress in told] == ["classify", "classify", "attack", "attack"]


def test_a_classifier_is_not_compared_with_itself() -> None:
    one = going_by("plain", 0)
    with pytest.raises(ClassifierError, match=r"two classifiers are called plain; give one of them another name"):
        zooscope.sat(one, one, grey_steps())


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_out_of_range_is_refused_before_anything_is_measured(confidence: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"confidence must be in \(0, 1\): got {confidence:g}\."):
        zooscope.sat(
            going_by("a", 0), going_by("b", 1), grey_steps(), confidence=confidence, listen=lambda _: pytest.fail("measured")
        )
