"""Brings a record up to date: measures what is missing, and writes it one task at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.chance import is_at_chance
from zooscope.engine.executor import Executor
from zooscope.engine.progress import Progress, ProgressListener
from zooscope.errors import ClassifierError
from zooscope.measurements.base import Measurement
from zooscope.measurements.clean import Clean
from zooscope.measurements.transfer import TRANSFER, Transfer
from zooscope.records.reading import read_clean_predictions
from zooscope.records.records import Records


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """Clean images first, then attacks, then whatever else is asked for.

    Killed at any moment, it loses at most the tasks in flight; done again, it measures what is left. Nothing else writes arrays.

    Attributes:
        records: says what is missing; results go there.
        executor: measures.
        attack: the attack of the record.
        sources: the classifiers to be attacked; all are targets.
        classifier: gives a classifier by name; asked for sources that were not attacked so far.
        also: further measurements.
        listen: called after every task.
    """

    records: Records
    executor: Executor
    attack: Attack
    sources: Sequence[str]
    classifier: Callable[[str], Classifier]
    also: Sequence[Measurement] = ()
    listen: ProgressListener = lambda _: None

    def __call__(self, *, allow_chance: bool = False) -> None:
        """Measures everything that is missing.

        Args:
            allow_chance: whether classifiers that guess are measured all the same.

        Raises:
            ClassifierError: the attack can't attack a source; or a classifier is at chance level, and leaves the record if nothing
                but clean images was measured of it.
        """
        self._require_sources()
        self._measure(Clean())
        if not allow_chance:
            self._refuse_guessers()
        for measurement in (Transfer(attack=self.attack, seed=self.records.definition.seed), *self.also):
            self._measure(measurement)

    def _require_sources(self) -> None:
        """Lets the attack look at every source that was not attacked so far."""
        attacked = {source for source, _, _ in self.records.present(TRANSFER)}
        for name in self.sources:
            if name not in attacked:
                self.attack.require(self.classifier(name))

    def _measure(self, measurement: Measurement) -> None:
        tasks = measurement.missing(self.records, sources=self.sources)
        sizes = [len(shard) for shard in self.records.shards]
        amounts = [measurement.num_images(task, shard_size=sizes[task.shard]) for task in tasks]
        done, total = 0, sum(amounts)
        for task, result in self.executor.results(tasks):
            self.records.save(result.arrays, result.facts)
            done += measurement.num_images(task, shard_size=sizes[task.shard])
            item = f"{task.subject}, shard {task.shard + 1}"
            self.listen(Progress(phase=measurement.phase, done=done, total=total, item=item))

    def _refuse_guessers(self) -> None:
        labels = self.records.labels
        for classifier, predictions in zip(self.records.classifiers, read_clean_predictions(self.records), strict=True):
            if is_at_chance(predictions, labels, num_classes=classifier.num_classes):
                self._forget(classifier.name)
                msg = (
                    f"{classifier.name} gets {(predictions == labels).sum()} of {len(labels)} clean images right: chance level. "
                    "Labels (order of classes), preprocessing or weights are wrong; fix them, remove the classifier, or "
                    "allow it (allow_chance=True)."
                )
                raise ClassifierError(msg)

    def _forget(self, name: str) -> None:
        """Takes a refused classifier out of the record, so that a mended one may take its name; never one with attacks."""
        if all(name not in {source, target} for source, target, _ in self.records.present(TRANSFER)):
            self.records.remove_classifier(name)
