"""Serving on this machine alone, until it is stopped."""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvicorn

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError
from zooscope.scores.matrices import CONFIDENCE
from zooscope.statistics.bootstrap import require_confidence
from zooscope.view.app import HOST, make_app
from zooscope.view.pages import LivePage

MOST_PORTS: Final = 65535


@check_arguments
def serve_studies(
    folders: Sequence[str | Path],
    *,
    port: int = 0,
    confidence: float = CONFIDENCE,
    listen: Callable[[str], None] = print,
) -> None:
    """Shows studies in a browser on this machine, and loads their pages again while they are measured. Returns when it is stopped.

    Example:
        >>> serve_studies(["study"])  # doctest: +SKIP

    Args:
        folders: of the studies; each is only read.
        port: 0 for a free one.
        confidence: of all intervals, in (0, 1).
        listen: is told the address, with its token, once it can be opened.

    Raises:
        MissingFileError: a folder holds no study.
        InvalidValueError: the port is taken or is none, the confidence is not in (0, 1), or no folder is given.
    """
    require_confidence(confidence)
    if not folders:
        msg = "name at least one study to view."
        raise InvalidValueError(msg)
    pages = [LivePage(Path(folder), confidence=confidence) for folder in folders]
    token = secrets.token_urlsafe(16)
    with _open_socket(port) as opened:
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(pages, token=token),
                log_level="critical",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        listen(f"http://{HOST}:{opened.getsockname()[1]}/{token}/")
        server.run(sockets=[opened])


def _open_socket(port: int) -> socket.socket:
    """Bound to this machine alone, and listening, so that the address can be opened at once."""
    if not 0 <= port <= MOST_PORTS:
        msg = f"a port is a number from 1 to {MOST_PORTS}, or 0 for a free one: got {port}."
        raise InvalidValueError(msg)
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        opened.listen()
    except OSError as error:
        opened.close()
        msg = f"port {port} of this machine can't be used ({error.strerror}); name another one, or leave it out for a free one."
        raise InvalidValueError(msg) from error
    return opened
