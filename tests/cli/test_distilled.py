"""`zooscope teachers --students`: cards in, correlations out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.cli.calling import call, one_line
from tests.cli.zoo import NAMES, write_zoo
from zooscope.study.snapshot import Snapshot, read_snapshot
from zooscope.study.study import Study

STUDENT, TEACHERS = NAMES[0], NAMES[1:]
BASES = "name,base architecture\n" + "".join(f"{name},{'CNN' if 'a' in name[-2:] else 'Transformer'}\n" for name in NAMES)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_zoo(tmp_path_factory.mktemp("zoo"))
    (folder / "bases.csv").write_text(BASES)
    return folder


@pytest.fixture(scope="module")
def study(zoo: Path) -> Snapshot:
    return read_snapshot(zoo)


def write_student(folder: Path, name: str, accuracy: float, teacher: str | None) -> Path:
    made = folder / name
    made.mkdir(parents=True)
    (made / "card.json").write_text(
        json.dumps({"name": name, "architecture": "tiny", "accuracy": accuracy, "teacher": teacher, "seed": 0})
    )
    return made


def write_said(made: Path, study: Snapshot, wrong: int) -> None:
    """Predictions on the study's images, the first so many of them wrong."""
    said = np.where(np.arange(study.num_images) < wrong, (study.labels + 1) % 10, study.labels)
    table = pd.DataFrame({"id": study.image_ids, "label": study.labels, "prediction": said})
    table.to_csv(made / "held_out.csv", index=False)


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory, study: Snapshot) -> Path:
    """Two students of each teacher, the first with predictions, one without a teacher, and a folder that is none."""
    folder = tmp_path_factory.mktemp("students")
    for number, teacher in enumerate(TEACHERS):
        wrong = 6 + 3 * number**2 % 17
        write_said(write_student(folder, f"{number}-0", 1 - wrong / 60, teacher), study, wrong)
        write_student(folder, f"{number}-1", 0.85 - wrong / 60, teacher)
    write_student(folder, "plain", 0.5, None)
    (folder / "logs").mkdir()
    return folder


def test_json_has_each_relation_with_scipys_numbers_beside_the_papers(zoo: Path, students: Path, study: Snapshot) -> None:
    words = ("teachers", zoo, "--student", STUDENT, "--components", zoo / "bases.csv", "--json")
    plain, found = json.loads(call(*words).stdout), json.loads(call(*words, "--students", students).stdout)
    distilled = found.pop("distillation")
    assert found == plain  # the ranking stays
    wrong = np.array([6 + 3 * number**2 % 17 for number in range(5)])
    accuracy = pd.Series(100 * (0.925 - wrong / 60), index=TEACHERS)
    sat = study.sat(confidence=None).sel(a=STUDENT, b=list(TEACHERS)).to_numpy()
    clean = study.predictions.clean == study.labels
    own = pd.Series(100 * clean[1:].mean(1), index=TEACHERS)
    before = 100 * (clean[1:] & ~clean[0]).mean(1)
    after = [100 * clean[1 + number][: wrong[number]].sum() / 60 for number in range(5)]
    for name, x, y in (
        ("sat", sat, accuracy),
        ("sat_other", sat[2:], accuracy[2:]),
        ("teacher_accuracy", own, accuracy),
        ("flips_before", before, accuracy),
        ("flips_after", sat, after),
    ):
        relation, expected = distilled["relations"][name], stats.pearsonr(x, y)
        assert (relation["r"], relation["p"]) == pytest.approx((expected.statistic, expected.pvalue)), name
        assert relation["count"] == len(x)
        assert relation["permutations"]["exact"]
    assert distilled["relations"]["sat_same"]["count"] == 2
    assert distilled["relations"]["sat_same"]["r"] is None
    assert distilled["relations"]["sat_other"]["evidence"]["r"] == -0.51
    assert distilled["relations"]["flips_after"]["evidence"] is None
    assert distilled["without_teacher"] == [50]
    assert distilled["std_within"] == pytest.approx(np.std([100, 85], ddof=1))
    assert (distilled["count"], distilled["skipped"], distilled["flips_images"]) == (11, 1, {"before": 60, "after": [60, 60]})


