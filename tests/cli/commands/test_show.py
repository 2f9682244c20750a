import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.calling import SMALL, call, one_line
from tests.cli.imported import write_imported
from tests.cli.synthetic import write_study
from tests.records.written import rewrite
from zooscope.records.entries import DATABASE
from zooscope.study.snapshot import read_snapshot
from zooscope.study.study import Study

TWENTY = tuple(f"bundled:architecture{number}-seed{number}" for number in range(20))


def strictly(text: str) -> dict[str, object]:
    """JSON as the standard has it, without NaN."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    loaded: dict[str, object] = json.loads(text, parse_constant=refuse)
    return loaded


def rows_of(text: str) -> list[str]:
    """The lines of the matrix, without its heading."""
    matrix = text.split("\n\n")[1].replace("?", " ")  # marks of neighbours that are not sure
    return [line for line in matrix.splitlines()[1:] if re.match(r" *\d+ [^\d\s]", line)]


def test_twenty_classifiers_fit_eighty_columns(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY)
    text = call("show", tmp_path).stdout
    assert max(map(len, text.splitlines())) <= 80
    rows = rows_of(text)
    assert len(rows) == 20
    assert rows[4].split()[:2] == ["5", "architec~e4-seed4"]
    with Study.open(tmp_path) as study:
        percent = study.sat(confidence=None).percent.to_numpy()
    shown = [["100" if word == "**" else word for word in row.split()[2:]] for row in rows]
    assert shown == [[f"{value:.0f}" for value in row] for row in percent]


def test_names_that_were_cut_are_told_in_full(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY)
    assert " 5: architecture4-seed4\n" in call("show", tmp_path).stdout


def test_few_classifiers_are_shown_as_sat_with_two_decimals(tmp_path: Path) -> None:
    write_study(tmp_path, ("bundled:a", "bundled:b", "timm:c"))
    rows = rows_of(call("show", tmp_path).stdout)
    with Study.open(tmp_path) as study:
        scores = study.sat(confidence=None).to_numpy()
    assert [row.split() for row in rows] == [
        [str(place + 1), name, *(f"{value:.2f}" for value in scores[place])] for place, name in enumerate(("a", "b", "timm:c"))
    ]


def test_more_classifiers_than_fit_come_in_blocks(tmp_path: Path) -> None:
    write_study(tmp_path, tuple(f"c{number}" for number in range(41)), num_images=30)
    text = call("show", tmp_path).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert len(rows_of(text)) == 2 * 41


def test_it_says_attack_images_and_what_the_numbers_are(measured_study: Path) -> None:
    text = " ".join(call("show", measured_study).stdout.split())
    assert "2 classifiers, bundled:cifar10, 20 images" in text
    assert "LinfPGD (epsilon 8/255, step size 0.1, iterations 2)" in text
    assert "SAT: the natural logarithm" in text
    assert "The diagonal is the attack's success on the classifier itself." in text
    assert "Clean accuracy: " in text
    assert "Measured so far" not in text


def test_percent_is_explained_where_it_is_shown(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY)
    text = " ".join(call("show", tmp_path).stdout.split())
    assert "Percent of images on which an attack made on one classifier fools the other" in text
    assert "** is 100" in text


def test_a_study_half_measured_says_how_far_it_is(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), num_measured=1)
    assert f"Measured so far: 20 of 60 images per pair. To go on: `zooscope measure {tmp_path}`." in " ".join(
        call("show", tmp_path).stdout.split()
    )


def test_a_study_without_measurements_shows_dashes(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), num_measured=0)
    result = call("show", tmp_path)
    assert [row.split()[2:] for row in rows_of(result.stdout)] == [["-", "-"], ["-", "-"]]
    assert "- is a pair without a score" in result.stdout
    assert "Nothing is measured yet." in result.stdout
    assert result.stderr == ""


def test_a_study_without_classifiers_says_so(tmp_path: Path) -> None:
    write_study(tmp_path, (), num_measured=0)
    result = call("show", tmp_path)
    assert result.exit_code == 1
    assert f"holds no classifiers; add some: `zooscope measure {tmp_path} --classifiers ...`" in one_line(result.stderr)


def test_the_nearest_and_the_farthest_pairs_come_with_intervals(tmp_path: Path) -> None:
    write_study(tmp_path, tuple("abcdef"))
    text = call("show", tmp_path, "--confidence", "0.9").stdout
    head, *lines = text.split("Nearest and farthest")[1].split("\n\n")[0].splitlines()
    assert "90 % interval" in head
    pairs = [re.split(r"  +", line.strip()) for line in lines if " and " in line]
    assert len(pairs) == 6
    scores = [float(pair[1]) for pair in pairs]
    assert scores == sorted(scores, reverse=True)
    with Study.open(tmp_path) as study:
        sat = study.sat(confidence=0.9)
    for names, score, interval, percent, count in pairs:
        cell = sat.sel(a=names.split(" and ")[0], b=names.split(" and ")[1])
        assert score == f"{float(cell):.2f}"
        assert interval == f"{float(cell.low):.2f} to {float(cell.high):.2f}"
        assert (percent, count) == (f"{float(cell.percent):.1f}", str(int(cell["count"])))


def test_weak_sources_and_large_controls_are_noted(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), white_box=0.5, transforms=('{"height": 32, "width": 32}', '{"height": 64, "width": 48}'))
    result = call("show", tmp_path)
    text = " ".join(result.stdout.split())
    assert re.search(r"Note: the attack on a fools a itself on only \d+ % of images", text)
    assert re.search(
        r"Note: b gets \d+ % of the images of a wrong without any attack, only because they are preprocessed for a "
        r"\(resized from 32 x 32 to 48 x 64\); under attack",
        text,
    )
    assert result.stderr == ""


def test_a_control_has_the_reason_that_is_true(tmp_path: Path) -> None:
    crop = '{"height": 32, "width": 32, "interpolation": "bilinear", "crop_fraction": %s}'
    write_study(tmp_path / "crop", ("a", "b"), transforms=(crop % 0.875, crop % 1.0))
    text = " ".join(call("show", tmp_path / "crop").stdout.split())
    assert "preprocessed for a (crop fraction 0.875 instead of 1); under attack" in text
    assert "resized" not in text
    write_study(tmp_path / "unknown", ("a", "b"), transforms=("one", "another"))
    text = " ".join(call("show", tmp_path / "unknown").stdout.split())
    assert "preprocessed for a; under attack" in text
    write_study(tmp_path / "equal", ("a", "b"))
    assert "without any attack" not in call("show", tmp_path / "equal").stdout


def test_a_long_list_of_notes_is_cut(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY, white_box=0.5)
    text = call("show", tmp_path).stdout
    assert text.count("Note: the attack on") == 6
    assert "Note: ... and 14 more of this kind." in text


def test_pairs_that_share_no_image_are_noted(tmp_path: Path) -> None:
    write_study(tmp_path, tuple("abcd"), num_images=6, accuracy=0.2)
    assert "share no correctly classified image; their score is NaN." in " ".join(call("show", tmp_path).stdout.split())


def test_markup_in_a_name_is_shown_as_it_is(tmp_path: Path) -> None:
    write_study(tmp_path, ("[red]a[/red]", "[/]"))
    text = call("show", tmp_path).stdout
    assert "1 [red]a[/red] " in text
    assert "2 [/] " in text


def test_nothing_is_coloured_in_a_pipe(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY)
    assert "\x1b" not in call("show", tmp_path).output


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_json_holds_the_scores_of_the_study(measured_study: Path) -> None:
    found = strictly(call("show", measured_study, "--json", "--confidence", "0.8").stdout)
    with Study.open(measured_study) as study:
        sat, transfer, table = study.sat(confidence=0.8), study.transfer(), study.classifiers()
        normalized, same = study.sat(confidence=0.8, normalize=True), study.same_mistake(confidence=0.8)
    assert found["classifiers"] == ["bundled:resnet", "bundled:vit"]
    for key, matrix in {
        "sat": sat,
        "low": sat.low,
        "high": sat.high,
        "percent": sat.percent,
        "count": sat["count"],
        "transfer": transfer,
        "control": transfer.control,
        "normalized": normalized,
        "normalized_low": normalized.low,
        "normalized_high": normalized.high,
        "same_mistake": same,
        "same_mistake_low": same.low,
        "same_mistake_high": same.high,
    }.items():
        np.testing.assert_array_equal(found[key], matrix.to_numpy(), err_msg=key)
    assert found["attack"] == {"attack": "LinfPGD", "epsilon": 8 / 255, "step_size": 0.1, "iterations": 2, "random_start": False}
    assert found["images"] == {"address": "bundled:cifar10", "count": 20, "measured": [20, 20]}
    assert found["confidence"] == 0.8
    assert found["clean_accuracy"] == table["clean_accuracy"].tolist()
    assert found["white_box_success"] == table["white_box_success"].tolist()


def test_json_has_null_for_what_is_not_known(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), num_measured=0)
    found = strictly(call("show", tmp_path, "--json").stdout)
    assert found["sat"] == found["low"] == found["transfer"] == [[None, None], [None, None]]
    assert found["clean_accuracy"] == [None, None]
    assert found["count"] == [[0, 0], [0, 0]]


def test_json_carries_the_notes_and_stderr_stays_empty(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), white_box=0.5)
    result = call("show", tmp_path, "--json")
    assert len(strictly(result.stdout)["notes"]) == 2  # type: ignore[arg-type]
    assert result.stderr == ""


def test_a_confidence_in_percent_is_refused_with_a_hint(measured_study: Path) -> None:
    result = call("show", measured_study, "--confidence", "95")
    assert result.exit_code == 1
    assert "For 95 % write 0.95." in one_line(result.stderr)


def test_the_largest_sat_in_the_explanation_is_the_logarithm_of_a_hundred(measured_study: Path) -> None:
    assert f"{math.log(100):.2f} is the most" in " ".join(call("show", measured_study).stdout.split())


def test_an_imported_matrix_is_shown_without_what_was_never_measured(tmp_path: Path) -> None:
    matrix = pd.DataFrame([[4.6, 3.0, 2.0], [3.0, 4.5, np.nan], [2.0, np.nan, 4.4]], index=list("abc"), columns=list("abc"))
    Study.from_matrix(tmp_path / "published", matrix).close()
    text = call("show", tmp_path / "published").stdout
    assert "3 classifiers, scores imported as published" in " ".join(text.split())
    assert [row.split()[2:] for row in rows_of(text)] == [["4.60", "3.00", "2.00"], ["3.00", "4.50", "-"], ["2.00", "-", "4.40"]]
    assert "a and b  3.00     20.1" in text
    assert "nan" not in text
    found = strictly(call("show", tmp_path / "published", "--json").stdout)
    assert found["sat"] == [[4.6, 3.0, 2.0], [3.0, 4.5, None], [2.0, None, 4.4]]
    assert found["transfer"] == [[None] * 3] * 3


def test_a_study_of_which_some_are_targets_only_shows_one_sided_scores(tmp_path: Path) -> None:
    study = tmp_path / "study"
    result = call("measure", study, *SMALL, "--sources", "bundled:resnet")
    assert result.exit_code == 0, result.stderr
    assert "2 classifiers are measured on 20 images; 1 of them are attacked" in result.stdout
    shown = call("show", study)
    assert shown.exit_code == 0
    text = " ".join(shown.stdout.split())
    assert "- is a pair without a score: not measured both ways" in text
    assert "Nearest targets, with one-sided SAT (natural logarithm)" in text
    assert "Note: bundled:vit of the 2 classifiers are targets only; SAT takes both directions" in text
    assert "Measured so far" not in text
    assert max(len(line) for line in shown.stdout.splitlines() if line != f"{study}:") <= 80
    found = json.loads(call("show", study, "--json").stdout)
    assert found["sources"] == ["bundled:resnet"]
    assert found["sat"][0][1] is None
    assert found["one_sided"][0][1] == pytest.approx(np.log(max(0.01, found["transfer"][0][1])))
    page = call("report", study)
    assert page.exit_code == 0
    text = " ".join((study / "report.html").read_text(encoding="utf-8").split())
    assert "not attacked both ways" in text
    assert "1 of 2 classifiers were attacked on the images that they get right" in text


@pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")
def test_normalised_scores_are_shown_and_called_so(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"), white_box=0.5)
    text = " ".join(call("show", tmp_path, "--normalize").stdout.split())
    assert "Normalised SAT: the natural logarithm" in text
    assert "each divided by how many of the same images fool the source itself" in text
    assert "Note: the attack" not in text  # a weak source is no longer at a disadvantage
    with Study.open(tmp_path) as study:
        pair = study.sat(normalize=True).sel(a="a", b="b")
        assert f"{float(pair):.2f}" in text
        assert float(pair) > float(study.sat().sel(a="a", b="b"))
    assert re.search(r"^Pairs +normalised SAT", call("show", tmp_path, "--normalize").stdout, re.MULTILINE)


def test_normalised_one_sided_scores_are_called_so(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"), white_box=0.5, targets_only=("b", "c"))
    text = " ".join(call("show", tmp_path, "--normalize").stdout.split())
    assert "with normalised one-sided SAT" in text
    with Study.open(tmp_path) as study:
        assert f"b {float(study.one_sided(normalize=True).sel(source='a', target='b')):.2f}" in text


def test_a_published_matrix_can_not_be_normalised(tmp_path: Path) -> None:
    write_imported(tmp_path)
    result = call("show", tmp_path, "--normalize")
    assert result.exit_code == 1
    assert "is an imported matrix and holds no predictions" in one_line(result.stderr)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"attack": 3}', "[" * 5000])
def test_an_attack_that_can_not_be_read_is_one_sentence(tmp_path: Path, text: str) -> None:
    write_study(tmp_path / "study", ("a", "b"))
    rewrite(tmp_path / "study" / DATABASE, f"UPDATE study SET value = '{text}' WHERE key = 'attack'")  # noqa: S608  (our own text)
    for command in ("show", "report"):
        result = call(command, tmp_path / "study")
        assert result.exit_code == 1
        assert one_line(result.stderr).startswith("Error: the study's attack can't be read:")


def test_pairs_that_the_images_do_not_separate_are_said(tmp_path: Path) -> None:
    write_study(tmp_path / "few", tuple("abc"), num_images=9)
    text = " ".join(call("show", tmp_path / "few").stdout.split())
    assert "The nearest and the farthest pair are not told apart on these 9 images: their 95 % intervals overlap." in text
    assert strictly(call("show", tmp_path / "few", "--json").stdout)["extremes"]["are_separable"] is False  # type: ignore[index]
    write_study(tmp_path / "many", tuple("abcdefgh"), num_images=600)
    text = " ".join(call("show", tmp_path / "many").stdout.split())
    assert re.search(r"27 other pairs, \d+ can't be told apart from the nearest and \d+ from the farthest on these 600", text)
    write_study(tmp_path / "two", ("a", "b"))
    assert "told apart" not in call("show", tmp_path / "two").stdout


def test_it_says_how_classes_are_matched_and_what_was_left_out(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b", "c"))
    assert "Classes are matched" not in call("show", tmp_path).stdout
    path, odd = tmp_path / DATABASE, "by position: 1 of its 10 names differs from the images' ('x' for 'y')"
    rewrite(path, "UPDATE classifiers SET class_matching = 'by name'")
    assert "\nClasses are matched by name.\n" in call("show", tmp_path).stdout
    rewrite(path, f"""UPDATE classifiers SET class_matching = "{odd}" WHERE name = 'b'""")  # noqa: S608  (our own text)
    rewrite(path, """INSERT INTO study VALUES ('left_out', '{"files .txt": 2}')""")
    text = " ".join(call("show", tmp_path).stdout.split())
    assert "Classes are matched by name (2), by position (1)." in text
    assert f"Note: The classes of b are matched {odd}." in text
    assert "Note: Left out of the images: files .txt: 2." in text
    found = strictly(call("show", tmp_path, "--json").stdout)
    assert found["class_matching"] == ["by name", odd, "by name"]
    assert found["left_out"] == {"files .txt": 2}
    assert found["permutations"] == {}


@pytest.mark.parametrize("note", ["nonsense", "[1]", '{"files": "many"}'])
def test_a_note_of_what_was_left_out_that_can_not_be_read_is_damage(tmp_path: Path, note: str) -> None:
    write_study(tmp_path, ("a", "b"))
    rewrite(tmp_path / DATABASE, f"INSERT INTO study VALUES ('left_out', '{note}')")  # noqa: S608  (our own text)
    assert "is damaged: some of it can't be read" in one_line(call("show", tmp_path).stderr)


def test_nearest_neighbours_that_are_not_sure_are_marked(tmp_path: Path) -> None:
    write_study(tmp_path, TWENTY, num_images=90)
    result = call("show", tmp_path)
    assert max(map(len, result.stdout.splitlines())) <= 80
    table = read_snapshot(tmp_path).nearest()
    unsure = [(TWENTY.index(str(name)), TWENTY.index(row["nearest"])) for name, row in table.iterrows() if not row["is_sure"]]
    assert 0 < len(unsure) < 20
    marked = [
        (row, position)
        for row, line in enumerate(line for line in result.stdout.split("\n\n")[1].splitlines()[1:] if re.match(r" *\d+ ", line))
        for position, cell in enumerate(line[-60:][start : start + 3] for start in range(0, 60, 3))
        if "?" in cell
    ]
    assert marked == unsure
    assert "? marks the nearest neighbour of a row" in result.stdout
    found = strictly(call("show", tmp_path, "--json").stdout)
    assert [row["is_sure"] for row in found["nearest"]] == table["is_sure"].tolist()  # type: ignore[attr-defined]
    assert "? marks" not in call("show", tmp_path, "--normalize").stdout


def test_sure_neighbours_are_not_marked(tmp_path: Path) -> None:
    write_study(tmp_path, ("a", "b"))
    assert "?" not in call("show", tmp_path).stdout
