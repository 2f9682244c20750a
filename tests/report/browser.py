"""Pages of a report in the Chromium that is installed; tests that ask for it are skipped where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find_chromium

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PATIENCE: Final = 20_000  # milliseconds, for a busy machine


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The browser, as long as the context lasts."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium or Chrome is installed to open the page in: make browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, file: Path, *, address: str = "", **settings: Any) -> Iterator[Page]:  # noqa: ANN401  (Playwright's)
    """A report, ready; fails if it logged anything, had an error, or asked for anything but itself."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True, **settings)
    page, logged = context.new_page(), list[str]()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else logged.append(request.url))
    page.goto(file.as_uri() + address)
    page.wait_for_selector("html[data-report=ready]")
    yield page
    context.close()
    assert not logged
