"""What a model judge costs on a GPU, by arithmetic from data sheets; nothing is measured.

In: figures of a GPU and a model, and token counts. Out: GPU-seconds. A model of P active parameters takes
2 P FLOP per computed prompt token, at the GPU's dense peak. A decode step reads all weights once for the
whole batch, and each trace's keys and values once, at the peak of memory bandwidth. Attention and
constrained sampling are left out. The share of either peak that an engine reaches is one factor,
`efficiency`. The figures come from `conf/cost.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_BATCH = 256.0
"""Sequences that an engine decodes at once, whatever the memory."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A type of GPU.

    Attributes:
        flops: dense peak in FLOP/s, by bytes per weight (1: FP8 or INT8, 2: bfloat16).
        memory: bytes.
        bandwidth: bytes per second.
        price: per hour.
    """

    flops: Mapping[int, float]
    memory: float
    bandwidth: float
    price: float = 0.0

    def peak(self, weight_bytes: int) -> float:
        """FLOP/s for weights of this size; a type without FP8 arithmetic computes those in bfloat16."""
        return self.flops.get(weight_bytes) or self.flops[2]


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its replica.

    Attributes:
        parameters: how many.
        weight_bytes: bytes of each in memory; below one where they are packed (MXFP4).
        layers, kv_heads, head: how many layers, key-value heads in each, and their size.
        gpus: number of GPUs of one replica.
        active: parameters that a token passes through; None: all of them (no experts).
        compute_bytes: bytes of the numbers that are multiplied; None: as the weights.
    """

    parameters: float
    weight_bytes: float
    layers: int
    kv_heads: int
    head: int
    gpus: int = 1
    active: float | None = None
    compute_bytes: int | None = None

    @property
    def weights(self) -> float:
        """Bytes of all weights."""
        return self.parameters * self.weight_bytes

    @property
    def kv_bytes(self) -> int:
        """Bytes of keys and values per token, two bytes each."""
        return 2 * 2 * self.layers * self.kv_heads * self.head


def kv_tokens(model: Model, gpu: Gpu, share: float) -> float:
    """Tokens of keys and values that fit beside the weights, over a replica's GPUs; negative: not even these.

    `share` is the part of a GPU's memory that weights and cache may take.
    """
    return (model.gpus * gpu.memory * share - model.weights) / model.kv_bytes


def gpu_seconds(
    model: Model, gpu: Gpu, *, prefill: float, decode: float, context: float, share: float
) -> tuple[float, float]:
    """GPU-seconds of one trace at the peaks: prefill, decode, over all GPUs of a replica.

    Args:
        prefill: prompt tokens that are computed.
        decode: tokens that are generated.
        context: tokens that a trace holds in the cache; the batch is as many as fit.
        share: see `kv_tokens`.
    """
    peak = gpu.peak(model.compute_bytes or round(model.weight_bytes))
    compute = 2 * (model.active or model.parameters) * prefill / peak
    batch = max(1.0, min(MAX_BATCH, kv_tokens(model, gpu, share) / context))
    step = model.weights / batch + model.kv_bytes * context
    return compute, decode * step / gpu.bandwidth
