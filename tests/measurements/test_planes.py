"""Planes through three images: where their points lie, and what is predicted there."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.specimens import Array, Linear, classifier_of, family, images_of, noise
from zooscope import Study
from zooscope.attacks import LinfPGD
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError, StudyError
from zooscope.images.image_set import ImageSet
from zooscope.measurements.common_pixels import CommonPixels, resize_unbounded
from zooscope.measurements.plane import draw_triplets, span_plane
from zooscope.measurements.planes import Planes
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=1)
SMALL = Planes(num_triplets=20, resolution=7)


def linear(name: str, seed: int, size: tuple[int, int] = (4, 4)) -> Classifier:
    """Three classes, logits linear in the pixels, computed in float64."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(3, 3 * size[0] * size[1]))
    return classifier_of(name, Linear(weights, generator.normal(size=3) / 5 - weights.sum(1) / 2), num_classes=3, size=size)


def rasterise(corners: Array, resolution: int) -> Array:
    """The points of a plane, by least squares from the corners' own coordinates: no Gram-Schmidt."""
    sides = np.stack([corners[1] - corners[0], corners[2] - corners[0]])
    first = sides[0] / np.linalg.norm(sides[0])
    third = sides[1] @ first
    height = np.sqrt(sides[1] @ sides[1] - third**2)
    low, high = min(0, third), max(np.linalg.norm(sides[0]), third)
    along = np.linspace(low - (high - low) / 10, high + (high - low) / 10, resolution)
    across = np.linspace(-height / 10, 1.1 * height, resolution)
    points = []
    for up in across:
        for right in along:
            # coordinates in the frame of both sides: up moves along the third corner, less its part along the first axis
            share = up / height
            points.append(corners[0] + share * sides[1] + (right - share * third) * first)
    return np.array(points)


@given(st.integers(0, 10000), st.integers(2, 6))
def test_the_grid_lies_in_the_plane_of_the_corners(seed: int, resolution: int) -> None:
    corners = np.random.default_rng(seed).random((3, 12))
    plane = span_plane(torch.from_numpy(corners), resolution=resolution)
    assert plane is not None
    np.testing.assert_allclose(plane.make_points(0, resolution**2), rasterise(corners, resolution), atol=1e-9)
    np.testing.assert_allclose(plane.make_points(1, 3), rasterise(corners, resolution)[1:3], atol=1e-9)


