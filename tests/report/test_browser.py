"""The page in a browser: it is drawn, everything follows what is chosen, hostile names don't run."""

import csv
import io
import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.cli.imported import write_imported
from tests.report.browser import open_browser, open_page
from tests.report.synthetic import planted_study
from zooscope.pictures.colours import SEQUENCE
from zooscope.report import write_report
from zooscope.report.sections.base import show_number, show_percent
from zooscope.report.sections.classifiers import ClassifiersSection
from zooscope.report.sections.matrix import MatrixSection
from zooscope.study.snapshot import Snapshot, read_snapshot
from zooscope.study.study import Study

BLOCKS = [[f"{family} {number}" for number in range(4)] for family in ("convolution", "transformer", "mixer")]
BENCHMARK: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/report.py"))
HOSTILE = (
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "<a href=\"javascript:document.title='ran'\">&lt;</a></script><svg onload=\"document.title='ran'\">",
)
pytestmark = pytest.mark.filterwarnings("ignore::zooscope.errors.WeakSourceWarning")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def study() -> Study:
    return planted_study(BLOCKS, large=["mixer 0"], weak=["mixer 3"])


@pytest.fixture(scope="module")
def file(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(study, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with open_page(browser, file) as opened:
        yield opened


def point_at(page: Page, a: str, b: str) -> tuple[float, float]:
    """Moves the pointer to the cell of two classifiers, and gives its place in the window."""
    page.locator("#matrix").scroll_into_view_if_needed()
    place = page.evaluate(
        """([a, b]) => {
          const box = matrix.pointer.getBoundingClientRect();
          const [row, column] = [a, b].map((name) => matrix.shown.indexOf(study.names.indexOf(name)));
          return [box.left + matrix.left + (column + 0.5) * matrix.cell, box.top + matrix.top + (row + 0.5) * matrix.cell];
        }""",
        [a, b],
    )
    x, y = map(float, place)
    page.mouse.move(x, y)
    return x, y


def enlarge(study: Snapshot, size: int) -> Snapshot:
    """An imported study of so many classifiers."""
    names = tuple(f"classifier {number}" for number in range(size))
    published = np.random.default_rng(0).uniform(1, 4, size=(size, size))
    measured = replace(
        study.measured,
        names=names,
        clean=np.zeros((size, 0), np.int8),
        transfer=np.zeros((size, size, 0), np.int8),
        transforms=("",) * size,
    )
    records = tuple(replace(study.classifier_records[0], name=name) for name in names)
    scores = (published + published.T) / 2
    return replace(study, classifier_records=records, sources=names, published=scores, measured=measured)


def shown(page: Page) -> list[str]:
    names: list[str] = page.evaluate("matrix.shown.map((number) => study.names[number])")
    return names


def test_pointing_at_a_cell_says_the_numbers_of_the_study(page: Page, study: Study) -> None:
    a, b = "convolution 1", "transformer 2"
    point_at(page, a, b)
    score, transfer = study.sat(confidence=0.95).sel(a=a, b=b), study.transfer()
    told = page.locator("#tip").inner_text()
    ends = f"{show_number(float(score.low))} to {show_number(float(score.high))}"
    assert f"SAT {show_number(float(score))} (95 % interval {ends})" in told
    assert f"{a} → {b}: {show_percent(float(transfer.sel(source=a, target=b)))} fooled".replace("\xa0", " ") in told.replace(
        "\xa0", " "
    )
    assert f"of {int(score['count'])} images" in told
    page.mouse.move(5, 5)
    assert page.locator("#tip").is_hidden()


def test_a_cell_has_the_colour_of_its_value(page: Page, study: Study) -> None:
    scores = study.sat().to_numpy().copy()
    np.fill_diagonal(scores, np.nan)
    for place, colour in ((np.nanargmin(scores), SEQUENCE[0]), (np.nanargmax(scores), SEQUENCE[-1])):
        a, b = (study.names[int(index)] for index in np.unravel_index(int(place), scores.shape))
        x, y = point_at(page, a, b)
        page.mouse.move(5, 5)
        corner = {"x": x - 10, "y": y - 10, "width": 3, "height": 3}
        pixels = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=corner))).convert("RGB"))  # type: ignore[arg-type]
        assert [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in pixels[1]] == [colour] * 3


def test_clicking_a_cell_shows_the_pair_with_its_images(page: Page, study: Study) -> None:
    a, b = "mixer 0", "mixer 1"
    page.mouse.click(*point_at(page, a, b))
    panel = page.locator("#pair")
    assert f"{a} and {b}" in panel.locator("h3").inner_text()
    said, labels = study.predictions.transfer, study.predictions.labels
    one, other = (study.names.index(name) for name in (a, b))
    fooled = {(s, t): (said[s, t] >= 0) & (said[s, t] != labels) for s, t in ((one, other), (other, one))}
    both = fooled[one, other] & fooled[other, one]
    assert f"{both.sum()} fooled both ways" in panel.inner_text()
    assert "without attack:" in panel.inner_text()
    assert "resized from 64 x 48 to 32 x 32" in panel.inner_text()
    panel.get_by_text("Which images").click()
    listed = panel.locator("details p").first
    listed.wait_for()
    ids = [image for image, is_fooled in zip(study.predictions.image_ids, both, strict=True) if is_fooled]
    assert listed.inner_text() == f"both ways: {', '.join(ids) or 'none'}"


