"""Parts of a study, put together: the study that one process would have measured, or a sentence."""

import shutil
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.engine.interrupted import merge
from tests.specimens import classifier_of, family
from zooscope import Study, merge_studies
from zooscope.attacks import Attack, LinfPGD, Square
from zooscope.classifiers.classifier import Classifier
from zooscope.engine.progress import Progress
from zooscope.errors import ClassifierError, InvalidValueError, MissingFileError, OtherContentError, StudyError
from zooscope.kept.entries import CACHE, list_entries
from zooscope.measurements import Features, Measurement, Planes
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow
from zooscope.records.ways import Way, read_ways, write_ways
from zooscope.study.merge import begin_part

ATTACK = LinfPGD(epsilon=0.03, step_size=0.01, iterations=3, random_start=True)
ALSO = (Features(), Planes(num_triplets=20, resolution=3))
RELATIVES, IMAGES = family(4, num_images=30, sizes=((6, 6), (9, 9)))
PROCESSES = get_context("forkserver")
Arrays = dict[tuple[str, str, str, str, int], bytes]


def make(
    folder: Path,
    *,
    classifiers: Sequence[Classifier] = RELATIVES,
    attack: Attack = ATTACK,
    shard_size: int = 8,
    **options: Any,  # noqa: ANN401  (of the study)
) -> Study:
    return Study.create(folder, classifiers=classifiers, images=IMAGES, attack=attack, shard_size=shard_size, **options)


def measure_part(
    folder: Path, part: str, *, also: Sequence[Measurement] = ALSO, classifiers: Sequence[Classifier] = RELATIVES
) -> Path:
    """A part in a folder of its own."""
    with make(folder, classifiers=classifiers) as study:
        study.run(part=part, device="cpu", also=also)
    return folder


def read_arrays(folder: Path) -> Arrays:
    with Records.open(folder / "study.db") as records:
        return {
            (kind, digest, row.subject, row.object, row.part): row.values.dtype.str.encode() + row.values.tobytes()
            for kind, digest in records.series
            for row in records.arrays(kind, digest)
        }


def read_bytes(folder: Path) -> bytes:
    return (folder / "study.db").read_bytes()


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial")
    with make(folder) as study:
        study.run(device="cpu", also=ALSO)
    return folder


@pytest.fixture(scope="module")
def measured_parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    return [measure_part(folder / f"{number}-of-3", f"{number}/3") for number in (1, 2, 3)]


@pytest.fixture
def parts(measured_parts: list[Path], tmp_path: Path) -> list[Path]:
    """Copies, to be changed."""
    return [Path(shutil.copytree(part, tmp_path / "parts" / part.name)) for part in measured_parts]


def test_merged_parts_are_the_study_of_one_process_byte_for_byte(serial: Path, parts: list[Path], tmp_path: Path) -> None:
    merged = merge_studies(tmp_path / "study", parts)
    assert read_arrays(tmp_path / "study") == read_arrays(serial)
    assert (merged.num_parts, merged.num_classifiers, merged.num_images) == (3, 4, 30)
    assert (merged.missing, merged.absent, merged.left_out) == ({}, (), {})
    with Study.open(tmp_path / "study") as ours, Study.open(serial) as theirs:
        assert ours.names == theirs.names
        assert ours.asked == theirs.asked
        assert ours.snapshot().components().equals(theirs.snapshot().components())


def test_more_parts_than_shards_are_the_same_study(serial: Path, tmp_path: Path) -> None:
    folders = [measure_part(tmp_path / str(number), f"{number}/7") for number in range(1, 8)]
    assert not merge_studies(tmp_path / "study", folders).missing
    assert read_arrays(tmp_path / "study") == read_arrays(serial)


def test_each_attack_is_measured_by_one_part_alone(measured_parts: list[Path]) -> None:
    units = [{place for place in read_arrays(part) if place[0] in {"transfer", "control"}} for part in measured_parts]
    assert all(units)
    assert sum(map(len, units)) == len(set.union(*units))


def test_nothing_is_measured_again_after_merging(parts: list[Path], tmp_path: Path) -> None:
    merge_studies(tmp_path / "study", parts)
    before, told = read_bytes(tmp_path / "study"), list[object]()
    with Study.open(tmp_path / "study", classifiers=RELATIVES, images=IMAGES) as study:
        study.run(device="cpu", listen=told.append)
    assert not told
    assert read_bytes(tmp_path / "study") == before


