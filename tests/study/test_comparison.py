"""The similarities of a study, side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.cli.synthetic import ATTACK, write_study
from tests.specimens import Array, family
from zooscope import Study, read_snapshot
from zooscope.analyses.averaging import CleanLogits, measure_metrics
from zooscope.attacks import LinfPGD
from zooscope.errors import StudyError
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow
from zooscope.scores.registry import SIMILARITIES
from zooscope.statistics.halves import split_halves
from zooscope.study.comparison import compare_study_similarities, count_attack_passes

NAMES = ("a", "b", "c", "d", "e", "f")
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
CLEAN = [name for name, one in SIMILARITIES.items() if not one.also]


def save_planes(folder: Path, *, names: tuple[str, ...] = NAMES, num_parts: int = 4, num_points: int = 25) -> Array:
    """Ten triplets per part, on each of which a classifier says class 1 on its own share of the points."""
    generator = np.random.default_rng(0)
    said = (generator.random((len(NAMES), 10 * num_parts, num_points)) < np.linspace(0.1, 0.9, len(NAMES))[:, None, None]).astype(
        np.int8
    )
    with Records.open(folder / DATABASE, write=True) as records:
        for place, name in enumerate(NAMES):
            if name in names:
                records.save(
                    ArrayRow(kind="planes", digest="some", subject=name, part=part, values=said[place, 10 * part : 10 * part + 10])
                    for part in range(num_parts)
                )
    return said


def test_every_study_has_sat_and_the_scores_of_clean_predictions(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, architectures=("cnn", "vit"))
    study = read_snapshot(tmp_path)
    found = compare_study_similarities(study)
    assert list(found.scores) == ["sat", *CLEAN]
    np.testing.assert_array_equal(found.scores["sat"].matrix, study.sat(confidence=None))
    np.testing.assert_array_equal(found.scores["capa"].matrix, study.similarity("capa", None))
    assert found.missing == {
        one.name: f"zooscope measure {tmp_path} --also {one.also}" for one in SIMILARITIES.values() if one.also
    }
    assert (found.found.num_same, found.found.num_other) == (6, 9)
    assert found.no_gains == ""


def test_costs_are_those_of_what_was_measured(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES)
    said = save_planes(tmp_path)
    found = compare_study_similarities(read_snapshot(tmp_path))
    per_image = 3 * 50 + len(NAMES)  # forward and back fifty times, then every classifier looks at it
    assert found.scores["sat"].passes == 60 * per_image
    assert found.scores["disagreement"].passes == 0
    assert found.scores["agreement"].passes == 40 * 25
    steps = {name: one.by_size["passes"].to_dict() for name, one in found.stabilities.items()}
    assert steps["sat"][6] == 6 * (1 + per_image)
    assert steps["disagreement"][6] == 6
    assert steps["agreement"] == {1: 25, 2: 50, 4: 100, 8: 200, 16: 400, 32: 800}
    assert (found.units["sat"], found.units["agreement"]) == ("images", "triplets")
    shares = (said[:, None] == said).mean(axis=-1)  # a, b, triplet
    spread = 100 * shares.mean(axis=-1)[np.triu_indices(6, 1)].std(ddof=1)
    assert found.stabilities["agreement"].spread == pytest.approx(spread)


def test_likeness_from_one_half_of_the_images_and_gains_on_the_other_share_no_chance(tmp_path: Path) -> None:
    classifiers, images = family(6, num_images=60)
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=LinfPGD(iterations=1)) as study:
        study.run(device="cpu", allow_chance=True)
    snapshot = read_snapshot(tmp_path)
    logits = CleanLogits(names=snapshot.names, values=tuple(map(snapshot.clean_logits, snapshot.names)), labels=snapshot.labels)
    rows, columns = np.triu_indices(6, 1)
    expected = []
    for seed in range(10):
        halves = split_halves(snapshot.labels, seed=seed)
        for scored, averaged in (halves, halves[::-1]):
            right = logits.take_images(scored).right
            unlike = np.array([(right[a] != right[b]).mean() for a, b in zip(rows, columns, strict=True)])
            (metrics,) = measure_metrics(logits.take_images(averaged), [np.stack([rows, columns], axis=1)])
            known = np.isfinite(metrics.err)  # of some pairs neither member errs
            expected.append(stats.pearsonr(-unlike[known], metrics.err[known]).statistic)
    found = compare_study_similarities(snapshot)
    assert found.other_half["disagreement"] == pytest.approx(np.mean(expected))
    assert found.other_half["positive_flips"] == pytest.approx(found.other_half["disagreement"])


def test_the_cost_of_an_unknown_attack_is_unknown(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES[:3], attack=ATTACK.replace("LinfPGD", "Elsewhere"))
    study = read_snapshot(tmp_path)
    assert count_attack_passes(study) is None
    found = compare_study_similarities(study)
    assert found.scores["sat"].passes is None
    assert np.isnan(found.stabilities["sat"].by_size["passes"]).all()


def test_pairs_without_a_score_have_a_reason(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=30, targets_only=("c",))
    save_planes(tmp_path, names=NAMES[:4], num_parts=1)
    with pytest.warns(UserWarning, match="c of the 6 classifiers are targets only"):
        found = compare_study_similarities(read_snapshot(tmp_path))
    assert found.scores["sat"].gaps == {"not attacked both ways, or no image that both get right": 5}
    gaps = found.scores["agreement"].gaps
    assert sum(gaps.values()) == 9
    assert all("are not measured" in reason for reason in gaps)
    assert found.scores["disagreement"].gaps == {}
    correlations: Any = found.found.correlations.set_index(["first", "second"])
    assert np.isfinite(correlations.loc[("sat", "agreement"), "r"])


def test_without_clean_logits_the_rest_is_there(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES, num_images=30, num_measured=2)
    found = compare_study_similarities(read_snapshot(tmp_path))
    assert list(found.scores) == ["sat"]
    assert "capa" in found.missing
    assert "are not all measured" in found.no_gains
    assert np.isnan(found.found.ensembles.answers["value"]).all()


def test_a_pair_is_compared_and_a_single_classifier_refused(tmp_path: Path) -> None:
    write_study(tmp_path / "two", NAMES[:2])
    found = compare_study_similarities(read_snapshot(tmp_path / "two"))
    assert np.isnan(found.found.same_architecture.answers["value"]).all()
    assert (found.stabilities["sat"].by_size["std"] > 0).all()
    write_study(tmp_path / "one", NAMES[:1])
    with pytest.raises(StudyError, match=r"takes at least 2 measured classifiers, and .* has 1; run `zooscope measure"):
        compare_study_similarities(read_snapshot(tmp_path / "one"))


def test_a_published_matrix_is_refused(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0], [3.0, 4.5]], index=["a", "b"], columns=["a", "b"])
    Study.from_matrix(tmp_path / "study", matrix).close()
    with pytest.raises(StudyError, match="is an imported matrix and holds no other similarities to compare"):
        compare_study_similarities(read_snapshot(tmp_path / "study"))
