"""What a device gives: matrix products in bfloat16 and FP8, and a copy of memory. The ceilings of any model.

    python benchmarks/gpu_limits.py

Prints one JSON object. It runs in a process of its own, because PyTorch keeps the memory that it took.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch


def seconds_of(work: Callable[[], object], repeats: int) -> float:
    """Median seconds of one run of `work`, after three that warm up."""
    taken = []
    for number in range(repeats + 3):
        _wait()
        start = time.perf_counter()
        work()
        _wait()
        if number >= 3:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def limits(size: int, copied: int, repeats: int) -> dict[str, Any]:
    """Rates of the device.

    Args:
        size: rows and columns of the square matrices.
        copied: bytes of the copy.
        repeats: timed runs of each.

    Returns:
        ``flops_2`` and, where the device has FP8 arithmetic, ``flops_1`` (FLOP/s by bytes per number),
        ``bandwidth`` (bytes read and written per second), ``memory`` (bytes) and the names.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    operations = 2 * size**3
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch": torch.__version__,
        "flops_2": operations / seconds_of(lambda: left @ right, repeats),
    }
    source = torch.ones(copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found["bandwidth"] = 2 * copied / seconds_of(lambda: target.copy_(source), repeats)
    if device == "cuda":
        found["memory"] = torch.cuda.get_device_properties(0).total_memory
        if torch.cuda.get_device_capability() >= (8, 9):
            found["flops_1"] = operations / seconds_of(_fp8_product(left, right), repeats)
    return found


def _fp8_product(left: torch.Tensor, right: torch.Tensor) -> Callable[[], object]:
    scale = torch.ones((), device=left.device)
    # The second factor has to lie in memory column by column.
    a, b = left.to(torch.float8_e4m3fn), right.t().contiguous().to(torch.float8_e4m3fn).t()
    return lambda: torch._scaled_mm(a, b, scale_a=scale, scale_b=scale, out_dtype=torch.bfloat16)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    large = torch.cuda.is_available()
    print(json.dumps(limits(8192, 4 << 30, 30) if large else limits(512, 1 << 26, 3)))
