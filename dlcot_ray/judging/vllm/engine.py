"""vLLM's AsyncLLM behind the `Engine` protocol; CUDA and CPU differ in arguments only.

In: prompts as token ids, and constraints. Out: completions. The engine lives on an event loop of its own
thread, so that it can start before the caller has a loop, and outlives the caller's loops. Its model runs in
a process of its own: when that process dies, requests raise `JudgeDied`.
"""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.errors import reason_of
from dlcot_ray.judging.loop import BusyClock, LoopThread
from dlcot_ray.judging.model.engine import Completion, Constraint, ConstraintKind, RequestError
from dlcot_ray.judging.model.scoring import LIKELIEST, TokenScore, entropy_of
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable
from dlcot_ray.judging.vllm.models import local_model
from dlcot_ray.judging.vllm.startup import caught_output, check_host_memory, tail, unavailable

_STOP_S = 30.0
_TEMPERATURE = 0.7
"""Sampling temperature of the second attempt at a question; the first one is greedy."""
_DEFAULTS: Mapping[str, Any] = {
    "enable_prefix_caching": True,
    "disable_log_stats": True,
    "seed": 0,
}


class VllmEngine:
    """One vLLM engine.

    Args:
        model: a directory, a hub id or a URL.
        revision: of a hub id.
        max_model_len: context in tokens.
        threads: CPU threads of the CPU build; None takes all that this process may use.
        cache: where a model that is a URL is kept on this machine.
        engine: further arguments of vLLM's `AsyncEngineArgs`, as they are.

    Raises:
        ValueError: an engine argument that this class sets itself.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_model_len: int,
        threads: int | None = None,
        cache: str | None = None,
        engine: Mapping[str, Any] | None = None,
    ) -> None:
        reserved = sorted({"model", "revision", "max_model_len", "enable_prefix_caching"} & set(engine or {}))
        if reserved:
            raise ValueError(f"engine.{reserved[0]} is set by its own option, or not to be changed")
        self._model = model
        self._revision = revision
        self._max_model_len = max_model_len
        self._threads = threads
        self._cache = cache
        self._arguments = {**_DEFAULTS, **(engine or {})}
        self._llm: Any = None
        self._loop = LoopThread("vllm")
        self._output: IO[bytes] | None = None
        self._busy = BusyClock()

    @property
    def max_context(self) -> int:
        """Tokens of prompt and answer together."""
        return self._max_model_len

    @property
    def kv_tokens(self) -> int:
        """Tokens that the KV cache holds."""
        cache = self._started().vllm_config.cache_config
        return int(cache.kv_cache_size_tokens or (cache.num_gpu_blocks or 0) * cache.block_size)

    @property
    def block_tokens(self) -> int:
        """Tokens per block of the prefix cache."""
        return int(self._started().vllm_config.cache_config.block_size)

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._started().get_tokenizer()

    @property
    def busy_seconds(self) -> float:
        """Seconds since the start in which at least one request was with the engine."""
        return self._busy.seconds

    def start(self) -> None:
        """Load the model. Safe to call twice.

        Raises:
            JudgeUnavailable: it cannot be loaded.
        """
        if self._llm is not None:
            return
        path = local_model(self._model, self._cache)
        self._set_environment(Path(path).is_dir())
        with caught_output() as output:
            try:
                # Imported here, because only this judge needs it and the import takes seconds and gigabytes.
                arguments = importlib.import_module("vllm.engine.arg_utils")
                async_llm = importlib.import_module("vllm.v1.engine.async_llm")
            except ImportError as error:
                raise JudgeUnavailable(
                    f"vLLM cannot be imported ({error})",
                    "install dlcot-ray[cuda] on a machine with GPUs, dlcot-ray[cpu] elsewhere",
                ) from error
            kv_bytes = self._arguments.get("kv_cache_memory_bytes")
            if kv_bytes and importlib.import_module("vllm.platforms").current_platform.is_cpu():
                check_host_memory(self._model, int(kv_bytes))
            try:
                parsed = arguments.AsyncEngineArgs(
                    model=path, revision=self._revision, max_model_len=self._max_model_len, **self._arguments
                )
                self._llm = self._loop.start(lambda: async_llm.AsyncLLM.from_engine_args(parsed))
            except TypeError as error:
                raise JudgeUnavailable(
                    f"vLLM refuses its arguments ({error})", "correct judge_options.engine"
                ) from error
            except (Exception, SystemExit) as error:
                raise unavailable(self._model, error, tail(output)) from error
        self._output = output

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """Greedy completion of `prompt` (token ids); a `seed` samples instead.

        Raises:
            RequestError: this request cannot be served.
            JudgeDied: the engine is gone.
        """
        done = await self.generate(prompt, _parameters(constraint, max_tokens, seed))
        (choice,) = done.outputs
        cached = done.num_cached_tokens or 0
        cost = Tokens(len(prompt) - cached, cached, len(choice.token_ids))
        return Completion(choice.text, cost, choice.finish_reason != "length")

    async def scored(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, start: int, scores: Scores
    ) -> tuple[Completion, Sequence[TokenScore]]:
        """A greedy completion, and a score of each token of the prompt from `start` on.

        vLLM computes no log-probabilities of tokens that it reads from its prefix cache: their places in the
        answer hold whatever was in memory. So the shared system text is read from the cache, and where the
        cache reaches behind `start`, because the trace was there before, the prompt is computed once more.

        Raises:
            RequestError: this request cannot be served.
            JudgeDied: the engine is gone.
        """
        likeliest = LIKELIEST if scores is Scores.ENTROPY else 0
        done = await self.generate(prompt, _parameters(constraint, max_tokens, None, likeliest))
        (choice,) = done.outputs
        # No token is turned into text by vLLM here, because the places of cached tokens hold no tokens.
        text = self.tokenizer.decode(
            list(choice.token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        cached = done.num_cached_tokens or 0
        cost = Tokens(len(prompt) - cached, cached, len(choice.token_ids))
        if cached >= start:
            fresh = _parameters(Constraint(ConstraintKind.FREE), 1, None, likeliest)
            fresh.skip_reading_prefix_cache = True
            done = await self.generate(prompt, fresh)
            cost = Tokens(cost.prefill + len(prompt), cached, cost.decode + 1)
        completion = Completion(text, cost, choice.finish_reason != "length")
        return completion, _token_scores(done.prompt_logprobs, len(prompt) - start, likeliest)

    async def generate(self, prompt: Sequence[int], parameters: Any) -> Any:
        """vLLM's own `RequestOutput` for its own `SamplingParams`, for what `complete` cannot say.

        Raises:
            RequestError: this request cannot be served.
            JudgeDied: the engine is gone.
        """
        self._started()
        return await self._loop.run(self._generate(list(prompt), parameters))

    async def forget(self) -> None:
        """Empty the prefix cache, as it is after a start. For measurements.

        Raises:
            JudgeDied: the engine is gone.
        """
        await self._loop.run(self._started().reset_prefix_cache())

    def close(self) -> None:
        """Stop the engine. Safe to call twice."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.shutdown(timeout=_STOP_S)
        self._loop.stop(_STOP_S)
        if self._output is not None:
            self._output.close()
            self._output = None

    async def _generate(self, prompt: list[int], parameters: Any) -> Any:
        exceptions = importlib.import_module("vllm.v1.engine.exceptions")
        last = None
        try:
            with self._busy:
                async for output in self._llm.generate(
                    {"prompt_token_ids": prompt}, parameters, f"dlcot-{uuid.uuid4().hex}"
                ):
                    last = output
        except exceptions.EngineDeadError as error:
            raise JudgeDied(self._last_words()) from error
        except Exception as error:
            if self._llm is None or self._llm.errored:
                raise JudgeDied(self._last_words()) from error
            raise RequestError(reason_of(error)) from error
        if last is None:
            raise RequestError("the engine returned nothing")
        return last

    def _started(self) -> Any:
        if self._llm is None:
            raise JudgeDied("the engine is not running")
        return self._llm

    def _set_environment(self, is_local: bool) -> None:
        """vLLM reads these when it is imported; what the user set stays."""
        defaults = {
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_LOGGING_LEVEL": "ERROR",
            # Automatic binding leaves one thread beside other processes, fixed cores starve under load.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "TOKENIZERS_PARALLELISM": "false",
        }
        if is_local:
            defaults["HF_HUB_OFFLINE"] = "1"
        for name, value in defaults.items():
            os.environ.setdefault(name, value)
        # Ray limits an actor with fewer than two CPUs to one thread.
        threads = self._threads or len(os.sched_getaffinity(0))
        os.environ["OMP_NUM_THREADS"] = str(threads)

    def _last_words(self) -> str:
        said = " ".join(tail(self._output).split())[-300:] if self._output is not None else ""
        return f"the engine died ({said})" if said else "the engine died"


