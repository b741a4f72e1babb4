"""What kind of task a problem sets, and whether a known answer can be compared with at all.

In: a problem, the visible reply, the known answer. Out: a `TaskKind`. Only the closed kinds (a value, an option,
yes or no) have a reference. Code, proofs, explanations and several questions at once have no single value on
which a trace could be right.
"""

from __future__ import annotations

import re
from enum import StrEnum

from dlcot_ray.core.stating.question import asks_several, is_yes_no, read_question

LONGEST_VALUE = 60
"""Words of prose from which a known answer is an explanation, unless it boxes its value."""

_CODE = re.compile(
    r"```|~~~|^\s{0,8}(?:def \w+\(|class \w+[(:{]|import \w+|from \w+ import |#include\s?<|public (?:static|class) "
    r"|function \w+\(|SELECT .{1,80} FROM )",
    re.MULTILINE,
)
_PROOF = re.compile(r"\b(?:prove|show) (?:that|by|the|this|it)\b|\bprove[.:]", re.IGNORECASE)
_WORD = re.compile(r"(?<![\\\w])[A-Za-z]{2,}")


class TaskKind(StrEnum):
    """What a problem asks for."""

    VALUE = "value"
    OPTION = "option"
    YES_NO = "yes_no"
    CODE = "code"
    PROOF = "proof"
    SEVERAL = "several"
    """More than one question, so that no single answer settles it."""
    OPEN = "open"

    @property
    def closed(self) -> bool:
        """Whether one short answer settles the task."""
        return self in (TaskKind.VALUE, TaskKind.OPTION, TaskKind.YES_NO)


def task_of(problem: str, response: str | None) -> TaskKind:
    """The kind of a problem whose answer is not known. Raises nothing for any text."""
    question = read_question(problem)
    if _CODE.search(response or ""):
        return TaskKind.CODE
    if asks_several(problem):
        return TaskKind.SEVERAL
    if not question.closed:
        return TaskKind.PROOF if _PROOF.search(problem) else TaskKind.OPEN
    if question.options:
        return TaskKind.OPTION
    return TaskKind.YES_NO if is_yes_no(problem) else TaskKind.VALUE


def is_comparable(truth: str) -> bool:
    """Whether a known answer is one that a value can equal: no code, and no page of prose without a box."""
    if _CODE.search(truth):
        return False
    return "\\boxed" in truth or len(_WORD.findall(truth)) < LONGEST_VALUE
