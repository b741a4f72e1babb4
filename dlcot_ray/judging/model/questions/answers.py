"""The language of each answer, and its reading: segment numbers and letters, never text.

In: segments and items that a question is about. Out: a regular expression that constrains the answer, and the
answer's value. The numbers of the expression are exactly those that the trace has, so a model cannot name
what does not exist. White space is fixed and the number of items is bounded, so `max_chars` bounds the
tokens. What a regular language cannot express (numbers ascend, a kind fits its place) is checked on reading;
`AnswerInvalid` then means that the question is asked again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import ErrorKind, Label, SectionKind, VerificationKind

SECTION_LETTERS: Mapping[str, SectionKind] = {
    "Q": SectionKind.QUESTION_REPEAT,
    "P": SectionKind.PROBLEM_UNDERSTAND,
    "S": SectionKind.SOLUTION_EXPLORE,
    "V": SectionKind.VERIFY,
    "C": SectionKind.CONCLUSION,
}
CHECK_LETTERS: Mapping[str, VerificationKind] = {
    "K": VerificationKind.CHECK,
    "A": VerificationKind.AFFIRMATION,
    "N": VerificationKind.NEGATION,
}
LABEL_LETTERS: Mapping[str, Label] = {"C": Label.CORRECT, "I": Label.INCORRECT, "N": Label.INCOMPLETE}
ERROR_LETTERS: Mapping[str, ErrorKind] = {"K": ErrorKind.CALCULATION, "D": ErrorKind.DERIVATION}

MAX_SECTIONS = 24
MAX_APPROACHES = 16
MAX_CHECKS = 24
MAX_ERRORS = 12
"""Items of one answer (of one window); real traces have 1-6 approaches and up to about 20 checks."""
ITEMS_PER_QUESTION = 16
"""Approaches or checks that one question about labels or clusters names."""


class AnswerInvalid(Exception):
    """The answer matches its regular expression but is impossible for any trace."""


@dataclass(frozen=True, slots=True)
class Language:
    """The allowed answers. `max_chars`, their maximum length, also bounds their tokens."""

    regex: str
    max_chars: int


Ranges = Sequence[tuple[int, int]]
"""Segment ranges `[start, stop)`, counted from 0 as everywhere in the package; prompts count from 1."""


def sections_language(start: int, stop: int) -> Language:
    """For `SECTIONS` of segments `[start, stop)`.

    The first segment has a letter; Q and P stand at the beginning, S and V alternate, C comes last. A trace
    from its first segment has an S: without work towards an answer there is nothing to judge.
    """
    first, number = start + 1, number_regex(start + 1, stop)
    width = len(str(stop)) + 2
    if stop - start == 1:
        return Language(f"{first}[SVC]" if start else f"{first}S", width)
    pairs = max(0, min(MAX_SECTIONS - 4, stop - start - 2) // 2)
    work = f"S(?: {number}V {number}S){{0,{pairs}}}(?: {number}V)?"
    check = f"V(?: {number}S {number}V){{0,{pairs}}}(?: {number}S)?"
    heads = [f"{first}{work}", f"{first}(?:Q|P) {number}{work}"]
    if stop - start > 2:
        heads.append(f"{first}Q {number}P {number}{work}")
    if start:
        heads += [f"{first}{check}", f"{first}C"]
    return Language(f"(?:{'|'.join(heads)})(?: {number}C)?", (2 * pairs + 5) * width)


def read_sections(text: str) -> tuple[tuple[int, SectionKind], ...]:
    """First segments and kinds, ascending from `start`; neighbours of one kind are joined.

    Raises:
        AnswerInvalid: the segments do not ascend.
    """
    marks = [(int(item[:-1]) - 1, SECTION_LETTERS[item[-1]]) for item in text.split()]
    _check_ascending([segment for segment, _ in marks])
    joined: list[tuple[int, SectionKind]] = []
    for segment, kind in marks:
        if not joined or joined[-1][1] is not kind:
            joined.append((segment, kind))
    return tuple(joined)


def starts_language(ranges: Ranges, most: int = MAX_APPROACHES, letters: str = "") -> Language:
    """For `APPROACHES` and `CHECKS`: segments within `ranges`, each with one of `letters` if there are
    any."""
    most = min(most, _segments(ranges))
    number = _within(ranges)
    item = f"{number}[{letters}]" if letters else number
    width = len(str(max(stop for _, stop in ranges))) + 1 + bool(letters)
    return Language(f"(?:0|{item}(?: {item}){{0,{most - 1}}})", most * width)


def read_starts(text: str) -> tuple[int, ...]:
    """Segments that begin an approach, ascending.

    Raises:
        AnswerInvalid: they do not ascend.
    """
    segments = [] if text == "0" else [int(item) - 1 for item in text.split()]
    _check_ascending(segments)
    return tuple(segments)


def read_checks(text: str) -> tuple[tuple[int, VerificationKind], ...]:
    """Segments that begin a check, ascending, and their kinds.

    Raises:
        AnswerInvalid: they do not ascend.
    """
    items = [] if text == "0" else text.split()
    found = [(int(item[:-1]) - 1, CHECK_LETTERS[item[-1]]) for item in items]
    _check_ascending([segment for segment, _ in found])
    return tuple(found)


def segment_language(ranges: Ranges) -> Language:
    """For `ANSWER`: one segment within `ranges`, or 0."""
    return Language(f"(?:0|{_within(ranges)})", len(str(max(stop for _, stop in ranges))))


def read_segment(text: str) -> int | None:
    """The segment, or None."""
    return None if text == "0" else int(text) - 1


def labels_language(letters: Mapping[int, str]) -> Language:
    """For `LABELS`: for each item (a number as the prompt names it) one of its letters."""
    parts = [f"{item}:[{allowed}]" for item, allowed in letters.items()]
    return Language(" ".join(parts), sum(len(str(item)) + 3 for item in letters))


def read_labels(text: str) -> dict[int, Label]:
    """Item -> label."""
    pairs = (part.split(":") for part in text.split())
    return {int(item): LABEL_LETTERS[letter] for item, letter in pairs}


def errors_language(ranges: Ranges) -> Language:
    """For `ERRORS`: segments within `ranges` with a kind, and whether the trace fixes it."""
    item = f"{_within(ranges)}[KD][fu]"
    width = len(str(max(stop for _, stop in ranges))) + 3
    most = min(MAX_ERRORS, _segments(ranges))
    return Language(f"(?:0|{item}(?: {item}){{0,{most - 1}}})", most * width)


def read_errors(text: str) -> tuple[tuple[int, ErrorKind, bool], ...]:
    """Segment, kind, and whether the trace itself fixes it; ascending.

    Raises:
        AnswerInvalid: the segments do not ascend.
    """
    items = [] if text == "0" else text.split()
    found = [(int(item[:-2]) - 1, ERROR_LETTERS[item[-2]], item[-1] == "f") for item in items]
    _check_ascending([segment for segment, _, _ in found])
    return tuple(found)


def clusters_language(items: Sequence[int], earlier: Sequence[int]) -> Language:
    """For `CLUSTERS`: each of `items` with itself, one of `earlier`, or one of the items before it."""
    parts = []
    for place, item in enumerate(items):
        known = [*earlier, *items[: place + 1]]
        parts.append(f"{item}:(?:{'|'.join(map(str, known))})")
    return Language(" ".join(parts), sum(2 * len(str(item)) + 2 for item in items))


def read_clusters(text: str) -> dict[int, int]:
    """Item -> the earliest item of its method; chains of references are followed to their first item."""
    root: dict[int, int] = {}
    for part in text.split():
        item, other = (int(number) for number in part.split(":"))
        root[item] = root.get(other, other)
    return root


def number_regex(low: int, high: int) -> str:
    """A regular expression of exactly the decimal numbers `low`..`high` (0 < low <= high)."""
    parts: list[str] = []
    for digits in range(len(str(low)), len(str(high)) + 1):
        first, last = max(low, 10 ** (digits - 1)), min(high, 10**digits - 1)
        parts.extend(_same_width(str(first), str(last)))
    return f"(?:{'|'.join(parts)})"


def _same_width(low: str, high: str) -> list[str]:
    if not low:
        return [""]
    rest = len(low) - 1
    if low[0] == high[0]:
        return [low[0] + tail for tail in _same_width(low[1:], high[1:])]
    if low[1:] == "0" * rest and high[1:] == "9" * rest:
        return [f"[{low[0]}-{high[0]}]" + "[0-9]" * rest]
    first, last = int(low[0]), int(high[0])
    parts = [low[0] + tail for tail in _same_width(low[1:], "9" * rest)]
    if last - first > 1:
        parts.append(f"[{first + 1}-{last - 1}]" + "[0-9]" * rest)
    parts.extend(high[0] + tail for tail in _same_width("0" * rest, high[1:]))
    return parts


def spoken(ranges: Ranges) -> str:
    """Ranges as the prompts write them: ``5-20, 31, 40-44``."""
    return ", ".join(str(stop) if stop - start == 1 else f"{start + 1}-{stop}" for start, stop in ranges)


def _segments(ranges: Ranges) -> int:
    """How many segments there are: an answer never names more."""
    return sum(stop - start for start, stop in ranges)


def _within(ranges: Ranges) -> str:
    return "(?:" + "|".join(number_regex(start + 1, stop) for start, stop in ranges) + ")"


def _check_ascending(segments: Sequence[int]) -> None:
    for one, other in itertools.pairwise(segments):
        if other <= one:
            raise AnswerInvalid(f"segment {other + 1} is named after segment {one + 1}")


def is_in(language: Language, text: str) -> bool:
    """Whether `text` is an answer of the language."""
    return re.fullmatch(language.regex, text) is not None