def test_equal_and_collinear_corners_span_nothing() -> None:
    first, second, third = torch.rand(3, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for corners in ((first, first, third), (first, second, first), (first, second, second), (first, second, 2 * second - first)):
        assert span_plane(torch.stack(corners), resolution=3) is None


def test_a_triplet_has_three_classes_and_depends_on_seed_and_index_alone() -> None:
    labels = np.array([0] * 30 + [1] + [2] * 5)
    drawn = {(seed, index): next(draw_triplets(labels, seed=seed, index=index)) for seed in (0, 1) for index in range(50)}
    assert all(sorted(labels[list(triplet)]) == [0, 1, 2] for triplet in drawn.values())
    assert len(set(drawn.values())) > 50
    assert drawn[1, 3] == next(draw_triplets(labels, seed=1, index=3))
    again = list(islice(draw_triplets(labels, seed=1, index=3), 5))
    assert again[0] == drawn[1, 3]
    assert len(set(again)) > 1, "another one where the first can't be taken"


def test_every_image_is_drawn_about_as_often_where_classes_are_equal() -> None:
    labels = np.repeat([0, 1, 2, 3], 3)
    drawn = [next(draw_triplets(labels, seed=0, index=index)) for index in range(2000)]
    np.testing.assert_allclose(np.bincount(np.ravel(drawn), minlength=12) / 6000, 1 / 12, atol=0.015)


def test_predicted_classes_of_linear_networks_and_their_agreement_are_known() -> None:
    classifiers, images = [linear("a", 0), linear("b", 1)], images_of(noise(12, (4, 4)), np.arange(12) % 3)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True, batch_size=5, also=[SMALL])
        matrix = study.similarity("agreement")
        kept = {
            (row.subject, row.part): row.values
            for row in study._records.arrays("planes", SMALL.digest)  # noqa: SLF001
        }
    pixels = images.pixels(classifiers[0]).flatten(1).double().numpy()
    shares = []
    for index in range(20):
        triplet = next(draw_triplets(images.labels, seed=0, index=index))
        points = rasterise(pixels[list(triplet)], 7)
        assert (points.min() < 0) | (points.max() > 1), "points outside are not clipped"
        said = []
        for classifier in classifiers:
            network = classifier.network
            assert isinstance(network, Linear)
            said.append((points @ network.weights.detach().numpy().T + network.bias.detach().numpy()).argmax(1))
            np.testing.assert_array_equal(kept[classifier.name, index // 10][index % 10], said[-1])
        shares.append((said[0] == said[1]).mean())
    assert matrix.sel(a="a", b="b").item() == pytest.approx(np.mean(shares))
    assert (matrix["count"] == 20).all()
    assert (matrix.low <= matrix).all()
    assert (matrix.high >= matrix).all()


def test_all_classifiers_see_the_same_points_each_at_its_own_size() -> None:
    small, large = linear("small", 0, (4, 4)), linear("large", 0, (8, 8))
    weights = np.kron(small.network.get_parameter("weights").detach().numpy().reshape(3, 3, 4, 4), np.ones((2, 2))) / 4
    large.network.get_parameter("weights").data = torch.from_numpy(weights.reshape(3, -1))
    large.network.get_parameter("bias").data = small.network.get_parameter("bias").data
    images = images_of(noise(12, (4, 4)), np.arange(12) % 3)
    points = 2 * images.pixels(small) - 0.5
    common = CommonPixels.choose(images, 0)
    assert common.transform.size == (4, 4)
    assert resize_unbounded(points, small.transform.size) is points
    resized = resize_unbounded(points, large.transform.size)
    assert resized.min() < 0
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(resized, 2).mean((2, 3)), points.mean((2, 3)), rtol=0.2, atol=0.1)
    with Study.in_memory(classifiers=[small, large], images=images, attack=ATTACK) as study:
        study.run(device="cpu", allow_chance=True, also=[SMALL])
        assert study.similarity("agreement").sel(a="small", b="large").item() > 0.8


def test_the_common_size_is_the_median_of_the_images_and_bounded() -> None:
    sizes = [(20, 40), (30, 30), (50, 60)]
    levels = [noise(1, size)[0] for size in sizes]
    files = dict(zip("abc", (images_of(each[None], [0], num_classes=2).read("0000.png") for each in levels), strict=True))
    mixed = ImageSet(address="", ids=("a", "b", "c"), labels=np.array([0, 1, 0]), class_names=("x", "y"), read=files.__getitem__)
    assert CommonPixels.choose(mixed, 0).transform.size == (30, 30)
    assert CommonPixels.choose(mixed, 9).transform.size == (9, 9)
    assert CommonPixels.choose(images_of(noise(1, (300, 280)), [0], num_classes=2), 0).transform.size == (224, 224)


def test_a_killed_study_goes_on_and_more_triplets_go_on_from_fewer(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=20)
    told = list[str]()

    class Killed(Exception):  # noqa: N818  (no error)
        pass

    def listen(progress: object) -> None:
        told.append(str(progress))
        if "planes" in told[-1] and sum("planes" in line for line in told) == 3:
            raise Killed

    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=ATTACK, shard_size=8) as study:
        with pytest.raises(Killed):
            study.run(device="cpu", allow_chance=True, also=[SMALL], listen=listen)
        np.testing.assert_array_equal(study.similarity("agreement")["count"], [[20, 10], [10, 10]])
        study.run(device="cpu", allow_chance=True, also=[SMALL], listen=listen)
        assert sum("planes" in line for line in told) == 4
        assert "part 2" in told[-1]
        killed = study.similarity("agreement")
        study.run(device="cpu", allow_chance=True, also=[Planes(num_triplets=30, resolution=7)], listen=listen)
        assert sum("planes" in line for line in told) == 6
        assert (study.similarity("agreement")["count"] == 30).all()
    with Records.open(tmp_path / DATABASE) as records:
        assert len(records.digests("planes")) == 1
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as whole:
        whole.run(device="cpu", allow_chance=True, also=[SMALL])
        np.testing.assert_array_equal(whole.similarity("agreement"), killed)


def test_images_of_two_classes_are_refused_before_anything_is_measured() -> None:
    classifiers, _ = family(1)
    images = images_of(noise(6, (6, 6)), [0, 1] * 3, num_classes=3)
    with Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study:
        with pytest.raises(StudyError, match="planes go through images of three classes, but those of memory have 2"):
            study.run(device="cpu", allow_chance=True, also=[SMALL])
        assert study.snapshot().names == ()


def test_equal_images_are_refused_instead_of_drawn_for_ever() -> None:
    classifiers, _ = family(1)
    images = images_of(np.repeat(noise(1, (6, 6)), 6, axis=0), [0, 1, 2] * 2)
    with (
        Study.in_memory(classifiers=classifiers, images=images, attack=ATTACK) as study,
        pytest.raises(StudyError, match="no plane goes through the images: 100 times three of them were equal or on one line"),
    ):
        study.run(device="cpu", allow_chance=True, also=[SMALL])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"num_triplets": 0}, "Planes.num_triplets must be at least 10: got 0"),
        ({"num_triplets": 15}, "Planes.num_triplets must be a multiple of 10: got 15"),
        ({"resolution": 1}, "Planes.resolution must be at least 2: got 1"),
        ({"side": -1}, "Planes.side must be at least 0: got -1"),
        ({"seed": -1}, "Planes.seed must be at least 0: got -1"),
    ],
)
def test_settings_that_make_no_grid_are_refused(settings: dict[str, int], sentence: str) -> None:
    with pytest.raises(InvalidValueError, match=sentence):
        Planes(**settings)
