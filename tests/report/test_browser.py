"""The page in a browser: the heat map is drawn, hostile names don't run."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from tests.report.synthetic import planted_study
from zooscope.report import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=8000"),
)
HOSTILE = (
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "<a href=\"javascript:document.title='ran'\">&lt;</a></script><svg onload=\"document.title='ran'\">",
)
# Points at every cell of the heat map, so that every hover text is drawn once; Plotly takes note of a pointer every 50 ms at most.
HOVER = """
const texts = [], found = (selector) => document.querySelectorAll("#heat-map .hoverlayer" + selector);
for (let cell = 0; cell < 9; cell++) {
  setTimeout(() => Plotly.Fx.hover("heat-map", { xval: cell % 3, yval: Math.floor(cell / 3) }, "xy"), 1000 + 200 * cell);
  setTimeout(() => texts.push(found("")[0].textContent, found(" a, .hoverlayer image, .hoverlayer svg").length), 1100 + 200 * cell);
}
setTimeout(() => { document.body.dataset.hovered = JSON.stringify(texts); }, 3000);
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed to open the page in"),
]


def document_of(page: Path, profile: Path, width: int = 1440) -> tuple[str, str]:
    """The page's elements after its scripts have run, and what the browser logged."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},1000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_the_plot_is_drawn_and_hostile_names_do_not_run(tmp_path: Path) -> None:
    page = write_report(planted_study([HOSTILE[:2], HOSTILE[2:]]), tmp_path / "report.html")
    document, log = document_of(page, tmp_path / "profile")
    assert 'data-heat-map="drawn"' in document
    assert 'class="main-svg"' in document
    assert "<title>How alike are 3 image classifiers?" in document
    assert "CONSOLE" not in log
    assert "<img" not in document


def test_names_are_harmless_without_the_policy_too(tmp_path: Path) -> None:
    page = write_report(planted_study([HOSTILE[:2], HOSTILE[2:]]), tmp_path / "report.html")
    page.write_text(_with_script(page, HOVER), encoding="utf-8")
    document, _ = document_of(page, tmp_path / "profile")
    assert "<title>How alike are 3 image classifiers?" in document
    (found,) = re.findall(r'data-hovered="([^"]*)"', document)
    hovered = json.loads(unescape(found))
    assert all("fooled" in text for text in hovered[::2])
    assert sum(HOSTILE[1][:18] in text for text in hovered[::2]) == 5
    assert set(hovered[1::2]) == {0}
    assert not re.search(r"<(img|a|script)\b[^>]*(src=.?x|javascript:)", document)
    ticks = [unescape(tick) for tick in re.findall(r'class="[xy]tick".*?<text[^>]*>(.*?)</text>', document)]
    assert len(ticks) == 6
    assert any("<img" in tick for tick in ticks)


def test_a_narrow_page_draws_a_wide_heat_map_inside_its_box(tmp_path: Path) -> None:
    names = [f"classifier {number}" for number in range(40)]
    page = write_report(planted_study([names[::2], names[1::2]], num_images=10), tmp_path / "report.html")
    measure = "setTimeout(() => { document.body.dataset.spare = innerWidth - document.documentElement.scrollWidth }, 1000)"
    page.write_text(_with_script(page, measure), encoding="utf-8")
    document, _ = document_of(page, tmp_path / "profile", width=500)
    assert 'data-heat-map="drawn"' in document
    (spare,) = re.findall(r'data-spare="([^"]*)"', document)
    assert int(spare) >= 0


def _with_script(page: Path, script: str) -> str:
    """The page with one more script, and without the policy that would keep it from running."""
    text, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    assert count == 1
    return text.replace("</body>", f"<script>{script}</script></body>")
