"""The language of each answer, and its reading: segment numbers and letters, never text.

In: segments and items that a question is about. Out: a regular expression that constrains the answer, and the
answer's value. The numbers of the expression are exactly those that the trace has, so a model cannot name
what does not exist, and they ascend by construction, so that no answer is out of order. White space is fixed
and the number of items is bounded, so `max_chars` bounds the tokens. STRUCTURE has a module of its own
(`marks.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import ErrorKind, Label

LABEL_LETTERS: Mapping[str, Label] = {
    "C": Label.CORRECT,
    "I": Label.INCORRECT,
    "N": Label.INCOMPLETE,
    "U": Label.UNKNOWN,
}
ERROR_LETTERS: Mapping[str, ErrorKind] = {"K": ErrorKind.CALCULATION, "D": ErrorKind.DERIVATION}

MAX_ERRORS = 48
"""Segments with errors of one answer; the most that a reader found in a trace was 37. Approaches that have
more segments together are asked about one by one."""
ITEMS_PER_QUESTION = 16
"""Approaches or checks that one question about labels or clusters names."""
MAX_CAUSES = 12
"""Errors whose causes are asked for; a repair of more would rewrite the trace."""
CAUSE_CHARS = 100
"""Characters of the cause of an error: about 25 tokens."""


class AnswerInvalid(Exception):
    """The answer matches its regular expression but is impossible for any trace."""


@dataclass(frozen=True, slots=True)
class Language:
    """The allowed answers.

    Attributes:
        regex: what they match.
        max_chars: their maximum length, which also bounds their tokens.
        may_break_off: an answer that is cut off there is an answer, too.
    """

    regex: str
    max_chars: int
    may_break_off: bool = False


Ranges = Sequence[tuple[int, int]]
"""Segment ranges `[start, stop)`, counted from 0 as everywhere in the package; prompts count from 1."""


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    """What the model says of an approach. `segment`: where its last result stands, or None."""

    label: Label
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class NamedError:
    """A segment in which a false step arises. `noticed`: the trace itself finds it later."""

    segment: int
    kind: ErrorKind
    noticed: bool


BEFORE = -1
"""The answer to `ANSWER` where the trace's own answer already stands before the segments in question."""


def completion_language(ranges: Ranges) -> Language:
    """For `ANSWER`: one segment within `ranges`, B (it stands before them), or 0 (nowhere)."""
    return Language(f"(?:0|B|{_within(ranges)})", len(str(max(stop for _, stop in ranges))))


def read_completion(text: str) -> int | None:
    """The segment, `BEFORE`, or None."""
    if text == "B":
        return BEFORE
    return None if text == "0" else int(text) - 1


def labels_language(ranges: Mapping[int, tuple[int, int]]) -> Language:
    """For `LABELS`: for each item (a number as the prompt names it) a letter.

    C and I may name the segment of the item where its last result stands.
    """
    parts = [
        f"{item}:(?:[CI](?:{number_regex(start + 1, stop)})?|[NU])" for item, (start, stop) in ranges.items()
    ]
    length = sum(len(str(item)) + 3 + len(str(stop)) for item, (_, stop) in ranges.items())
    return Language(" ".join(parts), length)


def read_labels(text: str) -> dict[int, LabelAnswer]:
    """Item -> label, with the segment that is named."""
    pairs = (part.split(":") for part in text.split())
    return {
        int(item): LabelAnswer(LABEL_LETTERS[said[0]], int(said[1:]) - 1 if said[1:] else None)
        for item, said in pairs
    }


def errors_language(ranges: Ranges) -> Language:
    """For `ERRORS`: segments within `ranges`, ascending, each with the errors that arise in it."""
    segments = [segment + 1 for start, stop in ranges for segment in range(start, stop)]
    items = "".join(f"(?: {segment}(?:[KD][fu]){{1,3}})?" for segment in segments)
    return Language(f"E:{items}", 2 + min(MAX_ERRORS, len(segments)) * (len(str(segments[-1])) + 7))


def read_errors(text: str) -> tuple[NamedError, ...]:
    """The errors, ascending."""
    found = []
    for item in text.removeprefix("E:").split():
        digits = item.rstrip("KDfu")
        said = item[len(digits) :]
        found += [
            NamedError(int(digits) - 1, ERROR_LETTERS[said[at]], said[at + 1] == "f")
            for at in range(0, len(said), 2)
        ]
    return tuple(found)


CAUSE = Language("[^\\n]+", CAUSE_CHARS, may_break_off=True)
"""For `CAUSES`: one line. A bound in the expression would take the engine seconds to compile."""


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


YES_OR_NO = Language("[yn]", 1)
"""For `SAME`."""


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


def _within(ranges: Ranges) -> str:
    return "(?:" + "|".join(number_regex(start + 1, stop) for start, stop in ranges) + ")"


def is_in(language: Language, text: str) -> bool:
    """Whether `text` is an answer of the language."""
    return re.fullmatch(language.regex, text) is not None
