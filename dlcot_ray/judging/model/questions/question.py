"""What a question of the model judge is: the type of the entries of `table.py`.

In: what is known of a trace when the question is asked (`Scope`). Out: requests (`Part`), each with the
language of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from dlcot_ray.core.annotation import Annotation, JudgeStep, SectionKind
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model.questions.answers import Language
from dlcot_ray.judging.model.structure import Ranges, Structure
from dlcot_ray.judging.model.windows import Window

A = TypeVar("A")


class When(StrEnum):
    """When a question is asked. Questions with one `When` are asked at once, unless `FIRST`."""

    FIRST = "first"
    """In each window, before all others: it fills the prefix cache, and its answer bounds them."""
    WINDOW = "window"
    """In each window, once the answer to the first question is known."""
    COMPLETION = "completion"
    """Once about the trace, on the structure that the windows' answers give."""
    WHOLE = "whole"
    """Once about the trace, on the completed structure."""
    LAST = "last"
    """Once about the trace, on the answers to all others."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known about a trace when a question is asked.

    Attributes:
        start, stop: the segments of the window, or of the trace.
        found: the computed evidence.
        structure: None before the first question is answered, and where it failed.
        is_shown: whether any segment fits the prompt.
        against: the lines that show the reference and say what it is.
        answers: the answers to the questions about the whole trace so far.
    """

    start: int
    stop: int
    found: Findings
    structure: Structure | None = None
    is_shown: bool = True
    against: str = ""
    answers: Mapping[Any, Any] = field(default_factory=dict)

    def ranges(self, kind: SectionKind) -> Ranges:
        """The structure's runs of one kind; none without a structure."""
        return self.structure.ranges(kind) if self.structure is not None else ()


@dataclass(frozen=True, slots=True)
class Part:
    """One request. Most questions have one; those about many items have several.

    Attributes:
        values: the values of the names in the wording.
        language: the answers allowed.
        ranges: the segments in question, `[start, stop)`.
        items: numbers, counted from 1, of the approaches or checks that the answer names.
    """

    values: Mapping[str, object]
    language: Language
    ranges: Ranges = ()
    items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Question(Generic[A]):
    """A question with answers of type `A`.

    Attributes:
        step: the step of the method that its cost and confidence count for.
        wording: a key of the prompts file, or the text itself, with a `$name` for each of a part's values.
        when: see `When`.
        next_part: the next request, from the scope and the answers to the earlier ones; None: no more.
            No part at all: the question is not asked.
        read: turns the answer's text into a value; raises `AnswerInvalid` where it cannot be true.
        join: one answer from those of all parts and windows.
        assumed: the answer to a part that a dry run takes, from the rules judge's annotation.
        also: further steps that its answer decides.
        option: asked only where this is one of the judge's options (`ask`); empty: always.
        implied: the step counts as the model's where nothing was asked: its answer follows from others.
        apply: puts the answer into the annotation; None for the questions that `assembly.py` builds it from.
        vote: one answer from several to the same request, and how far they agree, 0..1; None: asked once,
            whatever the number of votes.
        spare: stands for the answer to a part that fails, beside those to the others; the step fails where
            all parts do. None: the step fails with any of its parts.
    """

    step: JudgeStep
    wording: str
    when: When
    next_part: Callable[[Scope, Sequence[A]], Part | None]
    read: Callable[[str], A]
    join: Callable[[Sequence[tuple[Window, A]]], A]
    assumed: Callable[[Annotation, Part], str]
    also: tuple[JudgeStep, ...] = ()
    option: str = ""
    implied: bool = False
    apply: Callable[[Annotation, A], Annotation] | None = None
    vote: Callable[[Sequence[A]], tuple[A, float]] | None = None
    spare: A | None = None
