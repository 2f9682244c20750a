"""Every kind of picture is drawn in every form, the same each time, and holds what it shows."""

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zooscope.errors import InvalidValueError, StudyError
from zooscope.pictures.data import Band, Bars, BarSeries, Curves, Forks, HeatMap, Panels, Picture, Points
from zooscope.pictures.draw import ENDINGS, save
from zooscope.pictures.interactive import make_figure
from zooscope.pictures.printed import STYLE
from zooscope.pictures.printed import make_figure as print_figure

NAMES = ("resnet", "a <b>bold</b> $name$ & more", "résumé, 変")
STEPS = np.array([1.0, 2.0, 4.0])
LINE = Band(x=STEPS, y=STEPS / 2, low=STEPS / 4, high=STEPS, name="trend")


def make_panels(count: int) -> Panels:
    """Each with a point less than the one before it."""
    panels = (
        Points(
            title=f"Panel {number}",
            x_label="SAT",
            y_label="accuracy",
            x=STEPS[number:],
            y=STEPS[number:] ** 2,
            names=("resnet", "a <b>bold</b> name", "mixer")[number:],
            groups=("CNN", "<b>ViT</b>", "CNN")[number:],
            group_title="base architecture",
            trend=LINE,
        )
        for number in range(count)
    )
    return Panels(title="Panels", panels=tuple(panels))


PICTURES: dict[str, Picture] = {
    "heat map": HeatMap(
        title="Scores",
        values=np.array([[4.6, 3, np.nan], [3, 4.5, 2], [np.nan, 2, 4.4]]),
        rows=NAMES,
        columns=NAMES,
        unit="SAT",
        breaks=(1,),
    ),
    "map": Points(
        title="Map", x_label="", y_label="", x=STEPS, y=-STEPS, names=NAMES, groups=("1", "2", "1"), group_title="cluster"
    ),
    "tree": Forks(
        title="Tree",
        x_label="SAT",
        names=NAMES,
        groups=("1", "2", "1"),
        group_order=("1", "2"),
        group_title="cluster",
        branches=(((0.0, 4.6), (0.0, 3.0), (1.0, 3.0), (1.0, 4.6)), ((0.5, 3.0), (0.5, 2.0), (2.0, 2.0), (2.0, 4.6))),
        joined=((NAMES[:1], NAMES[1:2], 3.0), (NAMES[:2], NAMES[2:], 2.0)),
    ),
    "trend": Points(title="Trend", x_label="SAT", y_label="ERR", x=STEPS, y=STEPS**2, names=NAMES, trend=LINE),
    "bars": Bars(
        title="Importance",
        x_label="drop of R²",
        labels=NAMES,
        series=(
            BarSeries(name="in sample", lengths=STEPS, low=STEPS - 0.5, high=STEPS + 0.5),
            BarSeries(name="held out", lengths=-STEPS),
        ),
    ),
    "panels": make_panels(2),
    "curves": Curves(title="Stability", x_label="images", y_label="deviation", curves=(LINE,), logarithmic=frozenset({"x"})),
}


