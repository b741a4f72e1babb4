"""From names in the configuration to the objects they stand for: the judge, its writer, the token counter.

They are built where they are used, in a worker's process; the driver builds a judge only to learn what it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.policies.registry import reads_check_methods, reads_scores
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.judging.model.questions.options import CAUSES_OPTION, CHECK_METHODS_OPTION, ERRORS_OPTION
from dlcot_ray.judging.protocol import Judge, JudgeUnavailable, Writer
from dlcot_ray.judging.tokenizers import load_tokenizer


def make_judge(config: JudgeConfig) -> Judge:
    """The judge that `conf/judge/<name>.yaml` describes.

    Raises:
        JobError: it cannot be imported, or refuses its options.
    """
    module, _, name = config.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise JobError(
            f"the judge {config.factory} cannot be loaded ({reason_of(error)})",
            "install its packages or choose another judge",
        ) from error
    try:
        judge: Judge = factory(**config.options)
    except JudgeUnavailable as error:
        raise JobError(error.message, error.remedy) from error
    except (TypeError, ValueError) as error:
        raise JobError(f"the judge {config.factory} refuses its options ({reason_of(error)})") from error
    return judge


def asking_for(config: JudgeConfig, policy: str, errors: str) -> JudgeConfig:
    """The judge with the optional questions and the scores that a policy reads, where its options do not say.

    Args:
        policy: the policy's expression.
        errors: what happens to errors: keep, delete or repair.

    Raises:
        JobError: the policy reads scores of segments, and the judge gives none.
    """
    config = _scoring_for(config, policy)
    if "ask" not in config.options or config.options["ask"] is not None:
        return config
    ask = {"delete": [ERRORS_OPTION], "repair": [ERRORS_OPTION, CAUSES_OPTION]}.get(errors, [])
    if reads_check_methods(policy):
        ask = [*ask, CHECK_METHODS_OPTION]
    return replace(config, options={**config.options, "ask": ask})


def _scoring_for(config: JudgeConfig, policy: str) -> JudgeConfig:
    wanted = reads_scores(policy)
    if wanted is None:
        return config
    given = config.options.get("scores")
    if "scores" not in config.options or given not in (None, wanted.value, Scores.ENTROPY.value):
        raise JobError(
            f"the policy {policy} reads scores of segments ({wanted}), which this judge does not give",
            f"take a model in the job (judge=vllm, judge_options.scores={wanted}), or another policy",
        )
    return config if given else replace(config, options={**config.options, "scores": wanted.value})


def writer_of(judge: Judge) -> Writer | None:
    """What a judge writes repairs and bridges with: its attribute `writer`; the rules have none."""
    found: Writer | None = getattr(judge, "writer", None)
    return found


def token_counter(tokenizer: str | None) -> Callable[[str], int]:
    """Counts the tokens of a text: estimated, or by a Hugging Face tokenizer.

    Raises:
        JobError: the tokenizer cannot be loaded.
    """
    if tokenizer is None:
        return estimate_tokens
    try:
        loaded = load_tokenizer(tokenizer)
    except Exception as error:
        raise JobError(
            f"the tokenizer {tokenizer} cannot be loaded ({reason_of(error)})",
            "install dlcot-ray[tokenizer] and check the name, or leave tokenizer unset for an estimate",
        ) from error
    return lambda text: len(loaded(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])
