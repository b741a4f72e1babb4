"""The questions of one trace, in their order: which wait for which, and what happens when one fails.

    SECTIONS -> APPROACHES, CHECKS, ERRORS (at once) -> ANSWER -> LABELS, CLUSTERS (at once)

The first question pays for the prefill; all others find it in the cache. What evidence decides is not asked
at all. A question that fails is answered by the rules judge's annotation, and the step's status says so.
Nothing in here knows an engine but through `asking`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dlcot_ray.core.annotation import (
    Annotation,
    ErrorKind,
    JudgeStep,
    Label,
    ReferenceKind,
    SectionKind,
    Source,
    StepStatus,
    VerificationKind,
)
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model import answers
from dlcot_ray.judging.model.admission import TokenBudget
from dlcot_ray.judging.model.asking import Account, Asker, QuestionFailed, ShownSegment
from dlcot_ray.judging.model.structure import (
    Structure,
    approaches_of,
    completed_by,
    cut_runs,
    numbered_clusters,
    sections_from,
    unanswered_last,
    verifications_of,
)
from dlcot_ray.judging.model.windows import Window, chosen_segments, split_windows
from dlcot_ray.judging.rules.clusters import assign_clusters
from dlcot_ray.judging.rules.labels import label_range
from dlcot_ray.judging.rules.structure import Run, sections_of

T = TypeVar("T")

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY

_MODEL_CONFIDENCE = 0.8
_REASKED_CONFIDENCE = 0.6
_DIGEST = 400
"""Tokens of each approach and check, its first and last segments, that a question about all of them shows
where no prompt holds the whole trace."""
_NOTE = 160
"""Characters of a failure's cause that the step's status keeps."""


@dataclass(slots=True)
class _Marks:
    """What the windows' answers say, merged; None where a question failed somewhere."""

    sections: list[tuple[int, SectionKind]] = field(default_factory=list)
    approaches: list[int] = field(default_factory=list)
    checks: dict[int, VerificationKind] = field(default_factory=dict)
    errors: list[tuple[int, ErrorKind, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Program:
    """All questions about one trace. Made anew for each.

    Attributes:
        asker, budget: the engine's.
        trace, found: what is asked about.
        by_rules: the rules judge's annotation of it, for steps that fail.
        account: what it costs.
    """

    asker: Asker
    budget: TokenBudget
    trace: Trace
    found: Findings
    by_rules: Annotation
    account: Account
    _failed: dict[JudgeStep, str] = field(default_factory=dict)

    async def run(self) -> tuple[Structure, Mapping[int, Label], Sequence[int], Sequence[int], _Marks]:
        """Structure, labels by opinion, clusters of approaches and of checks, and all marks.

        Raises:
            JudgeDied: the engine is gone.
        """
        count = len(self.found.segments)
        opening = self.asker.opening(self.trace, self._shown_reference())
        room = self.asker.engine.max_context - self.asker.reserve - len(opening)
        room = max(room - self.asker.engine.block_tokens, 64)
        shown = self.asker.numbered(self.found.segments, room // 2, self.found.loops)
        costs = [len(segment.ids) for segment in shown]
        windows = split_windows(costs, room)
        if len(windows) == 1:
            shared = self.asker.shared(opening, shown, count)
            async with self.budget.hold(len(shared) + self.asker.reserve):
                marks = await self._read_window(shared, windows[0])
                return await self._conclude(shared, marks)
        parts = await _all(self._admitted(opening, shown, window) for window in windows)
        marks = _merged(parts)
        structure = self._structure(marks)
        items = structure.ranges(EXPLORE) + structure.ranges(VERIFY)
        chosen = chosen_segments(items, costs, min(room, _DIGEST * len(items)))
        shared = self.asker.shared(opening, [shown[segment] for segment in chosen], count) if chosen else ()
        async with self.budget.hold(len(shared) + self.asker.reserve):
            return await self._conclude(shared, marks)

    def statuses(self) -> tuple[StepStatus, ...]:
        """How each step was decided, with its cost. After `run`."""
        rules = {status.step: status for status in self.by_rules.steps}
        made = []
        for step in JudgeStep:
            cost = self.account.tokens.get(step)
            asked, again = self.account.questions.get(step, 0), self.account.reasked.get(step, 0)
            status = rules[step]
            if step in self._failed:
                note = f"the rules' answer: {self._failed[step]}"[:_NOTE]
                status = StepStatus(step, status.source, status.confidence, note)
            elif asked:
                confidence = _REASKED_CONFIDENCE if again else _MODEL_CONFIDENCE
                status = StepStatus(step, Source.MODEL, confidence)
            elif step in (JudgeStep.MACRO, JudgeStep.APPROACHES, JudgeStep.VERIFICATIONS, JudgeStep.CLUSTERS):
                # Nothing to ask follows from what the model said: one approach is one cluster.
                status = StepStatus(step, Source.MODEL, _MODEL_CONFIDENCE)
            if cost is not None:
                status = StepStatus(step, status.source, status.confidence, status.note, cost, asked, again)
            made.append(status)
        return tuple(made)

    def _shown_reference(self) -> str | None:
        """The reference, unless it is only what the trace itself says last: that proves nothing."""
        given = self.found.reference_kind in (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)
        return self.found.reference if given else None

    async def _admitted(
        self, opening: Sequence[int], shown: Sequence[ShownSegment], window: Window
    ) -> _Marks:
        segments = shown[window.start : window.stop]
        shared = self.asker.shared(opening, segments, len(shown))
        async with self.budget.hold(len(shared) + self.asker.reserve):
            return await self._read_window(shared, window)

    async def _read_window(self, shared: Sequence[int], window: Window) -> _Marks:
        """Sections first (it fills the cache), then everything that depends on nothing else."""
        marks = _Marks()
        sections = await self._try(self._ask_sections(shared, window), JudgeStep.MACRO)
        if sections is None:
            errors = await self._try(
                self._ask_errors(shared, ((window.start, window.stop),)), JudgeStep.ERRORS
            )
        else:
            runs = sections_from(sections, window.stop)
            runs = (Run(runs[0].kind, window.start, runs[0].stop), *runs[1:])
            explored = tuple((run.start, run.stop) for run in runs if run.kind is EXPLORE)
            verified = tuple((run.start, run.stop) for run in runs if run.kind is VERIFY)
            starts, checks, errors = await _three(
                self._try(self._ask_approaches(shared, explored), JudgeStep.APPROACHES),
                self._try(self._ask_checks(shared, verified), JudgeStep.VERIFICATIONS),
                self._try(self._ask_errors(shared, explored), JudgeStep.ERRORS),
            )
            marks.sections = _owned_sections(sections, window)
            marks.approaches = [segment for segment in starts or () if _owns(window, segment)]
            marks.checks = {segment: kind for segment, kind in checks or () if _owns(window, segment)}
        marks.errors = [error for error in errors or () if _owns(window, error[0])]
        return marks

    async def _conclude(
        self, shared: Sequence[int], marks: _Marks
    ) -> tuple[Structure, Mapping[int, Label], Sequence[int], Sequence[int], _Marks]:
        structure = await self._completed(shared, self._structure(marks))
        explored, verified = structure.ranges(EXPLORE), structure.ranges(VERIFY)
        labels, approaches, checks = await _three(
            self._try(self._ask_labels(shared, explored), JudgeStep.LABELS),
            self._try(self._ask_clusters(shared, explored, "approaches"), JudgeStep.CLUSTERS),
            self._try(self._ask_clusters(shared, verified, "checks"), JudgeStep.CLUSTERS),
        )
        return (
            structure,
            labels or {},
            self._clusters_by_rules(explored) if approaches is None else approaches,
            self._clusters_by_rules(verified) if checks is None else checks,
            marks,
        )

    def _structure(self, marks: _Marks) -> Structure:
        """From the marks, or from the rules where they are missing or say that nothing was tried."""
        count = len(self.found.segments)
        runs = sections_from(marks.sections, count) if JudgeStep.MACRO not in self._failed else ()
        if count and not any(run.kind is EXPLORE for run in runs):
            self._failed.setdefault(JudgeStep.MACRO, "no section works towards an answer")
            for step in (JudgeStep.APPROACHES, JudgeStep.VERIFICATIONS):
                self._failed.setdefault(step, "the sections are the rules'")
            runs = _runs_of(self.by_rules)
            return Structure(runs, {v.start: v.kind for v in self.by_rules.verifications})
        starts: Iterable[int] = marks.approaches
        if JudgeStep.APPROACHES in self._failed:
            starts = [approach.start for approach in self.by_rules.approaches]
        kinds: Mapping[int, VerificationKind] = marks.checks
        if JudgeStep.VERIFICATIONS in self._failed:
            kinds = {check.start: check.kind for check in self.by_rules.verifications}
        runs = cut_runs(runs, EXPLORE, starts)
        return Structure(cut_runs(runs, VERIFY, kinds), kinds)

    async def _completed(self, shared: Sequence[int], structure: Structure) -> Structure:
        """DLCoT 2.3. Evidence first: the first segment of the check that states an answer."""
        candidate = self.found.answers.candidate
        last = unanswered_last(structure, candidate)
        if last is None:
            return structure
        check = structure.runs[last + 1]
        segment = next((i for i in range(check.start, check.stop) if candidate[i]), None)
        if segment is None and shared:
            ranges = ((check.start, check.stop),)
            question = self.asker.prompts.render("complete_answer", ranges=answers.spoken(ranges))
            language = answers.segment_language(ranges)
            asked = self._shared_ask(shared, JudgeStep.COMPLETE, question, language, answers.read_segment)
            segment = await self._try(asked, JudgeStep.COMPLETE)
        return structure if segment is None else completed_by(structure, last, segment)

    async def _ask_sections(
        self, shared: Sequence[int], window: Window
    ) -> tuple[tuple[int, SectionKind], ...]:
        start, stop = window.start, window.stop
        question = self.asker.prompts.render("macro_structure", first=start + 1, last=stop)
        language = answers.sections_language(start, stop)
        return await self.asker.ask(
            self.account, JudgeStep.MACRO, shared, question, language, answers.read_sections
        )

    async def _ask_approaches(self, shared: Sequence[int], ranges: answers.Ranges) -> tuple[int, ...]:
        if not ranges or all(stop - start == 1 for start, stop in ranges):
            return ()
        question = self.asker.prompts.render("approaches", ranges=answers.spoken(ranges))
        language = answers.starts_language(ranges)
        return await self.asker.ask(
            self.account, JudgeStep.APPROACHES, shared, question, language, answers.read_starts
        )

    async def _ask_checks(
        self, shared: Sequence[int], ranges: answers.Ranges
    ) -> tuple[tuple[int, VerificationKind], ...]:
        if not ranges:
            return ()
        question = self.asker.prompts.render("verifications", ranges=answers.spoken(ranges))
        language = answers.starts_language(ranges, answers.MAX_CHECKS, "".join(answers.CHECK_LETTERS))
        return await self.asker.ask(
            self.account, JudgeStep.VERIFICATIONS, shared, question, language, answers.read_checks
        )

    async def _ask_errors(
        self, shared: Sequence[int], ranges: answers.Ranges
    ) -> tuple[tuple[int, ErrorKind, bool], ...]:
        if not ranges:
            return ()
        question = self.asker.prompts.render("errors", ranges=answers.spoken(ranges))
        language = answers.errors_language(ranges)
        return await self.asker.ask(
            self.account, JudgeStep.ERRORS, shared, question, language, answers.read_errors
        )

    async def _ask_labels(self, shared: Sequence[int], ranges: answers.Ranges) -> dict[int, Label]:
        """The model's labels of approaches whose answer could not be computed or compared."""
        kind = self.found.reference_kind
        compared = kind in (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)
        letters: dict[int, str] = {}
        for index, (start, stop) in enumerate(ranges):
            label, _, _ = label_range(self.found.answers, start, stop, kind)
            if label is Label.UNKNOWN:
                letters[index] = "CIN"
            elif label is Label.INCOMPLETE:
                # No answer equal to the reference stands there: "correct" is not for opinion to give.
                letters[index] = "IN" if compared else "CIN"
        labels: dict[int, Label] = {}
        for chunk in _chunks(list(letters)):
            named = self._named(ranges, chunk)
            question = self.asker.prompts.render("labels", items=named)
            language = answers.labels_language({index + 1: letters[index] for index in chunk})
            found = await self._shared_ask(shared, JudgeStep.LABELS, question, language, answers.read_labels)
            labels.update({item - 1: label for item, label in found.items()})
        return labels

    async def _ask_clusters(
        self, shared: Sequence[int], ranges: answers.Ranges, what: str
    ) -> tuple[int, ...]:
        """One cluster number per range."""
        roots = {0: 0}
        for chunk in _chunks(list(range(1, len(ranges)))):
            earlier = sorted(set(roots.values()))
            question = self.asker.prompts.render(
                "clusters", what=what, items=self._named(ranges, [*earlier, *chunk])
            )
            language = answers.clusters_language([i + 1 for i in chunk], [i + 1 for i in earlier])
            found = await self._shared_ask(
                shared, JudgeStep.CLUSTERS, question, language, answers.read_clusters
            )
            roots.update({item - 1: root - 1 for item, root in found.items()})
        return numbered_clusters([roots[index] for index in range(len(ranges))])

    async def _shared_ask(
        self, shared: Sequence[int], step: JudgeStep, question: str, language: answers.Language, read: Any
    ) -> Any:
        if not shared:
            raise QuestionFailed("none of its segments fits the context")
        return await self.asker.ask(self.account, step, shared, question, language, read)

    async def _try(self, question: Coroutine[Any, Any, T], step: JudgeStep) -> T | None:
        try:
            return await question
        except QuestionFailed as error:
            self._failed.setdefault(step, str(error))
            return None

    def _clusters_by_rules(self, ranges: answers.Ranges) -> tuple[int, ...]:
        texts = ["".join(self.found.segments[start:stop]) for start, stop in ranges]
        return assign_clusters(texts, self.trace.problem).numbers

    @staticmethod
    def _named(ranges: answers.Ranges, items: Sequence[int]) -> str:
        return ", ".join(f"{item + 1} (segments {answers.spoken([ranges[item]])})" for item in items)


def assemble(program: Program, outcome: Any, fingerprint: str, identity: str) -> Annotation:
    """The annotation of a trace whose program has run."""
    structure, labels, clusters, check_clusters, marks = outcome
    found, account = program.found, program.account
    return Annotation(
        trace_id=program.trace.trace_id,
        fingerprint=fingerprint,
        judge=identity,
        segment_offsets=found.offsets,
        sections=sections_of(structure.runs),
        approaches=approaches_of(structure, found, labels, clusters, marks.errors),
        verifications=verifications_of(structure, found.segments, check_clusters),
        reference=found.reference,
        reference_kind=found.reference_kind,
        first_correct_segment=found.first_correct_segment,
        loops=found.loops,
        truncated=found.truncated,
        steps=program.statuses(),
        tokens=account.total(),
        replies=tuple(account.replies),
    )


def _runs_of(annotation: Annotation) -> tuple[Run, ...]:
    """The runs that an annotation was made of."""
    runs = [Run(EXPLORE, a.start, a.stop) for a in annotation.approaches]
    runs += [Run(VERIFY, v.start, v.stop) for v in annotation.verifications]
    runs += [Run(s.kind, s.start, s.stop) for s in annotation.sections if s.kind not in (EXPLORE, VERIFY)]
    return tuple(sorted(runs, key=lambda run: run.start))


def _merged(parts: Sequence[_Marks]) -> _Marks:
    merged = _Marks()
    for part in parts:
        for segment, kind in part.sections:
            if not merged.sections or merged.sections[-1][1] is not kind:
                merged.sections.append((segment, kind))
        merged.approaches += part.approaches
        merged.checks |= part.checks
        merged.errors += part.errors
    return merged


def _owned_sections(
    sections: Sequence[tuple[int, SectionKind]], window: Window
) -> list[tuple[int, SectionKind]]:
    """The marks within the window's own segments, and before them what holds where these begin."""
    before = [kind for segment, kind in sections if segment <= window.own_start]
    owned = [(segment, kind) for segment, kind in sections if window.own_start < segment < window.own_stop]
    return [(window.own_start, before[-1] if before else sections[0][1]), *owned]


def _owns(window: Window, segment: int) -> bool:
    return window.own_start <= segment < window.own_stop


def _chunks(items: Sequence[int]) -> list[Sequence[int]]:
    size = answers.ITEMS_PER_QUESTION
    return [items[at : at + size] for at in range(0, len(items), size)]


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; the first fault cancels the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as stopped:
        raise stopped.exceptions[0] from None
    return [task.result() for task in tasks]


async def _three(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    return await _all(work)
