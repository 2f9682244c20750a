"""An attack of one's own, added without touching a file of the package."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.cli.calling import call
from tests.specimens import family
from zooscope.attacks import Attack, Attacked, register
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import InvalidValueError
from zooscope.records.checking import check_study
from zooscope.records.records import Records
from zooscope.records.rows import name_fact_kind
from zooscope.study.study import Study


@register
@dataclass(frozen=True, kw_only=True)
class Shade(Attack):
    """Takes light away; needs no gradients."""

    strength: float = 0.1

    def perturb(self, classifier: Classifier, pixels: Tensor, labels: Tensor, seeds: Sequence[int] | None = None) -> Attacked:  # noqa: ARG002
        return Attacked((pixels - self.strength).clamp(min=0), {"light": pixels.mean((1, 2, 3))})

    @property
    def fact_names(self) -> tuple[str, ...]:
        return ("light",)

    def require(self, classifier: Classifier) -> None:
        """Anything can be attacked."""


def test_an_attack_from_outside_is_measured_and_its_facts_are_kept(tmp_path: Path) -> None:
    (classifier,), images = family(1, num_images=20)
    with Study.create(tmp_path, classifiers=[classifier], images=images, attack=Shade(strength=0.3), shard_size=20) as study:
        study.run(device="cpu", allow_chance=True)
        predictions = study.predictions
    with Study.open(tmp_path) as again:
        assert again.attack == Shade(strength=0.3)
    right = predictions.clean[0] == images.labels
    pixels = images.pixels(classifier)[torch.from_numpy(right)]
    expected = classifier.logits((pixels - 0.3).clamp(min=0)).argmax(1)
    np.testing.assert_array_equal(predictions.transfer[0, 0][right], expected)
    with Records.open(tmp_path / "study.db") as records:
        (row,) = records.arrays(name_fact_kind("transfer", "light"))
    np.testing.assert_allclose(row.values[right], pixels.mean((1, 2, 3)), rtol=1e-6)
    assert np.isnan(row.values[~right]).all()


def test_facts_that_a_repair_has_forgotten_are_made_again(tmp_path: Path) -> None:
    (classifier,), images = family(1, num_images=20)
    with Study.create(tmp_path, classifiers=[classifier], images=images, attack=Shade(strength=0.3), shard_size=10) as study:
        study.run(device="cpu", allow_chance=True)
    whole = facts_of(tmp_path)
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection, connection:
        series = "(SELECT id FROM series WHERE kind = 'transfer:light')"
        connection.execute(f"UPDATE arrays SET bytes = zeroblob(length(bytes)) WHERE part = 1 AND series_id = {series}")  # noqa: S608
    check_study(tmp_path / "study.db", repair=True)
    assert list(facts_of(tmp_path)) == [0]
    with Study.open(tmp_path, classifiers=[classifier], images=images) as study:
        study.run(device="cpu", allow_chance=True)
    assert facts_of(tmp_path) == whole


def test_facts_that_an_attack_does_not_name_are_refused() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Quiet(Shade):
        @property
        def fact_names(self) -> tuple[str, ...]:
            return ()

    (classifier,), images = family(1, num_images=20)
    message = r"gives the facts \['light'\], but its fact_names are \[\]"
    with (
        Study.in_memory(classifiers=[classifier], images=images, attack=Quiet()) as study,
        pytest.raises(InvalidValueError, match=message),
    ):
        study.run(device="cpu", allow_chance=True)


def facts_of(folder: Path) -> dict[int, bytes]:
    with Records.open(folder / "study.db") as records:
        return {row.part: row.values.tobytes() for row in records.arrays(name_fact_kind("transfer", "light"))}


def test_the_command_line_takes_an_attack_from_outside_by_its_spelling(tmp_path: Path) -> None:
    options = ("--classifiers", "bundled:resnet", "--images", "bundled:cifar10", "--count", "20", "--device", "cpu")
    result = call("measure", tmp_path / "study", *options, "--attack", "Shade?strength=8/255")
    assert result.exit_code == 0, result.stderr
    with Study.open(tmp_path / "study") as study:
        assert study.attack == Shade(strength=8 / 255)
    lacking = call("measure", tmp_path / "study", "--epsilon", "8/255")
    assert lacking.exit_code == 1
    assert "Shade has no field 'epsilon'; its fields are strength." in lacking.stderr
