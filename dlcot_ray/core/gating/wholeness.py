"""Whether what an edit keeps is whole: approaches, checks, the way to the answer, the ending.

In: an annotation and an edit script (and the text, where words decide). Out: what is wrong, in words that
name segment and thing, or an empty string. Loops, loose ends and errors that an edit takes out count as kept,
because their removal cuts nothing through. All functions are linear in segments plus items.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dlcot_ray.core.annotation import Annotation, Label, SectionKind, Verification, VerificationKind
from dlcot_ray.core.edits import Edit, EditOp, segments_of
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.seams import cues

MENDING = ("seam: ", "error ")
"""How the reasons begin of edits that take out a loose end or an error."""


LAST_WORDS = 3
LAST_WORDS_CHARS = 300
"""Maximum number of segments, and characters of each, that count as the closing words of a trace."""
_COMPUTES = re.compile(
    r"\d\s*[-+*/×·÷^]\s*\d|=[^=\n]{0,80}=|\?\s*$|\b(?:let me|let's|wait|check)\b", re.IGNORECASE
)
_VERDICT_CHARS = 160

_ENTRIES = re.compile(r"^[ \t]*\d{1,2}[.)][ \t].*\n[ \t]*\d{1,2}[.)][ \t]", re.MULTILINE)
"""Two entries of a numbered list: steps, not closing words."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What an edit takes out: segments with work, and those whose removal cuts nothing through."""

    gone: frozenset[int]
    harmless: frozenset[int]
    """Loops, loose ends and errors, dropped or not."""

    def takes(self, start: int, stop: int) -> bool:
        """Whether the edit takes out all of segments `[start, stop)`, apart from harmless ones."""
        left = [segment for segment in range(start, stop) if segment not in self.harmless]
        return bool(left) and self.gone.issuperset(left)


def cut_of(annotation: Annotation, script: Sequence[Edit]) -> Cut:
    """What a script takes out."""
    harmless = {segment for start, stop in annotation.loops for segment in range(start, stop)}
    gone: set[int] = set()
    for edit in script:
        if edit.op is EditOp.DROP:
            mends = edit.reason == LOOP or edit.reason.startswith(MENDING)
            (harmless if mends else gone).update(range(edit.start, edit.stop))
    return Cut(frozenset(gone - harmless), frozenset(harmless))


def answer_stands(annotation: Annotation) -> int | None:
    """The segment where the answer first stands, or None where the trace never reaches it."""
    if annotation.first_correct_segment is not None:
        return annotation.first_correct_segment
    for approach in annotation.approaches:
        if approach.label is Label.CORRECT:
            return approach.stop - 1 if approach.answer_segment is None else approach.answer_segment
    return None


def cut_through(text: str, annotation: Annotation, cut: Cut) -> str:
    """Which approach, check or other text before the answer is cut through, or an empty string.

    An approach may lose what stands behind its result, a check what stands behind its verdict. The closing
    words of the trace may stay alone of an item. In front of the answer only whole approaches and checks may
    go, and an approach only if another one of its method stays.
    """
    if not cut.gone:
        return ""
    closing = closing_words(text, annotation)
    return (
        _cut_approach(annotation, cut, closing)
        or _cut_check(text, annotation, cut, closing)
        or _only_of_its_method(annotation, cut)
        or _cut_between(annotation, cut)
    )


def _missing(start: int, stop: int, gone: frozenset[int]) -> list[int]:
    return [segment for segment in range(start, stop) if segment in gone]


def closing_words(text: str, annotation: Annotation) -> int:
    """First of the last segments of a trace that are short and compute nothing."""
    offsets = annotation.segment_offsets
    first = count = len(offsets) - 1
    for segment in range(count - 1, max(-1, count - 1 - LAST_WORDS), -1):
        words = text[offsets[segment] : offsets[segment + 1]]
        if len(words) > LAST_WORDS_CHARS or _COMPUTES.search(words) or _ENTRIES.search(words):
            break
        first = segment
    return first


def _cut_approach(annotation: Annotation, cut: Cut, closing: int) -> str:
    for i, approach in enumerate(annotation.approaches):
        missing = _missing(approach.start, approach.stop, cut.gone)
        if not missing or cut.takes(approach.start, min(approach.stop, max(closing, approach.start + 1))):
            continue
        result = _result(annotation, i)
        if result is None or missing[0] <= result:
            where = _span(approach.start, approach.stop)
            return f"{_runs(missing)} cut out of approach {i} ({where})"
    return ""


def _result(annotation: Annotation, index: int) -> int | None:
    """The segment in which an approach has reached the answer; None if it never does."""
    approach, first = annotation.approaches[index], annotation.first_correct_segment
    inside = [first] if first is not None and approach.start <= first < approach.stop else []
    if approach.label is Label.CORRECT and approach.answer_segment is not None:
        inside.append(approach.answer_segment)
    return max(inside, default=None)


def _cut_check(text: str, annotation: Annotation, cut: Cut, closing: int) -> str:
    offsets = annotation.segment_offsets
    for i, check in enumerate(annotation.verifications):
        missing = _missing(check.start, check.stop, cut.gone)
        if not missing or cut.takes(check.start, min(check.stop, max(closing, check.start + 1))):
            continue
        kept = text[offsets[check.start] : offsets[missing[0]]]
        tail = all(
            segment in cut.gone or segment in cut.harmless for segment in range(missing[0], check.stop)
        )
        if not (tail and cues.VERDICT.search(kept.rstrip()[-_VERDICT_CHARS:])):
            return f"{_runs(missing)} cut out of check {i} ({_span(check.start, check.stop)})"
    return ""


