"""The factory that `conf/judge/endpoint.yaml` names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlcot_ray.judging.endpoint.engine import Api, Constrain, EndpointEngine
from dlcot_ray.judging.endpoint.limits import Budget, Pace, Prices
from dlcot_ray.judging.model.judge import ModelJudge


def endpoint_judge(
    url: str,
    model: str,
    *,
    revision: str | None = None,
    tokenizer: str | None = None,
    api: str = "completions",
    constrain: str = "structured_outputs",
    max_model_len: int = 32_768,
    block_tokens: int | None = None,
    key_env: str = "DLCOT_API_KEY",
    retries: int = 6,
    timeout_s: float = 600.0,
    requests_per_minute: float | None = None,
    price_per_million: Mapping[str, float] | None = None,
    max_cost: float | None = None,
    prompts: str | None = None,
    keep_replies: bool = False,
    ask: str | Sequence[str] | None = None,
    structure_votes: int = 1,
) -> ModelJudge:
    """A model judge on a server; see `EndpointEngine` and `ModelJudge` for the arguments.

    Raises:
        ValueError: an option or the prompts cannot be used.
    """
    if not url or not model:
        raise ValueError("set judge_options.url (http://host:8000/v1) and judge_options.model")
    prices = Prices(**(price_per_million or {}))
    if max_cost is not None and not (prices.input or prices.output):
        raise ValueError("max_cost needs price_per_million.input and .output")
    made = EndpointEngine(
        url,
        model,
        tokenizer=tokenizer,
        api=Api(api),
        constrain=Constrain(constrain),
        max_model_len=max_model_len,
        block_tokens=block_tokens,
        key_env=key_env,
        retries=retries,
        timeout_s=timeout_s,
        pace=Pace(requests_per_minute),
        budget=Budget(prices, max_cost),
    )
    identity = f"{model}@{revision or 'served'}"
    return ModelJudge(
        made,
        identity,
        prompts=prompts,
        keep_replies=keep_replies,
        ask=ask,
        structure_votes=structure_votes,
        name="endpoint",
    )
