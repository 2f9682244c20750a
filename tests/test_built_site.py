"""The documentation's site in a browser: nothing asks the network, axe-core finds nothing, and each link leads somewhere."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.report.browser import open_browser

ROOT = Path(__file__).parents[1]
PAGES = ("docs/index", "docs/start", "docs/attack-settings", "docs/reference/commands", "docs/reference/zooscope")
pytestmark = pytest.mark.slow  # builds the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed: make install")
    folder = tmp_path_factory.mktemp("site")
    words = ["-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-c", "docs", "-b", "html", "-d", str(folder / "trees")]
    done = subprocess.run(
        [sys.executable, *words, ".", str(folder / "site")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


class Anchors(HTMLParser):
    """The links of a page, and what links can lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links, self.ids = list[str](), set[str]()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            if name == "id" and value:
                self.ids.add(value)


def test_every_link_of_the_site_leads_to_a_file_and_a_place_in_it(site: Path) -> None:
    pages = {file: Anchors(file) for file in site.rglob("*.html")}
    missing = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchors = pages[target].ids if target in pages else {unquote(parts.fragment)}
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in anchors):
                missing.append((file.relative_to(site), link))
    assert len(pages) > 60
    assert missing == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Path, scheme: Literal["light", "dark"]) -> None:
    with open_browser() as browser:
        page = browser.new_page(color_scheme=scheme)
        for name in PAGES:
            page.goto((site / f"{name}.html").as_uri())
            assert [one["id"] for one in Axe().run(page).response["violations"]] == [], name


def test_no_page_logs_anything_or_asks_the_network(site: Path) -> None:
    with open_browser() as browser:
        page, noticed = browser.new_page(), list[str]()
        page.on("console", lambda message: noticed.append(message.text))
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else noticed.append(request.url))
        for name in PAGES:
            page.goto((site / f"{name}.html").as_uri())
            assert page.locator("h1").count() == 1
        assert noticed == []


def test_the_search_finds_a_page(site: Path) -> None:
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(f"{(site / 'search.html').as_uri()}?q=bootstrap")
        page.wait_for_selector("#search-results li a")
        assert "Intervals" in page.inner_text("#search-results")