def _only_of_its_method(annotation: Annotation, cut: Cut) -> str:
    """The approach in front of the answer that goes though no other of its method stays."""
    stands = answer_stands(annotation)
    kept = {a.cluster for a in annotation.approaches if not cut.takes(a.start, a.stop)}
    for i, approach in enumerate(annotation.approaches):
        early = stands is None or approach.start <= stands
        if early and approach.cluster not in kept and cut.takes(approach.start, approach.stop):
            where = _span(approach.start, approach.stop)
            return f"approach {i} ({where}) is dropped, and no other approach of its method stays"
    return ""


def _cut_between(annotation: Annotation, cut: Cut) -> str:
    """Dropped text in front of the answer that belongs to no approach and no check."""
    stands = answer_stands(annotation)
    end = len(annotation.segment_offsets) - 1 if stands is None else stands
    items = [(a.start, a.stop) for a in annotation.approaches]
    items += [(v.start, v.stop) for v in annotation.verifications]
    owned = {segment for start, stop in items for segment in range(start, stop)}
    between = [segment for segment in sorted(cut.gone) if segment <= end and segment not in owned]
    return f"{_runs(between)} cut out of the text before the answer" if between else ""


def _runs(segments: Sequence[int]) -> str:
    """The first run of some ascending segments, e.g. ``segments 4 to 6 are``."""
    run = next(list(group) for _, group in groupby(enumerate(segments), lambda pair: pair[1] - pair[0]))
    first, last = run[0][1], run[-1][1]
    return f"segment {first} is" if first == last else f"segments {first} to {last} are"


def _span(start: int, stop: int) -> str:
    return f"segment {start}" if stop == start + 1 else f"segments {start} to {stop - 1}"


def broken_check(annotation: Annotation, cut: Cut) -> str:
    """Which check lost its approach, its reason or its outcome, or an empty string.

    A kept check must examine a kept approach, or affirm the answer that a kept one has too. A check that
    finds an error stays with the error. A kept doubt about the answer needs what settled it, and kept work
    without a result the check behind it, which has the result.
    """
    if not cut.gone:
        return ""
    lost = {i for i, a in enumerate(annotation.approaches) if cut.takes(a.start, a.stop)}
    for i, check in enumerate(annotation.verifications):
        dropped = cut.takes(check.start, check.stop)
        if cut.harmless.issuperset(range(check.start, check.stop)):
            continue
        if not dropped and check.approach in lost and not _same_answer(annotation, check):
            return f"check {i} (segment {check.start}) examines approach {check.approach}, which is dropped"
        if dropped and check.approach not in lost and _found_error(annotation, check):
            return f"check {i} finds fault with approach {check.approach}, which stays"
    return _open_work(annotation, cut) or _open_doubt(annotation, cut)


def _same_answer(annotation: Annotation, check: Verification) -> bool:
    """Whether a check affirms the right answer, so that it serves any approach that reaches it."""
    if check.kind is not VerificationKind.AFFIRMATION or check.approach is None:
        return False
    return annotation.approaches[check.approach].label is Label.CORRECT


def _found_error(annotation: Annotation, check: Verification) -> bool:
    if check.kind is not VerificationKind.NEGATION or check.approach is None:
        return False
    return annotation.approaches[check.approach].label in (Label.INCORRECT, Label.INCOMPLETE)


def _open_work(annotation: Annotation, cut: Cut) -> str:
    """The kept approach behind the answer without a result, where the check that follows it is dropped."""
    checks = {check.start: i for i, check in enumerate(annotation.verifications)}
    stands = answer_stands(annotation)
    for i, approach in enumerate(annotation.approaches):
        behind = stands is not None and approach.start > stands
        if not behind or approach.label is not Label.INCOMPLETE or approach.start in cut.gone:
            continue
        check = checks.get(approach.stop)
        if check is not None and approach.stop in cut.gone:
            where = f"approach {i} (segment {approach.start})"
            return f"{where} stays, and check {check} that finishes it is dropped"
    return ""


def _open_doubt(annotation: Annotation, cut: Cut) -> str:
    """The last kept item, if it is a check that doubts the answer and what came next is dropped."""
    items = [(a.start, "approach", i, None) for i, a in enumerate(annotation.approaches)]
    checks = [(v.start, "check", i, v.kind) for i, v in enumerate(annotation.verifications)]
    ordered = sorted([*items, *checks], key=lambda item: item[0])
    kept = [place for place, item in enumerate(ordered) if item[0] not in cut.gone]
    if not kept or kept[-1] == len(ordered) - 1:
        return ""
    _, _, index, kind = ordered[kept[-1]]
    if kind is not VerificationKind.NEGATION:
        return ""
    start, name, number, _ = ordered[kept[-1] + 1]
    return f"check {index} doubts the answer, and {name} {number} (segment {start}) that follows is dropped"


def lost_ending(annotation: Annotation, script: Sequence[Edit], cut: Cut) -> int | None:
    """The last kept segment, if the words that closed the trace are dropped behind it; else None.

    Text that ends inside the conclusion is closed. A trace that breaks off in loops has no closing words.
    """
    if script and script[-1].op is EditOp.INSERT:
        return None
    last = max(segments_of(script, (EditOp.KEEP, EditOp.REPLACE)), default=-1)
    if last < 0 or not any(segment > last for segment in cut.gone):
        return None
    if annotation.truncated and annotation.loops and max(stop for _, stop in annotation.loops) > last:
        return None
    for section in annotation.sections:
        if section.kind is SectionKind.CONCLUSION and section.start <= last < section.stop:
            return None
    return last
