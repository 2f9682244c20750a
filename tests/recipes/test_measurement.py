"""The recipe of CONTRIBUTING.md: a measurement and its score, added from outside the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.specimens import Array, family
from zooscope.attacks import LinfPGD
from zooscope.measurements import Bench, Measurement, Result, Task, find_missing_of_each
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow
from zooscope.study.study import Study


@dataclass(frozen=True, kw_only=True)
class Brightness(Measurement):
    """The mean of the pixels to some power, as each classifier takes them."""

    power: int = 1

    @property
    def kind(self) -> str:
        return "brightness"

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:  # noqa: ARG002
        return find_missing_of_each(self, records)

    def measure(self, task: Task, bench: Bench) -> Result:
        values = bench.pixels(task.subject, task.shard).pow(self.power).mean((1, 2, 3)).numpy()
        return Result((ArrayRow(kind=self.kind, digest=self.digest, subject=task.subject, part=task.shard, values=values),))


def brightness_difference(records: Records, measurement: Brightness) -> Array:
    """The mean absolute difference of brightness of all pairs: 0 and larger, symmetric, smaller is more similar."""
    rows = records.arrays(measurement.kind, measurement.digest)
    values: dict[str, list[Array]] = {}
    for row in sorted(rows, key=lambda row: row.part):
        values.setdefault(row.subject, []).append(row.values)
    table = np.stack([np.concatenate(values[name]) for name in records.names])
    return np.asarray(np.abs(table[:, None] - table).mean(-1))


def test_a_measurement_from_outside_is_measured_kept_and_read_back(tmp_path: Path) -> None:
    classifiers, images = family(2, num_images=20, sizes=((6, 6), (9, 9)))
    attack, plain, squared = LinfPGD(epsilon=0.03, iterations=1), Brightness(), Brightness(power=2)
    told: list[Any] = []
    with Study.create(tmp_path, classifiers=classifiers, images=images, attack=attack, shard_size=8) as study:
        study.run(device="cpu", allow_chance=True, also=[plain, squared], listen=told.append)
        assert [progress.phase for progress in told].count("brightness") == 2 * 2 * 3
        study.run(device="cpu", allow_chance=True, also=[plain, squared], listen=told.append)
        assert [progress.phase for progress in told].count("brightness") == 2 * 2 * 3, "nothing is measured twice"
    with Records.open(tmp_path / "study.db") as records:
        for classifier in classifiers:
            pixels = images.pixels(classifier).double().numpy()
            for measurement in (plain, squared):
                rows = records.arrays("brightness", measurement.digest, subject=classifier.name)
                kept = np.concatenate([row.values for row in rows])
                np.testing.assert_allclose(kept, (pixels**measurement.power).mean((1, 2, 3)), rtol=1e-5)
        scores = brightness_difference(records, plain)
        mean = [images.pixels(classifier).double().numpy().mean((1, 2, 3)) for classifier in classifiers]
        np.testing.assert_allclose(scores, [[np.abs(a - b).mean() for b in mean] for a in mean], atol=1e-6)
