"""The questions about one trace: their order, and what happens if one fails.

    STRUCTURE -> ERRORS -> ANSWER -> LABELS, CLUSTERS (at once) -> SAME, CAUSES (at once)

In: a trace, its evidence and the rules judge's annotation. Out: an `Outcome`. The first question pays for the
prefill; the others find it in the cache, as do further votes on STRUCTURE. What evidence decides is not
asked, nor what no policy reads. Where a question fails, the rules judge's answer is used, and the step's
status says why. The questions stand in `table.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model.admission import TokenBudget
from dlcot_ray.judging.model.asking import Account, Asker, QuestionFailed, ShownSegment
from dlcot_ray.judging.model.questions.question import Part, Question, Scope, When
from dlcot_ray.judging.model.questions.table import COMPLETION, EXPLORE, QUESTIONS, STRUCTURE, VERIFY
from dlcot_ray.judging.model.scoring import Place
from dlcot_ray.judging.model.structure import Structure, completed, structure_from, structure_of
from dlcot_ray.judging.model.windows import Window, chosen_segments, split_windows

A = TypeVar("A")
T = TypeVar("T")

_DIGEST = 400
"""Tokens of each approach or check that a question about all of them shows (its first and last segments), if
no prompt can hold the whole trace."""

_Given = Mapping[Question[Any], list[Any] | None]
"""Question -> the answers to its parts; None where one of them failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answers to the questions about a trace.

    Attributes:
        structure: runs over all segments, completed.
        answers: question -> its answer over all parts and windows; use `of`.
        failed: step -> why the model has no usable answer.
        partly: step -> to how many parts of its question it has none, and why.
    """

    structure: Structure
    answers: Mapping[Question[Any], Any]
    failed: Mapping[JudgeStep, str]
    partly: Mapping[JudgeStep, str] = field(default_factory=dict)

    def of(self, question: Question[A]) -> A | None:
        """The answer to a question, or None where it failed."""
        found: A | None = self.answers.get(question)
        return found


@dataclass(slots=True)
class Program:
    """All questions about one trace. A program is used for one trace only.

    Attributes:
        asker, budget: the engine's.
        trace, found: what is asked about.
        by_rules: the rules judge's annotation of it, for steps that fail.
        account: what it costs.
        options: which of the optional questions are asked.
        votes: how often a question that is put to the vote is asked; 1: no vote.
    """

    asker: Asker
    budget: TokenBudget
    trace: Trace
    found: Findings
    by_rules: Annotation
    account: Account
    options: frozenset[str] = frozenset()
    votes: int = 1
    _failed: dict[JudgeStep, str] = field(default_factory=dict)
    _partly: dict[JudgeStep, str] = field(default_factory=dict)

    async def run(self) -> Outcome:
        """Ask all questions.

        Raises:
            JudgeDied: the engine is gone.
        """
        count = len(self.found.segments)
        opening = self.asker.opening(self.trace)
        room = self.asker.engine.max_context - self.asker.reserve - len(opening)
        room = max(room - self.asker.engine.block_tokens, 64)
        shown = self.asker.numbered(self.found.segments, room // 2, self.found.loops)
        costs = [len(segment.ids) for segment in shown]
        windows = split_windows(costs, room)
        if len(windows) == 1:
            shared = self.asker.shared(opening, shown, count)
            async with self.budget.hold(self.asker.held(shared)):
                places = self._places(opening, shown, windows[0])
                answers = _joined(windows, [await self._read_window(shared, windows[0], places)])
                return await self._conclude(shared, self._structure(answers), answers)
        given = await _all([self._admitted(opening, shown, window) for window in windows])
        answers = _joined(windows, given)
        structure = self._structure(answers)
        items = structure.ranges(EXPLORE) + structure.ranges(VERIFY)
        chosen = chosen_segments(items, costs, min(room, _DIGEST * len(items)))
        shared = self.asker.shared(opening, [shown[segment] for segment in chosen], count) if chosen else ()
        async with self.budget.hold(self.asker.held(shared)):
            return await self._conclude(shared, structure, answers)

    async def _admitted(
        self, opening: Sequence[int], shown: Sequence[ShownSegment], window: Window
    ) -> _Given:
        segments = shown[window.start : window.stop]
        shared = self.asker.shared(opening, segments, len(shown))
        async with self.budget.hold(self.asker.held(shared)):
            return await self._read_window(shared, window, self._places(opening, shown, window))

    def _places(
        self, opening: Sequence[int], shown: Sequence[ShownSegment], window: Window
    ) -> Sequence[Place]:
        """Where the segments stand that this window scores: its own, but those that only repeat."""
        if self.asker.scores is None:
            return ()
        found = self.asker.places(opening, shown[window.start : window.stop], len(shown))
        loops = {i for start, stop in self.found.loops for i in range(start, stop)}
        return [place for place in found if window.owns(place.segment) and place.segment not in loops]

    async def _read_window(self, shared: Sequence[int], window: Window, places: Sequence[Place]) -> _Given:
        """The structure first (it fills the cache), then everything that depends on nothing else."""
        scope = self._scope(window.start, window.stop)
        first = await self._asked(When.FIRST, scope, shared, places)
        if (marks := first[STRUCTURE]) is not None:
            structure = structure_from(marks[0], window.start, window.stop)
            scope = replace(scope, structure=structure)
        return {**first, **await self._asked(When.WINDOW, scope, shared)}

    async def _conclude(
        self, shared: Sequence[int], structure: Structure, answers: Mapping[Question[Any], Any]
    ) -> Outcome:
        """The questions about the whole trace; `shared` is empty where none of its items fits a prompt."""
        whole = Window(0, len(self.found.segments), 0, len(self.found.segments))
        scope = replace(self._scope(0, whole.stop), structure=structure, is_shown=bool(shared))
        missing = _joined([whole], [await self._asked(When.COMPLETION, scope, shared)])
        structure = completed(structure, self.found.answers.candidate, missing.get(COMPLETION))
        known = {**answers, **missing}
        for when in (When.WHOLE, When.LAST):
            scope = replace(scope, structure=structure, answers=known)
            given = await self._asked(when, scope, shared)
            known |= _joined([whole], [{q: found for q, found in given.items() if found is not None}])
        return Outcome(structure, known, dict(self._failed), dict(self._partly))

    def _scope(self, start: int, stop: int) -> Scope:
        found = self.found
        return Scope(start, stop, found, against=self.asker.against(found.reference, found.reference_kind))

    def _structure(self, answers: Mapping[Question[Any], Any]) -> Structure:
        """The structure from the answers; the rules' if they are missing or name no approach."""
        count = len(self.found.segments)
        marks = answers.get(STRUCTURE, ()) if STRUCTURE.step not in self._failed else ()
        if any(mark.kind is EXPLORE for mark in marks):
            return structure_from(marks, 0, count)
        if count:
            self._failed.setdefault(STRUCTURE.step, "no part works towards an answer")
        return structure_of(self.by_rules)

    async def _asked(
        self, when: When, scope: Scope, shared: Sequence[int], places: Sequence[Place] = ()
    ) -> _Given:
        """Ask at once all questions of the table that are due now; `places` are scored along with them."""
        due = (question for question in QUESTIONS if question.when is when)
        chosen = [question for question in due if not question.option or question.option in self.options]
        given = await _all([self._ask(question, scope, shared, places) for question in chosen])
        return dict(zip(chosen, given, strict=True))

    async def _ask(
        self, question: Question[A], scope: Scope, shared: Sequence[int], places: Sequence[Place]
    ) -> list[A] | None:
        """The answers to all parts of a question. None where the step fails, see `Question.spare`."""
        given: list[A] = []
        causes: list[str] = []
        while (part := question.next_part(scope, given)) is not None:
            try:
                if not shared:
                    raise QuestionFailed("none of its segments fits the context")
                given.append(await self._answer(question, part, scope, shared, places))
            except QuestionFailed as error:
                causes.append(str(error))
                if question.spare is None:
                    break
                given.append(question.spare)
        if causes and (question.spare is None or len(causes) == len(given)):
            self._failed.setdefault(question.step, causes[0])
            return None
        if causes:
            partly = f"the rules' answer for {len(causes)} of {len(given)} parts: {causes[0]}"
            self._partly.setdefault(question.step, partly)
        return given

    async def _answer(
        self, question: Question[A], part: Part, scope: Scope, shared: Sequence[int], places: Sequence[Place]
    ) -> A:
        """The answer to one part; where there is a vote, the one that the votes make together.

        The first vote is greedy, as the only one would be, and fills the cache: vLLM's CPU build dies where
        it computes the prompt of a seeded request in several steps. The others are sampled at once with the
        seeds 2, 3, and so on. Votes that cannot be used are left out.

        Raises:
            QuestionFailed: no answer can be used.
        """
        ask, account = self.asker.ask, self.account
        assumed = question.assumed(self.by_rules, part)
        place = (QUESTIONS.index(question), scope.start)
        if question.vote is None or self.votes == 1:
            return await ask(account, question, part, shared, assumed, place, places)
        given: dict[int, A] = {}
        causes: dict[int, QuestionFailed] = {}

        async def vote(number: int) -> None:
            scored, seed = (places, None) if number == 1 else ((), number)
            try:
                given[number] = await ask(
                    account, question, part, shared, assumed, (*place, number), scored, (seed,)
                )
            except QuestionFailed as error:
                causes[number] = error

        await vote(1)
        await _all([vote(number) for number in range(2, self.votes + 1)])
        if not given:
            raise causes[1]
        answer, agreement = question.vote([given[number] for number in sorted(given)])
        account.agreed.setdefault(question.step, []).append(agreement)
        return answer


def _joined(windows: Sequence[Window], given: Sequence[_Given]) -> dict[Question[Any], Any]:
    """One answer per question; a window in which it failed adds nothing."""
    questions = dict.fromkeys(question for answers in given for question in answers)
    return {
        question: question.join(
            [
                (window, answer)
                for window, answers in zip(windows, given, strict=True)
                for answer in answers.get(question) or ()
            ]
        )
        for question in questions
    }


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; the first fault cancels the rest and is raised as itself."""
    if len(work) == 1:
        return [await work[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as stopped:
        raise stopped.exceptions[0] from None
    return [task.result() for task in tasks]