def test_what_is_missing_is_said_and_measured_by_a_run(serial: Path, parts: list[Path], tmp_path: Path) -> None:
    merged = merge_studies(tmp_path / "study", parts[:1])
    assert [part.number for part in merged.absent] == [2, 3]
    assert merged.missing.keys() == {"clean images", "attacks", "features", "planes"}
    with Study.open(tmp_path / "study", classifiers=RELATIVES, images=IMAGES) as study:
        told = list[object]()
        study.run(device="cpu", listen=told.append)
    assert len(told) == sum(merged.missing.values())
    assert read_arrays(tmp_path / "study") == read_arrays(serial)


def test_parts_that_come_later_are_merged_into_what_there_is(serial: Path, parts: list[Path], tmp_path: Path) -> None:
    assert merge_studies(tmp_path / "study", parts[:2]).missing
    assert not merge_studies(tmp_path / "study", parts[2:]).missing
    assert read_arrays(tmp_path / "study") == read_arrays(serial)
    before = read_arrays(tmp_path / "study")
    merge_studies(tmp_path / "study", parts)  # the same once more
    assert read_arrays(tmp_path / "study") == before


def test_attacked_images_of_parts_are_kept_for_the_study_and_those_of_the_study_for_a_part(
    serial: Path, parts: list[Path], tmp_path: Path
) -> None:
    merge_studies(tmp_path / "study", parts)
    kept = list_names(tmp_path / "study" / CACHE)
    assert kept == list_names(serial / CACHE) != []
    assert list_names(begin_part(tmp_path / "study", "1/2") / CACHE) == kept


def list_names(folder: Path) -> list[str]:
    return [file.name for file in list_entries(folder)]