def test_the_text_fits_eighty_columns_and_says_what_is_not_there(zoo: Path, students: Path) -> None:
    text = call("teachers", zoo, "--student", STUDENT, "--components", zoo / "bases.csv", "--students", students).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    words = " ".join(text.split())
    assert "10 students (tiny) of 5 teachers" in words
    assert "SAT of each teacher with a0 (CNN)" in words
    assert "Skipped: 1 sub-folder without a card.json." in words
    assert "Trained without a teacher: 50.00 % (1 student)." in words
    assert "students of one teacher differ by 10.61 points" in words
    assert "No number from fewer than 3 teachers: SAT: same base architecture (2)." in words
    assert "-0.51 (p 0.030, n 18)" in words
    assert "of the study's 60 images, and of 60 held-out images that are in the study" in words


def test_the_text_names_what_is_left_out_and_unknown(zoo: Path, tmp_path: Path) -> None:
    for number, teacher in enumerate((STUDENT, "timm:elsewhere", *TEACHERS[:3])):
        write_student(tmp_path, str(number), 0.5, teacher)
    words = " ".join(call("teachers", zoo, "--student", STUDENT, "--students", tmp_path).stdout.split())
    assert "a0 (stands for the students itself and has no SAT with itself)" in words
    assert "timm:elsewhere (is not in the study)" in words
    assert "Without the student's base architecture no teacher is of the same or of another one." in words
    assert "Every teacher has one student, so how much a seed changes is not known." in words
    assert "No number where all teachers have the same value: SAT: all; Teacher's accuracy; Positive flips before." in words
    assert "no images: no held_out.csv has images of the study" in words


def test_students_with_different_held_out_images_are_said_to_have_them(zoo: Path, study: Snapshot, tmp_path: Path) -> None:
    for count, teacher in zip((60, 20), TEACHERS, strict=False):
        made = write_student(tmp_path, str(count), 1.0, teacher)
        table = pd.DataFrame({"id": study.image_ids, "label": study.labels, "prediction": study.labels})
        table.head(count).to_csv(made / "held_out.csv", index=False)
    words = " ".join(call("teachers", zoo, "--student", STUDENT, "--students", tmp_path).stdout.split())
    assert "of 20 to 60 held-out images that are in the study" in words


def test_a_published_matrix_has_sat_and_no_more(tmp_path: Path) -> None:
    names = list("abcd")
    matrix = pd.DataFrame([[4.6, 3.0, 2.0, 1.0], [3.0, 4.6, 1, 1], [2.0, 1, 4.6, 1], [1.0, 1, 1, 4.6]], index=names, columns=names)
    with Study.from_matrix(tmp_path / "study", matrix):
        pass
    for number, teacher in enumerate("bcd"):
        write_student(tmp_path / "students", teacher, 0.5 + 0.1 * number, teacher)
    words = ("teachers", tmp_path / "study", "--student", "a", "--students", tmp_path / "students")
    relations = json.loads(call(*words, "--json").stdout)["distillation"]["relations"]
    assert relations["sat"]["r"] == pytest.approx(-1)
    assert relations["sat"]["p_permuted"] == pytest.approx(2 / 6)
    assert relations["teacher_accuracy"]["count"] == relations["flips_before"]["count"] == 0
    assert "no images: a published matrix has none" in " ".join(call(*words).stdout.split())


def test_the_picture_has_a_panel_per_relation(zoo: Path, students: Path, tmp_path: Path) -> None:
    words = ("teachers", zoo, "--student", STUDENT, "--components", zoo / "bases.csv", "--students", students)
    call(*words, "--out", tmp_path / "students.csv")
    table = pd.read_csv(tmp_path / "students.csv", index_col=0)
    panels = [title.split(": ")[0] for title in table["panel"].unique()]
    assert panels == [
        "all teachers",
        "same base architecture",
        "other base architectures",
        "teacher's own accuracy",
        "positive flips before",
        "positive flips after",
    ]
    assert table["panel"].str.startswith("same base architecture").sum() == 2
    assert set(table["base architecture"]) == {"CNN", "Transformer"}


def test_a_bad_card_is_one_sentence_and_an_exit_code(zoo: Path, tmp_path: Path) -> None:
    write_student(tmp_path, "a", 71.2, TEACHERS[0])
    result = call("teachers", zoo, "--student", STUDENT, "--students", tmp_path)
    assert result.exit_code == 1
    assert "card.json: accuracy must be a share in [0, 1]: got 71.2." in one_line(result.stderr)
    assert "there is no folder" in one_line(call("teachers", zoo, "--student", STUDENT, "--students", tmp_path / "no").stderr)
