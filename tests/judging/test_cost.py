"""GPU time by arithmetic: figures that can be worked out by hand."""

from __future__ import annotations

import pytest

from dlcot_ray.judging.cost import Gpu, Model, gpu_seconds, kv_tokens

GPU = Gpu({1: 2e15, 2: 1e15}, 80e9, 4e12, 2.0)
MODEL = Model(10e9, 1, layers=50, kv_heads=8, head=100)


def test_prefill_is_bound_by_compute_and_decode_by_bandwidth() -> None:
    assert MODEL.kv_bytes == 2 * 2 * 50 * 8 * 100
    room = kv_tokens(MODEL, GPU, 0.9)
    assert room == pytest.approx((72e9 - 10e9) / 160_000)
    prefill, decode = gpu_seconds(MODEL, GPU, prefill=1000, decode=100, context=room / 10, share=0.9)
    assert prefill == pytest.approx(2 * 10e9 * 1000 / 2e15)
    assert decode == pytest.approx(100 * (10e9 / 10 + 160_000 * room / 10) / 4e12)


def test_a_gpu_without_fp8_computes_in_bfloat16() -> None:
    old = Gpu({2: 1e15}, 80e9, 4e12)
    fast, _ = gpu_seconds(MODEL, GPU, prefill=1000, decode=0, context=1000, share=0.9)
    slow, _ = gpu_seconds(MODEL, old, prefill=1000, decode=0, context=1000, share=0.9)
    assert slow == pytest.approx(2 * fast)


def test_weights_that_do_not_fit_leave_no_room() -> None:
    assert kv_tokens(Model(100e9, 1, 50, 8, 100), GPU, 0.9) < 0
    assert kv_tokens(Model(100e9, 1, 50, 8, 100, gpus=2), GPU, 0.9) > 0
