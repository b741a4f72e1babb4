"""A server with OpenAI's API that answers as a test says: for faults that a real one cannot be asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[Mapping[str, Any]], "str | tuple[int, Mapping[str, str]]"]
"""From a request's body to the model's text, or to a status with headers."""


class StubServer:
    """Serves the model ``stub`` with a context of 16,384 tokens.

    Attributes:
        requests: the bodies, in order.
        keys: what each request sent as its key.
        metrics: the text of ``/metrics``; empty: there is none.
    """

    def __init__(self, answer: Answer, key: str = "", metrics: str = "") -> None:
        self._answer, self._key, self.metrics = answer, key, metrics
        self.requests: list[Mapping[str, Any]] = []
        self.keys: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The URL to configure, while the server runs."""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        if self._is_refused(request):
            return web.json_response({"error": "no such key"}, status=401)
        return web.json_response({"data": [{"id": "stub", "max_model_len": 16_384}]})

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self.metrics, status=200 if self.metrics else 404)

    async def _complete(self, request: web.Request) -> web.Response:
        if self._is_refused(request):
            return web.json_response({"error": "no such key"}, status=401)
        body = await request.json()
        self.requests.append(body)
        said = self._answer(body)
        if isinstance(said, tuple):
            # Some servers repeat the key.
            error = f"not now, {request.headers.get('Authorization', '').removeprefix('Bearer ')}"
            return web.json_response({"error": error}, status=said[0], headers=said[1])
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 64},
        }
        choice = {"finish_reason": "stop", "text": said}
        if "messages" in body:
            choice = {"finish_reason": "stop", "message": {"content": said}}  # type: ignore[dict-item]
        return web.json_response({"choices": [choice], "usage": usage})

    def _is_refused(self, request: web.Request) -> bool:
        key = request.headers.get("Authorization", "")
        self.keys.append(key)
        return bool(self._key) and key != f"Bearer {self._key}"
