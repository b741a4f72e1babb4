"""Loose ends that an edit leaves, and how each is closed (DLCoT step 6, without rewriting the trace).

In: a trace's text, its annotation and an edit script. Out: the script with the loose ends taken out, and the
seams that need a bridge. Three things can dangle around a dropped range: a sentence before it that announces
it ("Let me verify this another way."), a sentence behind it that answers it ("Yes, that matches."), and a
reference to it ("both methods"). The rule takes such a sentence out by a recorded edit. Where the sentence
carries the answer, the seam needs a bridge; without one, the dropped range stays. Seams in other words are
missed. A false alarm costs one sentence of commentary and no work.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dlcot_ray.core import seam_cues as cues
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, EditScript, replace_segments, segments_of
from dlcot_ray.core.trace import Trace


class SeamKind(StrEnum):
    """The kinds of loose end."""

    ANNOUNCEMENT = "announcement"
    ANSWERING = "answering"
    BACK_REFERENCE = "back_reference"


class Closed(StrEnum):
    """How a seam was closed."""

    RULE = "rule"
    BRIDGE = "bridge"
    KEPT = "kept"
    """The range that was to be dropped stays."""


@dataclass(frozen=True, slots=True)
class Seam:
    """A loose end and how it was closed; `segment` holds it."""

    kind: SeamKind
    segment: int
    closed: Closed


@dataclass(frozen=True, slots=True)
class SeamNeed:
    """A seam that no rule closes: segments `left` and `right` are to be joined by a bridge.

    Attributes:
        left, right: kept segments with nothing kept between them; -1 or the number of segments at the ends.
        segment: the segment with the loose end.
        sentence: the sentence that is the loose end.
    """

    kind: SeamKind
    left: int
    right: int
    segment: int
    sentence: str


_SENTENCE = re.compile(r"(?<=[.!?:])(?<!\b(?:e\.g|i\.e)\.)(?<!\bvs\.)[\"')\]*]*\s+(?=\S)|\n+(?=\S)")


@dataclass(frozen=True, slots=True)
class ClosedScript:
    """A script with its rule edits, the seams that they closed, and those left open."""

    script: EditScript
    seams: tuple[Seam, ...] = ()
    needs: tuple[SeamNeed, ...] = ()


_ANNOUNCING_SEGMENTS = 3
"""Maximum segments before a drop that can be removed as announcements; more would remove work."""
_ANSWER_CHARS = 140
"""Maximum characters of an answering sentence; a longer one contains work."""
_LONGEST = 260
"""Maximum characters of a sentence of commentary; a longer one contains work."""


def refers_back(text: str, *, adjacent: bool, single: bool) -> re.Match[str] | None:
    """A reference to something that may be dropped, in a kept text after a drop.

    Args:
        text: the kept text.
        adjacent: the text directly follows the drop, so "the previous method" refers to dropped text.
        single: at most one approach or check is kept, so that there is no "both".
    """
    if single and (found := cues.BOTH.search(text)):
        return found
    return cues.EARLIER.search(text) if adjacent else None


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of a segment in code points, with the white space after each; they cover it."""
    cuts = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    return [(a, b) for a, b in itertools.pairwise(cuts) if b > a]


def close_seams(
    reasoning: str, annotation: Annotation, script: Sequence[Edit], states_answer: Callable[[str], bool]
) -> ClosedScript:
    """Close what rules can close, and list what needs a bridge.

    Args:
        reasoning: the trace's text.
        annotation: the approaches and checks that back references are counted against.
        script: keeps and drops.
        states_answer: whether a sentence states the answer and therefore must stay.
    """
    joints = list(_joints(script))
    if not joints:
        return ClosedScript(tuple(script))
    offsets = annotation.segment_offsets
    single = is_single(annotation, script)
    texts: dict[int, str] = {}
    reasons: dict[int, str] = {}
    seams: list[Seam] = []
    needs: list[SeamNeed] = []

    def segment_text(segment: int) -> str:
        return texts.get(segment, reasoning[offsets[segment] : offsets[segment + 1]])

    def take_out(segment: int, span: tuple[int, int], kind: SeamKind) -> bool:
        text = segment_text(segment)
        if states_answer(text[span[0] : span[1]]):
            return False
        texts[segment] = _without(text, *span)
        reasons.setdefault(segment, f"seam: {_SAYS[kind]}")
        seams.append(Seam(kind, segment, Closed.RULE))
        return True

    kept = set(segments_of(script, (EditOp.KEEP,)))
    for left, right in joints:
        segment = left
        while segment in kept and left - segment < _ANNOUNCING_SEGMENTS:
            span = _announcing(segment_text(segment))
            if span is None or not take_out(segment, span, SeamKind.ANNOUNCEMENT):
                break
            if not texts[segment].strip():
                segment -= 1
        if right in kept:
            span = sentences(segment_text(right))[0]
            text = segment_text(right)[slice(*span)]
            answers = len(text) <= _ANSWER_CHARS and cues.ANSWERS.match(text)
            if answers and not take_out(right, span, SeamKind.ANSWERING):
                needs.append(SeamNeed(SeamKind.ANSWERING, left, right, right, text.strip()))
    for segment, adjacent, joint in _behind(script, joints):
        if refers_back(segment_text(segment), adjacent=adjacent, single=single) is None:
            continue
        for span in reversed(sentences(segment_text(segment))):
            text = segment_text(segment)[slice(*span)]
            if refers_back(text, adjacent=adjacent, single=single) is None:
                continue
            if not take_out(segment, span, SeamKind.BACK_REFERENCE):
                needs.append(SeamNeed(SeamKind.BACK_REFERENCE, *joint, segment, text.strip()))
    closed = replace_segments(script, texts, reasons) if texts else tuple(script)
    return ClosedScript(closed, tuple(seams), tuple(needs))


