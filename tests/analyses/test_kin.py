from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from tests.specimens import Array
from zooscope.analyses import find_kinship
from zooscope.errors import InvalidValueError, StudyError, UnknownNameError
from zooscope.scores.outcomes import Outcomes

SEEDS = ("s1", "s2", "s3", "s4")
BOTH = ("a", "b")


def draw(rates: Array, names: tuple[str, ...], num_images: int = 160, seed: int = 0) -> Outcomes:
    """Outcomes in which each image is fooled by chance, at the rate of its source and target."""
    fooled = np.random.default_rng(seed).random((*rates.shape, num_images)) < rates[..., None]
    return Outcomes.from_flags(names, counted=np.ones(fooled.shape, dtype=bool), fooled=fooled)


def make_rates(num_seeds: int, generator: np.random.Generator, *, own: float = 0.05, scatter: float = 0.0) -> Array:
    """Rates of independent seeds: a number per classifier, and a number per pair."""
    size = num_seeds + 2
    each, pair = generator.normal(0, own, size), np.triu(generator.normal(0, scatter, (size, size)), 1)
    return np.clip(0.5 + each[:, None] + each + pair + pair.T, 0.02, 0.98)


def test_the_excess_is_that_of_the_four_point_condition() -> None:
    rates = np.array([[1, 0.7, 0.5, 0.4], [0.7, 1, 0.3, 0.5], [0.5, 0.3, 1, 0.6], [0.4, 0.5, 0.6, 1]])
    fooled = np.arange(100) < (100 * rates[..., None]).round()
    outcomes = Outcomes.from_flags((*BOTH, *SEEDS[:2]), counted=np.ones(fooled.shape, dtype=bool), fooled=fooled)
    found = find_kinship(outcomes, "a", "b", SEEDS[:2])
    assert found.percent == pytest.approx(70)
    assert found.excess == pytest.approx(70 + 60 - (50 + 40 + 30 + 50) / 2)
    assert found.pairs["percent"].to_numpy() == pytest.approx([70, 50, 40, 30, 50, 60])


@pytest.mark.parametrize("num_seeds", [2, 3, 4])
def test_the_seeds_p_value_is_that_of_a_regression_with_a_column_for_the_pair(num_seeds: int) -> None:
    names = (*BOTH, *SEEDS[:num_seeds])
    outcomes = draw(make_rates(num_seeds, np.random.default_rng(1), scatter=0.05), names)
    found = find_kinship(outcomes, "a", "b", SEEDS[:num_seeds])
    shares = outcomes.percent
    y = np.array([(shares[i, j] + shares[j, i]) / 2 for i, j in combinations(range(len(names)), 2)])
    design = np.array([[k in pair for k in range(len(names))] for pair in combinations(range(len(names)), 2)], dtype=float)
    design = np.column_stack([design, np.arange(len(y)) == 0])
    fit, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    degrees = len(y) - design.shape[1]
    error = np.sqrt(squares[0] / degrees * np.linalg.inv(design.T @ design)[-1, -1])
    assert degrees == (num_seeds**2 + num_seeds - 4) / 2
    assert found.excess == pytest.approx(fit[-1])
    assert found.p_seeds == pytest.approx(stats.t.sf(fit[-1] / error, degrees))
    assert found.p_value == max(found.p_seeds, found.p_images)


@pytest.mark.parametrize(("num_seeds", "scatter"), [(2, 0.0), (2, 0.1), (3, 0.0), (3, 0.1)])
def test_independent_seeds_are_called_derived_as_rarely_as_stated(num_seeds: int, scatter: float) -> None:
    names, generator = (*BOTH, *SEEDS[:num_seeds]), np.random.default_rng(2)
    found = [
        find_kinship(
            draw(make_rates(num_seeds, generator, scatter=scatter), names, 100, seed), "a", "b", SEEDS[:num_seeds], alpha=0.1
        )
        for seed in range(200)
    ]
    assert np.mean([one.relation == "derived" for one in found]) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)
    assert np.mean([one.relation == "independent" for one in found]) <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)
    if scatter:  # where pairs scatter beyond what images explain, images alone would claim too much
        assert np.mean([one.p_images <= 0.1 for one in found]) > 0.2


