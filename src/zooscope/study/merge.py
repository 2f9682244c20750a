"""Studies of the same images and the same attack, put together into one."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from zooscope.arguments import check_arguments
from zooscope.engine.asked import find_asked
from zooscope.errors import OtherContentError, StudyError
from zooscope.kept.entries import CACHE
from zooscope.kept.kept_attacks import KeptAttacks
from zooscope.measurements.clean import Clean
from zooscope.measurements.transfer import TRANSFER
from zooscope.records.asked import ASKED, write_asked
from zooscope.records.entries import DATABASE
from zooscope.records.lock import held
from zooscope.records.records import Records
from zooscope.records.ways import WAYS, Way, read_ways, write_ways
from zooscope.spelling import Part, parse_part
from zooscope.study.fitting import (
    Guessers,
    Known,
    collect_classifiers,
    collect_refusals,
    collect_roles,
    find_guessers,
    read_known,
    require_fitting,
)
from zooscope.study.parts import find_absent, find_part_folder, list_parts
from zooscope.words import quote_path


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a merged study holds.

    Attributes:
        num_parts: that were put together.
        num_classifiers: of the study.
        num_images: of the study.
        left_out: classifiers of which nothing was taken, with the reason.
        missing: how many units are still to be measured, by what they are; empty where nothing is missing.
        absent: parts that are not there, as far as the names of the folders tell.
        ways: how the parts were measured, each way once.
    """

    num_parts: int
    num_classifiers: int
    num_images: int
    left_out: dict[str, str]
    missing: dict[str, int]
    absent: tuple[Part, ...]
    ways: tuple[Way, ...]


@check_arguments
def merge_studies(out: str | Path, parts: Sequence[str | Path] | None = None, *, allow_chance: bool = False) -> Merged:
    """Puts studies together that were measured apart, each a part of the work, or each with classifiers of its own.

    Everything is written, or nothing. What is still missing afterwards, `Study.run` measures. Attacked images that the parts keep
    are kept for the study, too.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import zooscope
        >>> options = {
        ...     "classifiers": ["bundled:resnet", "bundled:vit"],
        ...     "images": zooscope.load_images("bundled:cifar10").sample(20),
        ...     "attack": "LinfPGD?iterations=2",
        ...     "shard_size": 10,
        ... }
        >>> with TemporaryDirectory() as folder:
        ...     for number in (1, 2):
        ...         with zooscope.Study.create(f"{folder}/{number}", **options) as study:
        ...             study.run(part=f"{number}/2", device="cpu")
        ...     merged = zooscope.merge_studies(f"{folder}/study", [f"{folder}/1", f"{folder}/2"])
        >>> merged.num_parts, merged.missing
        (2, {})

    Args:
        out: the folder of the study that they become; where it holds one, that one gets what it lacks.
        parts: their folders; if left out, those that `zooscope measure OUT --part` made.
        allow_chance: whether to take classifiers that guess.

    Raises:
        StudyError: there are no parts; or they have other images, another attack, other settings, other weights under one name,
            other sources, or are of another version of zooscope.
        OtherContentError: a unit was measured twice, with different results.
        MissingFileError: a part is not there.
    """
    folder = Path(out)
    folders = list_parts(folder) if parts is None else [Path(part) for part in parts]
    if not folders:
        place = quote_path(folder)
        msg = f"{folder} has no parts to merge; measure them (`zooscope measure {place} --part 1/4`), or name their folders."
        raise StudyError(msg)
    if folder.resolve() in [part.resolve() for part in folders]:
        msg = f"{folder} can't be merged into itself; name another folder, or the parts alone."
        raise StudyError(msg)
    with _held(folder):
        merged = _merge(folder, [read_known(part) for part in folders], allow_chance=allow_chance)
    _share_attacks(folders, folder)
    return merged


def begin_part(study: Path, part: str) -> Path:
    """The folder of a part. What the study has already, if there is one, the part has, too, so that it isn't measured again.

    Args:
        study: the folder of the study, which need not be there yet.
        part: such as "3/16".

    Raises:
        InvalidValueError: the text is no part.
        StudyError: the part doesn't fit the study, or is being measured.
    """
    folder = find_part_folder(study, parse_part(part))
    if (study / DATABASE).exists():
        with _held(folder):
            _merge(folder, [read_known(study)], allow_chance=True, keeps_roles=True)
        _share_attacks([study], folder)
    return folder


