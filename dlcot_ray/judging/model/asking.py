"""One question to the engine: the prompt, a second attempt, and the account of the cost.

In: a question, one of its parts, and the token ids that all questions share. Out: the answer's value. The
first attempt is greedy. If its answer cannot be used, a second one samples with a fixed seed; each of several
votes has one attempt. If that fails too, `QuestionFailed` is raised, and the caller takes the rules judge's
answer. No answer of a model raises anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dlcot_ray.core.annotation import JudgeStep, ModelReply, ReferenceKind, SegmentScore, Tokens
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.engine import Completion, Constraint, ConstraintKind, Engine, RequestError
from dlcot_ray.judging.model.frame import Frame, Tokenizer
from dlcot_ray.judging.model.questions.answers import AnswerInvalid, is_in
from dlcot_ray.judging.model.questions.prompts import Prompts
from dlcot_ray.judging.model.questions.question import Part, Question
from dlcot_ray.judging.model.scoring import Place, ScoringEngine, segment_scores
from dlcot_ray.judging.model.windows import shortened

A = TypeVar("A")

_ATTEMPTS: tuple[int | None, ...] = (None, 1)
"""The seed of each attempt; None is greedy."""
MARK = "[#{}]"
"""How a segment is numbered. The text itself never shows such a mark, see `unmarked`."""
_LOOKS_LIKE_MARK = re.compile(r"\[(?=#\d)")
_TAILS = 256
"""Tokens of the cache for the questions of one trace and their answers: two are asked side by side, of some
60 tokens each. Where it takes more, the engine puts a request off and computes it again."""
_LEAST_ANSWER = 8
"""Minimum tokens left for an answer; with less, the question is not asked."""


def unmarked(text: str) -> str:
    """`text` as it is shown: whatever looks like a mark gets a space and is none."""
    return _LOOKS_LIKE_MARK.sub("[ ", text)


class QuestionFailed(Exception):
    """The model has no usable answer to a question, for the reason given."""


@dataclass(slots=True)
class Account:
    """What the questions about one trace cost, by step, and the scores that came with them.

    Attributes:
        replies: what was said, with its place: of the question in the table, of its window, and of the vote.
        scores: segment -> its score, where the judge was to score.
        agreed: how far the votes agreed, 0..1, one figure for each window; nothing without votes.
    """

    keep_replies: bool
    tokens: dict[JudgeStep, Tokens] = field(default_factory=dict)
    questions: dict[JudgeStep, int] = field(default_factory=dict)
    reasked: dict[JudgeStep, int] = field(default_factory=dict)
    replies: list[tuple[tuple[int, ...], ModelReply]] = field(default_factory=list)
    scores: dict[int, SegmentScore] = field(default_factory=dict)
    agreed: dict[JudgeStep, list[float]] = field(default_factory=dict)

    def add(self, step: JudgeStep, cost: Tokens, text: str, again: bool, place: tuple[int, ...]) -> None:
        """Add the cost of one request."""
        self.tokens[step] = added(self.tokens.get(step, Tokens()), cost)
        self.questions[step] = self.questions.get(step, 0) + (not again)
        self.reasked[step] = self.reasked.get(step, 0) + again
        if self.keep_replies:
            self.replies.append((place, ModelReply(step, text)))

    def said(self) -> tuple[ModelReply, ...]:
        """The replies in the order of the table, not in that in which the engine happened to end them."""
        return tuple(reply for _, reply in sorted(self.replies, key=lambda kept: kept[0]))

    def total(self) -> Tokens:
        """Over all steps."""
        total = Tokens()
        for cost in self.tokens.values():
            total = added(total, cost)
        return total


def added(one: Tokens, other: Tokens) -> Tokens:
    """The sum of two costs."""
    return Tokens(one.prefill + other.prefill, one.cached + other.cached, one.decode + other.decode)


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """Token ids of a numbered segment as the model sees it."""

    number: int
    ids: tuple[int, ...]


@dataclass(slots=True)
class Asker:
    """Builds prompts for one engine and asks.

    Attributes:
        engine: started.
        tokenizer, frame: its tokenizer, and its chat template around a body.
        prompts: the texts.
        scores: what the engine is to say of each segment, or None.
    """

    engine: Engine
    tokenizer: Tokenizer
    frame: Frame
    prompts: Prompts
    scores: Scores | None = None
    _head: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        system = self.tokenizer.plain(self.prompts.texts["system"])
        self._head = (*self.frame.before, *system, *self.frame.between)

    @property
    def reserve(self) -> int:
        """Tokens kept free behind the shared part, for a question and its answer."""
        return min(1024, self.engine.max_context // 4)

    def capacity(self) -> int:
        """Tokens that the traces in work may hold: the cache without the system text, which they share."""
        return int((self.engine.kv_tokens - len(self._head)) * 0.9)

    def held(self, shared: Sequence[int]) -> int:
        """Tokens of the cache that a trace holds while it is in work, beyond the system text."""
        return max(0, len(shared) - len(self._head)) + _TAILS

    def opening(self, trace: Trace) -> tuple[int, ...]:
        """System text and problem: what every prompt about `trace` starts with.

        A problem that would take over a third of the context is shown without its middle.
        """
        problem = self._fitted(trace.problem, self.engine.max_context // 3)
        body = self.prompts.render("problem", problem=unmarked(problem))
        return (*self._head, *self.tokenizer.plain(f"{body}\n\n"))

    def against(self, reference: str | None, kind: ReferenceKind) -> str:
        """The lines that show the reference and say what it is, for the questions that compare with one.

        It stands behind the trace, so that no other question reads it. It gets an eighth of the reserve.
        """
        if reference is None:
            return self.prompts.texts["against_none"]
        shown = unmarked(self._fitted(reference, self.reserve // 8))
        return self.prompts.render(f"against_{kind.value}", reference=shown)

    def numbered(
        self, segments: Sequence[str], limit: int, loops: Sequence[tuple[int, int]] = ()
    ) -> list[ShownSegment]:
        """The segments as the model sees them, none above `limit` tokens.

        Segments of `loops` repeat to the letter what stands before them: one line says so for all.
        """
        texts = [
            f"{MARK.format(number)} {unmarked(segment.strip())}\n"
            for number, segment in enumerate(segments, 1)
        ]
        for start, stop in loops:
            texts[start:stop] = [""] * (stop - start)
            texts[start] = f"{self.prompts.render('loop', first=start + 1, last=stop)}\n"
        encoded = self.tokenizer.plain_batch(texts)
        shown = []
        for number, (text, ids) in enumerate(zip(texts, encoded, strict=True), 1):
            if len(ids) > limit:
                ids = self.tokenizer.plain(f"{self._fitted(text, limit).strip()}\n")
            shown.append(ShownSegment(number, tuple(ids)))
        return shown

    def shared(self, opening: Sequence[int], segments: Sequence[ShownSegment], count: int) -> tuple[int, ...]:
        """The part that all questions about `segments` share, ending on a whole cache block.

        Args:
            opening: see `opening`.
            segments: those shown, out of `count`.
            count: how many segments the trace has.
        """
        ids = [*opening, *self._part(segments, count)]
        for segment in segments:
            ids.extend(segment.ids)
        ids.extend(self.tokenizer.padding(-len(ids) % self.engine.block_tokens))
        return tuple(ids)

    def places(
        self, opening: Sequence[int], segments: Sequence[ShownSegment], count: int
    ) -> tuple[Place, ...]:
        """Where the texts of `segments` stand in what `shared` gives, without their marks and line ends."""
        marks = self.tokenizer.plain_batch([MARK.format(segment.number) for segment in segments])
        at = len(opening) + len(self._part(segments, count))
        (newline,) = self.tokenizer.padding(1)
        found = []
        for segment, mark in zip(segments, marks, strict=True):
            stop = at + len(segment.ids)
            # A vocabulary may join the end of a mark to what follows; that token counts as text.
            pairs = enumerate(zip(mark, segment.ids, strict=False))
            same = next((i for i, (one, other) in pairs if one != other), len(mark))
            ends = segment.ids[-1:] == (newline,)
            found.append(Place(segment.number - 1, at + same, stop - ends))
            at = stop
        return tuple(place for place in found if place.start < place.stop)

    def _part(self, segments: Sequence[ShownSegment], count: int) -> list[int]:
        """The line that says which segments are shown; nothing where all are."""
        if len(segments) == count:
            return []
        part = self.prompts.render("part", first=segments[0].number, last=segments[-1].number, count=count)
        return self.tokenizer.plain(f"{part}\n")

    async def ask(
        self,
        account: Account,
        question: Question[A],
        part: Part,
        shared: Sequence[int],
        assumed: str,
        place: tuple[int, ...],
        scored: Sequence[Place] = (),
        seeds: Sequence[int | None] = _ATTEMPTS,
    ) -> A:
        """Ask until the answer is valid, once for each of `seeds`.

        Args:
            account: the cost is added to it, and the scores of `scored`.
            question, part: what to ask.
            shared: token ids that the prompt begins with.
            assumed: what an engine that runs no model answers.
            place: of the question, its window and the vote, which order the replies.
            scored: the segments to score with the first attempt.
            seeds: one for each attempt; None is greedy.

        Raises:
            QuestionFailed: no answer can be used.
            JudgeDied: the engine is gone.
        """
        text = self.prompts.question(question.wording, part.values)
        prompt = [*shared, *self.tokenizer.plain(f"\n{text}"), *self.frame.after]
        room = self.engine.max_context - len(prompt)
        if room < _LEAST_ANSWER:
            raise QuestionFailed(f"the question leaves {room} tokens of the context for its answer")
        language = part.language
        constraint = Constraint(ConstraintKind.REGEX, language.regex, assumed)
        cause = ""
        for attempt, seed in enumerate(seeds):
            try:
                most = min(room, language.max_chars + 1)
                if scored and not attempt:
                    completion = await self._scored(account, prompt, constraint, most, scored)
                else:
                    completion = await self.engine.complete(prompt, constraint, most, seed=seed)
            except RequestError as error:
                raise QuestionFailed(str(error)) from error
            account.add(question.step, completion.tokens, completion.text, attempt > 0, place)
            longer = not completion.finished and len(completion.text) >= language.max_chars
            if longer and not language.may_break_off:
                cause = f"the answer goes on behind {language.max_chars} characters"
                continue
            if not is_in(language, completion.text):
                cause = f"the answer {completion.text[:40]!r} is not one of those allowed"
                continue
            try:
                return question.read(completion.text)
            except AnswerInvalid as error:
                cause = str(error)
        raise QuestionFailed(cause)

    async def _scored(
        self,
        account: Account,
        prompt: Sequence[int],
        constraint: Constraint,
        most: int,
        places: Sequence[Place],
    ) -> Completion:
        """A greedy completion; the scores of `places` go to the account."""
        assert isinstance(self.engine, ScoringEngine)
        assert self.scores is not None
        start = max(places[0].start, 1)
        completion, tokens = await self.engine.scored(
            prompt, constraint, most, start=start, scores=self.scores
        )
        account.scores |= segment_scores(tokens, start, places)
        return completion

    def _fitted(self, text: str, limit: int) -> str:
        """`text` in at most `limit` tokens, its middle left out if need be."""
        length = len(text)
        # Cut by characters first, so that a text of a million characters is not tokenized whole.
        text = shortened(text, min(length, limit * 12))
        while (cost := len(self.tokenizer.plain(text))) > limit and length > 16:
            length = int(min(length, len(text)) * limit / cost * 0.9)
            text = shortened(text, length)
        return text