def _parameters(
    constraint: Constraint, max_tokens: int, seed: int | None, likeliest: int | None = None
) -> Any:
    """vLLM's parameters; with `likeliest` it also scores the prompt, and detokenizes nothing."""
    sampling = importlib.import_module("vllm.sampling_params")
    structured = None
    match constraint.kind:
        case ConstraintKind.REGEX:
            structured = sampling.StructuredOutputsParams(regex=constraint.value)
        case ConstraintKind.CHOICE:
            structured = sampling.StructuredOutputsParams(choice=constraint.value.split("\n"))
        case ConstraintKind.GRAMMAR:
            structured = sampling.StructuredOutputsParams(grammar=constraint.value)
    return sampling.SamplingParams(
        temperature=0.0 if seed is None else _TEMPERATURE,
        seed=seed,
        max_tokens=max_tokens,
        structured_outputs=structured,
        output_kind=sampling.RequestOutputKind.FINAL_ONLY,
        prompt_logprobs=likeliest,
        flat_logprobs=likeliest is not None,
        detokenize=likeliest is None,
        skip_reading_prefix_cache=False,
    )


def _token_scores(flat: Any, count: int, likeliest: int) -> list[TokenScore]:
    """The scores of the last `count` tokens of a prompt from vLLM's flat log-probabilities.

    At each place the token's own comes first, then the likeliest. Counted from the end, because some of
    vLLM's runners leave the places of cached tokens out, and others leave them unwritten.
    """
    made = []
    for at in flat.start_indices[-count:]:
        entropy = entropy_of(flat.logprobs[at + 1 : at + 1 + likeliest]) if likeliest else None
        made.append(TokenScore(flat.logprobs[at], flat.ranks[at], entropy))
    return made
