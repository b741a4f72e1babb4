"""Looks at single traces in processes of this machine: judges them, and finds their figures.

The work is one function over some traces, so a sample needs no cluster. The texts never leave the process
that has them, except those that the page shows.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

from dlcot_ray.commands.profiling.reading import Grouped
from dlcot_ray.config.groups import DEFAULT_JUDGE
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.loading import load_judge
from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.enhance import Draft
from dlcot_ray.core.policies.baselines import baseline
from dlcot_ray.core.policies.registry import POLICIES, parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import MAX_TRACE_CHARS, Trace
from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.outputs.schemas import edit_rows, gate_rows
from dlcot_ray.profiling.copies import Mark, mark_of
from dlcot_ray.profiling.figures import chosen_share, figures_of
from dlcot_ray.profiling.groups import Cut, Profiled
from dlcot_ray.report.detail import trace_detail
from dlcot_ray.report.facts import RowFacts
from dlcot_ray.report.payload import to_json
from dlcot_ray.report.stored import Place, StoredTrace
from dlcot_ray.report.words import rule_of
from dlcot_ray.work.editing import draft_of
from dlcot_ray.work.judging import Judged, judge_all
from dlcot_ray.work.rows.budget import RowBudget, TimedJudge

CHUNK = 8
"""Traces of one task of a process."""
ROW_SECONDS = 120.0

T = TypeVar("T")
R = TypeVar("R")


def judge_identity() -> str:
    """Name and version of the judge of a profile."""
    judge = make_judge(load_judge(DEFAULT_JUDGE, {}))
    try:
        return judge.identity
    finally:
        judge.close()


@dataclass(frozen=True, slots=True)
class Looked:
    """What is kept of a trace.

    Attributes:
        found: its figures; None where the judge failed on it.
        reason: why it was not judged, else empty.
        mark: of its text, to find copies.
        facts: what the page lists; its place has the number -1.
    """

    found: Profiled | None
    reason: str
    mark: Mark
    facts: RowFacts


class Looker:
    """Looks at traces in one process. It keeps one judge.

    Args:
        policies: those that are applied with their gates; the first one decides what the page shows.
    """

    def __init__(self, policies: Sequence[str]) -> None:
        self._policies = [parse_policy(name) for name in policies]
        self._all = [parse_policy(name) for name in POLICIES]
        self._all += [item for item in self._policies if item.expression not in POLICIES]
        self._budget = RowBudget(ROW_SECONDS)
        self._judge: Judge = TimedJudge(make_judge(load_judge(DEFAULT_JUDGE, {})), self._budget)
        self._judge.start()

    def look(self, items: Sequence[Grouped]) -> list[Looked]:
        """The figures of some traces."""
        return [self._look(item, judged) for item, judged in zip(items, self._judged(items), strict=True)]

    def details(self, items: Sequence[tuple[int, Grouped, tuple[str, ...]]]) -> list[str]:
        """The JSON that the page shows of some traces: number, trace, names of its groups."""
        judged = self._judged([item for _, item, _ in items])
        return [
            to_json(trace_detail(self._stored(number, item, names, found)))
            for (number, item, names), found in zip(items, judged, strict=True)
        ]

    def close(self) -> None:
        """Stop the judge."""
        self._judge.close()

    def _judged(self, items: Sequence[Grouped]) -> list[Judged]:
        traces = [(number, item.trace) for number, item in enumerate(items)]
        return asyncio.run(judge_all(traces, self._judge, MAX_TRACE_CHARS, 1))

    def _look(self, item: Grouped, judged: Judged) -> Looked:
        trace = item.trace
        drafts = [draft_of(judged, policy, self._budget) for policy in self._policies]
        found = None if judged.reason else self._profiled(item, judged.annotation, drafts)
        facts = _facts(item, judged, drafts[0], found)
        return Looked(found, judged.reason, mark_of(trace.reasoning), facts)

    def _profiled(self, item: Grouped, annotation: Annotation, drafts: Sequence[Draft]) -> Profiled:
        settled = drafts[0].annotation
        size = len(item.trace.reasoning) or 1
        cuts = {
            made.policy.expression: Cut(
                1 - len(made.enhancement.reasoning) / size,
                made.enhancement.status.value,
                made.enhancement.reason,
            )
            for made in drafts
        }
        chosen = {
            policy.expression: chosen_share(settled, policy)
            for policy in self._all
            if baseline(policy.expression) is None
        }
        return Profiled(item.trace.trace_id, item.groups, figures_of(item.trace, annotation), chosen, cuts)

    def _stored(self, number: int, item: Grouped, names: Sequence[str], judged: Judged) -> StoredTrace:
        made = draft_of(judged, self._policies[0], self._budget)
        before, after = _tokens(item.trace, made)
        row = {
            "trace_id": item.trace.trace_id,
            "input_row": None,
            "status": made.enhancement.status.value,
            "status_reason": made.enhancement.reason,
            "policy": made.policy.expression,
            "judge": judged.annotation.judge,
            "tokens_before": before,
            "tokens_after": after,
            "gates": gate_rows(made.enhancement),
            "edits": edit_rows(made.enhancement, judged.annotation.segment_offsets),
        }
        extra = {name: value for name, value in zip(names, item.groups, strict=True) if value}
        annotation = None if judged.reason else judged.annotation
        return StoredTrace(Place("", number), item.trace, row, extra, annotation)


def _facts(item: Grouped, judged: Judged, made: Draft, found: Profiled | None) -> RowFacts:
    offsets, enhancement = judged.annotation.segment_offsets, made.enhancement
    cuts: dict[str, int] = {}
    for edit in edit_rows(enhancement, offsets):
        if edit["op"] in ("drop", "replace"):
            rule = rule_of(edit["reason"])
            cuts[rule] = cuts.get(rule, 0) + edit["stop"] - edit["start"]
    figures = found.figures if found is not None else None
    behind = figures.behind_answer if figures is not None else None
    labels = [step.confidence for step in judged.annotation.steps if step.step is JudgeStep.LABELS]
    before, after = _tokens(item.trace, made)
    return RowFacts(
        Place("", -1),
        item.trace.trace_id,
        enhancement.status.value,
        enhancement.reason,
        item.groups,
        before,
        after,
        tuple(gate.name for gate in enhancement.gates if not gate.passed),
        cuts,
        figures.approaches if figures is not None else -1,
        figures.checks if figures is not None else -1,
        -1.0 if behind is None else round(1 - behind, 4),
        -1.0 if figures is None else round(min(labels, default=1.0), 4),
    )


def _tokens(trace: Trace, made: Draft) -> tuple[int, int]:
    before = estimate_tokens(trace.reasoning)
    changed = made.enhancement.reasoning != trace.reasoning
    return before, estimate_tokens(made.enhancement.reasoning) if changed else before


_looker: Looker | None = None


def _begin(policies: Sequence[str]) -> None:
    global _looker
    _looker = Looker(policies)


def _look(items: Sequence[Grouped]) -> list[Looked]:
    assert _looker is not None
    return _looker.look(items)


def _details(items: Sequence[tuple[int, Grouped, tuple[str, ...]]]) -> list[str]:
    assert _looker is not None
    return _looker.details(items)


class Pool:
    """Processes that look at traces; with one worker it is this process.

    Args:
        workers: number of processes.
        policies: as for `Looker`.
    """

    def __init__(self, workers: int, policies: Sequence[str]) -> None:
        self._workers = workers
        self._own = Looker(policies) if workers == 1 else None
        self._pool = (
            None
            if workers == 1
            else ProcessPoolExecutor(
                workers, multiprocessing.get_context("spawn"), _begin, (tuple(policies),)
            )
        )

    def look(self, items: Iterable[Grouped]) -> Iterator[tuple[Grouped, Looked]]:
        """The figures of traces, in their order."""
        run = self._own.look if self._own is not None else _look
        for chunk, found in self._mapped(_chunks(items), run):
            yield from zip(chunk, found, strict=True)

    def details(self, items: Sequence[tuple[int, Grouped, tuple[str, ...]]]) -> list[str]:
        """The JSON of traces for the page."""
        run = self._own.details if self._own is not None else _details
        return [text for _, found in self._mapped(_chunks(items), run) for text in found]

    def close(self) -> None:
        """End the processes."""
        if self._own is not None:
            self._own.close()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _mapped(
        self, chunks: Iterable[list[T]], run: Callable[[list[T]], list[R]]
    ) -> Iterator[tuple[list[T], list[R]]]:
        if self._pool is None:
            yield from ((chunk, run(chunk)) for chunk in chunks)
            return
        waiting: deque[tuple[list[T], Future[list[R]]]] = deque()
        try:
            for chunk in chunks:
                waiting.append((chunk, self._pool.submit(run, chunk)))
                if len(waiting) > 4 * self._workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        except BrokenProcessPool as error:
            raise JobError(
                "a process that looks at traces ended (out of memory, or killed)",
                "set workers=1, or a smaller sample=",
            ) from error


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
