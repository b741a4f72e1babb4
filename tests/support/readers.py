"""A skilled reader in the place of a model: answers the judge's questions from labels of whole traces."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dlcot_ray.core.annotation import Annotation, SectionKind, VerificationKind
from dlcot_ray.judging.model.dry_run import DryRunEngine
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.questions.marks import Mark, write_structure

Row = Mapping[str, Any]
"""Labels of a trace, as `dlcot evaluate` reads them."""

_QUESTION = re.compile(r"\n([A-Z]+) (?:of|within|key step in) ([^\n]*)\?")
_ITEM = re.compile(r"(\d+) \(segments")
_LETTERS = {"correct": "C", "incorrect": "I", "incomplete": "N", None: "U"}
_PARTS = ("approaches", "verifications")


def marks_of_labels(row: Row) -> list[Mark]:
    """The parts that a reader named, in order."""
    marks = [
        Mark(s["start"], SectionKind(s["kind"]))
        for s in row["sections"]
        if s["kind"] not in ("solution_explore", "verify")
    ]
    marks += [Mark(a["start"], SectionKind.SOLUTION_EXPLORE) for a in row["approaches"]]
    for check in row["verifications"]:
        latest = sum(a["start"] < check["start"] for a in row["approaches"]) - 1
        of = None if check["approach"] == latest else check["approach"]
        marks.append(Mark(check["start"], SectionKind.VERIFY, VerificationKind(check["kind"]), of))
    return sorted(marks, key=lambda mark: mark.segment)


def is_whole(row: Row) -> bool:
    """Whether a reader named each segment once: no gaps, and sections of one kind joined."""
    kinds = [s["kind"] for s in row["sections"]]
    parts = Counter(i for name in _PARTS for part in row[name] for i in range(part["start"], part["stop"]))
    inside = Counter(
        i
        for s in row["sections"]
        if s["kind"] in ("solution_explore", "verify")
        for i in range(s["start"], s["stop"])
    )
    joined = all(one != other for one, other in itertools.pairwise(kinds))
    return bool(kinds) and joined and parts == inside


class ReaderEngine(DryRunEngine):
    """Answers from `row`, and counts questions and their tokens as a dry run does.

    Attributes:
        row: of the trace that is judged next.
        questions: how often each was asked.
        strayed: answers that were not in the language of their question.
    """

    def __init__(self, tokenizer: Any, max_context: int = 32_768) -> None:
        super().__init__(tokenizer, max_context)
        self.row: Row = {}
        self.questions: Counter[str] = Counter()
        self.strayed: list[str] = []

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        word, items = _QUESTION.findall(self.tokenizer.decode(prompt[-1200:]))[-1]
        self.questions[word] += 1
        answer = self._answer(word, items, constraint.value)
        if re.fullmatch(constraint.value, answer) is None:
            self.strayed.append(answer)
        return await super().complete(
            prompt, Constraint(constraint.kind, constraint.value, answer), max_tokens, seed=seed
        )

    def _answer(self, word: str, items: str, language: str) -> str:
        match word:
            case "STRUCTURE":
                return write_structure(marks_of_labels(self.row))
            case "ANSWER":
                return "B"
            case "ERRORS":
                return "E:"
            case "LABELS":
                return " ".join(self._label(int(item)) for item in _ITEM.findall(items))
            case "CLUSTERS":
                methods = [approach.get("method") for approach in self.row["approaches"]]
                asked = map(int, re.findall(r"(\d+):\(\?", language))
                return " ".join(f"{item}:{methods.index(methods[item - 1]) + 1}" for item in asked)
            case "SAME":
                return "y"
        raise AssertionError(f"no answer to {word}")

    def _label(self, item: int) -> str:
        approach, first = self.row["approaches"][item - 1], self.row["first_correct_segment"]
        letter = _LETTERS[approach.get("label")]
        if letter not in "CI":
            return f"{item}:{letter}"
        stands = letter == "C" and first is not None and approach["start"] <= first < approach["stop"]
        return f"{item}:{letter}{first + 1 if stands else approach['stop']}"


def read_back(annotation: Annotation) -> Row:
    """Sections, approaches and checks of an annotation, as a row of labels has them."""
    return {
        "sections": [{"kind": s.kind.value, "start": s.start, "stop": s.stop} for s in annotation.sections],
        "approaches": [(a.start, a.stop) for a in annotation.approaches],
        "verifications": [
            {"start": v.start, "stop": v.stop, "kind": v.kind.value, "approach": v.approach}
            for v in annotation.verifications
        ],
    }
