"""Brings a record up to date: measures what is missing, and writes it one task at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from zooscope.attacks.base import Attack
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.probe import probe
from zooscope.engine.admission import Admission
from zooscope.engine.chance import is_at_chance
from zooscope.engine.executor import Executor
from zooscope.engine.plausible import describe_guesser, warn_of_implausible
from zooscope.engine.progress import ProgressListener
from zooscope.engine.tally import Tally
from zooscope.errors import ClassifierError
from zooscope.measurements.base import Measurement, Result, Task
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
        holds: whether a task is measured here; the others are left to other processes.
        has_kept: whether the attacked images that a task asks for are kept, so that it takes less time.
        is_enough: asked before each shard of attacks, with the number of shards before it, all complete: whether these are enough.
    """

    records: Records
    executor: Executor
    attack: Attack
    sources: Sequence[str]
    classifier: Callable[[str], Classifier]
    also: Sequence[Measurement] = ()
    listen: ProgressListener = lambda _: None
    holds: Callable[[Task], bool] = lambda _: True
    has_kept: Callable[[Task], bool] = lambda _: False
    is_enough: Callable[[int], bool] | None = None

    def __call__(self, *, allow_chance: bool = False) -> None:
        """Measures everything that is missing.

        Args:
            allow_chance: whether classifiers that guess are measured all the same.

        Raises:
            ClassifierError: the attack can't attack a source, or a classifier doesn't behave or guesses. If nothing of it was
                measured so far, the record keeps the reason, and it is left out until it is added again.

        Warns:
            ImplausibleClassifierWarning: a classifier is far less accurate than it should be.
        """
        for measurement in self.also:
            measurement.require(self.records)
        self._probe()
        self._classify(allow_chance=allow_chance)
        warn_of_implausible(self.records.classifiers, read_clean_predictions(self.records), self.records.labels)
        for measurement in (Transfer(attack=self.attack, seed=self.records.definition.seed), *self.also):
            for _, result in self._measure(measurement):
                self.records.save(result.arrays, result.facts)

    def _probe(self) -> None:
        """Looks at every classifier that is new, and lets the attack look at every source that was not attacked so far."""
        attacked = {source for source, _, _ in self.records.present(TRANSFER)}
        is_new = {entry.name: not entry.is_admitted for entry in self.records.entries}
        refusals = dict[str, str]()
        for name in self.records.wanted:
            is_next = name in self.sources and name not in attacked
            if is_new[name] or is_next:
                classifier = self.classifier(name)
                try:
                    if is_new[name]:
                        probe(classifier)
                    if is_next:
                        self.attack.require(classifier)
                except ClassifierError as error:
                    refusals[name] = str(error)
        self._refuse(refusals)

    def _refuse(self, refusals: Mapping[str, str], *, advice: str = "") -> None:
        """Notes why classifiers can't be measured, and says it of the first, with the names of the others."""
        for name, reason in refusals.items():
            self.records.refuse_classifier(name, reason)
        for reason in refusals.values():
            others = list(refusals)[1:]
            more = f" {len(others)} more can't be measured: {', '.join(others)}." if others else ""
            msg = f"{reason.removesuffix('.')}{advice}.{more}"
            raise ClassifierError(msg)

    def _classify(self, *, allow_chance: bool) -> None:
        """Measures clean images; a classifier enters the record when it has shown that it knows them."""
        admission = Admission(self.records, allow_chance=allow_chance)
        try:
            for task, result in self._measure(Clean()):
                for admitted in admission.admit(task, result):
                    self.records.save(admitted.arrays, admitted.facts)
        except ClassifierError as error:
            if error.refused:
                self.records.refuse_classifier(error.refused, str(error))
            raise
        guessers = admission.guessers | ({} if allow_chance else self._find_guessers())
        self._refuse(guessers, advice=", remove the classifier, or allow it (allow_chance=True)")

    def _find_guessers(self) -> dict[str, str]:
        """Of the classifiers that are in the record, and not attacked or tested so far: what is wrong with those that guess."""
        labels, done = self.records.labels, {name for *unit, _ in self.records.present(TRANSFER) for name in unit}
        known = zip(self.records.classifiers, read_clean_predictions(self.records), strict=True)
        return {
            one.name: describe_guesser(one, said, labels)
            for one, said in known
            if one.name not in done and is_at_chance(said, labels, num_classes=one.num_classes)
        }

    def _measure(self, measurement: Measurement) -> Iterator[tuple[Task, Result]]:
        """Every missing result; what it is asked for has to be written before the next is asked for."""
        tasks = tuple(filter(self.holds, measurement.missing(self.records, sources=self.sources)))
        sizes = [len(shard) for shard in self.records.shards]
        tally = Tally(measurement, tasks, shard_sizes=sizes, has_kept=self.has_kept)
        for some in self._take_until_enough(tasks) if measurement.kind == TRANSFER else [tasks]:
            for task, result in self.executor.results(some):
                yield task, result
                self.listen(tally.count(task, result.arrays))

    def _take_until_enough(self, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
        """All tasks at once; shard by shard, until the shards before are enough, if somebody looks after each."""
        if self.is_enough is None:
            yield tasks
            return
        for shard, some in groupby(tasks, key=lambda task: task.shard):
            if shard > 0 and self.is_enough(shard):
                return
            yield tuple(some)
