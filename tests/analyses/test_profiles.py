from pathlib import Path

import numpy as np
import pytest

from tests.cli.synthetic import write_study
from zooscope.analyses.profiles import make_profiles, place_by_landmarks
from zooscope.errors import InvalidValueError, UnknownNameError
from zooscope.study.snapshot import read_snapshot

NAMES = tuple("abcdef")
TRANSFORMS = ('{"height": 32, "width": 32}', '{"height": 24, "width": 24}')


def test_profiles_are_the_one_sided_scores_with_the_controls(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES, targets_only=NAMES[2:], transforms=TRANSFORMS)
    study = read_snapshot(tmp_path / "study")
    profiles = make_profiles(study.predictions, study.sources, NAMES[2:])
    scores, transfer = study.one_sided(), study.transfer()
    for _, row in profiles.table.iterrows():
        cell = {"source": row["landmark"], "target": row["classifier"]}
        assert row["sat"] == scores.sel(cell).item()
        assert (row["percent"], row["count"]) == (transfer.sel(cell).item(), transfer.sel(cell)["count"].item())
        assert row["control"] == transfer.sel(cell).control.item()
    for name, own in profiles.table.groupby("classifier"):
        assert own["sat"].is_monotonic_decreasing
        assert profiles.classifiers["nearest"][str(name)] == own["landmark"].iloc[0]


def test_a_landmark_that_is_far_nearer_is_nearest_in_all_draws(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES, targets_only=NAMES[1:-1], num_images=300)
    study = read_snapshot(tmp_path / "study")
    shares = make_profiles(study.predictions, study.sources, ["b", "c"]).classifiers["nearest_share"]
    assert shares["b"] == 1
    assert 0.5 < shares["c"] <= 1


def test_a_name_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES[:3])
    predictions = read_snapshot(tmp_path / "study").predictions
    with pytest.raises(UnknownNameError, match="unknown classifier 'bb'"):
        make_profiles(predictions, ["a"], ["bb"])
    with pytest.raises(InvalidValueError, match="a profile is made of similarities to landmarks; name at least one"):
        make_profiles(predictions, [], ["b"])


def test_points_of_a_plane_come_back_up_to_a_rigid_motion() -> None:
    generator = np.random.default_rng(0)
    points = generator.normal(size=(9, 2))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    flat, placed = place_by_landmarks(np.log(100) - distances[:5, :5], np.log(100) - distances[5:, :5])
    both = np.concatenate([flat, placed])
    np.testing.assert_allclose(np.linalg.norm(both[:, None] - both, axis=-1), distances, atol=1e-8)


def test_one_landmark_gives_no_plane() -> None:
    flat, placed = place_by_landmarks(np.array([[4.6]]), np.array([[3.0], [2.0]]))
    assert not flat.any()
    assert not placed.any()
