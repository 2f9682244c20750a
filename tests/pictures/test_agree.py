from dataclasses import replace

import numpy as np
import pytest

from tests.analyses.zoo import matrix_of, names_of
from zooscope.analyses.study_agreement import StudyAgreement, measure_agreement
from zooscope.exchange.published import IMPORTED
from zooscope.pictures.agree import label_studies, make_agreement_picture
from zooscope.records.entries import Definition

LINF = '{"attack": "LinfPGD", "epsilon": 0.03137254901960784, "iterations": 3, "random_start": false}'
APGD = '{"attack": "APGD", "epsilon": 0.03137254901960784, "iterations": 5, "loss": "ce"}'
STUDY = Definition(images="folder:photos", image_digest="", class_names="", attack=LINF, seed=0, shard_size=1)
PLACES = ("one", "other")


def found(size: int = 5) -> StudyAgreement:
    values = np.random.default_rng(0).uniform(1, 2, (2, size, size))
    first, second = values + values.transpose(0, 2, 1)
    first[0, 1] = first[1, 0] = np.nan
    return measure_agreement(matrix_of(first), matrix_of(second), num_permutations=99)


def test_points_are_the_pairs_with_both_scores() -> None:
    result = found()
    picture = make_agreement_picture(result, PLACES)
    np.testing.assert_array_equal(picture.x, result.pairs["first"])
    np.testing.assert_array_equal(picture.y, result.pairs["second"])
    assert len(picture.x) == 9
    first = result.pairs.iloc[0]
    assert picture.names[0] == f"{first['a']} and {first['b']}"
    assert (picture.x_label, picture.y_label) == ("SAT (natural log), one", "SAT (natural log), other")


def test_the_title_says_the_correlations_and_the_line_has_its_band() -> None:
    result = found()
    picture = make_agreement_picture(result, PLACES)
    expected = f"r = {result.pearson.r:.2f}, p = {result.pearson.p_mantel:.2g} (Mantel), Spearman {result.spearman.r:.2f}"
    assert picture.title == f"SAT of 5 classifiers, other against one: {expected}"
    assert picture.trend is not None
    assert picture.trend.name == "trend, 90 % band"
    np.testing.assert_array_equal(picture.trend.y, result.trend.y)


def test_without_a_correlation_there_is_no_line_and_no_number() -> None:
    picture = make_agreement_picture(measure_agreement(matrix_of(np.full((3, 3), 2.0)), matrix_of(np.full((3, 3), 3.0))), PLACES)
    assert picture.title == "SAT of 3 classifiers, other against one"
    assert picture.trend is None


def test_names_of_many_pairs_are_not_drawn() -> None:
    scores = np.random.default_rng(0).uniform(1, 2, (10, 10))
    matrix = matrix_of(scores + scores.T, names_of(10))
    assert not make_agreement_picture(measure_agreement(matrix, matrix, num_permutations=9), PLACES).are_named


@pytest.mark.parametrize(
    ("other", "labels"),
    [
        (replace(STUDY, attack=LINF.replace("3,", "50,")), ("LinfPGD?iterations=3", "LinfPGD?iterations=50")),
        (replace(STUDY, attack=LINF.replace("}", ', "loss": "ce"}')), ("LinfPGD", "LinfPGD?loss=ce")),
        (replace(STUDY, attack=APGD), ("LinfPGD?iterations=3", "APGD?iterations=5")),
        (replace(STUDY, images="bundled:cifar10"), ("folder:photos", "bundled:cifar10")),
        (replace(STUDY, attack=APGD, images="b:c"), ("LinfPGD?iterations=3, folder:photos", "APGD?iterations=5, b:c")),
        (IMPORTED, ("LinfPGD, folder:photos", "as published")),
        (replace(STUDY, image_digest="of another sample", seed=1), PLACES),
    ],
    ids=["field", "new field", "attack", "images", "both", "imported", "sample"],
)
def test_labels_are_what_differs(other: Definition, labels: tuple[str, str]) -> None:
    assert label_studies((STUDY, other), PLACES) == labels
    assert label_studies((other, STUDY), PLACES[::-1]) == labels[::-1]


def test_a_study_and_itself_are_numbered() -> None:
    assert label_studies((STUDY, STUDY), ("one", "one")) == ("first study", "second study")
