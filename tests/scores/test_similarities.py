"""What every similarity score promises as data, and how it is held to it."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.scores.synthetic import make_logits, make_measured
from tests.specimens import Array
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.records.kinds import FEATURES, GRADIENTS, PLANES
from zooscope.scores.registry import SIMILARITIES, find_similarity
from zooscope.scores.similarity import LOGITS, Measured, Resampling, Similarity
from zooscope.scores.similarity_matrix import make_similarity_matrix

ALL = pytest.mark.parametrize("similarity", SIMILARITIES.values(), ids=lambda one: one.name)
Reorder = Callable[[Array], Array]


def as_it_is(values: Array) -> Array:
    return values


def make_arrays(kind: str, logits: Array, labels: Array) -> list[Array]:
    """An array of the kind for each classifier, made from logits of (classifier, image, class)."""
    noise = np.random.default_rng(7).normal(size=(*labels.shape, 30, logits.shape[-1]))
    makers: dict[str, Callable[[], Sequence[Array]]] = {
        "": list,
        LOGITS: lambda: list(logits),
        FEATURES: lambda: list(logits.astype(np.float32)),
        GRADIENTS: lambda: list(logits.astype(np.float16)),
        PLANES: lambda: list((logits[:, :, None] + noise).argmax(-1).astype(np.int8)),
    }
    return list(makers[kind]())


def measure(
    similarity: Similarity,
    num_classifiers: int = 4,
    num_images: int = 60,
    *,
    num_classes: int = 5,
    classifiers: Reorder = as_it_is,
    images: Reorder = as_it_is,
) -> Measured:
    """Made-up measurements, with classifiers and images in another order if need be."""
    labels, logits = make_logits(num_classifiers, num_images, num_classes=num_classes)
    arrays = make_arrays(similarity.kind, logits, labels)
    names = [f"c{number}" for number in range(num_classifiers)]
    order = classifiers(np.arange(num_classifiers))
    said = np.stack([images(one) for one in logits.argmax(-1)])
    return make_measured(
        images(labels),
        said[order],
        [images(arrays[place]) for place in order] if arrays else [],
        names=[names[place] for place in order],
        num_parts=min(2, num_images),
    )


@ALL
def test_scores_are_in_their_range_and_intervals_hold_them(similarity: Similarity) -> None:
    pairs = similarity.compute(measure(similarity), 0.95)
    assert np.isfinite(pairs.score).all()
    assert ((pairs.low <= pairs.score + 1e-9) & (pairs.score <= pairs.high + 1e-9)).all()
    for values in pairs[:3]:
        assert ((values >= similarity.lowest - 1e-9) & (values <= similarity.highest + 1e-9)).all()
    assert (pairs.reason == "").all()
    off_diagonal = ~np.eye(4, dtype=bool)
    assert (pairs.low < pairs.high)[off_diagonal].all()


@ALL
def test_scores_are_symmetric_or_not_as_they_say(similarity: Similarity) -> None:
    pairs = similarity.compute(measure(similarity), 0.95)
    for values in pairs[:3]:
        assert np.allclose(values, values.T, rtol=0, atol=1e-9) is similarity.is_symmetric


@ALL
def test_a_classifier_with_itself_has_the_score_that_is_said_and_is_no_less_similar_than_others(similarity: Similarity) -> None:
    score = similarity.compute(measure(similarity), None).score
    if similarity.with_itself is not None:
        np.testing.assert_allclose(score.diagonal(), similarity.with_itself, atol=1e-9)
    sign = 1 if similarity.larger_is_more_similar else -1
    assert (sign * score.diagonal()[:, None] >= sign * score - 1e-9).all()


@ALL
def test_another_order_of_classifiers_reorders_the_matrix(similarity: Similarity) -> None:
    order = np.array([2, 0, 3, 1])
    straight = similarity.compute(measure(similarity), 0.9)
    turned = similarity.compute(measure(similarity, classifiers=lambda values: values[order]), 0.9)
    for before, after in zip(straight[:4], turned[:4], strict=True):
        np.testing.assert_allclose(before[np.ix_(order, order)], after, rtol=1e-9, atol=1e-9)


@ALL
def test_another_order_of_images_changes_no_score(similarity: Similarity) -> None:
    straight = similarity.compute(measure(similarity), None)
    turned = similarity.compute(measure(similarity, images=lambda values: values[::-1]), None)
    np.testing.assert_allclose(straight.score, turned.score, rtol=1e-9, atol=1e-9)


@ALL
@pytest.mark.parametrize("positions", [np.arange(60), np.arange(5, 40), np.arange(40, 58)], ids=["all", "both parts", "last part"])
def test_on_some_images_it_is_the_score_of_a_study_of_these(similarity: Similarity, positions: Array) -> None:
    whole = measure(similarity)
    takes_images = similarity.resampling is not Resampling.TRIPLETS
    taken = (whole.take_images if takes_images else whole.take_triplets)(np.random.default_rng(0).permutation(positions))
    alone = measure(similarity, images=lambda values: values[positions] if len(values) == 60 else values)
    np.testing.assert_allclose(similarity.compute(taken, None).score, similarity.compute(alone, None).score, atol=1e-9)


@ALL
@pytest.mark.parametrize(("num_images", "num_classes"), [(1, 5), (2, 5), (3, 5), (5, 5), (1, 2), (60, 2)])
def test_where_there_is_no_number_there_is_a_reason(similarity: Similarity, num_images: int, num_classes: int) -> None:
    measured = measure(similarity, num_images=num_images, num_classes=num_classes)
    pairs = similarity.compute(measured, 0.95)
    missing = np.isnan(pairs.score) | np.isnan(pairs.low) | np.isnan(pairs.high)
    np.testing.assert_array_equal(pairs.reason != "", missing)
    if num_images == 1:
        assert (missing | (pairs.high - pairs.low > 0.5) | np.eye(4, dtype=bool)).all(), "one image says nothing"


@ALL
def test_one_classifier_is_a_matrix_of_one(similarity: Similarity) -> None:
    assert similarity.compute(measure(similarity, 1), 0.95).score.shape == (1, 1)


@ALL
def test_intervals_can_be_left_out_without_changing_the_score(similarity: Similarity) -> None:
    measured = measure(similarity)
    without = make_similarity_matrix(similarity, measured, confidence=None, missing={})
    assert {"low", "high"}.isdisjoint(without.coords)
    assert (without.reason == "").all()
    np.testing.assert_allclose(without, similarity.compute(measured, 0.9).score, rtol=1e-12)


@ALL
def test_more_confidence_gives_wider_intervals(similarity: Similarity) -> None:
    measured = measure(similarity)
    narrow, wide = (similarity.compute(measured, confidence) for confidence in (0.5, 0.99))
    assert (wide.low <= narrow.low + 1e-12).all()
    assert (wide.high >= narrow.high - 1e-12).all()


@ALL
def test_a_classifier_that_is_not_measured_has_the_reason_and_changes_nothing_for_others(similarity: Similarity) -> None:
    measured = measure(similarity)
    whole = make_similarity_matrix(similarity, measured, confidence=0.9, missing={})
    part = make_similarity_matrix(similarity, measured, confidence=0.9, missing={"c1": "not there"})
    others = ["c0", "c2", "c3"]
    np.testing.assert_allclose(part.sel(a=others, b=others), whole.sel(a=others, b=others), rtol=1e-9)
    assert np.isnan(part.sel(a="c1")).all()
    assert (part.reason.sel(b="c1") == "not there").all()
    assert (part["count"].sel(b="c1") == 0).all()


@ALL
def test_a_confidence_out_of_range_is_refused(similarity: Similarity) -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95"):
        make_similarity_matrix(similarity, measure(similarity), confidence=95, missing={})


@ALL
def test_what_a_score_says_of_itself_is_complete(similarity: Similarity) -> None:
    assert SIMILARITIES[similarity.name] is similarity
    assert similarity.lowest < similarity.highest
    assert any(year in similarity.reference for year in map(str, range(2001, 2027)))
    assert bool(similarity.also) == (similarity.count_passes(10) > 0), "what costs passes is made by a measurement"
    assert (similarity.resampling is Resampling.TRIPLETS) == (similarity.passes > 0)


def test_an_unknown_score_is_refused_with_similar_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown similarity 'disagree'\. Did you mean disagreement"):
        find_similarity("disagree")
