"""Predicted classes on planes through three images each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from jaxtyping import Int

from zooscope.attacks.settings import require_at_least
from zooscope.classifiers.classifier import NUM_CHANNELS, Classifier
from zooscope.errors import ClassifierError, InvalidValueError, StudyError
from zooscope.images.image_set import ImageSet
from zooscope.measurements.base import Bench, Measurement, Result, Task, describe_settings
from zooscope.measurements.common_pixels import CommonPixels, resize_unbounded
from zooscope.measurements.plane import Plane, draw_triplets, span_plane
from zooscope.measurements.predict import predict
from zooscope.records.kinds import PLANES
from zooscope.records.predictions import NOT_FINITE, choose_integers
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow

TRIPLETS_PER_PART: Final = 10
FEWEST_CLASSES: Final = 3
MOST_DRAWS: Final = 100  # of one triplet, until its images span a plane


@dataclass(frozen=True, kw_only=True)
class Planes(Measurement):
    """Predicted classes on a grid on the plane through three images of three classes, for many such triplets.

    Planes lie in the space of pixels in [0, 1] at one size, the same for all classifiers; each classifier resizes the points
    (bilinear) and normalises them. Points outside [0, 1] are shown to the classifiers as they are, not clipped: clipped points
    would not lie on the plane. A triplet depends only on the seed and its index, so that all classifiers, also later ones, see the
    same. Triplets with equal or collinear images are drawn again.

    Cost: 2,500 forward passes per triplet, 1.25 million per classifier.

    Source: Somepalli et al., Can Neural Nets Learn the Same Model Twice?, CVPR 2022.

    Attributes:
        num_triplets: how many, a multiple of 10. More of them go on from fewer.
        resolution: points per side of the grid.
        side: of the square pixels; 0 takes the median of the shorter sides of the first 16 images, but at most 224.
        seed: of the triplets.
    """

    num_triplets: int = 500
    resolution: int = 50
    side: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses settings that make no grid."""
        require_at_least("Planes.num_triplets", self.num_triplets, TRIPLETS_PER_PART)
        require_at_least("Planes.resolution", self.resolution, 2)
        require_at_least("Planes.side", self.side, 0)
        require_at_least("Planes.seed", self.seed, 0)
        if self.num_triplets % TRIPLETS_PER_PART:
            msg = f"Planes.num_triplets must be a multiple of {TRIPLETS_PER_PART}: got {self.num_triplets}."
            raise InvalidValueError(msg)

    @property
    def kind(self) -> str:
        """Planes."""
        return PLANES

    @property
    def digest(self) -> str:
        """Of all settings but the number of triplets."""
        return describe_settings(self, without=("num_triplets",))

    @property
    def is_by_shard(self) -> bool:
        """No: a part has ten triplets of any images."""
        return False

    @property
    def takes_own_pixels(self) -> bool:
        """No: the same for all classifiers."""
        return False

    def require(self, records: Records) -> None:
        """Refuses images of fewer than three classes.

        Raises:
            StudyError: so they are.
        """
        num_classes = len(np.unique(records.labels))
        if num_classes < FEWEST_CLASSES:
            msg = f"planes go through images of three classes, but those of {records.place} have {num_classes}; leave planes out."
            raise StudyError(msg)

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Every classifier on every ten triplets, sources or not; a half-measured study has fewer triplets."""
        del sources
        done = records.present(PLANES, self.digest)
        return tuple(
            Task(measurement=self, subject=name, shard=part)
            for part in range(self.num_triplets // TRIPLETS_PER_PART)
            for name in records.wanted
            if (name, "", part) not in done
        )

    def num_images(self, task: Task, *, shard_size: int) -> int:
        """The points of ten planes."""
        del task, shard_size
        return TRIPLETS_PER_PART * self.resolution**2

    def measure(self, task: Task, bench: Bench) -> Result:
        """Predicted classes of (triplet, point), points row by row; NOT_FINITE where a logit is NaN or infinite.

        Raises:
            ClassifierError: a logit is, and the run doesn't allow it.
            StudyError: no three images span a plane.
        """
        classifier = bench.classifier(task.subject)
        triplets = range(task.shard * TRIPLETS_PER_PART, (task.shard + 1) * TRIPLETS_PER_PART)
        common = CommonPixels.choose(bench.images, self.side)
        said = np.stack(
            [self._predict(classifier, self._span(index, common, bench.images), common, bench.batch_size) for index in triplets]
        )
        if not bench.allow_nonfinite and (said == NOT_FINITE).any():
            msg = (
                f"{task.subject} gives NaN or infinite logits on {(said == NOT_FINITE).sum()} points of planes; check its weights, "
                "remove it, or leave such points out (allow_nonfinite=True)."
            )
            raise ClassifierError(msg)
        values = said.astype(choose_integers(classifier.num_classes))
        return Result((ArrayRow(kind=PLANES, digest=self.digest, subject=task.subject, part=task.shard, values=values),))

    def _span(self, index: int, common: CommonPixels, images: ImageSet) -> Plane:
        for triplet in islice(draw_triplets(images.labels, seed=self.seed, index=index), MOST_DRAWS):
            plane = span_plane(images.pixels(common, triplet).flatten(1), resolution=self.resolution)
            if plane is not None:
                return plane
        msg = f"no plane goes through the images: {MOST_DRAWS} times three of them were equal or on one line; leave planes out."
        raise StudyError(msg)

    def _predict(self, classifier: Classifier, plane: Plane, common: CommonPixels, batch_size: int) -> Int[np.ndarray, " point"]:
        plane, shape = plane.to(classifier.device), (-1, NUM_CHANNELS, *common.transform.size)
        said = []
        for start in range(0, self.resolution**2, batch_size):
            points = plane.make_points(start, start + batch_size).view(shape)
            said.append(predict(classifier, resize_unbounded(points, classifier.transform.size), batch_size=batch_size))
        return np.concatenate(said)