def test_the_keyboard_reaches_every_cell_and_reads_it_out(page: Page) -> None:
    page.locator("#matrix").focus()
    names = shown(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    assert page.locator("#matrix-row").inner_text() == names[1]
    assert page.locator("#matrix-cell").text_content().startswith(f"{names[1]} and {names[-1]}. SAT")  # type: ignore[union-attr]
    page.keyboard.press("Enter")
    assert f"{names[1]} and {names[-1]}" in page.locator("#pair h3").inner_text()


def test_the_search_box_chooses_and_all_parts_follow(page: Page) -> None:
    page.locator("#search").fill("transformer")
    assert page.locator("#found label").count() == 4
    page.keyboard.press("Enter")
    assert page.locator("#chips button").count() == 5
    assert page.locator("tr.chosen").count() == 4
    page.locator("#only").check()
    assert sorted(shown(page)) == sorted(BLOCKS[1])
    assert page.locator("tr[data-classifier]:visible").count() == 4


def test_a_table_chooses_too(page: Page) -> None:
    page.get_by_label("Choose mixer 2").check()
    assert page.evaluate("state.chosen.map((number) => study.names[number])") == ["mixer 2"]
    assert page.locator("#chips").inner_text().startswith("mixer 2")


def test_the_address_shows_another_reader_the_same(browser: Browser, file: Path, page: Page) -> None:
    page.locator("#quantity").select_option("transfer")
    page.locator("#order").select_option("name")
    page.locator("#search").fill("mixer")
    page.keyboard.press("Enter")
    page.locator("#mark").fill("1$")
    page.locator("#rename").fill("convolution (\\d)")
    page.locator("#by").fill("C$1")
    page.mouse.click(*point_at(page, "mixer 1", "convolution 2"))
    state, order, address = page.evaluate("state"), shown(page), page.evaluate("location.hash")
    with open_page(browser, file, address=address) as other:
        assert other.evaluate("state") == state
        assert shown(other) == order
        assert other.locator("#pair h3").inner_text().splitlines()[0] == "mixer 1 and C2"
        assert other.locator("#quantity").input_value() == "transfer"
        assert "C3" in other.locator("tr[data-classifier]").all_inner_texts()[0] or other.get_by_text("C3").count()


def test_an_address_with_nonsense_opens_the_page_as_it_is(browser: Browser, file: Path) -> None:
    address = "#quantity=nothing&order=%3Cscript%3E&chosen=nobody&pair=a&only=yes&component=x&mark=(((&rename=[[[&by=%3Cb%3E"
    with open_page(browser, file, address=address) as other:
        assert len(shown(other)) == 12
        assert other.locator("#quantity").input_value() == "sat"


def test_a_component_filters(page: Page) -> None:
    page.locator("#component").select_option("cluster")
    value = page.locator("#value").input_value()
    groups, names = page.evaluate("[study.groups.cluster, study.names]")
    assert sorted(shown(page)) == sorted(name for name, group in zip(names, groups, strict=True) if group == value)
    assert 0 < len(shown(page)) < 12


def test_the_table_of_pairs_is_a_csv_file_with_the_scores(page: Page, study: Study) -> None:
    page.get_by_text("The same as a table").click()
    with page.expect_download() as started:
        page.locator("[data-name=pairs] button", has_text="CSV").click()
    rows = list(csv.DictReader(io.StringIO(started.value.path().read_text(encoding="utf-8"))))
    assert len(rows) == 66
    scores = study.sat(confidence=0.95)
    for row in rows[::7]:
        score = scores.sel(a=row["A"], b=row["B"])
        values = [float(row[title]) for title in ("SAT", "SAT, low", "SAT, high")]
        np.testing.assert_allclose(values, [float(score), float(score.low), float(score.high)], atol=3e-4)
    with page.expect_download() as started:
        page.locator("[data-name=classifiers] button", has_text="LaTeX").click()
    text = started.value.path().read_text(encoding="utf-8")
    assert text.startswith("\\begin{tabular}")
    assert text.count("\\\\\n") == 13


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    file = write_report(planted_study([HOSTILE[:2], HOSTILE[2:]]), tmp_path / "report.html")
    file.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", file.read_text(encoding="utf-8")), encoding="utf-8"
    )
    with open_page(browser, file) as page:
        page.locator("#search").fill("<")
        page.keyboard.press("Enter")
        page.get_by_text("The same as a table").click()
        for a in HOSTILE:
            for b in HOSTILE:
                page.mouse.click(*point_at(page, a, b))
        page.locator("#rename").fill("script")
        page.locator("#by").fill(HOSTILE[1])
        assert page.locator("#pair h3").inner_text()
        assert page.title().startswith("How alike are 3")
        assert page.locator("main :is(img, svg[onload], script:not([type]), a[href^=javascript])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Browser, file: Path, scheme: str) -> None:
    with open_page(browser, file, color_scheme=scheme) as page:
        page.locator("#search").fill("mixer")
        page.keyboard.press("Enter")
        page.mouse.click(*point_at(page, "mixer 1", "mixer 2"))
        for details in page.locator("details").all():
            details.evaluate("(element) => { element.open = true; }")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_the_page_works_inside_another_page(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.set_content(f'<iframe srcdoc="{escape(file.read_text(encoding="utf-8"))}" sandbox="allow-scripts"></iframe>')
    inside = page.frame_locator("iframe")
    inside.locator("html[data-report=ready]").wait_for(state="attached")
    inside.locator("#search").fill("mixer")
    inside.locator("#search").press("Enter")
    assert inside.locator("tr.chosen").count() == 4
    page.close()


def test_every_picture_is_drawn_when_it_comes_into_sight(page: Page) -> None:
    figures = page.locator("figure.chart").all()
    assert len(figures) >= 5
    for figure in figures:
        figure.scroll_into_view_if_needed()
        figure.locator("svg > :is(path, circle, rect, g, text)").first.wait_for(state="attached")


@pytest.mark.parametrize("which", ["#matrix-tools", "#map-tools", "figure.chart[data-name=stability] .tools"])
def test_pictures_are_saved_as_svg_and_png(page: Page, which: str) -> None:
    page.locator(which).scroll_into_view_if_needed()
    with page.expect_download() as started:
        page.locator(which).get_by_text("SVG").click()
    root = ET.parse(started.value.path()).getroot()  # noqa: S314  (our own file)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter())) > 10
    with page.expect_download() as started:
        page.locator(which).get_by_text("PNG").click()
    with Image.open(started.value.path()) as picture:
        width, height = picture.size
    assert width == pytest.approx(2 * float(root.attrib["width"]), abs=2)
    assert height > 200


def test_the_map_chooses_by_pointer_and_by_keyboard(page: Page) -> None:
    page.locator("#map").scroll_into_view_if_needed()
    page.get_by_role("option", name="mixer 1").click()
    assert page.evaluate("state.chosen.map((number) => study.names[number])") == ["mixer 1"]
    page.get_by_role("option", name="mixer 1").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.evaluate("state.chosen.length") == 2
    assert page.locator("#map [aria-selected=true]").count() == 2


@pytest.mark.slow
@pytest.mark.parametrize(("count", "num_images", "largest"), [(69, 500, 1.5e6), (300, 50, 4e6)])
def test_a_large_study_is_a_small_page_that_opens_at_once(
    browser: Browser, tmp_path: Path, count: int, num_images: int, largest: float
) -> None:
    file = write_report(
        BENCHMARK["make_snapshot"](count, num_images), tmp_path / "report.html", sections=[MatrixSection(), ClassifiersSection()]
    )
    assert file.stat().st_size < largest
    with open_page(browser, file) as page:
        assert page.evaluate("performance.getEntriesByName('report-ready')[0].startTime") < 20_000
        page.mouse.click(*point_at(page, "family0-1", "family0-2"))
        assert "family0-1 and family0-2" in page.locator("#pair h3").inner_text()
        assert "SAT" in page.locator("#tip").inner_text()


@pytest.mark.slow
def test_a_thousand_classifiers_open(browser: Browser, tmp_path: Path) -> None:
    study = enlarge(read_snapshot(write_imported(tmp_path / "study", with_components=False)), 1000)
    file = write_report(study, tmp_path / "report.html", sections=[MatrixSection()])
    with open_page(browser, file) as page:
        assert len(shown(page)) == 1000
        assert page.evaluate("matrix.cell") == 1
        x, y = point_at(page, study.names[0], study.names[1])
        page.mouse.click(x, y)
        assert " and " in page.locator("#pair h3").inner_text()
        assert "SAT" in page.locator("#tip").inner_text()


@pytest.mark.parametrize("width", [900, 1200, 1500])
def test_a_link_shows_the_heading_of_its_section_below_the_bar(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_role("navigation").get_by_role("link", name="Clusters").click()
    bottom = page.evaluate("document.getElementById('controls').getBoundingClientRect().bottom")
    top = page.evaluate("document.getElementById('clusters-title').getBoundingClientRect().top")
    assert 0 < bottom <= top < bottom + 40


def test_a_phone_scrolls_nothing_sideways(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_timeout(300)
        spare = page.evaluate("innerWidth - document.documentElement.scrollWidth")
        assert spare >= 0
        assert page.evaluate("matrix.width") <= 390
