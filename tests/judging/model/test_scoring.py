"""Scores of segments: which tokens of a prompt count, and what becomes of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest

from dlcot_ray.core.annotation import Annotation, SegmentScore
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.engine import Completion, Constraint, RequestError
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.model.scoring import Place, TokenScore, entropy_of, segment_scores
from dlcot_ray.judging.protocol import JudgeUnavailable
from tests.judging.model.test_judge import GOOD, LINES, TRACE, asked
from tests.support.scripted import ScriptedEngine


def test_the_entropy_counts_the_rest_of_the_vocabulary_as_one_token() -> None:
    assert entropy_of([0.0, -math.inf]) == 0.0
    assert entropy_of([math.log(0.5)] * 2) == pytest.approx(math.log(2))
    assert entropy_of([math.log(0.5)]) == pytest.approx(math.log(2))
    assert entropy_of([math.log(0.25)] * 2) == pytest.approx(1.5 * math.log(2))


def test_a_segment_sums_its_tokens_and_clips_their_ranks() -> None:
    tokens = [TokenScore(-1.0, 2, 0.5), TokenScore(-0.25, 1, 0.125), TokenScore(-9.0, 40_000, 2.0)]
    places = [Place(3, 10, 12), Place(4, 12, 13)]
    assert segment_scores(tokens, 10, places) == {
        3: SegmentScore(2, 1.25, 1.0, 3, 0.625),
        4: SegmentScore(1, 9.0, 9.0, 100, 2.0),
    }
    unsure = [TokenScore(-1.0, 2), TokenScore(-0.25, 1, 0.5)]
    assert segment_scores(unsure, 0, [Place(0, 0, 2)])[0].entropy is None


class Scoring(ScriptedEngine):
    """Scores each token by its place in the prompt, and remembers what it was asked for."""

    def __init__(self, **options: int) -> None:
        super().__init__(lambda prompt, constraint: GOOD.get(asked(prompt), "1S"), **options)  # type: ignore[arg-type]
        self.starts: list[int] = []
        self.wanted: list[Scores] = []
        self.scored_prompts: list[tuple[int, ...]] = []

    async def scored(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, start: int, scores: Scores
    ) -> tuple[Completion, Sequence[TokenScore]]:
        done = await self.complete(prompt, constraint, max_tokens)
        self.starts.append(start)
        self.wanted.append(scores)
        self.scored_prompts.append(tuple(prompt))
        return done, [TokenScore(-float(at), 1) for at in range(start, len(prompt))]


def judged(engine: ScriptedEngine, trace: Trace = TRACE, scores: str | None = "surprisal") -> Annotation:
    judge = ModelJudge(engine, "scripted@1", scores=scores, ask=[])
    try:
        judge.start()
        return asyncio.run(judge.judge(trace))
    finally:
        judge.close()


def shown_texts(engine: Scoring, annotation: Annotation) -> list[str]:
    """The text of each segment's scored tokens, found by their scores, which are their places."""
    texts = []
    (prompt,) = engine.scored_prompts
    for score in annotation.scores:
        start = round(score.first)
        assert score.surprisal == sum(range(start, start + score.tokens))
        texts.append(engine.tokenizer.decode(prompt[start : start + score.tokens]))
    return texts


def test_the_first_question_scores_each_segment_without_its_mark() -> None:
    engine = Scoring()
    annotation = judged(engine)
    assert [text.strip() for text in shown_texts(engine, annotation)] == LINES
    assert annotation.scored_by == "scripted@1"
    assert engine.wanted == [Scores.SURPRISAL]
    assert "scores-surprisal" in annotation.judge
    plain = judged(Scoring(), scores=None)
    assert (plain.scores, plain.scored_by) == ((), "")
    assert "scores" not in plain.judge


def test_what_only_repeats_is_not_scored() -> None:
    loop = "Wait, 7 + 5 is 12, I know that. "
    trace = Trace("l", TRACE.problem, "\n\n".join([*LINES[:2], *[loop] * 6, LINES[-1]]), "42")
    engine = Scoring()
    annotation = judged(engine, trace)
    repeated = {i for start, stop in annotation.loops for i in range(start, stop)}
    assert repeated
    assert [i for i, score in enumerate(annotation.scores) if not score.tokens] == sorted(repeated)


def test_each_segment_is_scored_by_the_window_that_owns_it() -> None:
    lines = [f"{line} And so on, for the {i}th time." for i in range(30) for line in LINES]
    trace = Trace("w", TRACE.problem, "\n\n".join(lines), "42")
    engine = Scoring(max_context=6144)
    annotation = judged(engine, trace)
    assert len(engine.starts) > 1
    texts = segment_texts(trace.reasoning, annotation.segment_offsets)
    assert len(annotation.scores) == len(texts)
    lengths = [len(engine.tokenizer(text.strip(), add_special_tokens=False)["input_ids"]) for text in texts]
    # A mark's last token may have taken the space before the text.
    assert all(abs(score.tokens - size) <= 1 for score, size in zip(annotation.scores, lengths, strict=True))


def test_an_engine_without_scores_is_refused_at_the_start() -> None:
    engine = ScriptedEngine(lambda prompt, constraint: "1S")
    with pytest.raises(JudgeUnavailable, match="gives no scores of segments; take an engine in the job"):
        judged(engine)
    with pytest.raises(ValueError, match="scores cannot be 'perplexity'"):
        ModelJudge(engine, "scripted", scores="perplexity")


def test_a_refused_request_leaves_the_trace_without_scores() -> None:
    class Refusing(Scoring):
        async def scored(
            self,
            prompt: Sequence[int],
            constraint: Constraint,
            max_tokens: int,
            *,
            start: int,
            scores: Scores,
        ) -> tuple[Completion, Sequence[TokenScore]]:
            raise RequestError("too long")

    annotation = judged(Refusing())
    assert (annotation.scores, annotation.scored_by) == ((), "")
    assert annotation.approaches