_SAYS = {
    SeamKind.ANNOUNCEMENT: "announces what is dropped",
    SeamKind.ANSWERING: "answers what is dropped",
    SeamKind.BACK_REFERENCE: "refers to what is dropped",
}


def _joints(script: Sequence[Edit]) -> Iterator[tuple[int, int]]:
    """Pairs of kept segments with a dropped range between them; left is -1 at the beginning."""
    dropping = False
    left = -1
    for edit in script:
        if edit.op is EditOp.DROP:
            dropping = True
            continue
        if dropping:
            yield left, edit.start
        dropping = False
        left = edit.stop - 1
    if dropping:
        yield left, script[-1].stop


def _behind(
    script: Sequence[Edit], joints: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, bool, tuple[int, int]]]:
    """Kept segments behind the first drop: the segment, whether a drop is directly before it, its last
    joint."""
    starts = {right: (left, right) for left, right in joints}
    joint: tuple[int, int] | None = None
    for edit in script:
        for segment in range(edit.start, edit.stop) if edit.op is EditOp.KEEP else ():
            joint = starts.get(segment, joint)
            if joint is not None:
                yield segment, segment in starts, joint


def is_single(annotation: Annotation, script: Sequence[Edit]) -> bool:
    """Whether at most one approach or check has any segment left."""
    dropped = set(segments_of(script, (EditOp.DROP,)))
    left = 0
    items = [(a.start, a.stop) for a in annotation.approaches]
    items += [(v.start, v.stop) for v in annotation.verifications]
    for start, stop in items:
        left += not dropped.issuperset(range(start, stop))
        if left > 1:
            return False
    return True


def _announcing(text: str) -> tuple[int, int] | None:
    """The last sentence of a segment, where it announces something or asks a question left unanswered."""
    spans = sentences(text)
    if not spans:
        return None
    start, stop = spans[-1]
    sentence = text[start:stop]
    if len(sentence) > _LONGEST or not any(map(str.isalpha, sentence)):
        return None
    if cues.LONE.match(sentence) or (cues.ANNOUNCES.match(sentence) and not cues.CONCLUDES.search(sentence)):
        return start, stop
    return None


def _without(text: str, start: int, stop: int) -> str:
    """The text without a sentence; the white space at its end stays, because it separates segments."""
    head, tail = text[:start], text[stop:]
    if tail.strip():
        return head + tail
    head = head.rstrip()
    return head + text[len(text.rstrip()) :] if head else ""


BRIDGE_CHARS = 300
"""Maximum length of a bridge: one or two sentences."""

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_MARKUP = re.compile(r"</?think>|<\||\n\s*\n|\\boxed")


def bridge_fault(trace: Trace, text: str, accepted: Sequence[str]) -> str:
    """Why a text cannot serve as a bridge, or an empty string.

    A bridge only joins two segments. It has at most two sentences, no markup, and no number that is in
    neither the trace nor the problem.
    """
    bridge = text.strip()
    if not bridge:
        return "it is empty"
    if len(bridge) > BRIDGE_CHARS or len(sentences(bridge)) > 2:
        return "it is longer than two sentences"
    if _MARKUP.search(bridge):
        return "it contains markup"
    known = set(_FIGURE.findall(trace.reasoning)) | set(_FIGURE.findall(trace.problem)) | set(accepted)
    new = next((figure for figure in _FIGURE.findall(bridge) if figure not in known), None)
    if new is not None:
        return f"it states {new}, which the trace does not"
    return ""
