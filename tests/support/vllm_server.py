"""A real vLLM server with OpenAI's API on this machine, for as long as a test or a benchmark needs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START_S = 400


@contextmanager
def vllm_server(
    model: Path, name: str, key: str | None, context: int, arguments: Mapping[str, Any], threads: int = 1
) -> Iterator[str]:
    """The URL, up to and with ``/v1``.

    Args:
        name, key: of the model there, and the key that it asks for, if any.
        context: in tokens.
        arguments: as of vLLM's engine.
        threads: that it computes with.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # What `vllm serve` runs; the command wants a package named vllm, and that of the CPU build is another.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", name]
    command += ["--api-key", key] if key else []
    command += ["--max-model-len", str(context), "--seed", "0", "--enable-prompt-tokens-details"]
    for option, value in arguments.items():
        word = f"--{option.replace('_', '-')}"
        command += (
            [word] if value is True else [word, json.dumps(value) if isinstance(value, dict) else str(value)]
        )
    settings = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    settings |= {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    process = subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError("the server ended before it was ready")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"the server was not ready after {_START_S} s")
