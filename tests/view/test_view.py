"""`zooscope view` as a program of its own, asked over the network, and in a browser."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from signal import SIGINT
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.cli.calling import ROOT, call, one_line
from tests.cli.synthetic import write_study
from tests.report.browser import open_browser
from zooscope.errors import InvalidValueError, MissingFileError
from zooscope.records.entries import DATABASE
from zooscope.study.snapshot import Snapshot
from zooscope.view.pages import LivePage, admit_script, write_notice
from zooscope.view.serve import serve_studies

NAMES = ("bundled:a", "<b>b</b>")
WAIT = 60  # seconds, on a machine with other work
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background may have been told to ignore it
import runpy
runpy.run_module("zooscope", run_name="__main__", alter_sys=True)
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


@contextmanager
def viewing(*folders: Path) -> Iterator[str]:
    """The address at which `zooscope view` shows studies; it is stopped as people stop it."""
    program = [sys.executable, "-c", START, "view", *map(str, folders)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, process.communicate()
            yield found[0]
            process.send_signal(SIGINT)
            out, err = process.communicate(timeout=WAIT)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", "Stopped.\n")


@contextmanager
def asking(address: str, method: str = "GET", **headers: str) -> Iterator[HTTPResponse]:
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=WAIT)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()


def ask(address: str, method: str = "GET", **headers: str) -> Answer:
    with asking(address, method, **headers) as response:
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode())


def grow(folder: Path) -> None:
    """Puts a study of one more classifier into the place of a study, as a commit does: at once."""
    write_study(folder.with_name("grown"), (*NAMES, "timm:newcomer"))
    (folder.with_name("grown") / DATABASE).replace(folder / DATABASE)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("studies")
    for name in ("one", "<i>two</i>"):
        write_study(root / name, NAMES)
    return root / "one", root / "<i>two</i>"


@pytest.fixture(scope="module")
def address(folders: tuple[Path, Path]) -> Iterator[str]:
    with viewing(*folders) as found:
        yield found


def test_it_serves_this_machine_alone_at_an_address_that_can_not_be_guessed(address: str) -> None:
    parts = urlsplit(address)
    assert parts.hostname == "127.0.0.1"
    assert re.fullmatch(r"/[\w-]{22}/", parts.path)


def test_without_the_token_everything_is_forbidden(address: str) -> None:
    parts = urlsplit(address)
    token = parts.path.strip("/")
    for path in ("/", "/0/", f"/{token[:-1]}/", f"/{token}x/0/", f"/x/{token}/", "//", "/0/events", f"/{token.swapcase()}/0/"):
        answer = ask(f"http://{parts.netloc}{path}")
        assert answer.status == 403, path
        assert NAMES[0] not in answer.text


def test_nothing_can_be_written_and_no_other_host_is_answered(address: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ask(f"{address}0/", method).status == 405
    assert ask(f"{address}0/", Host="evil.example").status == 400


def test_studies_are_listed_with_their_names_escaped(address: str, folders: tuple[Path, Path]) -> None:
    text = ask(address).text
    assert '<a href="1/">' in text
    assert str(folders[0]) in text
    assert "&lt;i&gt;two" in text
    assert ask(f"{address}2/").status == ask(f"{address}2/events").status == 404


def test_the_page_is_the_report_and_nobody_keeps_or_frames_it(address: str) -> None:
    answer = ask(f"{address}0/")
    assert answer.status == 200
    assert "&lt;b&gt;b&lt;/b&gt;" in answer.text
    assert "<b>b</b>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"


def test_events_say_when_the_record_has_grown(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, NAMES)
    page = LivePage(folder, confidence=0.95)
    with viewing(folder) as address:
        assert ask(address).headers["location"].endswith("/0/")
        before = page.version
        with asking(f"{address}0/events?since={before}") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            grow(folder)
            lines = [events.readline().decode().strip() for _ in range(2)]
        assert lines == ["event: grown", f"data: {page.version}"]
        assert page.version != before
        assert "timm:newcomer" in ask(f"{address}0/").text


def test_a_page_is_rendered_again_only_when_the_record_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path / "study", NAMES)
    told: list[tuple[str, ...]] = []

    def render(study: Snapshot, *, confidence: float) -> str:
        told.append(study.names)
        return write_notice(f"{confidence}", "")

    monkeypatch.setattr("zooscope.view.pages.render", render)
    page = LivePage(tmp_path / "study", confidence=0.95)
    assert page.render() == page.render()
    grow(tmp_path / "study")
    assert page.render() == page.render()
    assert told == [NAMES, (*NAMES, "timm:newcomer")]


def test_a_study_of_which_nothing_is_measured_says_so_and_waits(tmp_path: Path) -> None:
    write_study(tmp_path / "study", ())
    text = LivePage(tmp_path / "study", confidence=0.95).render()
    assert "nothing to report" in text
    assert "EventSource" in text


def test_the_script_is_allowed_by_its_digest_alone() -> None:
    page = admit_script(write_notice("a", "</body>"), "const a = 1;")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy == (
        "default-src 'none'; script-src 'sha256-zv0N0Hv6Zw9+C4JbNy52ozAX+zm+quOk2wp0IZa7md8='; style-src 'unsafe-inline'; "
        "connect-src 'self'"
    )
    assert page.endswith("<script>const a = 1;</script></body>\n</html>\n")


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    write_study(tmp_path / "study", NAMES)
    with pytest.raises(MissingFileError, match="there is no study at"):
        serve_studies([tmp_path / "nowhere"])
    with pytest.raises(InvalidValueError, match="a port is a number from 1 to 65535, or 0 for a free one: got 70000"):
        serve_studies([tmp_path / "study"], port=70000)
    with pytest.raises(InvalidValueError, match="name at least one study"):
        serve_studies([])
    with pytest.raises(InvalidValueError, match="confidence"):
        serve_studies([tmp_path / "study"], confidence=1.0)
    result = call("view", tmp_path / "nowhere")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr).startswith("Error: there is no study at")


def test_a_port_that_is_taken_is_told(address: str, folders: tuple[Path, Path]) -> None:
    port = urlsplit(address).port
    result = call("view", folders[0], "--port", str(port))
    assert result.exit_code == 1
    assert one_line(result.stderr).startswith(f"Error: port {port} of this machine can't be used (Address already in use)")


def test_where_a_library_is_missing_one_sentence_says_how_to_install_it(folders: tuple[Path, Path]) -> None:
    program = "import sys; sys.modules['uvicorn'] = None; from zooscope.cli import main; main()"
    words = [sys.executable, "-c", program, "view", str(folders[0])]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    sentence = "Error: `zooscope view` needs libraries that are not installed: `pip install 'zooscope[view]'`\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_a_browser_loads_the_page_again_and_keeps_what_stands_behind_the_hash(tmp_path: Path) -> None:
    folder, logged = tmp_path / "study", list[str]()
    write_study(folder, NAMES)
    with viewing(folder) as address, open_browser() as browser:
        page = browser.new_page()
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.goto(f"{address}0/#methods")
        time.sleep(4)
        assert "timm:newcomer" not in page.content()
        page.evaluate("document.body.dataset.seen = 'yes'")
        with page.expect_event("load", timeout=1000 * WAIT):
            grow(folder)
        assert "timm:newcomer" in page.content()
        assert page.url == f"{address}0/#methods"
        assert page.evaluate("document.body.dataset.seen") is None
    assert logged == []
