"""What targets say of images that were attacked through a source."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int32
from torch import Tensor

from zooscope.attacks.base import Attack, Attacked, Cost
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError, InvalidValueError, NotFiniteError
from zooscope.kept.work import Work, name_unit
from zooscope.measurements.attacked import classify_attacked, classify_controls
from zooscope.measurements.base import Bench, Measurement, Result, Task
from zooscope.measurements.batches import run_batches
from zooscope.measurements.clean import find_right
from zooscope.records.predictions import NOT_COUNTED, NOT_FINITE
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow, FactRow, name_fact_kind

TRANSFER: Final = "transfer"
CONTROL: Final = "control"
PASSES_OF_A_GRADIENT: Final = 3  # forward passes that take about as long as one forward and back to the pixels
UNKNOWN_COST: Final = Cost(gradients=1)


@dataclass(frozen=True, kw_only=True)
class Transfer(Measurement):
    """Every target on the images attacked through every source, and the controls.

    A control is the target's predictions on clean images that were preprocessed for the source and resized for the target. It
    depends on the source's transform alone, so each (source transform, target, shard) needs one, and none where both transforms
    are equal.

    Attributes:
        attack: the attack.
        seed: from which every image's own seed is made.
    """

    attack: Attack
    seed: int

    @property
    def kind(self) -> str:
        """The predictions on attacked images; controls are of a kind of their own."""
        return TRANSFER

    @property
    def phase(self) -> str:
        """For `Progress`."""
        return "attack"

    @property
    def digest(self) -> str:
        """Empty: the study's definition has the attack and the seed."""
        return ""

    def missing(self, records: Records, *, sources: Sequence[str]) -> tuple[Task, ...]:
        """Every source on every shard of which targets or controls are missing; asked when all clean images are measured."""
        transforms = {classifier.name: classifier.transform for classifier in records.classifiers}
        done, known = records.present(TRANSFER), records.present(CONTROL)
        noted = [records.present(name_fact_kind(TRANSFER, name)) for name in self.attack.fact_names]
        right = find_right(records)
        tasks = []
        for shard, here in enumerate(records.shards):
            right_here = {name: values[here.start : here.stop] for name, values in right.items()}
            for source in (name for name in records.names if name in sources):
                lacks_facts = right_here[source].any() and any((source, "", shard) not in one for one in noted)
                targets = tuple(
                    target
                    for target in records.names
                    if (source, target, shard) not in done or (lacks_facts and target == source)  # attacked once more for the facts
                )
                controls = _take_controls(source, records.names, shard, transforms=transforms, known=known)
                if targets or controls:
                    tasks.append(self.task(source, shard, targets, controls=controls, right=right_here))
        return tuple(tasks)

    def task(
        self,
        source: str,
        shard: int,
        targets: tuple[str, ...],
        *,
        controls: tuple[str, ...],
        right: Mapping[str, Bool[np.ndarray, " image"]],
    ) -> Task:
        """One shard attacked through one source.

        Args:
            source: the attacked classifier.
            shard: of the images.
            targets: to be tested on the attacked images.
            controls: targets whose control is measured, too.
            right: which images of the shard each classifier gets right when clean.
        """
        return Task(measurement=self, subject=source, shard=shard, objects=targets, controls=controls, right=right)

    def measure(self, task: Task, bench: Bench) -> Result:
        """Attacks the images that the source gets right, and tests every target on those that it gets right, too.

        All of them are attacked, also where few targets are missing: then the batches, and so the results, are those of a study
        that had all its classifiers from the start.

        Raises:
            NotFiniteError: a loss, a gradient, or the logits of a target are NaN or infinite.
        """
        mine, targets = task.right[task.subject], {target: task.right[target] for target in task.objects}
        said = {target: np.full(len(mine), NOT_COUNTED, dtype=np.int32) for target in targets}
        facts: tuple[FactRow, ...] = ()
        if any((mine & right).any() for right in targets.values()):
            chosen = np.flatnonzero(mine)
            attacked = self.attack_images(task.subject, task.shard, chosen, bench)
            facts = self._facts(task, chosen, attacked)
            said = classify_attacked(attacked.pixels, mine, targets, bench)
        controls = self._controls(task, bench)
        if not bench.allow_nonfinite:
            require_finite_predictions(task, said, "attacked through", bench)
            require_finite_predictions(task, {row.object: row.values for row in controls}, "clean, preprocessed for", bench)
        transfers = (
            ArrayRow(kind=TRANSFER, subject=task.subject, object=target, part=task.shard, values=values)
            for target, values in said.items()
        )
        return Result((*transfers, *controls), facts)

    def name_kept(self, task: Task, bench: Bench) -> str:
        """See `Measurement.name_kept`."""
        mine = task.right[task.subject]
        if not any((mine & task.right[target]).any() for target in task.objects):
            return ""
        return name_unit(
            self.attack,
            task.subject,
            [image for image, is_right in zip(bench.ids(task.shard), mine, strict=True) if is_right],
            seed=self.seed,
            batch_size=bench.batch_size,
            how=_describe_computing(bench),
        )

    def num_images(self, task: Task, *, shard_size: int) -> int:
        """The images that the source gets right: those that are attacked; none where controls alone are missing."""
        del shard_size
        return int(task.right[task.subject].sum()) if task.objects else 0

    def num_passes(self, task: Task, *, shard_size: int, is_kept: bool) -> int:
        """The attack, unless it is kept, the tests and the controls. Counts what an attack costs at most."""
        mine = task.right[task.subject]
        tests = sum(int((mine & task.right[target]).sum()) for target in task.objects)
        cost = self.attack.cost or UNKNOWN_COST
        one = 0 if is_kept or not tests else PASSES_OF_A_GRADIENT * cost.gradients + cost.forwards
        return one * int(mine.sum()) + tests + shard_size * len(task.controls)

    def attack_images(self, source: str, shard: int, chosen: Int[np.ndarray, " image"], bench: Bench) -> Attacked:
        """Images attacked through a source, on its device; where they are kept, they are not attacked again.

        Args:
            source: the classifier that is attacked.
            shard: of the images.
            chosen: their positions in the shard.
            bench: has classifiers, images, and what is kept.

        Raises:
            NotFiniteError: a loss or a gradient is not finite; the images are named.
        """
        work = self.make_work(source, shard, chosen, bench)
        return bench.attacked(work, lambda: make_attacked(work))

    def make_work(self, source: str, shard: int, chosen: Int[np.ndarray, " image"], bench: Bench) -> Work:
        """What is attacked, and all that decides its bits; see `attack_images`."""
        ids = bench.ids(shard)
        return Work(
            attack=self.attack,
            source=bench.classifier(source),
            pixels=bench.pixels(source, shard)[chosen],
            labels=torch.from_numpy(bench.labels(shard)[chosen]),
            ids=[ids[image] for image in chosen],
            seed=self.seed,
            batch_size=bench.batch_size,
            how=_describe_computing(bench),
        )

    def _facts(self, task: Task, chosen: Int[np.ndarray, " image"], attacked: Attacked) -> tuple[FactRow, ...]:
        """Facts of the attack, one per image of the shard; NaN for images that are not attacked."""
        rows = []
        given, named = sorted(attacked.facts), sorted(self.attack.fact_names)
        if given != named:
            msg = f"{self.attack} gives the facts {given}, but its fact_names are {named}."
            raise InvalidValueError(msg)
        for name, values in attacked.facts.items():
            fact = np.full(len(task.right[task.subject]), np.nan)
            fact[chosen] = values.cpu().numpy()
            rows.append(FactRow(kind=TRANSFER, subject=task.subject, part=task.shard, name=name, values=fact))
        return tuple(rows)

    def _controls(self, task: Task, bench: Bench) -> tuple[ArrayRow, ...]:
        """Clean images as the source takes them, resized for the targets."""
        if not task.controls:
            return ()
        transform, pixels = bench.classifier(task.subject).transform.description, bench.pixels(task.subject, task.shard)
        said = classify_controls(pixels, task.controls, bench)
        return tuple(
            ArrayRow(kind=CONTROL, subject=transform, object=name, part=task.shard, values=values) for name, values in said.items()
        )


