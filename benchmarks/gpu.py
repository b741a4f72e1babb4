"""The model judge on a GPU, in one command: GPU-seconds per trace, and how near they are to its limits.

    python benchmarks/gpu.py FOLDER_OF_PARQUET TOKENIZER [options]

TOKENIZER is a folder or hub id of any chat model; only its tokenizer and template are used. The engine gets
a model of Qwen3-8B's shape with made-up weights, in bfloat16 and then in FP8. Such a model answers noise, so
every answer is forced to the one that the rules judge would give. Prompts, questions, their order and the
lengths of the answers are those of real use; nothing is said about quality. For each kind of weights:

- the judge's program on all traces: GPU-seconds per trace, tokens computed, cached and decoded, and the share
  of the limit that a matrix product and a copy set, measured first;
- the very same prompts straight to the engine, and then stage by stage over all traces (every first question,
  every second one, ...), as a pipeline of stages asks them;
- DLCoT's own procedure (`reference_procedure.py`) on some of the traces.

`--shape tiny` runs all of it on a CPU within minutes. That shows that it works, not how fast a
GPU is: shares of the limits mean nothing there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from judge_engine import Recorded, Request, judged, rate, referred, replayed
from judge_tokens import traces_of

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.cost import Gpu, Model, gpu_seconds
from dlcot_ray.judging.model.engine import Completion, Constraint, ConstraintKind
from dlcot_ray.judging.tokenizers import load_tokenizer

DATA_SHEET = Gpu({1: 1979e12, 2: 989e12}, 80e9, 3.35e12)
"""An H100 (SXM): `efficiency` in conf/cost.yaml is a share of these peaks."""
MEMORY_SHARE = 0.85


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a dense model of the Qwen3 family, named as in its ``config.json``."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int

    @property
    def parameters(self) -> int:
        """Weights, the embeddings of both ends included."""
        attention = (
            2 * self.hidden_size * self.head_dim * (self.num_attention_heads + self.num_key_value_heads)
        )
        layer = attention + 3 * self.hidden_size * self.intermediate_size
        return self.num_hidden_layers * layer + 2 * self.hidden_size * self.vocab_size


SHAPES = {
    "qwen3-8b": Shape(4096, 12288, 36, 32, 8, 128, 151_936),
    "tiny": Shape(128, 256, 2, 4, 2, 32, 151_936),
}
WEIGHTS: Mapping[str, Mapping[str, Any]] = {
    "bf16": {"dtype": "bfloat16"},
    "fp8": {"dtype": "bfloat16", "quantization": "fp8"},
    "float32": {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 1 << 30},
}
WEIGHT_BYTES = {"bf16": 2, "fp8": 1, "float32": 4}


class Forced(Recorded):
    """Gives the answer that a dry run assumes, whatever the model would say."""

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """The assumed answer, generated token by token."""
        answer = constraint.assumed or "0"
        forced = Constraint(ConstraintKind.CHOICE, answer)
        return await super().complete(prompt, forced, len(answer) + 2, seed=seed)


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run.

    Attributes:
        traces: how many.
        seconds: on the clock.
        tokens: of all of them.
    """

    traces: int
    seconds: float
    tokens: Tokens

    def line(self, name: str) -> str:
        """The run in one line."""
        tokens, count, seconds = self.tokens, self.traces, self.seconds
        return (
            f"  {name:30} {count / seconds:8.2f} traces/s {seconds / count:8.4f} s/trace "
            f"{rate(tokens, seconds):10,.0f} tokens/s ({tokens.prefill / seconds:,.0f} computed); "
            f"per trace {tokens.prefill / count:,.0f} computed, {tokens.cached / count:,.0f} cached, "
            f"{tokens.decode / count:,.0f} decoded"
        )


def model_folder(into: Path, shape: Shape, tokenizer: str, context: int) -> Path:
    """A folder that vLLM takes for a Qwen3 model of this shape; its weights are made up at loading."""
    into.mkdir(parents=True)
    load_tokenizer(tokenizer).save_pretrained(into)
    config = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_act": "silu",
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        "tie_word_embeddings": False,
        "dtype": "bfloat16",
        **asdict(shape),
    }
    (into / "config.json").write_text(json.dumps(config))
    # The engine refuses a folder without weights; `load_format=dummy` never opens this file.
    (into / "none.safetensors").touch()
    return into


def stages_of(chains: Sequence[Sequence[Request]]) -> list[list[Request]]:
    """The requests of all traces by their place in their trace."""
    longest = max(len(chain) for chain in chains)
    return [[chain[at] for chain in chains if at < len(chain)] for at in range(longest)]


def staged(engine: Forced, chains: Sequence[Sequence[Request]]) -> Run:
    """Every stage over all traces before the next begins; by then the cache has seen all other traces."""
    seconds, total = 0.0, Tokens()
    for stage in stages_of(chains):
        asyncio.run(engine.forget())
        taken, cost = asyncio.run(replayed(engine, [[request] for request in stage]))
        seconds += taken
        total = Tokens(total.prefill + cost.prefill, total.cached + cost.cached, total.decode + cost.decode)
    return Run(len(chains), seconds, total)