@pytest.mark.slow
@pytest.mark.parametrize("num_before", [0, 1])
def test_killed_while_merging_nothing_is_half_there_and_the_next_merge_is_whole(
    num_before: int, serial: Path, parts: list[Path], tmp_path: Path
) -> None:
    def begin(name: str) -> Path:
        folder = tmp_path / name
        if num_before:
            merge_studies(folder, parts[:num_before])
        return folder

    def merge_until(folder: Path, moment: int | None) -> int | None:
        process = PROCESSES.Process(target=merge, args=(folder, parts, tmp_path / "log", moment))
        process.start()
        process.join()
        return process.exitcode

    assert merge_until(begin("whole"), None) == 0
    num_moments = int((tmp_path / "log").read_text())
    assert num_moments > 100
    for moment in (1, num_moments // 2, num_moments - 3, num_moments):
        folder = begin(f"until {moment}")
        before = read_arrays(folder) if num_before else {}
        assert merge_until(folder, moment) == -signal.SIGKILL
        assert not (folder / "study.db").exists() or read_arrays(folder) in (before, read_arrays(serial))
        assert not merge_studies(folder, parts).missing
        assert read_arrays(folder) == read_arrays(serial)


def test_a_part_that_was_stopped_goes_on(serial: Path, tmp_path: Path) -> None:
    told = list[Progress]()

    def stop(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 9:
            raise KeyboardInterrupt

    with make(tmp_path / "1") as study:
        with pytest.raises(KeyboardInterrupt):
            study.run(part="1/2", device="cpu", also=ALSO, listen=stop)
        study.run(part="1/2", device="cpu", listen=told.append)
    assert len(told) == len({(progress.phase, progress.item) for progress in told}), "what was kept is not measured again"
    measure_part(tmp_path / "2", "2/2")
    merge_studies(tmp_path / "study", [tmp_path / "1", tmp_path / "2"])
    assert read_arrays(tmp_path / "study") == read_arrays(serial)


def test_a_part_of_a_study_that_has_something_measures_the_rest(serial: Path, tmp_path: Path) -> None:
    study_folder = tmp_path / "study"
    with make(study_folder, classifiers=RELATIVES[:3]) as study:
        study.run(device="cpu", also=ALSO)
    for number in (1, 2):
        folder = begin_part(study_folder, f"{number}/2")
        with Study.open(folder, classifiers=RELATIVES, images=IMAGES) as part:
            part.add(RELATIVES)
            before = len(read_arrays(folder))
            part.run(part=f"{number}/2", device="cpu")
        assert before < len(read_arrays(folder)) < len(read_arrays(serial))
    assert not merge_studies(study_folder).missing
    assert read_arrays(study_folder) == read_arrays(serial)


def test_studies_of_different_classifiers_become_one_that_lacks_what_is_between_them(serial: Path, tmp_path: Path) -> None:
    for name, some in (("one", RELATIVES[:2]), ("other", RELATIVES[2:])):
        with make(tmp_path / name, classifiers=some) as study:
            study.run(device="cpu", also=ALSO)
    merged = merge_studies(tmp_path / "study", [tmp_path / "one", tmp_path / "other"])
    assert merged.missing == {"attacks": 16}
    with Study.open(tmp_path / "study", classifiers=RELATIVES, images=IMAGES) as study:
        study.run(device="cpu")
    assert read_arrays(tmp_path / "study") == read_arrays(serial)


# Classifiers that can't be measured

implausible = pytest.mark.filterwarnings("ignore::zooscope.errors.ImplausibleClassifierWarning")  # each part notes it


@pytest.fixture
def guesser() -> Classifier:
    """A relative whose answers are those of another class."""
    wrong = family(1, num_images=30)[0][0]
    head = wrong.network.get_submodule("network.6")
    with_rolled = {name: value.roll(1, 0) for name, value in head.state_dict().items()}
    head.load_state_dict(with_rolled)
    return classifier_of("guesser", wrong.network, num_classes=3, size=(6, 6))


@implausible
def test_a_guesser_is_refused_as_by_one_process(guesser: Classifier, tmp_path: Path) -> None:
    everyone = [*RELATIVES[:2], guesser]
    with make(tmp_path / "serial", classifiers=everyone) as study:
        with pytest.raises(ClassifierError, match="guesser gets"):
            study.run(device="cpu")
        study.run(device="cpu")
        refused = study.refused
    folders = [measure_part(tmp_path / str(number), f"{number}/4", also=(), classifiers=everyone) for number in range(1, 5)]
    merged = merge_studies(tmp_path / "study", folders)
    assert merged.left_out == refused
    assert not merged.missing
    assert read_arrays(tmp_path / "study") == read_arrays(tmp_path / "serial")
    with Study.open(tmp_path / "study") as study:
        assert study.refused == refused
    assert not merge_studies(tmp_path / "all", folders, allow_chance=True).left_out


@implausible
def test_on_few_images_a_guesser_is_left_out_and_not_refused(guesser: Classifier, tmp_path: Path) -> None:
    everyone = [*RELATIVES[:2], guesser]
    part = measure_part(tmp_path / "1", "1/2", also=(), classifiers=everyone)
    assert merge_studies(tmp_path / "study", [part]).left_out.keys() == {"guesser"}
    with Study.open(tmp_path / "study") as study:
        assert not study.refused
        assert study.names == tuple(one.name for one in everyone)


def test_a_classifier_that_one_part_refused_is_left_out(tmp_path: Path) -> None:
    folders = [measure_part(tmp_path / str(number), f"{number}/2", also=()) for number in (1, 2)]
    with make(tmp_path / "3") as study:
        study._records.refuse_classifier(RELATIVES[1].name, "it can't be attacked.")  # noqa: SLF001  (as a run does)
    merged = merge_studies(tmp_path / "study", [*folders, tmp_path / "3"])
    assert merged.left_out == {RELATIVES[1].name: "it can't be attacked."}
    assert not merged.missing
    assert not [place for place in read_arrays(tmp_path / "study") if RELATIVES[1].name in place]


# What is refused


def change_array(folder: Path, kind: str) -> str:
    """Gives one array of a part another content, as another machine might; says which in words."""
    with Records.open(folder / "study.db", write=True) as records:
        row = next(records.arrays(kind))
        records.save([ArrayRow(kind=kind, subject=row.subject, object=row.object, part=row.part, values=row.values + 1)])
        return f"{kind} of {row.subject} to {row.object}, shard {row.part + 1}"


def test_a_unit_with_two_results_is_refused_by_its_name_and_nothing_is_written(parts: list[Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(parts[1], tmp_path / "other"))
    unit = change_array(other, "transfer")
    merge_studies(tmp_path / "study", parts[:2])
    before = read_bytes(tmp_path / "study")
    with pytest.raises(OtherContentError, match=f"other can't be merged: .*study.db has another result for {unit}; measure"):
        merge_studies(tmp_path / "study", [parts[2], other])
    assert read_bytes(tmp_path / "study") == before
    with pytest.raises(OtherContentError, match=unit):
        merge_studies(tmp_path / "new", [*parts, other])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"seed": 1}, "seed differs: 0 and 1"),
        ({"exact": True}, "way of computing differs: fast and exact"),
        ({"precision": "bf16"}, "precision differs: float32 and bf16"),
        ({"shard_size": 9}, "shard size differs: 8 and 9"),
        ({"attack": LinfPGD(epsilon=0.04)}, "epsilon of the attack differs: 0.03 and 0.04"),
        ({"attack": Square()}, "attack differs: LinfPGD and Square"),
    ],
)
def test_studies_of_other_settings_are_refused(options: dict[str, object], field: str, parts: list[Path], tmp_path: Path) -> None:
    make(tmp_path / "other", **options).close()  # type: ignore[arg-type]
    with pytest.raises(StudyError, match=f"can't be merged, as the {field}"):
        merge_studies(tmp_path / "study", [parts[0], tmp_path / "other"])
    assert not (tmp_path / "study").exists()