def count_missing(records: Records) -> dict[str, int]:
    """How many units a study lacks, by what they are; only those of which there are some."""
    sources = [entry.name for entry in records.entries if entry.is_source and not entry.refusal]
    done, shards = records.present(TRANSFER), range(len(records.shards))
    found = {
        "clean images": len(Clean().missing(records, sources=sources)),
        "attacks": sum(any((source, name, shard) not in done for name in records.wanted) for source in sources for shard in shards),
    }
    found |= {one.kind: len(one.missing(records, sources=sources)) for one in find_asked(records)}
    return {what: count for what, count in found.items() if count}


def _share_attacks(givers: Sequence[Path], taker: Path) -> None:
    kept = KeptAttacks(taker / CACHE)
    for giver in givers:
        kept.adopt(giver / CACHE)


def _held(folder: Path) -> AbstractContextManager[None]:
    """Keeps other writers away from a study that is there."""
    return held(folder) if (folder / DATABASE).exists() else nullcontext()


def _merge(out: Path, parts: Sequence[Known], *, allow_chance: bool, keeps_roles: bool = False) -> Merged:
    """Everything of the parts, in one transaction.

    Args:
        out: the folder, held by this process if it has a study.
        parts: what is put together.
        allow_chance: whether to take classifiers that guess.
        keeps_roles: whether classifiers that `out` has stay sources or targets there, whatever they are in the parts.
    """
    before = read_known(out) if (out / DATABASE).exists() else None
    everything = [*([] if before is None else [before]), *parts]
    require_fitting(everything)
    classifiers, roles = collect_classifiers(everything), collect_roles(parts)
    there = frozenset[str]() if before is None else frozenset(entry.name for entry in before.entries)
    settled = frozenset[str]() if before is None else before.admitted
    if keeps_roles:
        roles = {name: role for name, role in roles.items() if name not in there}
    refused = collect_refusals(parts, without=settled)
    judged = [one for name, one in classifiers.items() if name not in settled and name not in refused]
    guessers = Guessers({}, {}) if allow_chance else find_guessers(everything, judged)
    left_out = refused | guessers.sure | guessers.so_far

    def fill(records: Records) -> None:
        for name, classifier in classifiers.items():
            if name not in there:
                records.add_classifier(classifier)
        records.set_roles(roles)
        for part in parts:
            _copy(part.folder, records, without=left_out)
        for name, reason in (refused | guessers.sure).items():
            records.refuse_classifier(name, reason)
        write_asked(records, tuple({(one.kind, one.digest): one for study in everything for one in study.asked}.values()))
        write_ways(records, tuple(dict.fromkeys(way for study in everything for way in study.ways)))

    with _open(out, parts[0], fill, is_new=before is None) as records:
        return Merged(
            num_parts=len(parts),
            num_classifiers=len(records.names),
            num_images=len(records.labels),
            left_out=left_out,
            missing=count_missing(records),
            absent=find_absent([part.folder for part in parts]),
            ways=read_ways(records),
        )


def _open(out: Path, first: Known, fill: Callable[[Records], None], *, is_new: bool) -> Records:
    """The merged record: all is filled in, or nothing."""
    if is_new:
        notes = {key: text for key, text in first.notes.items() if key not in {ASKED, WAYS}}
        return Records.create(out / DATABASE, first.definition, first.image_ids, first.labels, notes=notes, fill=fill)
    records = Records.open(out / DATABASE, write=True)
    try:
        with records.at_once():
            fill(records)
    except BaseException:
        records.close()
        raise
    return records


def _copy(folder: Path, records: Records, *, without: Collection[str]) -> None:
    """Enters what a part has measured."""
    with Records.open(folder / DATABASE) as part:
        for kind, digest in part.series:
            rows = part.arrays(kind, digest)
            try:
                records.save((row for row in rows if row.subject not in without and row.object not in without), replace=False)
            except OtherContentError as error:
                msg = (
                    f"{folder} can't be merged: {str(error).removesuffix('.')}; measure the parts on one kind of device with one "
                    "batch size, or leave this part out and measure what is missing."
                )
                raise OtherContentError(msg) from error
        guesses, known = part.guesses(), records.components()
        for name, components in part.components().items():
            if name not in known:
                records.set_components(name, components, guesses=guesses.get(name, frozenset()))
