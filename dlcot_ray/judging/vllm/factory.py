"""The factories that `conf/judge/*.yaml` names: the model judge, and a cascade that ends in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlcot_ray.judging.cascade import MIN_CONFIDENCE, CascadeJudge
from dlcot_ray.judging.cheap import cheap_judge
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.vllm.engine import VllmEngine
from dlcot_ray.judging.vllm.models import model_identity


def vllm_judge(
    model: str,
    *,
    revision: str | None = None,
    max_model_len: int = 32_768,
    threads: int | None = None,
    cache: str | None = None,
    prompts: str | None = None,
    keep_replies: bool = False,
    ask: str | Sequence[str] | None = None,
    scores: str | None = None,
    structure_votes: int = 1,
    engine: Mapping[str, Any] | None = None,
) -> ModelJudge:
    """A model judge on a vLLM engine; see `VllmEngine` and `ModelJudge` for the arguments.

    Raises:
        JudgeUnavailable: there is no such model.
        ValueError: an option or the prompts cannot be used.
    """
    made = VllmEngine(
        model, revision=revision, max_model_len=max_model_len, threads=threads, cache=cache, engine=engine
    )
    identity = model_identity(model, revision)
    return ModelJudge(
        made,
        identity,
        prompts=prompts,
        keep_replies=keep_replies,
        ask=ask,
        scores=scores,
        structure_votes=structure_votes,
    )


def cascade_judge(
    *,
    min_confidence: float = MIN_CONFIDENCE,
    floor: float = 0.0,
    first: str = "rules",
    first_model: str | None = None,
    **options: Any,
) -> CascadeJudge:
    """A cheap judge, and `vllm_judge(**options)` where it is unsure.

    Args:
        min_confidence: below it a trace goes to the model.
        floor: below it, after the last judge, nothing is cut.
        first: ``rules`` or ``learned``.
        first_model: the weights of ``learned``; None: those of the package.

    Raises:
        JudgeUnavailable, ValueError: as `vllm_judge`; or there is no such first judge.
    """
    cheap = cheap_judge(first, first_model)
    return CascadeJudge(cheap, vllm_judge(**options), min_confidence=min_confidence, floor=floor)
