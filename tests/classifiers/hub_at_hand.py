"""A Hugging Face hub for tests: its cache on disk, and a server that answers as the hub does."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import close_session, constants
from safetensors.torch import save_file
from torch import nn

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def isolated(monkeypatch: pytest.MonkeyPatch, folder: Path, *, offline: bool = True) -> Path:
    """A cache of its own, no token, and no way to the real hub; gives the cache."""
    cache = folder / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return cache


def weights_of(network: nn.Module) -> dict[str, Any]:
    return {name: value.contiguous() for name, value in network.state_dict().items()}


def saved_folder(folder: Path, network: nn.Module, config: Mapping[str, Any]) -> Path:
    """A folder in the hub's format."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights_of(network), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def into_cache(cache: Path, repository: str, files: Path, *, revision: str = "main") -> Path:
    """Puts the files of a folder where the hub's client would have put them after a download."""
    place = cache / f"models--{repository.replace('/', '--')}"
    snapshot = place / "snapshots" / COMMIT
    for folder in (snapshot, place / "blobs", place / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    (place / "refs" / revision).write_text(COMMIT, encoding="utf-8")
    for file in files.iterdir():
        content = file.read_bytes()
        blob = place / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / file.name).symlink_to(blob)
    return place


@contextmanager
def server(
    monkeypatch: pytest.MonkeyPatch, *, files: Path | None = None, status: int = 404, headers: Mapping[str, str] | None = None
) -> Iterator[list[str]]:
    """A hub on this machine that holds some files and answers everything else in one way; gives the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the standard library)
            """Says nothing."""

        def _answer(self, *, with_body: bool) -> None:
            if self.path != "/":  # whether there is a hub at all
                asked.append(self.path)
            file = None if files is None else files / Path(self.path).name
            content = b""
            if file is not None and file.is_file():
                content = file.read_bytes()
                self.send_response(200)
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", COMMIT)
            else:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler), monkeypatch):
        yield asked


@contextmanager
def broken_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """A hub whose connections break before anything is said, which the client takes for a fault to try again after; gives them."""
    attempts: list[object] = []

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            attempts.append(self.client_address)

    with _running(ThreadingTCPServer(("127.0.0.1", 0), Handler), monkeypatch):
        yield attempts


@contextmanager
def _running(hub: TCPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The hub's client asks this server."""
    address = f"http://127.0.0.1:{hub.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    close_session()
    Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield
    finally:
        close_session()
        hub.shutdown()
        hub.server_close()
