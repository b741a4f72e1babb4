"""Votes on the structure: what is asked, what failed votes do, and what the confidence says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep, Source
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.engine import Completion, Constraint, RequestError
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.model.questions.voting import LONE
from dlcot_ray.judging.model.scoring import TokenScore
from tests.judging.model.test_judge import GOOD, TRACE, asked, check_sound
from tests.support.scripted import ScriptedEngine

SEEDS = (None, 2, 3)
"""Of three votes: the first is greedy."""
STRUCTURE_STEPS = (JudgeStep.MACRO, JudgeStep.APPROACHES, JudgeStep.VERIFICATIONS)
SAID = GOOD["STRUCTURE"]


class Voters(ScriptedEngine):
    """Answers STRUCTURE as `votes` says for each seed, the other questions as `GOOD` does."""

    def __init__(self, votes: Mapping[int | None, str | Exception], **options: int) -> None:
        super().__init__(lambda prompt, _: GOOD[asked(prompt)], **options)  # type: ignore[arg-type]
        self.votes = votes
        self.open = self.most_open = 0

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        done = await super().complete(prompt, constraint, max_tokens, seed=seed)
        if asked(self.tokenizer.decode(prompt)) != "STRUCTURE":
            return done
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        # Later seeds end earlier.
        await asyncio.sleep(0.02 / (seed or 1))
        self.open -= 1
        said = self.votes[seed]
        if isinstance(said, Exception):
            raise said
        return replace(done, text=said)

    async def scored(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, start: int, **others: Any
    ) -> tuple[Completion, Sequence[TokenScore]]:
        done = await self.complete(prompt, constraint, max_tokens, seed=others.get("seed"))
        return done, [TokenScore(-1.0, 1) for _ in range(start, len(prompt))]


def judged(
    engine: ScriptedEngine, votes: int = 3, trace: Trace = TRACE, scores: str | None = None
) -> Annotation:
    judge = ModelJudge(engine, "scripted", keep_replies=True, structure_votes=votes, scores=scores)
    try:
        judge.start()
        annotation = asyncio.run(judge.judge(trace))
    finally:
        judge.close()
    check_sound(annotation, trace)
    return annotation


def confidences(annotation: Annotation) -> set[float]:
    """Of the steps that STRUCTURE decides."""
    return {status.confidence for status in annotation.steps if status.step in STRUCTURE_STEPS}


def without_costs(annotation: Annotation) -> Annotation:
    """What was found, without what it cost and who said it."""
    return replace(
        annotation, judge="", fingerprint="", steps=(), tokens=type(annotation.tokens)(), replies=()
    )


def test_three_equal_answers_are_one_answer_that_is_sure() -> None:
    one = judged(Voters({None: SAID}), votes=1)
    engine = Voters(dict.fromkeys(SEEDS, SAID))
    three = judged(engine)
    assert without_costs(three) == without_costs(one)
    assert confidences(three) == {1.0}
    assert confidences(one) == {0.8}
    macro = three.steps[0]
    assert (macro.questions, macro.reasked, macro.note) == (3, 0, "")
    # The first vote stands alone, because it fills the cache; all have one prompt.
    assert engine.seeds[:3] == list(SEEDS)
    assert engine.most_open == 2
    assert len(set(engine.prompts[:3])) == 1
    assert [status for status in three.steps if status.step not in STRUCTURE_STEPS] == [
        status for status in one.steps if status.step not in STRUCTURE_STEPS
    ]


def test_a_dissenting_answer_lowers_the_confidence_and_changes_nothing_else() -> None:
    one = judged(Voters({None: SAID}), votes=1)
    for dissenter in SEEDS:
        votes: dict[int | None, str | Exception] = dict.fromkeys(SEEDS, SAID)
        made = judged(Voters(votes | {dissenter: "1Q 2S 8VN 9C"}))
        assert without_costs(made) == without_costs(one)
        (confidence,) = confidences(made)
        assert 0.8 < confidence < 1.0


def test_replies_stand_in_the_order_of_the_votes() -> None:
    votes: dict[int | None, str | Exception] = {None: "1Q 2S 3S"}
    votes.update({seed: f"1Q 2S {seed + 2}S" for seed in range(2, 6)})
    said = [reply.text for reply in judged(Voters(votes), votes=5).replies]
    assert said[:5] == ["1Q 2S 3S", "1Q 2S 4S", "1Q 2S 5S", "1Q 2S 6S", "1Q 2S 7S"]


def test_a_failed_vote_is_left_out() -> None:
    one = judged(Voters({None: SAID}), votes=1)
    for failed in SEEDS:
        for fault in ("1Q 6S 5S", RequestError("too long")):
            votes: dict[int | None, str | Exception] = dict.fromkeys(SEEDS, SAID)
            made = judged(Voters(votes | {failed: fault}))
            assert without_costs(made) == without_costs(one)
            assert confidences(made) == {1.0}
            assert made.steps[0].source is Source.MODEL
    lone = judged(Voters({None: "nonsense", 2: RequestError("too long"), 3: SAID}))
    assert without_costs(lone) == without_costs(one)
    assert confidences(lone) == {LONE}


def test_where_all_votes_fail_the_answer_of_the_rules_is_used() -> None:
    made = judged(Voters({None: "1Q 6S 5S", 2: RequestError("too long"), 3: "nonsense"}))
    macro = made.steps[0]
    assert (macro.source, macro.questions) == (Source.RULES, 2)
    assert macro.note == "the rules' answer: the answer '1Q 6S 5S' is not one of those allowed"
    empty = judged(Voters(dict.fromkeys(SEEDS, "1Q 9C")))
    assert empty.steps[0].note == "the rules' answer: no part works towards an answer"


def test_votes_are_counted_in_each_window() -> None:
    lines = [f"{line} ({i})" for i in range(30) for line in TRACE.reasoning.split("\n\n")]
    trace = Trace("long", TRACE.problem, "\n\n".join(lines), "42")

    class Windows(ScriptedEngine):
        def start(self) -> None:
            self.first: dict[int | None, int] = {}

        async def complete(
            self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
        ) -> Completion:
            text = self.tokenizer.decode(prompt)
            if asked(text) == "STRUCTURE":
                self.first[seed] = self.first.get(seed, 0) + 1
            return await super().complete(prompt, constraint, max_tokens, seed=seed)

    def answer(prompt: str, constraint: Constraint) -> str:
        first = constraint.value.split("[")[0].split("(")[0]
        said = {"STRUCTURE": f"{first}S", "ERRORS": "E:", "ANSWER": "0", "LABELS": "1:N", "SAME": "n"}
        return said[asked(prompt)]

    engine = Windows(answer, max_context=8192)
    made = judged(engine, trace=trace)
    windows = engine.first[None]
    assert windows > 1
    assert engine.first == dict.fromkeys(SEEDS, windows)
    assert made.steps[0].questions == 3 * windows
    assert confidences(made) == {1.0}


def test_the_first_vote_scores_the_segments() -> None:
    engine = Voters(dict.fromkeys(SEEDS, SAID))
    made = judged(engine, scores=Scores.SURPRISAL.value)
    assert all(score.tokens for score in made.scores)
    assert engine.seeds[:3] == list(SEEDS)


def test_the_identity_names_the_votes_where_there_are_some() -> None:
    def identity(**options: int) -> str:
        judge = ModelJudge(ScriptedEngine(lambda *_: ""), "m", **options)  # type: ignore[arg-type]
        judge.close()
        return judge.identity

    assert identity() == identity(structure_votes=1)
    assert "votes" not in identity()
    assert identity(structure_votes=3) == f"{identity()} structure-votes-3"
    for number in (0, 2, 7, "three"):
        with pytest.raises(ValueError, match=r"structure_votes cannot be .*: give 1, 3 or 5"):
            identity(structure_votes=number)  # type: ignore[arg-type]
