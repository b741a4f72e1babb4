"""One HTTP client for a server with OpenAI's API: key, retries, and errors in one line.

In: a path and a JSON body. Out: the JSON answer. What may pass (429, 5xx, a broken connection) is tried
again, after the time that the server names or with growing pauses. A refused key or an unknown model ends
the job; a request that the server calls wrong fails alone.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from typing import Any

import aiohttp

from dlcot_ray.credentials import keep_secret, scrubbed
from dlcot_ray.errors import reason_of
from dlcot_ray.judging.model.engine import RequestError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0


class Client:
    """Sends requests to one server. Belongs to one event loop.

    Args:
        url: up to and with ``/v1``.
        key_env: the environment variable that holds the key; a server without keys needs none.
        retries: further attempts at a request.
        timeout_s: of one attempt.
    """

    def __init__(self, url: str, key_env: str, retries: int, timeout_s: float) -> None:
        self._url, self._key_env, self._retries = url.rstrip("/"), key_env, retries
        key = os.environ.get(key_env, "")
        # Servers repeat a wrong key in their answers.
        keep_secret(key)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET; see `post`."""
        return await self._tried("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST.

        Raises:
            RequestError: the server refuses this request.
            JudgeUnavailable: it refuses the key, or does not know the path or the model.
            JudgeDied: it does not answer, however often it is asked.
        """
        return await self._tried("POST", path, body)

    async def text(self, path: str) -> str | None:
        """The text at a path beside ``/v1``, tried once; None where the server has none to give."""
        try:
            async with self._session.get(self._url.removesuffix("/v1") + path) as answer:
                return await answer.text() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _tried(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        cause = ""
        for attempt in range(self._retries + 1):
            pause = 0.0
            try:
                async with self._session.request(method, self._url + path, json=body) as answer:
                    if answer.status == 200:
                        found: dict[str, Any] = await answer.json(content_type=None)
                        return found
                    cause = f"HTTP {answer.status}: {_flat(await answer.text())}"
                    self._refused(answer.status, cause)
                    pause = _asked_pause(answer.headers.get("Retry-After"))
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                cause = reason_of(error) or type(error).__name__
            if attempt < self._retries:
                await asyncio.sleep(pause or _growing_pause(attempt))
        raise JudgeDied(f"{self._url} does not answer after {self._retries + 1} attempts ({cause})")

    def _refused(self, status: int, cause: str) -> None:
        """Raise what another attempt would not mend."""
        if status in (401, 403):
            raise JudgeUnavailable(
                f"{self._url} refuses the key ({cause})",
                f"set the environment variable {self._key_env} on every node, or judge_options.key_env",
            )
        if status == 404:
            raise JudgeUnavailable(
                f"{self._url} has no such model or path ({cause})",
                "check judge_options.url (it ends in /v1), judge_options.model and judge_options.api",
            )
        if 400 <= status < 500 and status not in (408, 409, 425, 429):
            raise RequestError(cause)


def _asked_pause(header: str | None) -> float:
    try:
        return min(max(float(header or 0), 0.0), LONGEST_PAUSE_S)
    except ValueError:
        return 0.0


def _growing_pause(attempt: int) -> float:
    """Doubles, with a random part, so that many workers do not come back at once."""
    longest: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**attempt)
    return longest * random.uniform(0.5, 1.0)


def _flat(text: str) -> str:
    return " ".join(scrubbed(text).split())[:300]
