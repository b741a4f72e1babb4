"""A proxy before an S3 server that injects the faults of real object stores.

Faults inside the client would not test the client's own sockets, timeouts and parsers. Here requests pass
through unchanged (signed for the host that they name), and a seeded share of them is refused, truncated,
delayed or reset, before or after the server has acted on it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.seaweed import S3Server

_BODY_LIMIT = 256 << 20
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults to inject; shares are of all requests, 0 to 1.

    Attributes:
        slow_down: answered with 503 SlowDown.
        reset_before: the connection is reset before the server gets the request.
        reset_after: the server acts on the request, and the connection is reset instead of an answer.
        truncate: the body of the answer ends halfway.
        stall: the request is delayed by `stall_s` seconds.
        refuse: every request is answered with 403 and this code, as when credentials were revoked.
        refuse_after_puts: number of puts that are still accepted before `refuse` begins.
        read_only: puts, uploads and deletes are answered with 403 AccessDenied.
        ignore_conditions: puts take effect even if their condition fails.
    """

    slow_down: float = 0.0
    reset_before: float = 0.0
    reset_after: float = 0.0
    truncate: float = 0.0
    stall: float = 0.0
    stall_s: float = 5.0
    refuse: str = ""
    refuse_after_puts: int = 0
    read_only: bool = False
    ignore_conditions: bool = False


@dataclass(slots=True)
class FaultyProxy:
    """A running proxy.

    Attributes:
        server: the proxy as a server: `S3Server.environment` sends clients through it.
        server_behind: the real server.
        faults: may be changed at any time.
        requests: number of requests, by method.
        injected: number of injected faults, by name.
        rng: decides which requests get a fault.
    """

    server: S3Server
    server_behind: S3Server
    faults: Faults = field(default_factory=Faults)
    requests: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def inject(self, faults: Faults, seed: int = 0) -> None:
        """Inject `faults` from now on, and reset the counts and the random numbers."""
        self.rng = random.Random(seed)
        self.requests.clear()
        self.injected.clear()
        self.faults = faults

    async def handle(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        """Pass one request on, or inject a fault."""
        body = await request.read()
        faults = self.faults
        puts = self.requests["PUT"]
        self.requests[request.method] += 1
        if faults.refuse and puts >= faults.refuse_after_puts:
            return self._error("refuse", 403, faults.refuse)
        if faults.read_only and request.method in ("PUT", "POST", "DELETE"):
            return self._error("read_only", 403, "AccessDenied")
        if self._chosen(faults.slow_down):
            return self._error("slow_down", 503, "SlowDown")
        if self._chosen(faults.reset_before):
            return self._reset("reset_before", request)
        if self._chosen(faults.stall):
            self.injected["stall"] += 1
            await asyncio.sleep(faults.stall_s)
        headers = [
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
        ]
        target = URL(f"{self.server_behind.endpoint}{request.raw_path}", encoded=True)
        async with session.request(
            request.method, target, headers=headers, data=body, allow_redirects=False
        ) as answer:
            data = await answer.read()
            status, kept = answer.status, dict(answer.headers)
        if faults.ignore_conditions and request.method == "PUT" and status in (404, 412):
            self.injected["ignore_conditions"] += 1
            status, kept, data = 200, {"ETag": await asyncio.to_thread(self._put_anyway, request, body)}, b""
        if self._chosen(faults.reset_after):
            return self._reset("reset_after", request)
        for name in [name for name in kept if name.lower() in _HOP_BY_HOP]:
            del kept[name]
        if request.method == "HEAD" or not data:
            return web.Response(status=status, headers=kept)
        response = web.StreamResponse(status=status, headers={**kept, "Content-Length": str(len(data))})
        await response.prepare(request)
        if request.method == "GET" and self._chosen(faults.truncate):
            await response.write(data[: len(data) // 2])
            return self._reset("truncate", request, response)
        await response.write(data)
        await response.write_eof()
        return response

    def _chosen(self, share: float) -> bool:
        return share > 0 and self.rng.random() < share

    def _put_anyway(self, request: web.Request, body: bytes) -> str:
        _, bucket, key = request.path.split("/", 2)
        return str(self.server_behind.client().put_object(Bucket=bucket, Key=key, Body=body)["ETag"])

    def _error(self, fault: str, status: int, code: str) -> web.Response:
        self.injected[fault] += 1
        text = f"<Error><Code>{code}</Code><Message>{code} by the proxy</Message></Error>"
        return web.Response(status=status, text=text, content_type="application/xml")

    def _reset(
        self, fault: str, request: web.Request, response: web.StreamResponse | None = None
    ) -> web.StreamResponse:
        self.injected[fault] += 1
        transport = request.transport
        if transport is not None:
            connection = transport.get_extra_info("socket")
            # With this option a close sends a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return response if response is not None else web.Response()


@contextmanager
def faulty(behind: S3Server) -> Iterator[FaultyProxy]:
    """Run a proxy before `behind` on a free port of 127.0.0.1, at first without faults."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = FaultyProxy(S3Server(f"http://127.0.0.1:{listener.getsockname()[1]}", behind.pid), behind)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(proxy, listener, ready, stop),))
    thread.start()
    ready.wait(timeout=30)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
        loop.close()


async def _serve(
    proxy: FaultyProxy, listener: socket.socket, ready: threading.Event, stop: asyncio.Event
) -> None:
    async with aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            return await proxy.handle(request, session)

        app = web.Application(client_max_size=_BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        ready.set()
        await stop.wait()
        await runner.cleanup()
