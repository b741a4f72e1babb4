"""The table of questions: every entry is complete, and a dry run's answers belong to the languages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dlcot_ray.core.annotation import JudgeStep
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.dry_run import DryRunEngine, EstimatedTokenizer
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.model.questions.answers import Language, is_in
from dlcot_ray.judging.model.questions.options import OPTIONS
from dlcot_ray.judging.model.questions.prompts import load_prompts
from dlcot_ray.judging.model.questions.question import When
from dlcot_ray.judging.model.questions.table import QUESTIONS, confirmed


def test_every_step_has_a_question_and_every_question_a_wording() -> None:
    assert {step for question in QUESTIONS for step in (question.step, *question.also)} == set(JudgeStep)
    assert {question.option for question in QUESTIONS} == {"", *OPTIONS}
    assert [question.when for question in QUESTIONS] == sorted(
        (question.when for question in QUESTIONS), key=list(When).index
    )
    texts = load_prompts().texts
    for question in QUESTIONS:
        assert texts.get(question.wording, question.wording).endswith("?")


def test_a_wording_may_be_the_text_itself() -> None:
    assert load_prompts().question("GUESSES within $ranges?", {"ranges": "3-5"}) == "GUESSES within 3-5?"


def test_a_merge_of_approaches_stands_only_if_both_orders_agree() -> None:
    said = {2: 1, 3: 3, 4: 1}
    assert confirmed(said, (True, True, True, False)) == {2: 1, 3: 3, 4: 4}
    assert confirmed(said, None) == {2: 2, 3: 3, 4: 4}
    assert confirmed({2: 2}, ()) == {2: 2}


def test_a_dry_run_assumes_answers_of_the_language() -> None:
    asked: list[tuple[str, str]] = []

    class Checked(DryRunEngine):
        async def complete(
            self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
        ) -> Completion:
            asked.append((constraint.value, constraint.assumed))
            return await super().complete(prompt, constraint, max_tokens, seed=seed)

    text = (
        "Add 17 and 25: 17 + 25 = 42.\n\nSo the answer is 42.\n\nLet me check: 42 - 25 = 17. Yes, that works."
    )
    judge = ModelJudge(Checked(EstimatedTokenizer(), 8192), "dry run", ask=OPTIONS)
    try:
        asyncio.run(judge.judge(Trace("t", "What is 17 + 25?", text, "42")))
    finally:
        judge.close()
    assert len(asked) >= 2
    assert all(is_in(Language(regex, 0), answer or "0") for regex, answer in asked)
