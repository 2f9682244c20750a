"""The server: pages and events, for whoever has the token; nothing is written."""

import asyncio
import html
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zooscope.view.pages import LivePage, write_notice

HOST: Final = "127.0.0.1"
PAUSE_SECONDS: Final = 0.5  # between looks at the record
BEAT_SECONDS: Final = 15  # after which a silent connection says that it lives
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Guard:
    """Lets through only requests whose path begins with the token, and adds headers to every response."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        given = scope["path"].split("/")[1] if scope["type"] == "http" else ""
        if scope["type"] == "http" and not secrets.compare_digest(given.encode(), self._token.encode()):
            refusal = PlainTextResponse("403: this address needs the token that `zooscope view` printed.\n", status_code=403)
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def make_app(pages: Sequence[LivePage], *, token: str) -> Starlette:
    """An application that shows studies.

    Args:
        pages: of the studies, at /TOKEN/0/, /TOKEN/1/, ...
        token: without which nothing is shown; only letters, digits, - and _.
    """

    def find(request: Request) -> LivePage | None:
        number = request.path_params["number"]
        return pages[number] if number < len(pages) else None

    async def show_all(_: Request) -> Response:
        if len(pages) == 1:
            return RedirectResponse(f"/{token}/0/")
        names = (html.escape(str(page.folder)) for page in pages)
        links = "".join(f'<li><a href="{number}/">{name}</a></li>' for number, name in enumerate(names))
        return HTMLResponse(write_notice("Studies", f"<ul>{links}</ul>"))

    async def show(request: Request) -> Response:
        page = find(request)
        return _refuse_number() if page is None else HTMLResponse(await run_in_threadpool(page.render))

    async def stream(request: Request) -> Response:
        page = find(request)
        if page is None:
            return _refuse_number()
        events = _watch(page, since=request.query_params.get("since", ""))
        return StreamingResponse(events, media_type="text/event-stream")

    routes = [
        Route(f"/{token}/", show_all),
        Route(f"/{token}/{{number:int}}/", show),
        Route(f"/{token}/{{number:int}}/events", stream),
    ]
    middleware = [Middleware(_Guard, token=token), Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])]
    return Starlette(routes=routes, middleware=middleware)


async def _watch(page: LivePage, *, since: str) -> AsyncIterator[str]:
    """Server-sent events: `grown`, with the version, whenever the record is another than before."""
    beats = 0
    while True:
        version = page.version
        if version not in {since, "gone"}:
            since = version
            yield f"event: grown\ndata: {version}\n\n"
        beats += 1
        if beats * PAUSE_SECONDS >= BEAT_SECONDS:
            beats = 0
            yield ": still here\n\n"
        await asyncio.sleep(PAUSE_SECONDS)


def _refuse_number() -> Response:
    return PlainTextResponse("404: there is no such study here.\n", status_code=404)
