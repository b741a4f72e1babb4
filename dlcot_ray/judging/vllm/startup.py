"""Why an engine does not start, in one line with a remedy.

In: the exception of a start, and the output of the engine's process. Out: a `JudgeUnavailable`. vLLM loads
the model in another process, which writes the cause to its standard error; the parent only gets
"initialization failed". So that output is caught in a file and searched for known causes. An unknown cause is
quoted.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dlcot_ray.credentials import scrubbed
from dlcot_ray.judging.protocol import JudgeUnavailable

_TAIL = 20_000

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"KV cache is needed|max(?:imum)? (?:model|seq\w*) len\w* .*larger than"
        r"|larger than the available KV cache|No available memory for the cache blocks",
        "lower judge_options.max_model_len, or give the engine more memory "
        "(gpu_memory_utilization, kv_cache_memory_bytes, tensor_parallel_size)",
    ),
    (
        r"out of memory|OutOfMemory|Cannot allocate memory|bad_alloc",
        "take a smaller or quantized model, a larger tensor_parallel_size, or more memory",
    ),
    (
        r"less than desired GPU memory utilization|Free memory on device",
        "another process uses the GPU; free it or lower judge_options.engine.gpu_memory_utilization",
    ),
    (
        r"architectures? .*not supported|Cannot find model module|does not recognize this architecture",
        "this version of vLLM does not know the architecture: take another model",
    ),
    (
        r"max_model_len.*greater than the derived|user-specified max_model_len",
        "lower judge_options.max_model_len to what the model supports",
    ),
    (
        r"No CUDA|no NVIDIA driver|CUDA driver|Failed to infer device type|No GPU|invalid device ordinal",
        "this node has no usable GPU: install dlcot-ray[cpu] for the CPU build, or check the driver",
    ),
    (
        r"instantiate the backend tokenizer|Can't load tokenizer",
        "the tokenizer's files are missing or damaged: download the model again",
    ),
    (
        r"is not a valid model identifier|Repository Not Found|offline mode|couldn't connect|Can't load"
        r"|cached snapshot folder|outgoing traffic has been disabled",
        "check judge_options.model (a directory, a hub id or a URL) and the network",
    ),
    (
        r"safetensors|Cannot find any model weights|HeaderTooLarge|checkpoint",
        "the weights are missing or damaged: download the model again",
    ),
)
_LINE = re.compile(
    r"^(?:\(\w+[^)]*\)\s*)*(?:ERROR\s.*?\]\s*)?(?P<text>[\w.]*(?:Error|Exception)\b:\s*.+)$", re.MULTILINE
)


def unavailable(model: str, error: BaseException, output: str = "") -> JudgeUnavailable:
    """The error for an engine that did not start, in one line.

    Args:
        model: as configured.
        error: what the start raised.
        output: what the engine's own process wrote.
    """
    causes = [match["text"] for match in _LINE.finditer(scrubbed(output))]
    said = [_flat(line) for line in causes if "Engine core initialization failed" not in line]
    own = _flat(scrubbed(f"{error}")) or type(error).__name__
    candidates = [*said, own]
    for pattern, remedy in _KNOWN:
        for line in candidates:
            if re.search(pattern, line, re.IGNORECASE):
                return JudgeUnavailable(f"the judge model {model} cannot be loaded ({line[:300]})", remedy)
    cause = (said[0] if said else own)[:300]
    return JudgeUnavailable(
        f"the judge model {model} cannot be loaded ({cause})", "check judge_options and the machine's memory"
    )


def check_host_memory(model: str, kv_bytes: int, available: int | None = None) -> None:
    """Refuse a KV cache that the machine has no memory for; the CPU build would try for minutes.

    Args:
        model: as configured.
        kv_bytes: of the KV cache.
        available: bytes that are free; None asks the machine.

    Raises:
        JudgeUnavailable: it does not fit.
    """
    if available is None:
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError, StopIteration):
            lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
            available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) << 10
    if kv_bytes > available:
        raise JudgeUnavailable(
            f"the judge model {model} cannot be loaded (its KV cache takes {kv_bytes / 2**30:.1f} GiB, "
            f"the machine has {available / 2**30:.1f} GiB free)",
            "lower judge_options.engine.kv_cache_memory_bytes, or take a machine with more memory",
        )


@contextmanager
def caught_output() -> Iterator[IO[bytes]]:
    """Send this process's and its children's output to a file for a while; yields the file.

    Children that start meanwhile keep writing there, so the file holds the last output of a dead engine.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (outlives this block)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(fd, os.dup(fd)) for fd in (1, 2)]
    try:
        for fd, _ in saved:
            os.dup2(file.fileno(), fd)
        yield file
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)


def tail(file: IO[bytes]) -> str:
    """The end of what was caught."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    return file.read().decode("utf-8", "replace")


def _flat(text: str) -> str:
    return " ".join(text.split())
