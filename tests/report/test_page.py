import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.report.synthetic import planted_study
from tests.specimens import family
from zooscope.attacks import LinfPGD
from zooscope.errors import InvalidValueError, StudyError
from zooscope.report import write_report
from zooscope.report.facts import Facts
from zooscope.report.page import render
from zooscope.report.sections.base import show_number
from zooscope.report.sections.classifiers import ClassifiersSection
from zooscope.report.sections.gallery import GallerySection
from zooscope.report.sections.matrix import MatrixSection
from zooscope.report.sections.methods import MethodsSection
from zooscope.report.sections.summary import summarise_study
from zooscope.study.snapshot import Snapshot
from zooscope.study.study import Study

VOID = {"meta", "link", "img", "input"}
HOSTILE = "<script>alert(1)</script>"
HOSTILE_IMAGE = "<img src=x onerror=\"document.title='x'\">"
HOSTILE_END = "--></script></style></textarea><svg onload=alert(1)>{{ 7 * 7 }}"


class Page(HTMLParser):
    """The elements of a page; refuses what is not nested properly."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


BASIC = [MatrixSection(), ClassifiersSection(), MethodsSection()]  # those without an analysis


def page_of(study: Study | Snapshot) -> Page:
    return Page(render(study, confidence=0.95, sections=BASIC))


def split_scripts(page: Page) -> tuple[list[str], list[str]]:
    """What the page's script elements hold: those that only hold data, and those that run."""
    kinds = [attributes.get("type", "") for attributes in page.all("script")]
    inert = [script for script, kind in zip(page.scripts, kinds, strict=True) if kind]
    return inert, [script for script, kind in zip(page.scripts, kinds, strict=True) if not kind]


def find_script(page: Page, name: str) -> str:
    """What the script element of an id holds."""
    (place,) = [place for place, attributes in enumerate(page.all("script")) if attributes.get("id") == name]
    return page.scripts[place]


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(render(planted_study([[HOSTILE, HOSTILE_IMAGE], [HOSTILE_END]], weak=[HOSTILE]), confidence=0.95))


def test_the_summary_says_the_numbers_that_matter() -> None:
    study = planted_study([["a", "b", "c"], ["d", "e", "f"]])
    page, scores = page_of(study), study.sat(confidence=0.95)
    pairs = [scores[row, column] for row in range(6) for column in range(row + 1, 6)]
    assert "How alike are these 6 image classifiers?" in page.text
    assert "100 images of 4 classes (bundled:cifar10)" in page.text
    assert "LinfPGD (epsilon 8/255, step size 0.1, iterations 50)" in page.text
    for title, pair in (("Most alike", max(pairs, key=float)), ("Least alike", min(pairs, key=float))):
        ends = f"95 % interval {show_number(float(pair.low))} to {show_number(float(pair.high))}"
        assert f"{title} {pair.a.item()} and {pair.b.item()} {show_number(float(pair))} {ends}" in page.text
        assert f"fools the other on {float(pair.percent):.1f} % of the {int(pair['count'])} images" in page.text


def test_the_opening_says_how_many_are_attacked_where_not_all_are() -> None:
    snapshot = replace(planted_study([["a", "b"], ["c"]]).snapshot(), sources=("a",))
    summary = summarise_study(Facts.read(snapshot, confidence=0.95))
    assert (summary.num_sources, summary.num_classifiers) == (1, 3)
    assert "1 of 3 classifiers were attacked on the images that they get right" in page_of(snapshot).text


@pytest.mark.parametrize(
    ("blocks", "planted", "says"),
    [
        ([["alone"]], {}, "One image classifier under attack"),
        ([["a", "b"]], {}, "The same as a table: 1 pair"),
        ([[f"{block} {number}" for number in range(5)] for block in "abcd"], {}, "The same as a table: 190 pairs"),
        ([["a", "b"]], {"num_shards": 1}, "Not everything is measured. 50 % of this study is"),
        ([["a", "b"]], {"num_shards": 0}, "Not everything is measured. 0 % of this study is"),
        ([["a", "b"], ["c"]], {"blind": ["c"]}, "2 pairs share no image that both get right"),
        ([["a", "b"]], {"weak": ["a"]}, "Weak source. The attack on a fools"),
    ],
    ids=["one", "two", "twenty", "half measured", "not measured", "empty pairs", "weak"],
)
def test_every_study_has_its_page(blocks: list[list[str]], planted: dict[str, Any], says: str) -> None:
    page = page_of(planted_study(blocks, **planted))
    assert says in page.text
    assert sorted(json.loads(find_script(page, "study-data"))["names"]) == sorted(name for block in blocks for name in block)


