"""What a trace is: the problem, the long chain of thought, and what it should arrive at.

Segments, evidence, judges and policies use this frozen dataclass and never the row that it came from. So only
`inputs` depends on the layout of a data set.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_TRACE_CHARS = 2_000_000
"""A longer reasoning is not judged, unless a job sets another limit (code points)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One long chain-of-thought trace.

    Attributes:
        trace_id: unique within a job.
        problem: the question as the student will see it; may be empty.
        reasoning: the thinking text, exactly as the teacher wrote it, without its tags.
        ground_truth: the known final answer, or None where there is none.
        response: the text that followed the thinking (the teacher's visible answer), or None.
        other_truths: further answers that are right too.
    """

    trace_id: str
    problem: str
    reasoning: str
    ground_truth: str | None = None
    response: str | None = None
    other_truths: tuple[str, ...] = ()