def _describe_computing(bench: Bench) -> dict[str, str]:
    """What can change the bits of attacked images besides what a work names."""
    return {"precision": bench.precision}


def _take_controls(
    source: str, targets: tuple[str, ...], shard: int, *, transforms: Mapping[str, str], known: set[tuple[str, str, int]]
) -> tuple[str, ...]:
    """Targets whose control is missing. Adds them to `known`."""
    mine = transforms[source]
    new = tuple(target for target in targets if transforms[target] != mine and (mine, target, shard) not in known)
    known.update((mine, target, shard) for target in new)
    return new


def require_finite_predictions(task: Task, said: Mapping[str, Int32[np.ndarray, " image"]], how: str, bench: Bench) -> None:
    """Refuses targets whose logits are not finite.

    Raises:
        ClassifierError: there are some; target, source and image are named.
    """
    for target, values in said.items():
        failed = np.flatnonzero(values == NOT_FINITE)
        if len(failed) > 0:
            others = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
            msg = (
                f"{target} gives NaN or infinite logits on image {bench.ids(task.shard)[failed[0]]}{others}, {how} {task.subject}; "
                "check its weights, remove it, or record such outcomes as not counted (allow_nonfinite=True)."
            )
            raise ClassifierError(msg)


def make_attacked(work: Work) -> Attacked:
    """The images of a work attacked; see `perturb`."""
    return perturb(work.attack, work.source, work.pixels, work.labels, work.ids, seed=work.seed, batch_size=work.batch_size)


def perturb(
    attack: Attack,
    source: Classifier,
    pixels: Float[Tensor, "image channel height width"],
    labels: Int[Tensor, " image"],
    ids: Sequence[str],
    *,
    seed: int,
    batch_size: int,
) -> Attacked:
    """All images attacked, batch by batch, on the source's device.

    Args:
        attack: the attack.
        source: the classifier that is attacked.
        pixels: clean pixels in [0, 1] as the source takes them.
        labels: the true classes.
        ids: of the images; seeds are made from them.
        seed: of the study.
        batch_size: images that go through the network at once.

    Raises:
        NotFiniteError: a loss or a gradient is not finite; the images are named.
    """

    def attack_batch(one: Classifier, here: slice) -> Attacked:
        seeds = [derive_seed(seed, name) for name in ids[here]]
        try:
            return attack.perturb(one, pixels[here].to(one.device), labels[here].to(one.device), seeds)
        except NotFiniteError as error:
            raise error.naming(ids[here]) from error

    parts = run_batches(source, len(pixels), batch_size, attack_batch)
    facts = {name: torch.cat([part.facts[name] for part in parts]) for name in parts[0].facts}
    return Attacked(torch.cat([part.pixels for part in parts]), facts)


def derive_seed(study_seed: int, image_id: str) -> int:
    """The seed of an image's attack: from the study's seed and the image's id, never from the order of work."""
    return int.from_bytes(hashlib.sha256(f"{study_seed}\0{image_id}".encode()).digest()[:8], "little") >> 1
