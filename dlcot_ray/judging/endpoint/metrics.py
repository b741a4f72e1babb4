"""What a vLLM server tells of its prefix cache, in the metrics that it publishes for Prometheus.

In: the text of ``/metrics``. Out: the size of a block and of the whole cache. The judge pads what its
questions share to whole blocks, so the size of a block is part of the prompt: an engine in the job and a
served one get the same prompts only if both know it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_INFO = re.compile(r"^vllm:cache_config_info\{(.*)\}", re.MULTILINE)
_LABEL = re.compile(r'(?<!\w)(\w{1,100})="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Cache:
    """Tokens per block, and tokens of the whole cache over all engines of the server; None where not told."""

    block: int | None = None
    tokens: int | None = None


def read_cache(metrics: str | None) -> Cache:
    """The cache of a server; empty where the text says nothing of it."""
    engines = [dict(_LABEL.findall(labels)) for labels in _INFO.findall(metrics or "")]
    blocks = [_number(engine.get("block_size")) for engine in engines]
    sizes = [_size(engine) for engine in engines]
    if not engines or None in blocks or None in sizes:
        return Cache(blocks[0] if blocks else None)
    return Cache(blocks[0], sum(size for size in sizes if size))


def _size(engine: dict[str, str]) -> int | None:
    tokens = _number(engine.get("kv_cache_size_tokens"))
    if tokens is not None:
        return tokens
    count, block = _number(engine.get("num_gpu_blocks")), _number(engine.get("block_size"))
    return None if count is None or block is None else count * block


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else None
