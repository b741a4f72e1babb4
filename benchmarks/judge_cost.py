"""What a model judge costs on a GPU, by arithmetic (no measurement): the table of docs/judges.md, as Markdown.

    python benchmarks/judge_cost.py [PREFILL DECODE BASELINE_PREFILL BASELINE_DECODE]

Tokens per trace are those that `judge_tokens.py` counts on real traces. A model of P parameters takes 2 P FLOP per
computed prompt token, at the GPU's dense peak; a decode step reads all weights once for the whole batch and
each trace's KV once, at the peak of memory bandwidth. Real engines reach perhaps half of either.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """Dense peak in FLOP/s by bytes per weight, memory bytes and bytes/s (H100 SXM data sheet)."""

    flops: dict[int, float]
    memory: float
    bandwidth: float


@dataclass(frozen=True, slots=True)
class Model:
    """Parameters, bytes per weight, layers, KV heads, head size, GPUs per replica."""

    name: str
    parameters: float
    weight_bytes: int
    layers: int
    kv_heads: int
    head: int
    gpus: int

    @property
    def kv_bytes(self) -> int:
        """Bytes of keys and values per token, two bytes each."""
        return 2 * 2 * self.layers * self.kv_heads * self.head


H100 = Gpu({2: 989e12, 1: 1979e12}, 80e9, 3.35e12)
MODELS = (
    Model("Qwen3-8B (FP8)", 8.2e9, 1, 36, 8, 128, 1),
    Model("Qwen3-32B (FP8)", 32.8e9, 1, 64, 8, 128, 1),
    Model("Qwen2.5-72B-Instruct (bfloat16)", 72.7e9, 2, 80, 8, 128, 4),
)
USED = 0.90
ACTIVATIONS = 0.05
"""Share of a GPU's memory left to activations and graphs."""


def kv_tokens(model: Model, gpu: Gpu) -> float:
    """Tokens of KV that fit beside the weights, over a replica's GPUs."""
    free = model.gpus * gpu.memory * (USED - ACTIVATIONS) - model.parameters * model.weight_bytes
    return free / model.kv_bytes


def seconds(model: Model, gpu: Gpu, prefill: float, decode: float, context: float) -> tuple[float, float]:
    """GPU-seconds of one trace: prefill, decode. Decode is shared by as many traces as the KV cache holds."""
    compute = 2 * model.parameters * prefill / gpu.flops[model.weight_bytes]
    batch = max(1.0, min(256.0, kv_tokens(model, gpu) / context))
    step = model.parameters * model.weight_bytes / batch + model.kv_bytes * context
    return compute, decode * step / gpu.bandwidth


def main(*words: str) -> None:
    """Print the table."""
    prefill, decode, base_prefill, base_decode = map(float, words or ("3514", "58", "16997", "8600"))
    print(
        "| judge | GPUs | weights GB | KV kB/token | KV tokens | GPU-s per trace | of it decode | 1M traces, GPU-h | DLCoT's procedure, GPU-h |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for model in MODELS:
        ours = seconds(model, H100, prefill, decode, prefill + 500)
        theirs = seconds(model, H100, base_prefill, base_decode, 2 * prefill)
        weights = model.parameters * model.weight_bytes / 1e9
        print(
            f"| {model.name} | {model.gpus} | {weights:.0f} | {model.kv_bytes / 1e3:.0f} "
            f"| {kv_tokens(model, H100):,.0f} | {sum(ours):.3f} | {ours[1] / sum(ours):.0%} "
            f"| {sum(ours) * 1e6 / 3600:,.0f} | {sum(theirs) * 1e6 / 3600:,.0f} |"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
