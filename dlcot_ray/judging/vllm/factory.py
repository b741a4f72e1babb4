"""The factories that `conf/judge/*.yaml` names: the model judge, and the cascade of rules and model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlcot_ray.judging.cascade import MIN_CONFIDENCE, CascadeJudge
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.rules.judge import RulesJudge
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
    return ModelJudge(made, identity, prompts=prompts, keep_replies=keep_replies)


def cascade_judge(*, min_confidence: float = MIN_CONFIDENCE, **options: Any) -> CascadeJudge:
    """The rules judge, and `vllm_judge(**options)` where it is unsure.

    Raises:
        JudgeUnavailable, ValueError: as `vllm_judge`.
    """
    return CascadeJudge(RulesJudge(), vllm_judge(**options), min_confidence=min_confidence)
