"""Whether studies fit together, and what they say together of their classifiers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zooscope.engine.chance import is_at_chance
from zooscope.engine.plausible import describe_guesser
from zooscope.errors import StudyError
from zooscope.measurements.clean import CLEAN
from zooscope.records.asked import Asked, read_asked
from zooscope.records.entries import DATABASE, ClassifierRecord, Definition, Entry, require_unchanged
from zooscope.records.predictions import NOT_MEASURED
from zooscope.records.records import Records
from zooscope.records.ways import Way, read_ways


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What a study says of itself, and what its classifiers say of the clean images.

    Attributes:
        folder: of the study.
        definition: what it is about.
        image_ids: of the images.
        labels: of the images.
        notes: what else is known of it.
        entries: its classifiers.
        asked: the measurements that it was asked for.
        ways: how it was measured, if it is a part.
        clean: by classifier, NOT_MEASURED where an image isn't.
    """

    folder: Path
    definition: Definition
    image_ids: tuple[str, ...]
    labels: Int[np.ndarray, " image"]
    notes: dict[str, str]
    entries: tuple[Entry, ...]
    asked: tuple[Asked, ...]
    ways: tuple[Way, ...]
    clean: dict[str, Int[np.ndarray, " image"]]

    @property
    def admitted(self) -> frozenset[str]:
        """The classifiers of which something is measured."""
        return frozenset(entry.name for entry in self.entries if entry.is_admitted)


class Guessers(NamedTuple):
    """Classifiers that are not better than guessing, with what is wrong, by name.

    Attributes:
        sure: on all images.
        so_far: on the images that are measured; more may show that they know them.
    """

    sure: dict[str, str]
    so_far: dict[str, str]


def read_known(folder: Path) -> Known:
    """What the study in a folder says of itself.

    Raises:
        MissingFileError: there is none.
        StudyError: it is damaged.
    """
    with Records.open(folder / DATABASE) as records, records.one_moment():
        labels, clean = records.labels, dict[str, Int[np.ndarray, " image"]]()
        for row in records.arrays(CLEAN):
            said = clean.setdefault(row.subject, np.full(len(labels), NOT_MEASURED, dtype=np.int32))
            said[np.asarray(records.shards[row.part])] = row.values
        return Known(
            folder=folder,
            definition=records.definition,
            image_ids=records.image_ids,
            labels=labels,
            notes=records.notes,
            entries=records.entries,
            asked=read_asked(records),
            ways=read_ways(records),
            clean=clean,
        )


def require_fitting(studies: Sequence[Known]) -> None:
    """Refuses studies of other images, another attack or other settings than the first's, or parts of other versions of zooscope.

    Raises:
        StudyError: what differs is named.
    """
    first = studies[0]
    for other in studies[1:]:
        for what, here, there in _list_settings(first.definition, other.definition):
            if here != there:
                msg = (
                    f"{first.folder} and {other.folder} can't be merged, as the {what} differs: {here} and {there}. "
                    "Measure both with the same."
                )
                raise StudyError(msg)
    versions = {way.zooscope: study.folder for study in studies for way in study.ways}
    if len(versions) > 1:
        listed = ", ".join(f"{version} ({folder})" for version, folder in versions.items())
        msg = f"the parts were measured by several versions of zooscope: {listed}. Measure them all with one version."
        raise StudyError(msg)


def collect_classifiers(studies: Sequence[Known]) -> dict[str, ClassifierRecord]:
    """The classifiers of all studies by name, in the order they came.

    Raises:
        StudyError: two studies have different classifiers under one name.
    """
    found = dict[str, ClassifierRecord]()
    for study in studies:
        for entry in study.entries:
            try:
                require_unchanged(found.setdefault(entry.name, entry.classifier), entry.classifier)
            except StudyError as error:
                msg = f"{study.folder} can't be merged: {error}"
                raise StudyError(msg) from error
    return found


def collect_roles(studies: Sequence[Known]) -> dict[str, bool]:
    """Whether each classifier is attacked.

    Raises:
        StudyError: it is in one study, and not in another.
    """
    found, where = dict[str, bool](), dict[str, Path]()
    for study in studies:
        for entry in study.entries:
            if found.setdefault(entry.name, entry.is_source) != entry.is_source:
                yes, no = (study.folder, where[entry.name])[:: 1 if entry.is_source else -1]
                msg = (
                    f"{entry.name} is attacked in {yes}, but not in {no}; "
                    "measure both with the same --sources, which leaves what is measured as it is."
                )
                raise StudyError(msg)
            where.setdefault(entry.name, study.folder)
    return found


def collect_refusals(studies: Sequence[Known], *, without: Collection[str]) -> dict[str, str]:
    """Classifiers that one study or another refused, with the reason of the first."""
    found = dict[str, str]()
    for study in studies:
        for entry in study.entries:
            if entry.refusal and entry.name not in without:
                found.setdefault(entry.name, entry.refusal)
    return found


def find_guessers(studies: Sequence[Known], classifiers: Collection[ClassifierRecord]) -> Guessers:
    """Which of some classifiers guess, on the images of all studies together."""
    found = Guessers({}, {})
    labels = studies[0].labels
    for classifier in classifiers:
        said = np.full(len(labels), NOT_MEASURED, dtype=np.int32)
        for study in studies:
            own = study.clean.get(classifier.name)
            if own is not None:
                said = np.where(said == NOT_MEASURED, own, said)
        known = said != NOT_MEASURED
        if known.any() and is_at_chance(said[known], labels[known], num_classes=classifier.num_classes):
            reason = f"{describe_guesser(classifier, said[known], labels[known])}."
            (found.sure if known.all() else found.so_far)[classifier.name] = reason
    return found


def _list_settings(one: Definition, other: Definition) -> list[tuple[str, object, object]]:
    """What must be equal: its name, and its value here and there."""
    here, there = one.attack_settings, other.attack_settings
    return [
        ("set of images (contents, labels or sample)", one.image_digest[:8], other.image_digest[:8]),
        ("list of classes", one.class_names.replace("\n", ", "), other.class_names.replace("\n", ", ")),
        ("precision", one.precision, other.precision),
        ("way of computing", one.computing, other.computing),
        *(
            ("attack" if field == "attack" else f"{field} of the attack", here.get(field), there.get(field))
            for field in {**here, **there}
        ),
        ("seed", one.seed, other.seed),
        ("shard size", one.shard_size, other.shard_size),
    ]