def test_the_page_loads_nothing(hostile: Page) -> None:
    for tag, attributes in hostile.elements:
        assert tag not in {"iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "srcset", "poster", "action", "data"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert "url(" not in attributes.get("style", "")
    (style,) = re.findall(r"<style>(.*?)</style>", render(planted_study([["a"]]), confidence=0.95, sections=BASIC), flags=re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_our_scripts_and_nothing_else(hostile: Page) -> None:
    (policy,) = [meta["content"] for meta in hostile.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    inert, scripts = split_scripts(hostile)
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == digests
    assert rules["img-src"] == "data:"
    assert len(scripts) == len(digests)
    assert len(inert) > 3
    assert all("<" not in script for script in inert)


def test_hostile_names_are_text_wherever_they_stand(hostile: Page) -> None:
    assert not [tag for tag, attributes in hostile.elements if tag == "svg" or attributes.get("src") == "x"]
    for name in (HOSTILE, HOSTILE_IMAGE, HOSTILE_END):
        assert hostile.text.count(name) > 1


def test_pictures_are_in_the_page_and_described(tmp_path: Path) -> None:
    classifiers, images = family(2)
    with Study.create(tmp_path / "study", classifiers=classifiers, images=images, attack=LinfPGD(iterations=2)) as study:
        study.run(device="cpu", allow_chance=True)
        path = write_report(study, tmp_path / "new" / "report.html")
        page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "new" / "report.html"
    assert len(page.all("img")) > 6
    assert all(image["src"].startswith("data:image/png") and image["alt"] for image in page.all("img"))
    assert len(page.all("option")) == 2
    assert "perturbation, amplified 11" in page.text
    assert {"fooled", "still right"} & {word.strip() for word in page.words}


def test_a_report_is_written_without_the_classifiers(tmp_path: Path) -> None:
    path = write_report(planted_study([["a", "b"]]), tmp_path / "report.html", sections=[GallerySection()])
    page = Page(path.read_text(encoding="utf-8"))
    assert "can't be shown" in page.text
    assert not page.all("img")


def test_tables_have_headers_and_values_to_sort_by() -> None:
    page = page_of(planted_study([["a", "b", "c"]]))
    assert {header["scope"] for header in page.all("th")} == {"col", "row"}
    values = [cell["data-value"] for cell in page.all("td") if "data-value" in cell]
    assert values
    assert all(value == "" or float(value) >= -5 for value in values)


def test_the_same_study_makes_the_same_page() -> None:
    study = planted_study([["a", "b"]])
    assert render(study, confidence=0.95) == render(study, confidence=0.95)


def test_a_confidence_outside_its_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"confidence must be in \(0, 1\): got 95"):
        write_report(planted_study([["a"]]), tmp_path / "report.html", confidence=95)


def test_a_study_without_classifiers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no measured classifier"):
        write_report(planted_study([]), tmp_path / "report.html")


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"report\.html can't be written"):
        write_report(planted_study([["a"]]), tmp_path / "file" / "report.html")


def test_a_report_in_a_received_folder_replaces_a_link_and_leaves_what_it_pointed_to(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("someone's own")
    (tmp_path / "report.html").symlink_to(tmp_path / "own.txt")
    write_report(planted_study([["a"]]), tmp_path / "report.html", sections=BASIC)
    assert (tmp_path / "own.txt").read_text() == "someone's own"
    assert "zooscope report" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_opening_says_if_the_images_separate_no_pairs() -> None:
    text = page_of(planted_study([["a", "b", "c"]], num_images=20)).text
    assert "The nearest and the farthest pair are not told apart on these 20 images: their 95 % intervals overlap." in text
    clear = planted_study([["a", "b"], ["c"]], num_images=400, within=0.9, between=0.05)
    assert "The nearest and the farthest pair are not told apart" not in page_of(clear).text