def efficiencies(
    run: Run, requests: float, shape: Shape, size: int, card: Mapping[str, Any]
) -> dict[str, float]:
    """A judged run against the limits of the card, and against the data sheet of conf/cost.yaml.

    Args:
        run: the judge's.
        requests: per trace.
        shape: of the model.
        size: bytes per weight.
        card: from `gpu_limits.limits`.
    """
    model = Model(shape.parameters, size, shape.num_hidden_layers, shape.num_key_value_heads, shape.head_dim)
    tokens, seconds = run.tokens, run.seconds / run.traces
    context = (tokens.prefill + tokens.cached) / run.traces / requests
    named = {
        "prefill": tokens.prefill / run.traces,
        "decode": tokens.decode / run.traces,
        "context": context,
        "share": MEMORY_SHARE,
    }
    flops = {2: card["flops_2"], 4: card["flops_2"], 1: card.get("flops_1", card["flops_2"])}
    measured = Gpu(flops, card.get("memory", 80e9), card["bandwidth"])
    return {
        "share of the measured limit": sum(gpu_seconds(model, measured, **named)) / seconds,
        "efficiency (conf/cost.yaml)": sum(gpu_seconds(model, DATA_SHEET, **named)) / seconds,
    }


def measure(folder: Path, kind: str, traces: Sequence[Trace], words: argparse.Namespace) -> dict[str, Any]:
    """All runs of one kind of weights; prints each as it ends."""
    arguments = {"load_format": "dummy", **WEIGHTS[kind], **json.loads(words.engine)}
    engine = Forced(str(folder), max_model_len=words.context, engine=arguments)
    begin = time.monotonic()
    engine.start()
    print(
        f"{kind}: engine loaded in {time.monotonic() - begin:.0f} s, {engine.kv_tokens:,} tokens of cache",
        flush=True,
    )
    warm, few = traces[-4:], traces[: words.procedure]
    runs: dict[str, Run] = {}

    def note(name: str, run: Run) -> None:
        runs[name] = run
        print(run.line(name), flush=True)

    try:
        # The one-time costs of the first requests are not part of a rate.
        asyncio.run(judged(engine, warm))
        asyncio.run(engine.forget())
        engine.requests.clear()
        seconds, tokens, busy = asyncio.run(judged(engine, traces))
        note("judge", Run(len(traces), seconds, tokens))
        chains = list(engine.requests.values())
        asyncio.run(engine.forget())
        note("its prompts, bare engine", Run(len(traces), *asyncio.run(replayed(engine, chains))))
        note("its prompts, stage by stage", staged(engine, chains))
        if few:
            asyncio.run(engine.forget())
            note("DLCoT's procedure", Run(len(few), *asyncio.run(referred(engine, few))))
    finally:
        engine.close()
    requests = sum(map(len, chains)) / len(chains)
    figures = efficiencies(runs["judge"], requests, SHAPES[words.shape], WEIGHT_BYTES[kind], words.card)
    judge = runs["judge"]
    figures |= {"engine busy": busy / judge.seconds, "requests per trace": requests}
    for name, run in list(runs.items())[1:]:
        figures[f"traces per second of the judge / {name}"] = (
            judge.traces / judge.seconds / (run.traces / run.seconds)
        )
    for name, figure in figures.items():
        print(f"  {name:60} {figure:8.3f}", flush=True)
    return {"runs": {name: asdict(run) for name, run in runs.items()}, "figures": figures}


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="Parquet files with traces")
    parser.add_argument("tokenizer", help="folder or hub id of a chat model")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen3-8b")
    parser.add_argument("--weights", default="bf16,fp8", help=f"of {', '.join(WEIGHTS)}; comma-separated")
    parser.add_argument("--traces", type=int, default=200)
    parser.add_argument("--chars", type=int, default=1 << 30, help="longest trace")
    parser.add_argument("--procedure", type=int, default=10, help="traces of DLCoT's procedure; 0: none")
    parser.add_argument("--context", type=int, default=32_768)
    parser.add_argument("--engine", default="{}", help="further arguments of vLLM's engine, as JSON")
    parser.add_argument("--json", type=Path, help="where all figures are written")
    return parser


def main() -> int:
    """The command."""
    words = arguments().parse_args()
    limits = [sys.executable, str(Path(__file__).with_name("gpu_limits.py"))]
    words.card = json.loads(subprocess.run(limits, check=True, capture_output=True, text=True).stdout)
    print(json.dumps(words.card), flush=True)
    traces = traces_of(words.folder, words.traces, words.chars)
    found: dict[str, Any] = {"card": words.card}
    with TemporaryDirectory() as place:
        folder = model_folder(Path(place, "model"), SHAPES[words.shape], words.tokenizer, words.context)
        for kind in words.weights.split(","):
            try:
                found[kind] = measure(folder, kind, traces, words)
            except Exception as error:
                # One kind of weights that this card or build does not take leaves the others measured.
                found[kind] = {"failed": str(error)}
                print(f"{kind}: {error}", flush=True)
        shutil.rmtree(folder)
    if words.json:
        words.json.write_text(json.dumps(found, indent=1, default=str))
    return 1 if all("failed" in found[kind] for kind in words.weights.split(",")) else 0


if __name__ == "__main__":
    raise SystemExit(main())
