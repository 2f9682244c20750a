"""The matrix that fills while a study is measured."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.calling import SMALL
from tests.cli.screen import run_in_terminal
from tests.cli.synthetic import write_study
from zooscope.cli.filling import LEGEND, LINES_AROUND, MOST_CELLS, FillingMatrix, draw_cell
from zooscope.records.entries import DATABASE
from zooscope.records.records import Records
from zooscope.study.snapshot import read_snapshot
from zooscope.study.study import Study

NAMES = ("bundled:a", "bundled:b", "timm:c")


def make(count: int, name: str = "timm:a_network_with_a_long_name_{}") -> FillingMatrix:
    names = [name.format(place) for place in range(count)]
    return FillingMatrix(names, labels=np.zeros(4, dtype=np.int64), shards=[range(4)])


def draw(matrix: FillingMatrix, *, width: int = 80, height: int = 40) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, height=height, color_system=None).print(matrix)
    return out.getvalue().splitlines()


def test_what_is_taken_row_by_row_is_what_the_record_says(tmp_path: Path) -> None:
    write_study(tmp_path, NAMES)
    outcomes = read_snapshot(tmp_path).outcomes
    with Study.open(tmp_path) as study, Records.open(tmp_path / DATABASE) as records:
        read = FillingMatrix.of_study(study)
        taken = FillingMatrix(NAMES, labels=records.labels, shards=records.shards)
        rows = list(records.arrays("transfer"))
    taken.take(rows[::-1])
    for matrix in (read, taken):
        np.testing.assert_array_equal(matrix.counted, outcomes.num_counted)
        np.testing.assert_array_equal(matrix.fooled, outcomes.num_fooled)
    np.testing.assert_allclose(100 * taken.find_shares(10), outcomes.percent)


def test_a_cell_that_stands_for_several_sums_their_images() -> None:
    matrix = make(5)
    matrix.counted[:], matrix.fooled[:] = 4, np.arange(25).reshape(5, 5) % 5
    matrix.counted[4, 4] = 0
    matrix.fooled[4, 4] = 0
    shares = matrix.find_shares(3)
    assert shares.shape == (3, 3)
    assert shares[0, 1] == (2 + 3 + 2 + 3) / 16
    assert np.isnan(shares[2, 2])


@pytest.mark.parametrize("count", [1, 2, 28, 29, 69, 300])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 60), (40, 12)])
def test_it_fits_the_terminal_whatever_is_measured(count: int, width: int, height: int) -> None:
    lines = draw(make(count), width=width, height=height)
    assert len(lines) <= min(MOST_CELLS + 1, height)
    assert len(lines) <= height - LINES_AROUND + 1
    assert max(map(cell_len, lines)) <= width
    assert len(lines[0].split()[-1]) <= 2


def test_names_can_do_nothing_to_the_terminal() -> None:
    assert all(line.isprintable() for line in draw(make(2, "\x1b[31m\n[red]{}")))


def test_shades_are_quarters() -> None:
    shades = [draw_cell(percent / 100)[0][0] for percent in (0, 24.9, 25, 49.9, 50, 74.9, 75, 100)]
    assert "".join(shades) == "░░▒▒▓▓██"
    assert draw_cell(float("nan"))[0] == "· "


def test_a_terminal_shows_the_matrix_until_the_end_and_keeps_none_of_it(tmp_path: Path) -> None:
    study = tmp_path / "study"
    frames = list(run_in_terminal("measure", study, *SMALL, "--shard-size", "5", "--device", "cpu"))
    drawn = [[line.rstrip() for line in frame] for frame in frames if any(line.startswith("vit ") for line in frame)]
    cells = [{line.split()[0]: line.split()[1:] for line in frame if line[:4] in {"resn", "vit "}} for frame in drawn]
    assert {"resnet": ["·", "·"], "vit": ["·", "·"]} in cells
    shares = read_snapshot(study).transfer().to_numpy() / 100
    last = {name: "".join(draw_cell(share)[0] for share in row) for name, row in zip(("resnet", "vit"), shares, strict=True)}
    assert {name: "".join(row) for name, row in cells[-1].items()} == last
    assert any(LEGEND in line for line in drawn[-1])
    assert max(len(line) for frame in drawn for line in frame) <= 80
    end = [line for line in frames[-1] if line.strip()]
    assert f"{study}: 2 classifiers are measured on 20 images." in " ".join(" ".join(end).split())
    assert not any("░" in line or "█" in line or "·" in line for line in end)