@pytest.fixture(params=PICTURES, ids=lambda name: name.replace(" ", "_"))
def picture(request: pytest.FixtureRequest) -> Picture:
    """One of each kind."""
    return PICTURES[request.param]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_picture_gives_the_same_bytes(picture: Picture, ending: str, tmp_path: Path) -> None:
    files = [tmp_path / "new folder" / f"{name}{ending}" for name in ("once", "again")]
    for file in files:
        save(picture, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_printed_picture_is_one_with_something_on_it(picture: Picture, tmp_path: Path) -> None:
    save(picture, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as image:
        assert min(image.size) > 400
        assert len(image.convert("RGB").getcolors(2**24) or ()) > 10
    save(picture, tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_an_explorable_picture_loads_nothing_and_keeps_names_as_they_are(picture: Picture, tmp_path: Path) -> None:
    save(picture, tmp_path / "picture.html")
    page = (tmp_path / "picture.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=", page)
    text = make_figure(picture).to_json()
    assert ("bold" in text) == (picture is not PICTURES["curves"])
    assert not re.findall(r"(?:<|\\u003c)b(?:>|\\u003e)", text)


def test_the_numbers_come_back_from_the_table(tmp_path: Path) -> None:
    for name, kind in PICTURES.items():
        save(kind, tmp_path / f"{name}.csv")
    heat_map = pd.read_csv(tmp_path / "heat map.csv", index_col=0)
    assert tuple(heat_map.index) == tuple(heat_map.columns) == NAMES
    assert heat_map.to_numpy()[0, :2].tolist() == [4.6, 3]
    assert pd.read_csv(tmp_path / "map.csv")["cluster"].tolist() == [1, 2, 1]
    assert pd.read_csv(tmp_path / "tree.csv")["SAT"].tolist() == [3, 2]
    assert pd.read_csv(tmp_path / "trend.csv")["ERR"].tolist() == [1, 4, 16]
    assert pd.read_csv(tmp_path / "bars.csv")["in sample, low"].tolist() == [0.5, 1.5, 3.5]
    panels = pd.read_csv(tmp_path / "panels.csv", index_col=0)
    assert panels["panel"].tolist() == ["Panel 0"] * 3 + ["Panel 1"] * 2
    assert panels["y"].tolist() == [1, 4, 16, 4, 16]
    assert panels["base architecture"].tolist()[:2] == ["CNN", "<b>ViT</b>"]
    assert pd.read_csv(tmp_path / "curves.csv")["high"].tolist() == [1, 2, 4]


def many_points(count: int, *, spread: float) -> Points:
    """Points in three heaps, with names as long as those of networks."""
    generator = np.random.default_rng(0)
    centres = generator.normal(0, 1, (3, 2))[np.arange(count) % 3]
    x, y = (centres + spread * generator.normal(size=(count, 2))).T
    names = tuple(f"network_{number:02d}_patch16_224" for number in range(count))
    return Points(
        title="A map whose title is long " * 9, x_label="", y_label="", x=x, y=y, names=names, groups=names[:3] * (count // 3)
    )


def texts_of(picture: Points) -> tuple[set[str], str]:
    """The names that are drawn, and the title."""
    with mpl.rc_context(STYLE):
        drawn = print_figure(picture)
    return {text.get_text() for text in drawn.axes[0].texts}, drawn.get_suptitle()


@pytest.mark.parametrize("spread", [pytest.param(0.3, marks=pytest.mark.slow), 0.001])
def test_no_name_of_sixty_nine_vanishes_without_a_word(spread: float) -> None:
    picture = many_points(69, spread=spread)
    shown, title = texts_of(picture)
    assert shown <= set(picture.names)
    if missing := len(set(picture.names) - shown):
        assert title.endswith(f"{missing} of 69 names {'has' if missing == 1 else 'have'} no room here.")
    assert bool(missing) == (spread < 0.1)
    notes = [note.text for note in make_figure(picture).layout.annotations]
    left_out = [text for text in notes if "no room" in text]
    assert len(set(picture.names) & set(notes)) == 69 - int(left_out[0].split()[0] if left_out else 0)


def test_a_long_title_has_three_lines_and_stays_above_the_legend() -> None:
    with mpl.rc_context(STYLE):
        drawn = print_figure(many_points(30, spread=0.3))
        drawn.draw_without_rendering()
        (title,) = drawn.texts
        assert title.get_text().count("\n") <= 2
        legend = drawn.axes[0].get_legend()
        assert legend is not None
        assert title.get_window_extent().y0 >= legend.get_window_extent().y1


def test_panels_share_colours_and_one_legend() -> None:
    panels = make_panels(3)
    figure = make_figure(panels)
    markers = [trace for trace in figure.data if trace.mode == "markers"]
    assert len({(trace.name, trace.marker.color) for trace in markers}) == len({trace.name for trace in markers}) == 2
    entries = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(entries) == sorted(set(entries))
    assert {"CNN", "trend"} < set(entries)
    assert len({trace.xaxis for trace in markers}) == 3
    with mpl.rc_context(STYLE):
        drawn = print_figure(panels)
    assert [cell.get_title(loc="left") for cell in drawn.axes] == ["Panel 0", "Panel 1", "Panel 2"]
    (legend,) = drawn.legends
    assert [text.get_text() for text in legend.get_texts()] == ["trend", "CNN", "<b>ViT</b>"]


def test_every_bar_has_its_label_even_if_two_are_equal() -> None:
    bars = Bars(
        title="Bars", x_label="x", labels=("same", "same", *map(str, range(60))), series=(BarSeries(name="s", lengths=np.ones(62)),)
    )
    figure = make_figure(bars)
    assert list(figure.layout.yaxis.ticktext) == list(bars.labels)
    assert list(figure.data[0].y) == list(range(62))


def test_an_ending_that_can_not_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"picture.gif can't be drawn: its name must end in .png, .svg, .pdf, .html, .csv"):
        save(PICTURES["map"], tmp_path / "picture.gif")


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"picture.csv can't be written .*; name a file in a folder that can be written"):
        save(PICTURES["map"], tmp_path / "file" / "picture.csv")