def test_copies_are_found_although_they_are_less_alike_with_all() -> None:
    names, generator, found = (*BOTH, *SEEDS[:3]), np.random.default_rng(3), []
    for seed in range(30):
        rates = make_rates(3, generator)
        rates[1] -= 0.15  # a damaged copy: everyone's attacks do less to it, and its attacks less to everyone
        rates[:, 1] -= 0.15
        rates[0, 1] = rates[1, 0] = 0.7
        found.append(find_kinship(draw(np.clip(rates, 0.02, 0.98), names, seed=seed), "a", "b", SEEDS[:3]).relation)
    assert found.count("derived") >= 25


def test_nothing_depends_on_the_order() -> None:
    names = (*BOTH, *SEEDS)
    outcomes = draw(make_rates(4, np.random.default_rng(4), scatter=0.05), names)
    found = find_kinship(outcomes, "a", "b", SEEDS)
    places = np.array([3, 5, 0, 2, 4, 1])
    turned = find_kinship(outcomes.take_classifiers(places), "b", "a", SEEDS[::-1])
    for name in ("p_value", "p_images", "p_seeds", "p_less_alike", "percent", "expected"):
        assert getattr(found, name) == pytest.approx(getattr(turned, name))


def study_of(rate_of_b: float, architecture_of_b: str = "vit", num_images: int = 300) -> tuple[Outcomes, dict[str, str]]:
    """Seeds that are alike by 0.7, B to all of them by another rate, and a CNN that is far from all."""
    names = (*BOTH, *SEEDS, "cnn")
    rates = np.full((7, 7), 0.7)
    rates[1], rates[:, 1] = rate_of_b, rate_of_b
    rates[-1], rates[:, -1] = 0.2, 0.2
    return draw(rates, names, num_images), dict.fromkeys(names, "vit") | {"b": architecture_of_b, "cnn": "cnn"}


def test_another_seed_is_of_the_same_recipe_where_others_are_farther() -> None:
    outcomes, architectures = study_of(0.7)
    found = find_kinship(outcomes, "a", "b", SEEDS, architectures=architectures)
    assert (found.relation, found.others, found.num_others) == ("same recipe", (), 1)


def test_one_that_is_less_alike_than_seeds_is_independent() -> None:
    for architecture in ("vit", "mixer"):
        outcomes, architectures = study_of(0.4, architecture)
        found = find_kinship(outcomes, "a", "b", SEEDS, architectures=architectures)
        assert found.relation == "independent"
        assert found.p_less_alike < 0.01
        assert find_kinship(outcomes, "b", "a", SEEDS, architectures=architectures).relation == "independent"


@pytest.mark.parametrize(
    ("architectures", "reason"),
    [
        (None, "but their architectures are not known"),
        ({"b": "cnn"}, "but their architectures differ"),
        ({"cnn": "vit"}, "but the study has no classifier of another architecture to compare with"),
    ],
)
def test_without_grounds_it_is_not_sure(architectures: dict[str, str] | None, reason: str) -> None:
    outcomes, known = study_of(0.7)
    found = find_kinship(outcomes, "a", "b", SEEDS, architectures=None if architectures is None else known | architectures)
    assert found.relation == "not sure"
    assert reason in found.reason


def test_a_near_classifier_of_another_architecture_leaves_it_open() -> None:
    outcomes, known = study_of(0.7)
    rates = np.full((7, 7), 0.7)
    found = find_kinship(draw(rates, outcomes.names), "a", "b", SEEDS, architectures=known)
    assert (found.relation, found.others) == ("not sure", ("cnn",))
    assert found.reason.endswith("but nor are they told from cnn, of another architecture")


