"""The program without a model: prompts and cache are those of the real one."""

from __future__ import annotations

import asyncio

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep, Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.dry_run import DryRunEngine, EstimatedTokenizer, Habits, with_habits
from dlcot_ray.judging.model.judge import ModelJudge

PARTS = (
    "Okay, so I need to add 17 and {n}.",
    "Split the first number: 17 = 10 + 7.",
    "Let me just add them directly. 17 + {n} = {t}. So the answer is {t}.",
    "Alternatively, I could count up from 17. That gives 17 + {n} = {t} again, so the answer is {t}.",
    "Wait, let me double-check by subtracting: {t} - {n} = 17. Yes, that works.",
    "So the final answer is \\boxed{{{t}}}.",
)


def trace(number: int, sums: int = 1) -> Trace:
    numbers = range(number, number + sums)
    text = "\n\n".join(part.format(n=n, t=17 + n) for n in numbers for part in PARTS)
    return Trace(f"t{number}", f"What is 17 + {number}?", text, str(17 + number))


def dry_run(*traces: Trace, context: int = 8192, block: int = 16) -> list[Annotation]:
    engine = DryRunEngine(EstimatedTokenizer(), context, block)
    judge = ModelJudge(engine, "dry run")

    async def each() -> list[Annotation]:
        return [await judge.judge(item) for item in traces]

    try:
        return asyncio.run(each())
    finally:
        judge.close()


def test_the_first_question_computes_the_prompt_and_the_others_find_it_cached() -> None:
    one, other = dry_run(trace(1), trace(2))
    steps = {status.step: status for status in one.steps}
    macro = steps[JudgeStep.MACRO].tokens
    assert macro.cached == 0
    assert macro.prefill > 500
    for step in (JudgeStep.CLUSTERS, JudgeStep.ERRORS):
        assert steps[step].questions == 1
        assert steps[step].tokens.prefill < 60
        assert steps[step].tokens.cached > 0.9 * macro.prefill
    assert other.tokens.prefill < one.tokens.prefill / 2, "the system text is shared"
    assert not any(status.note for status in one.steps), "no answer failed"


def test_further_votes_are_counted_from_the_cache() -> None:
    engine, thrice = (DryRunEngine(EstimatedTokenizer(), 8192) for _ in range(2))
    judges = ModelJudge(engine, "dry run"), ModelJudge(thrice, "dry run", structure_votes=3)
    one, three = (asyncio.run(judge.judge(trace(5))) for judge in judges)
    for judge in judges:
        judge.close()
    once, votes = (made.steps[0].tokens for made in (one, three))
    assert votes.decode == 3 * once.decode
    assert votes.cached > 1.9 * (once.prefill + once.cached)
    assert 0 < votes.prefill - once.prefill < 2 * 40
    assert three.tokens.decode - one.tokens.decode == 2 * once.decode
    # Habits are of one vote: prefill and cache as counted, and the further votes' answers on top.
    habits = Habits(6.0, 0.0, 90.0, 0.0)
    told, more = with_habits(one, habits, 1024), with_habits(three, habits, 1024, votes=3)
    assert more.decode - told.decode == 2 * once.decode
    assert more.prefill - told.prefill == votes.prefill - once.prefill
    assert more.cached - told.cached == pytest.approx(votes.cached - once.cached, abs=80)


def test_traces_beyond_the_context_are_counted_in_windows() -> None:
    (made,) = dry_run(trace(3, sums=60), context=3072)
    macro = next(status for status in made.steps if status.step is JudgeStep.MACRO)
    assert macro.questions > 1


def test_the_estimated_tokenizer_decodes_to_the_encoded_text() -> None:
    tokenizer = EstimatedTokenizer()
    text = "Wait, 12*17 = 204?\n\n\tÉtude — internationalization…"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert tokenizer([text, "a"])["input_ids"][0] == ids
    assert 15 < len(ids) < len(text)


def test_habits_of_a_model_replace_number_and_length_of_answers() -> None:
    (made,) = dry_run(trace(4))
    assert with_habits(made, None, 100) == made.tokens
    habits = Habits(6.0, 1.0, 90.0, 10.0)
    length = 1024
    told = with_habits(made, habits, length)
    macro = next(status.tokens for status in made.steps if status.step is JudgeStep.MACRO)
    assert told.decode == 90
    assert told.cached == pytest.approx(macro.cached + 5 * (macro.prefill + macro.cached), rel=0.1)
    assert 0 < told.prefill - macro.prefill < 5 * 60
    assert with_habits(made, habits, 2048).decode == 100
    assert habits.of(1)[0] == 2.0
    assert (
        with_habits(
            Annotation("x", "", "rules/1", (0,), (), (), (), None, made.reference_kind, None, (), False, ()),
            habits,
            9,
        )
        == Tokens()
    )
