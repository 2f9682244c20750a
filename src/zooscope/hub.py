"""The Hugging Face hub: whether it can be reached, asked once, where its client would try for most of a minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Final

from huggingface_hub import constants, get_session

from zooscope.errors import first_line

TOKEN: Final = "a token from https://huggingface.co/settings/tokens, by `hf auth login` or in HF_TOKEN"  # noqa: S105  (a sentence)
SECONDS_UNTIL_NEXT_ATTEMPT: Final = 60.0


@contextmanager
def offline_if_unreachable() -> Iterator[None]:
    """Inside, the hub's client looks only into its cache if the hub can't be reached, as with HF_HUB_OFFLINE."""
    obstacle = None if constants.is_offline_mode() else _find_obstacle()
    if obstacle is None:
        yield
        return
    constants.HF_HUB_OFFLINE, token = True, _obstacle.set(obstacle)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False
        _obstacle.reset(token)


def explain_offline() -> str:
    """Why only the cache was looked into, as a part of a sentence; for use inside `offline_if_unreachable`."""
    obstacle = _obstacle.get()
    if obstacle is None and constants.is_offline_mode():
        return "HF_HUB_OFFLINE is set"
    return "the Hugging Face hub can't be reached" + (f" ({obstacle})" if obstacle else "")


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """An attempt to reach the hub that failed.

    Attributes:
        obstacle: what was in the way.
        time: when, on the monotonic clock, in seconds.
    """

    obstacle: str
    time: float


_obstacle: Final[ContextVar[str | None]] = ContextVar("obstacle", default=None)  # inside offline_if_unreachable
_failures: Final[dict[str, _Failure]] = {}  # the last one by endpoint, until the hub is reached


def _find_obstacle() -> str | None:
    """Why the hub can't be reached; None where it answers, whatever it says.

    The client's own session asks, so its proxies, certificates, HF_ENDPOINT and HF_HUB_ETAG_TIMEOUT count. A failure holds for a
    minute, since a network that drops packets makes each attempt wait for the timeout.
    """
    failure = _failures.get(constants.ENDPOINT)
    if failure is None or monotonic() - failure.time > SECONDS_UNTIL_NEXT_ATTEMPT:
        try:
            get_session().head(constants.ENDPOINT, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        except Exception as error:  # noqa: BLE001  (each version of the client and each proxy has its own)
            failure = _Failure(obstacle=first_line(error), time=monotonic())
            _failures[constants.ENDPOINT] = failure
        else:
            _failures.pop(constants.ENDPOINT, None)
            failure = None
    return None if failure is None else failure.obstacle
