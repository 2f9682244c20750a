"""A study's record: what is written comes back, and what can't be opened says why."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.records.written import DEFINITION, IDS, LABELS, classifier, save_clean, save_transfers, value
from zooscope.errors import InvalidValueError, MissingFileError, OtherContentError, StudyError
from zooscope.records.layout import APPLICATION_ID, SCHEMA_VERSION
from zooscope.records.predictions import NOT_COUNTED, NOT_MEASURED
from zooscope.records.reading import read_clean_logits, read_clean_predictions, read_predictions, read_published, write_published
from zooscope.records.records import Records
from zooscope.records.rows import ArrayRow, FactRow

# What is written comes back


def test_a_new_record_holds_what_defines_the_study(records: Records) -> None:
    assert records.definition == DEFINITION
    assert records.image_ids == IDS
    np.testing.assert_array_equal(records.labels, LABELS)
    assert records.shards == (range(2), range(2, 4), range(4, 5))
    assert records.classifiers == (classifier("a"), classifier("b", "24 pixels"))
    assert records.names == ("a", "b")


def test_the_database_says_what_it_is_and_how_it_is_kept(path: Path) -> None:
    assert value(path, "PRAGMA application_id") == APPLICATION_ID
    assert value(path, "PRAGMA user_version") == SCHEMA_VERSION
    assert value(path, "PRAGMA journal_mode") == "delete"
    assert value(path, "PRAGMA integrity_check") == "ok"


def test_components_come_back_by_classifier_and_take_new_values(records: Records) -> None:
    records.set_components("b", {"activation": "ReLU", "hierarchical": "Yes"})
    records.set_components("b", {"activation": "GELU"})
    records.set_components("nobody", {"activation": "GELU"})
    assert records.components() == {"b": {"activation": "GELU", "hierarchical": "Yes"}}


def test_guesses_come_back_by_classifier_until_they_get_another_value(records: Records) -> None:
    records.set_components("a", {"activation": "ReLU"})
    records.set_components("b", {"base architecture": "NAS (CNN)", "hierarchical": "Yes"}, guesses=["base architecture"])
    assert records.guesses() == {"b": {"base architecture"}}
    records.set_components("b", {"base architecture": "CNN"})
    assert records.guesses() == {}


def test_published_scores_come_back_and_unknown_pairs_are_nan(records: Records) -> None:
    scores = np.array([[4.5, np.nan], [np.nan, -4.6]])
    write_published(records, scores)
    np.testing.assert_array_equal(read_published(records), scores)


def test_where_nothing_may_be_replaced_the_same_is_kept_and_something_else_is_refused(records: Records) -> None:
    row = ArrayRow(kind="transfer", subject="a", object="b", part=1, values=np.array([0, 1]))
    records.save([row])
    records.save([row], replace=False)
    news = replace(row, part=0)
    with pytest.raises(OtherContentError, match="has another result for transfer of a to b, shard 2"):
        records.save([news, replace(row, values=np.array([1, 1]))], replace=False)
    assert records.present("transfer") == {("a", "b", 1)}, "all or nothing"
    assert records.check() == []


def test_what_is_written_at_once_is_written_whole_or_not_at_all(path: Path, records: Records) -> None:
    def add(unknown: str) -> None:
        with records.at_once():
            records.add_classifier(classifier("c"))
            for name in ("c", unknown):
                records.save([ArrayRow(kind="clean", subject=name, part=0, values=np.array([0, 1]))])

    with pytest.raises(StudyError, match="holds no classifier 'd'"):
        add("d")
    assert records.names == ("a", "b")
    add("c")
    with Records.open(path) as again:
        assert again.names == ("a", "b", "c")
        assert set(again.series) == {("clean", ""), ("logits", "")}


def test_what_belongs_to_a_classifier_that_is_removed_goes_with_it(path: Path, records: Records) -> None:
    save_transfers(records, "a", 0, {"a": np.array([1, 1]), "b": np.array([0, 1])}, {("32 pixels", "b"): np.array([0, 1])})
    save_transfers(records, "b", 0, {"a": np.array([1, 1])}, {("24 pixels", "a"): np.array([0, 1])})
    records.remove_classifier("a")
    assert records.names == ("b",)
    assert not records.present("clean")
    assert not records.present("transfer")
    assert records.present("control") == {("32 pixels", "b", 0)}
    assert value(path, "SELECT count(*) FROM pragma_foreign_key_check") == 0


def test_a_measurement_of_an_unknown_classifier_can_not_be_entered(path: Path, records: Records) -> None:
    with pytest.raises(StudyError, match=r"study\.db holds no classifier 'nobody', .* add it first"):
        save_transfers(records, "a", 0, {"b": np.array([1, 1]), "nobody": np.array([1, 1])}, {})
    assert not records.present("transfer")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            connection.execute("INSERT INTO arrays VALUES (99, 99, 99, 0, '<i4', '0', x'', x'')")


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "float16", ">f4", "float64"])
def test_arrays_of_any_shape_and_type_come_back_as_they_were(records: Records, dtype: str) -> None:
    generator = np.random.default_rng(0)
    for shape in ((), (3,), (0, 4), (2, 3, 4)):
        values = np.asarray(100 * generator.standard_normal(shape)).astype(dtype)
        records.save([ArrayRow(kind="features", digest="layer 4", subject="a", part=1, values=values)])
        (row,) = records.arrays("features", "layer 4")
        assert (row.subject, row.object, row.part) == ("a", "", 1)
        assert row.values.dtype == values.dtype.newbyteorder("<")
        np.testing.assert_array_equal(row.values, values)
    assert not list(records.arrays("features"))


def test_an_array_of_objects_is_refused(records: Records) -> None:
    with pytest.raises(InvalidValueError, match="an array of object can't be kept in a record"):
        records.save([ArrayRow(kind="features", subject="a", part=0, values=np.array([None]))])


def test_arrays_are_found_by_what_they_are_of(records: Records) -> None:
    units = [("a", "a", 0), ("a", "b", 1), ("a", "b", 0), ("b", "a", 0)]
    records.save(
        ArrayRow(kind="transfer", subject=subject, object=target, part=part, values=np.array([number]))
        for number, (subject, target, part) in enumerate(units)
    )

    def found(**of: Any) -> set[tuple[str, str, int, int]]:  # noqa: ANN401  (a text or a number)
        return {(row.subject, row.object, row.part, int(row.values[0])) for row in records.arrays("transfer", **of)}

    everything = {(*unit, number) for number, unit in enumerate(units)}
    assert found() == everything
    assert found(subject="a") == {unit for unit in everything if unit[0] == "a"}
    assert found(object="a") == {unit for unit in everything if unit[1] == "a"}
    assert found(subject="a", object="b") == {("a", "b", 0, 2), ("a", "b", 1, 1)}
    assert [row.part for row in records.arrays("transfer", subject="a", object="b")] == [0, 1]
    assert found(subject="a", object="b", part=1) == {("a", "b", 1, 1)}
    assert found(part=0) == {unit for unit in everything if unit[2] == 0}
    assert found(subject="nobody") == set()
    assert records.present("transfer") == set(units)
    assert records.present("transfer", "other settings") == set()


def test_facts_per_image_stand_beside_their_measurement(records: Records) -> None:
    row = ArrayRow(kind="transfer", digest="d", subject="a", object="b", part=0, values=np.array([1, 0]))
    fact = FactRow(kind="transfer", digest="d", subject="a", part=0, name="iterations", values=np.array([3, 7], dtype=np.int16))
    records.save([row], [fact])
    (read,) = records.arrays("transfer:iterations", "d")
    assert (read.subject, read.part, read.values.tolist()) == ("a", 0, [3, 7])
    records.remove_classifier("a")
    assert not records.present("transfer:iterations", "d")


def test_nothing_is_written_through_a_record_that_was_opened_for_reading(path: Path) -> None:
    before = path.read_bytes()
    with (
        Records.open(path) as reader,
        pytest.raises(StudyError, match=r"was opened for reading only; open it for writing \(write=True\)"),
    ):
        reader.remove_classifier("a")
    assert path.read_bytes() == before


def test_reads_of_one_moment_do_not_see_what_comes_between(path: Path) -> None:
    with Records.open(path) as reader:
        with reader.one_moment():
            assert reader.names == ("a", "b")
            assert read_predictions(reader).names == ("a", "b")
            with closing(sqlite3.connect(path, timeout=0)) as writer:
                writer.execute("UPDATE classifiers SET name = 'c' WHERE name = 'b'")
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    writer.commit()
            assert reader.names == ("a", "b")
        with Records.open(path, write=True) as records:
            records.add_classifier(classifier("c"), is_admitted=True)
        assert "c" in reader.names


def test_logits_come_back_as_they_are_in_half_precision(records: Records) -> None:
    logits = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float16)
    logits[0] = 65504, -65504
    logits[1] = 6e-8, -0.0
    for shard, positions in enumerate(records.shards):
        save_clean(records, "b", shard, LABELS[positions], logits[positions])
    read = read_clean_logits(records, "b")
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read.view(np.uint16), logits.view(np.uint16))


def test_logits_that_are_not_all_measured_are_refused(records: Records) -> None:
    with pytest.raises(StudyError, match="the clean logits of a are not all measured; run `zooscope measure` to the end"):
        read_clean_logits(records, "a")


def test_predictions_say_where_nothing_is_known_yet(records: Records) -> None:
    save_transfers(records, "a", 2, {"b": np.array([NOT_COUNTED])}, {})
    save_transfers(records, "a", 1, {"b": np.array([1, 0])}, {("32 pixels", "b"): np.array([1, 1])})
    predictions = read_predictions(records)
    unknown = [NOT_MEASURED] * 5
    np.testing.assert_array_equal(predictions.clean, [[0, 1, *unknown[2:]], unknown])
    assert predictions.sources == ("a",)
    np.testing.assert_array_equal(predictions.transfer, [[unknown, [*unknown[:2], 1, 0, NOT_COUNTED]]])
    # Where both take the same pixels, the control is the clean prediction.
    same = [0, 1, *unknown[2:]]
    control = [[predictions.control(row, column) for column in range(2)] for row in range(2)]
    np.testing.assert_array_equal(control, [[same, [*unknown[:2], 1, 1, NOT_MEASURED]], [unknown, unknown]])


def test_what_is_done_is_known(records: Records) -> None:
    save_transfers(records, "a", 1, {"a": np.array([1, 0]), "b": np.array([1, 0])}, {("32 pixels", "b"): np.array([1, 1])})
    assert records.present("clean") == {("a", "", 0)}
    assert records.present("transfer") == {("a", "a", 1), ("a", "b", 1)}
    assert records.present("control") == {("32 pixels", "b", 1)}


def test_measuring_again_replaces(records: Records) -> None:
    save_clean(records, "a", 0, np.array([1, 0]), np.zeros((2, 2), dtype=np.float16))
    np.testing.assert_array_equal(read_clean_predictions(records)[0, :2], [1, 0])


def test_a_reader_sees_what_another_connection_has_written(path: Path, records: Records) -> None:
    with Records.open(path) as reader:
        assert not reader.present("transfer")
        save_transfers(records, "a", 0, {"a": np.array([1, 1])}, {})
        assert reader.present("transfer") == {("a", "a", 0)}


def test_a_record_in_memory_keeps_the_same(path: Path) -> None:
    assert path.is_file()
    with Records.in_memory(DEFINITION, IDS, LABELS) as records:
        records.add_classifier(classifier("a"), is_admitted=True)
        save_transfers(records, "a", 0, {"a": np.array([1, 1])}, {})
        assert (records.definition, records.names, records.present("transfer")) == (DEFINITION, ("a",), {("a", "a", 0)})


def test_predictions_have_rows_of_attacked_classifiers_alone() -> None:
    names, sources, num_images = tuple(f"classifier {number}" for number in range(100)), ("classifier 7", "classifier 30"), 20
    generator = np.random.default_rng(0)
    transfer = generator.integers(-1, 2, (len(sources), len(names), num_images))
    ids = tuple(map(str, range(num_images)))
    with Records.in_memory(replace(DEFINITION, shard_size=10), ids, np.zeros(num_images, dtype=np.int64)) as records:
        for name in names:
            records.add_classifier(classifier(name), is_admitted=True)
        assert read_predictions(records).transfer.shape == (0, 100, num_images)
        for shard, positions in enumerate(records.shards):
            for row, source in reversed(list(enumerate(sources))):
                save_transfers(records, source, shard, dict(zip(names, transfer[row][:, positions], strict=True)), {})
        found = read_predictions(records)
    assert found.sources == sources
    np.testing.assert_array_equal(found.source_places, [7, 30])
    np.testing.assert_array_equal(found.transfer, transfer)
    np.testing.assert_array_equal(found.take_source("classifier 30"), transfer[1])
    assert (found.take_source("classifier 31") == NOT_MEASURED).all()
    assert found.take_source("classifier 31").shape == (100, num_images)
    np.testing.assert_array_equal(np.flatnonzero(found.find_complete().any(axis=1)), [7, 30])
    part = found.take(["classifier 30", "classifier 2"])
    assert part.sources == ("classifier 30",)
    np.testing.assert_array_equal(part.transfer, transfer[1:, [30, 2]])


def test_a_study_of_the_size_of_the_papers_comes_back() -> None:
    count, num_images, shard_size = 69, 500, 100
    generator = np.random.default_rng(0)
    transfer = generator.integers(-1, 1000, (count, count, num_images))
    definition = replace(DEFINITION, shard_size=shard_size, class_names="\n".join(map(str, range(1000))))
    with Records.in_memory(definition, tuple(map(str, range(num_images))), np.zeros(num_images, dtype=np.int64)) as records:
        names = tuple(f"classifier {number}" for number in range(count))
        for name in names:
            records.add_classifier(classifier(name), is_admitted=True)
        for shard, positions in enumerate(records.shards):
            for row, source in enumerate(names):
                save_transfers(records, source, shard, dict(zip(names, transfer[row][:, positions], strict=True)), {})
        found = read_predictions(records).transfer
    np.testing.assert_array_equal(found, transfer)
    assert found.dtype == np.int16


@pytest.mark.parametrize("impossible", [2, -17, 256])
def test_a_class_that_there_is_not_is_damage_not_another_class(records: Records, impossible: int) -> None:
    save_transfers(records, "a", 2, {"b": np.array([impossible])}, {})
    with pytest.raises(StudyError, match=rf"is damaged: some of it can't be read \(class {impossible} of 2\)"):
        read_predictions(records)


# Classifiers under one name


def test_an_unchanged_classifier_stays(records: Records) -> None:
    records.add_classifier(replace(classifier("a"), address="bundled:a", architecture="other"))
    assert records.names == ("a", "b")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("weights", r"a is in the study with other weights \(digest of a, now changed\); give the changed classifier another name"),
        ("transform", r"with other transform \(32 pixels, now changed\)"),
        ("mean", r"with other mean \(0, now changed\)"),
        ("std", r"with other std \(1, now changed\)"),
    ],
)
def test_a_changed_classifier_under_the_same_name_is_refused(records: Records, field: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        records.add_classifier(replace(classifier("a"), **{field: "changed"}))  # type: ignore[arg-type]
    assert records.classifiers[0] == classifier("a")


def test_another_number_of_classes_under_the_same_name_is_refused(records: Records) -> None:
    with pytest.raises(StudyError, match=r"with other num_classes \(2, now 3\)"):
        records.add_classifier(replace(classifier("a"), num_classes=3))


def test_long_digests_are_cut_in_the_message(records: Records) -> None:
    records.add_classifier(replace(classifier("c"), weights="0123456789abcdef" * 4), is_admitted=True)
    with pytest.raises(StudyError, match=r"with other weights \(0123456789ab\.\.\., now short\)"):
        records.add_classifier(replace(classifier("c"), weights="short"))


# Places that can't be used


def test_a_missing_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no study at .*nowhere: study\.db is missing\. `zooscope measure` makes"):
        Records.open(tmp_path / "nowhere" / "study.db")


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (place TEXT)")
    before = path.read_bytes()
    with pytest.raises(StudyError, match=r"is a database, but not a study of zooscope's; name a study's folder"):
        Records.open(path)
    assert path.read_bytes() == before


def test_a_study_of_a_newer_zooscope_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    expected = f"has schema version {SCHEMA_VERSION + 1}, this zooscope reads up to {SCHEMA_VERSION}; install a newer zooscope"
    with pytest.raises(StudyError, match=expected):
        Records.open(path)
    assert path.read_bytes() == before
