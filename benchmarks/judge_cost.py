"""What a model judge costs on a GPU, by arithmetic (no measurement).

Prints the last table of docs/reference/measured-judge-cost.md, as Markdown.

    python benchmarks/judge_cost.py [PREFILL DECODE BASELINE_PREFILL BASELINE_DECODE]

Tokens per trace are those that `judge_tokens.py` counts on real traces; the arithmetic is that of `dlcot plan`
(`dlcot_ray/judging/cost.py`, figures in `conf/cost.yaml`): at the H100's peaks, and at the `efficiency` that
`conf/cost.yaml` gives for each model.
"""

from __future__ import annotations

import sys

from dlcot_ray.config.costs import load_costs
from dlcot_ray.config.loading import load_judge
from dlcot_ray.judging.cost import gpu_seconds, kv_tokens

JUDGES = {
    "qwen3-8b-fp8": "Qwen3-8B (FP8)",
    "qwen3-32b-fp8": "Qwen3-32B (FP8)",
    "qwen3-30b-a3b-fp8": "Qwen3-30B-A3B (FP8)",
    "qwen3.5-35b-a3b-fp8": "Qwen3.5-35B-A3B (FP8)",
    "gpt-oss-20b": "gpt-oss-20b (MXFP4)",
    "gpt-oss-120b": "gpt-oss-120b (MXFP4)",
    "llama-3.3-70b-fp8": "Llama-3.3-70B (FP8)",
    "qwen2.5-72b": "Qwen2.5-72B-Instruct (bfloat16)",
}


def main(*words: str) -> None:
    """Print the table."""
    prefill, decode, base_prefill, base_decode = map(float, words or ("3309", "32", "16169", "8061"))
    costs = load_costs()
    _, gpu = costs.gpu("h100")
    share = 0.90 - costs.activations
    print(
        "| judge | GPUs | weights GB | KV kB/token | KV tokens | GPU-s per trace | of it decode "
        "| 1M traces, GPU-h | DLCoT's procedure, GPU-h | efficiency | 1M traces as `plan` says, GPU-h |"
    )
    print("|---|" + "---:|" * 10)
    for name, title in JUDGES.items():
        judge = load_judge(name, {})
        model = costs.model(judge)
        assert model is not None
        ours = gpu_seconds(model, gpu, prefill=prefill, decode=decode, context=prefill + 500, share=share)
        theirs = gpu_seconds(
            model, gpu, prefill=base_prefill, decode=base_decode, context=2 * prefill, share=share
        )
        hours, efficiency = sum(ours) * 1e6 / 3600, costs.efficiency_of(judge)
        print(
            f"| {title} | {model.gpus} | {model.weights / 1e9:.0f} | {model.kv_bytes / 1e3:.0f} "
            f"| {kv_tokens(model, gpu, share):,.0f} | {sum(ours):.3f} | {ours[1] / sum(ours):.0%} "
            f"| {hours:,.0f} | {sum(theirs) * 1e6 / 3600:,.0f} | {efficiency:g} | {hours / efficiency:,.0f} |"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