def test_studies_of_other_images_are_refused(parts: list[Path], tmp_path: Path) -> None:
    Study.create(tmp_path / "other", classifiers=RELATIVES, images=IMAGES.take(range(29)), attack=ATTACK, shard_size=8).close()
    with pytest.raises(StudyError, match=r"as the set of images \(contents, labels or sample\) differs"):
        merge_studies(tmp_path / "study", [parts[0], tmp_path / "other"])


def test_other_weights_under_one_name_are_refused(parts: list[Path], tmp_path: Path) -> None:
    (changed, *_), _ = family(1, seed=1)
    make(tmp_path / "other", classifiers=[changed]).close()
    with pytest.raises(StudyError, match="other can't be merged: relative 0 is in the study with other weights"):
        merge_studies(tmp_path / "study", [parts[0], tmp_path / "other"])


def test_parts_with_other_sources_are_refused(parts: list[Path], tmp_path: Path) -> None:
    with Study.open(parts[1]) as study:
        study.add((), sources=["relative 0"])
    sentence = "relative 1 is attacked in .*1-of-3, but not in .*2-of-3; measure both with the same --sources"
    with pytest.raises(StudyError, match=sentence):
        merge_studies(tmp_path / "study", parts)


def test_parts_of_several_versions_are_refused_and_of_several_devices_told(parts: list[Path], tmp_path: Path) -> None:
    with Records.open(parts[1] / "study.db", write=True) as records:
        (way,) = read_ways(records)
        write_ways(records, [way._replace(batch_size=7)])
    assert len(merge_studies(tmp_path / "study", parts).ways) == 2
    with Records.open(parts[2] / "study.db", write=True) as records:
        write_ways(records, [Way("9.9.9", *way[1:])])
    with pytest.raises(StudyError, match=r"several versions of zooscope: .*9\.9\.9 \(.*3-of-3\). Measure them all with one"):
        merge_studies(tmp_path / "other", parts)


def test_a_damaged_part_is_refused_and_nothing_is_written(parts: list[Path], tmp_path: Path) -> None:
    with closing(sqlite3.connect(parts[2] / "study.db")) as connection, connection:
        connection.execute("UPDATE arrays SET bytes = zeroblob(length(bytes))")
    merge_studies(tmp_path / "study", parts[:2])
    before = read_bytes(tmp_path / "study")
    for out in (tmp_path / "study", tmp_path / "new"):
        with pytest.raises(StudyError, match=r"3-of-3/study\.db is damaged"):
            merge_studies(out, parts)
    assert read_bytes(tmp_path / "study") == before
    assert not (tmp_path / "new").exists()


def test_parts_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="has no parts to merge; measure them"):
        merge_studies(tmp_path / "study")
    with pytest.raises(MissingFileError, match="there is no study at"):
        merge_studies(tmp_path / "study", [tmp_path / "part"])


def test_a_study_is_no_part_of_itself(parts: list[Path]) -> None:
    with pytest.raises(StudyError, match="can't be merged into itself"):
        merge_studies(parts[0], parts)


def test_a_part_that_can_not_be_is_refused(tmp_path: Path) -> None:
    with make(tmp_path) as study, pytest.raises(InvalidValueError, match="a part is written 2/8, the second of eight: got '3/2'"):
        study.run(part="3/2", device="cpu")
