"""A web server for the files of a folder, with byte ranges, which takes any query: what a presigned URL needs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web


@contextmanager
def web_files(folder: Path) -> Iterator[str]:
    """The URL of the folder, while the server runs."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    urls: list[str] = []
    runners: list[web.AppRunner] = []

    async def start() -> None:
        async def send(request: web.Request) -> web.FileResponse:
            return web.FileResponse(folder / request.match_info["name"])

        app = web.Application()
        app.router.add_get("/{name:.+}", send)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        started.set()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        asyncio.run_coroutine_threadsafe(runners[0].cleanup(), loop).result(70)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