def test_what_images_show_but_seeds_scatter_over_leaves_it_open() -> None:
    names = (*BOTH, *SEEDS[:2])
    rates = np.full((4, 4), 0.5)
    for (i, j), rate in {(0, 1): 0.85, (0, 2): 0.8, (1, 3): 0.8, (0, 3): 0.4, (1, 2): 0.4, (2, 3): 0.7}.items():
        rates[i, j] = rates[j, i] = rate
    found = find_kinship(draw(rates, names, 400), "a", "b", SEEDS[:2])
    assert found.p_images < 0.001
    assert found.p_seeds > 0.05
    assert found.relation == "not sure"
    assert "these few seeds may scatter as much" in found.reason


def test_a_pair_that_is_no_nearest_one_is_not_derived() -> None:
    # B is as alike with the seeds as with A: A's own distance to the seeds is all that makes an excess.
    names = (*BOTH, *SEEDS)
    rates = np.full((6, 6), 0.7)
    rates[0], rates[:, 0] = 0.4, 0.4
    rates[1], rates[:, 1] = 0.3, 0.3
    rates[0, 1] = rates[1, 0] = 0.29
    fooled = np.arange(1000) < (1000 * rates[..., None]).round()
    found = find_kinship(Outcomes.from_flags(names, counted=np.ones(fooled.shape, dtype=bool), fooled=fooled), "a", "b", SEEDS)
    assert found.p_value < 0.05
    assert found.relation == "not sure"
    assert found.reason.endswith("but each is as alike with some seed")


def test_an_odd_seed_is_not_called_independent_where_strangers_are_far() -> None:
    outcomes, architectures = study_of(0.6, num_images=1000)
    found = find_kinship(outcomes, "a", "b", SEEDS, architectures=architectures)
    assert found.p_less_alike < 0.05
    assert found.relation == "not sure"
    assert "but nearer to that than classifiers of another architecture" in found.reason
    assert find_kinship(outcomes, "a", "b", SEEDS).relation == "independent"  # nothing is known of architectures


def test_identical_outcomes_claim_nothing() -> None:
    names = (*BOTH, *SEEDS[:2])
    found = find_kinship(draw(np.ones((4, 4)), names), "a", "b", SEEDS[:2])
    assert found.p_value == pytest.approx(0.5)
    spared = np.zeros((4, 4, 20), dtype=bool)
    spared[2, 3, :10] = spared[3, 2, :10] = True  # so that A and B are alike beyond their sum with the seeds, which don't scatter
    outcomes = Outcomes.from_flags(names, counted=np.ones_like(spared), fooled=spared)
    assert 0 < find_kinship(outcomes, "a", "b", SEEDS[:2]).p_seeds < 0.05
    assert found.relation == "not sure"


@pytest.mark.parametrize(
    ("names", "options", "error", "sentence"),
    [
        (("a", "b", "s1"), {}, InvalidValueError, "kinship takes two or more seeds besides A and B: got 1"),
        (("a", "a", "s1", "s2"), {}, InvalidValueError, "a is named twice"),
        (("a", "b", "s1", "b"), {}, InvalidValueError, "b is named twice"),
        (("a", "b", "s1", "s9"), {}, UnknownNameError, "'s9'"),
        (("a", "b", "s1", "s2"), {"alpha": 0.5}, InvalidValueError, r"alpha must be in \(0, 0.5\), as 0.05: got 0.5"),
        (("a", "b", "s1", "s2"), {"alpha": 0}, InvalidValueError, "got 0"),
    ],
)
def test_wrong_arguments_are_refused(
    names: tuple[str, ...], options: dict[str, float], error: type[Exception], sentence: str
) -> None:
    outcomes = draw(np.full((6, 6), 0.5), (*BOTH, *SEEDS))
    with pytest.raises(error, match=sentence):
        find_kinship(outcomes, names[0], names[1], names[2:], **options)  # type: ignore[arg-type]


def test_a_pair_without_images_is_named() -> None:
    counted = np.ones((4, 4, 10), dtype=bool)
    counted[1, 3] = False
    outcomes = Outcomes.from_flags((*BOTH, *SEEDS[:2]), counted=counted, fooled=counted)
    with pytest.raises(StudyError, match="b and s2 have no score"):
        find_kinship(outcomes, "a", "b", SEEDS[:2])
