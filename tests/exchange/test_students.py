import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zooscope.errors import InvalidValueError, MissingFileError
from zooscope.exchange.held_out import measure_flips, read_held_out
from zooscope.exchange.students import make_student_table, read_students
from zooscope.records.predictions import NOT_MEASURED, Predictions

IMAGES = tuple(f"image-{number}" for number in range(5))
LABELS = np.array([0, 1, 2, 0, 1])
PREDICTIONS = Predictions(
    names=("cnn", "vit"),
    image_ids=IMAGES,
    labels=LABELS,
    clean=np.array([[0, 1, 2, 1, 1], [0, 0, 0, 0, NOT_MEASURED]]),
    sources=("cnn", "vit"),
    transfer=np.zeros((2, 2, 5), dtype=np.int64),
    transforms=("", ""),
)


def write_student(folder: Path, place: str, *, held_out: str | None = None, **values: object) -> None:
    """A sub-folder as `zooscope distill` writes it."""
    card = {"name": place, "architecture": "bundled:vit", "group": "g", "seed": 0, "accuracy": 0.6, "teacher": "cnn"} | values
    (folder / place).mkdir(parents=True)
    (folder / place / "card.json").write_text(json.dumps(card))
    if held_out is not None:
        (folder / place / "held_out.csv").write_text(held_out)


def write_predictions(said: list[int]) -> str:
    rows = "".join(f"{name},{label},{value}\n" for name, label, value in zip(IMAGES, LABELS, said, strict=True))
    return "id,label,prediction\n" + rows


def test_every_folder_with_a_card_is_a_student_and_others_are_counted(tmp_path: Path) -> None:
    write_student(tmp_path, "b", accuracy=1)
    write_student(tmp_path, "a", teacher=None, more={"keys": 1})
    (tmp_path / "curves").mkdir()
    (tmp_path / "zoo.toml").write_text("")
    found = read_students(tmp_path)
    assert [(student.name, student.teacher, student.accuracy) for student in found.students] == [
        ("a", None, 0.6),
        ("b", "cnn", 1.0),
    ]
    assert (found.architecture, found.num_skipped) == ("bundled:vit", 1)


def test_flips_are_images_that_the_teacher_gets_right_and_the_student_wrong_counted_by_hand(tmp_path: Path) -> None:
    # The student errs on images 2 and 3; cnn is right on 2, vit on 3 and unknown on 4.
    for teacher in ("cnn", "vit", "swin"):
        write_student(tmp_path, teacher, teacher=teacher, held_out=write_predictions([0, 1, 0, 2, 1]))
    table = make_student_table(read_students(tmp_path), PREDICTIONS)
    assert table["flips_after"]["cnn"] == 1 / 5
    assert table["flips_after"]["vit"] == 1 / 4
    assert np.isnan(table["flips_after"]["swin"])
    assert table["flips_images"].to_dict() == {"cnn": 5, "swin": 0, "vit": 4}
    assert make_student_table(read_students(tmp_path), None)["flips_after"].isna().all()


def test_only_images_that_both_have_count(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("prediction,more,id,label\n1,x,image-2,2\n1,x,elsewhere,0\n")
    assert measure_flips(read_held_out(tmp_path / "few.csv"), PREDICTIONS, "cnn") == (1.0, 1)
    (tmp_path / "none.csv").write_text("id,label,prediction\nelsewhere,0,0\n")
    assert measure_flips(read_held_out(tmp_path / "none.csv"), PREDICTIONS, "cnn")[1] == 0


def test_another_label_of_the_same_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("id,label,prediction\nimage-0,0,0\nimage-1,2,2\n")
    with pytest.raises(InvalidValueError, match=r"other\.csv has the label 2 for the image image-1, the study 1; give both"):
        measure_flips(read_held_out(tmp_path / "other.csv"), PREDICTIONS, "cnn")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"accuracy": 71.2}, r"card\.json: accuracy must be a share in \[0, 1\]: got 71\.2\."),
        ({"accuracy": True}, r"accuracy must be a share in \[0, 1\]: got true\."),
        ({"accuracy": float("nan")}, r"accuracy must be a share in \[0, 1\]: got NaN\."),
        ({"accuracy": "0.7"}, r"accuracy must be a share in \[0, 1\]: got \"0\.7\"\."),
        ({"teacher": 3}, r"teacher must be the teacher's name in the study, or null for none: got 3\."),
        ({"name": ""}, r"name must be a text: got \"\"\."),
    ],
)
def test_a_card_with_a_wrong_value_is_refused(values: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    write_student(tmp_path, "a", **values)
    with pytest.raises(InvalidValueError, match=sentence):
        read_students(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"card\.json can't be read \(.*\); make the student again, or remove its folder\."),
        ("\udcff", r"card\.json can't be read"),
        ("[1]", r"card\.json holds no JSON object"),
        (
            '{"name": "a", "architecture": "b", "accuracy": 0.5}',
            r"has no key 'teacher'; add it \(the teacher's name",
        ),
    ],
)
def test_a_card_that_is_none_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    write_student(tmp_path, "a")
    (tmp_path / "a" / "card.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidValueError, match=sentence):
        read_students(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,label\na,1\n", r"has no column 'prediction'; its first line must name id, label, prediction\."),
        ("", r"has no column 'id'"),
        ("id,label,prediction\n", r"held_out\.csv has no images"),
        ("id,label,prediction\na,1\n", r"the line 'a,1' has 2 cells, the first line 3; write as many\."),
        ("id,label,prediction\na,cat,1\n", r"the label of a must be the number of a class, from 0: got 'cat'\."),
        ("id,label,prediction\na,1,-1\n", r"the prediction of a must be the number of a class, from 0: got '-1'\."),
        ("id,label,prediction\na,1,9999999999999999999999\n", r"the prediction of a must be the number of a class"),
        ("id,label,prediction\na,1,1\nb,1,1\nb,1,0\n", r"held_out\.csv has the image b twice"),
        ('id,label,prediction\n"a,1,1\n', r"held_out\.csv can't be read as CSV"),
        (
            "id,label,prediction\na,1,1\nb,1,1\n",
            r"card\.json says accuracy 0\.6, but by held_out\.csv beside it, it is 1; remove",
        ),
    ],
)
def test_predictions_that_do_not_fit_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    write_student(tmp_path, "a", held_out=text)
    with pytest.raises(InvalidValueError, match=sentence):
        read_students(tmp_path)


def test_folders_without_students_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"there is no folder .*nowhere; give the one that `zooscope distill` wrote"):
        read_students(tmp_path / "nowhere")
    with pytest.raises(InvalidValueError, match=r"none of the sub-folders of .* has a card\.json"):
        read_students(tmp_path)
    write_student(tmp_path, "a", teacher=None)
    with pytest.raises(InvalidValueError, match=r"no student in .* has a teacher; distil some by `zooscope distill`\."):
        read_students(tmp_path)


def test_students_that_can_not_be_compared_are_refused(tmp_path: Path) -> None:
    write_student(tmp_path / "names", "a")
    write_student(tmp_path / "names", "b", name="a")
    with pytest.raises(InvalidValueError, match=r"a.card\.json and .*b.card\.json are both of a; remove one of the two folders\."):
        read_students(tmp_path / "names")
    write_student(tmp_path / "kinds", "a")
    write_student(tmp_path / "kinds", "b", architecture="bundled:mixer")
    with pytest.raises(InvalidValueError, match=r"b.card\.json is of bundled:mixer, .*a.card\.json of bundled:vit; put students"):
        read_students(tmp_path / "kinds")
