from itertools import combinations

import numpy as np
import pytest
from scipy.special import softmax

from tests.analyses.zoo import logits_of, synthetic_logits
from tests.specimens import Array
from zooscope.analyses import averaging
from zooscope.analyses.averaging import Average, CleanLogits, find_right_ensembles, measure_metrics
from zooscope.errors import InvalidValueError, UnknownNameError


def naive(logits: CleanLogits, members: Array, average: Average) -> Array:
    """Everything summed, nothing left out."""
    values = np.stack(logits.values).astype(np.float64)
    values = values if average == "logits" else softmax(values, axis=-1)
    return np.array([values[list(row)].mean(0).argmax(1) == logits.labels for row in members])


@pytest.mark.parametrize("average", ["logits", "probabilities"])
@pytest.mark.parametrize("num_classes", [2, 10, 64, 65, 200])
@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_the_short_way_gives_what_the_naive_way_gives(average: Average, num_classes: int, size: int) -> None:
    logits = synthetic_logits(7, num_images=60, num_classes=num_classes)
    members = np.array(list(combinations(range(7), size)))
    (found,) = find_right_ensembles(logits, [members], average=average)
    np.testing.assert_array_equal(found, naive(logits, members, average))


@pytest.mark.parametrize("average", ["logits", "probabilities"])
def test_it_is_exact_where_no_class_stands_out_and_all_must_be_summed(average: Average) -> None:
    # Noise alone: the winner of a sum is near the top of neither, so that the candidates rarely hold it.
    generator = np.random.default_rng(0)
    logits = logits_of(generator.normal(size=(5, 200, 300)), generator.integers(0, 300, 200))
    for image, label in enumerate(np.stack(logits.values).astype(np.float64)[:2].sum(0).argmax(1)[:100]):
        logits.labels[image] = label
    members = np.array(list(combinations(range(5), 2)))
    (found,) = find_right_ensembles(logits, [members], average=average)
    np.testing.assert_array_equal(found, naive(logits, members, average))
    assert found[0, :100].mean() > 0.3


def test_among_equal_sums_the_first_class_wins() -> None:
    # Few different values make many ties, in sums and in single classifiers.
    generator = np.random.default_rng(1)
    logits = logits_of(generator.integers(0, 3, (6, 80, 150)) / 2, generator.integers(0, 4, 80))
    members = np.array(list(combinations(range(6), 3)))
    (found,) = find_right_ensembles(logits, [members])
    np.testing.assert_array_equal(found, naive(logits, members, "logits"))
    assert found.any()


def test_candidates_are_proven_most_often(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = synthetic_logits(10, num_images=50, num_classes=300)
    summed: list[int] = []
    really = averaging._wins  # noqa: SLF001  (what is summed can only be seen there)

    def listen(values: Array, members: Array, label: int) -> Array:
        summed.append(len(members) * values.shape[1])
        return really(values, members, label)

    monkeypatch.setattr(averaging, "_wins", listen)
    find_right_ensembles(logits, [np.array(list(combinations(range(10), 2)))])
    assert 0 < sum(summed) < 0.2 * 50 * 45 * 300


def test_several_sizes_at_once_equal_one_after_the_other() -> None:
    logits = synthetic_logits(6, num_images=40, num_classes=100)
    every = [np.array(list(combinations(range(6), size))) for size in (1, 2, 5)]
    for members, together in zip(every, find_right_ensembles(logits, every), strict=True):
        np.testing.assert_array_equal(together, find_right_ensembles(logits, [members])[0])


def test_one_member_is_the_classifier_itself() -> None:
    logits = synthetic_logits(4, num_images=50, num_classes=100)
    np.testing.assert_array_equal(find_right_ensembles(logits, [np.arange(4)[:, None]])[0], logits.right)


def test_the_metrics_are_their_formulas() -> None:
    logits = synthetic_logits(5, num_images=70, num_classes=10)
    members = np.array(list(combinations(range(5), 3)))
    ((error, err, all_wrong),) = measure_metrics(logits, [members])
    single = np.array([(values.argmax(1) != logits.labels) for values in logits.values])
    for place, row in enumerate(members):
        wrong = ~naive(logits, members[place : place + 1], "logits")[0]
        assert error[place] == pytest.approx(wrong.mean())
        assert err[place] == pytest.approx(1 - wrong.mean() / np.mean([single[member].mean() for member in row]))
        assert all_wrong[place] == np.logical_and.reduce([single[member] for member in row]).mean()


def test_identical_members_reduce_no_error() -> None:
    one = synthetic_logits(1, num_images=80, num_classes=100)
    same = CleanLogits(names=("a", "b", "c"), values=one.values * 3, labels=one.labels)
    for found in measure_metrics(same, [np.array([[0, 1]]), np.array([[0, 1, 2]])]):
        assert found.err.tolist() == [0.0]
        assert found.error == pytest.approx(1 - one.right.mean())
        assert found.all_wrong == found.error


def test_members_without_errors_have_no_error_reduction_rate() -> None:
    perfect = logits_of(np.tile(np.eye(4), (2, 1, 1)), np.arange(4))
    ((error, err, all_wrong),) = measure_metrics(perfect, [np.array([[0, 1]])])
    assert error.tolist() == all_wrong.tolist() == [0.0]
    assert np.isnan(err)


def test_one_image_is_enough() -> None:
    logits = synthetic_logits(3, num_images=1, num_classes=100)
    assert find_right_ensembles(logits, [np.array([[0, 1], [1, 2]])])[0].shape == (2, 1)


def test_some_images_and_some_classifiers_can_be_taken() -> None:
    logits = synthetic_logits(3, num_images=9, num_classes=4)
    some = logits.take_images(np.array([4, 2])).take_classifiers(("classifier 2", "classifier 0"))
    assert some.names == ("classifier 2", "classifier 0")
    np.testing.assert_array_equal(some.values[0], logits.values[2][[4, 2]])
    np.testing.assert_array_equal(some.labels, logits.labels[[4, 2]])


def test_an_unknown_classifier_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown classifier 'clasifier 1'\. Did you mean classifier 1 or"):
        synthetic_logits(3).take_classifiers(("clasifier 1",))


def test_logits_that_do_not_fit_the_labels_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"1 classifiers and 3 labels need .* got 1 of shapes \[\(2, 4\)\]"):
        CleanLogits(names=("a",), values=(np.zeros((2, 4), dtype=np.float16),), labels=np.zeros(3, dtype=np.int64))


def test_an_ensemble_without_members_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"an ensemble needs at least one member\."):
        find_right_ensembles(synthetic_logits(2), [np.empty((1, 0), dtype=np.int64)])
