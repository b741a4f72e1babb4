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
from functools import lru_cache

from dlcot_ray.core import seam_cues as cues
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, EditScript, replace_segments, segments_of
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.trace import Trace


class SeamKind(StrEnum):
    """The kinds of loose end."""

    ANNOUNCEMENT = "announcement"
    ANSWERING = "answering"
    BACK_REFERENCE = "back_reference"
    DOUBT = "doubt"
    """A doubt whose resolution is dropped."""
    CUT_SENTENCE = "cut_sentence"
    """A text that goes on with a dropped sentence."""


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


@dataclass(frozen=True, slots=True)
class Ways:
    """How many approaches and checks a trace has, and how many of them an edit keeps."""

    approaches: int
    checks: int
    kept_approaches: int
    kept_checks: int

    def lacks(self, claim: str) -> bool:
        """Whether a claim of several methods or checks was true of the trace and is no longer."""
        needed = 3 if cues.OF_THREE.search(claim) else 2
        if cues.OF_METHODS.search(claim) and self.approaches > 1:
            return self.kept_approaches < min(needed, self.approaches)
        if cues.OF_METHODS.search(claim) and self.kept_checks < self.checks:
            # The other method may be what the judge calls a check, and that check may be gone.
            return True
        before, left = self.approaches + self.checks, self.kept_approaches + self.kept_checks
        return left < min(needed, max(2, before))


def ways_left(annotation: Annotation, script: Sequence[Edit]) -> Ways:
    """The approaches and checks of a trace, and those of which a script keeps any segment."""
    kept = set(segments_of(script, (EditOp.KEEP, EditOp.REPLACE)))
    approaches = [not kept.isdisjoint(range(a.start, a.stop)) for a in annotation.approaches]
    checks = [not kept.isdisjoint(range(v.start, v.stop)) for v in annotation.verifications]
    return Ways(len(approaches), len(checks), sum(approaches), sum(checks))


_ALONE = Ways(2, 0, 1, 0)
_SEVERAL = Ways(9, 9, 9, 9)


def refers_back(text: str, *, adjacent: bool, single: bool) -> re.Match[str] | None:
    """A reference to something that may be dropped, in a kept text after a drop.

    Args:
        text: the kept text.
        adjacent: the text directly follows the drop, so "the previous method" refers to dropped text.
        single: at most one approach or check is kept, so that there is no "both".
    """
    return dangling_reference(text, _ALONE if single else _SEVERAL, adjacent=adjacent)


def dangling_reference(text: str, ways: Ways, *, adjacent: bool) -> re.Match[str] | None:
    """The first claim of several methods that are no longer there, or a reference to text directly before.

    Args:
        text: a kept text after a drop.
        ways: what is left of approaches and checks.
        adjacent: as for `refers_back`.
    """
    for found in _claims(text):
        if ways.lacks(found.group()):
            return found
    return cues.EARLIER.search(text) if adjacent else None


@lru_cache(maxsize=1024)
def _claims(text: str) -> tuple[re.Match[str], ...]:
    """The claims of several methods or checks in a text."""
    return (*cues.BOTH.finditer(text), *cues.MANY.finditer(text))


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
    closing = _Closing(reasoning, annotation, script, states_answer)
    for left, right in joints:
        closing.close_left(left)
        closing.close_right(left, right)
    for segment, adjacent, joint in _behind(script, joints):
        closing.close_references(segment, joint, adjacent=adjacent)
    closed = replace_segments(script, closing.texts, closing.reasons) if closing.texts else tuple(script)
    return ClosedScript(closed, tuple(closing.seams), tuple(closing.needs))


class _Closing:
    """The loose ends of one script as they are closed: new texts, their reasons, seams, and what is open."""

    def __init__(
        self,
        reasoning: str,
        annotation: Annotation,
        script: Sequence[Edit],
        states_answer: Callable[[str], bool],
    ) -> None:
        self._reasoning, self._offsets = reasoning, annotation.segment_offsets
        self._kept = set(segments_of(script, (EditOp.KEEP,)))
        self._ways = ways_left(annotation, script)
        self._states_answer = states_answer
        self.texts: dict[int, str] = {}
        self.reasons: dict[int, str] = {}
        self.seams: list[Seam] = []
        self.needs: list[SeamNeed] = []

    def _text(self, segment: int) -> str:
        source = self._reasoning[self._offsets[segment] : self._offsets[segment + 1]]
        return self.texts.get(segment, source)

    def _take_out(self, segment: int, span: tuple[int, int], kind: SeamKind) -> bool:
        text = self._text(segment)
        if self._states_answer(text[span[0] : span[1]]):
            return False
        self._replace(segment, _without(text, *span), kind)
        return True

    def _replace(self, segment: int, text: str, kind: SeamKind) -> None:
        self.texts[segment] = text
        self.reasons.setdefault(segment, f"seam: {_SAYS[kind]}")
        self.seams.append(Seam(kind, segment, Closed.RULE))

    def close_left(self, left: int) -> None:
        """Take out what announces or doubts at the end of the text before a drop."""
        segment = left
        while segment in self._kept and left - segment < _ANNOUNCING_SEGMENTS:
            found = loose_before(self._text(segment))
            if found is None:
                break
            sentence = self._text(segment)[slice(*found[1])]
            if _has_work(sentence) and not cues.ANNOUNCES.match(sentence):
                break
            if not self._take_out(segment, found[1], found[0]):
                break
            if not self.texts[segment].strip():
                segment -= 1

    def close_right(self, left: int, right: int) -> None:
        """Take out what answers or points at dropped text at the beginning of the text behind a drop."""
        if right not in self._kept:
            return
        text = self._text(right)
        kind = loose_after(text, _just_before(self._reasoning, self._offsets[right]))
        if kind is None:
            return
        start, stop = sentences(text)[0]
        said = cues.SAYS_YES.match(text[start:stop]) if kind is SeamKind.ANSWERING else None
        if said is not None and not cues.ANSWERS.match(text[start:stop]):
            self._replace(right, _without_yes(said) + text[stop:], kind)
            return
        short = stop - start <= _ANSWER_CHARS and not _has_work(text[start:stop])
        if not short or not self._take_out(right, (start, stop), kind):
            self.needs.append(SeamNeed(kind, left, right, right, text[start:stop].strip()))

    def close_references(self, segment: int, joint: tuple[int, int], *, adjacent: bool) -> None:
        """Take out the sentences of a segment that refer to dropped text."""
        if dangling_reference(self._text(segment), self._ways, adjacent=adjacent) is None:
            return
        for span in reversed(sentences(self._text(segment))):
            text = self._text(segment)[slice(*span)]
            if dangling_reference(text, self._ways, adjacent=adjacent) is None:
                continue
            if not self._take_out(segment, span, SeamKind.BACK_REFERENCE):
                self.needs.append(SeamNeed(SeamKind.BACK_REFERENCE, *joint, segment, text.strip()))


def loose_before(text: str) -> tuple[SeamKind, tuple[int, int]] | None:
    """The last sentence of a text before a drop, if it announces, asks or doubts what is dropped."""
    spans = sentences(text)
    if not spans:
        return None
    sentence = text[slice(*spans[-1])]
    if len(sentence) > _LONGEST or not any(map(str.isalpha, sentence)):
        return None
    concludes = cues.CONCLUDES.search(sentence) is not None
    if cues.LONE.match(sentence) or cues.LEADS_ON.search(sentence):
        return SeamKind.ANNOUNCEMENT, spans[-1]
    if cues.ANNOUNCES.match(sentence) and not concludes:
        return SeamKind.ANNOUNCEMENT, spans[-1]
    if cues.DOUBTS.search(sentence) and not concludes and "=" not in sentence:
        return SeamKind.DOUBT, spans[-1]
    return None


def loose_after(text: str, before: str) -> SeamKind | None:
    """How the first sentence of a text behind a drop hangs on what is dropped, or None.

    Args:
        text: the kept segment.
        before: the source up to it, which ends with dropped text.
    """
    spans = sentences(text)
    if not spans:
        return None
    sentence = text[slice(*spans[0])]
    if cues.SAYS_YES.match(sentence) or (len(sentence) <= _ANSWER_CHARS and cues.ANSWERS.match(sentence)):
        return SeamKind.ANSWERING
    if cues.POINTS_BACK.match(sentence):
        return SeamKind.BACK_REFERENCE
    ended = before.rstrip()[-1:] in _ENDS
    return SeamKind.CUT_SENTENCE if cues.GOES_ON.match(sentence) and not ended else None


def _just_before(reasoning: str, offset: int) -> str:
    return reasoning[max(0, offset - _LONGEST) : offset]


_ENDS = frozenset(".!?:*`")
_WORK = re.compile(r"\d\s*[-+*/×·÷^=<>]|[=<>≤≥]\s*[-\d\\(]")


def _has_work(sentence: str) -> bool:
    """Whether a sentence computes something, so that it is no mere commentary."""
    return _WORK.search(sentence) is not None and not sentence.rstrip().endswith("?")


def _without_yes(said: re.Match[str]) -> str:
    """A sentence without its "yes,"; it begins with a capital letter where nothing stands before."""
    lead, rest = said["lead"], said["rest"]
    return lead + (rest if lead.strip() else rest[0].upper() + rest[1:])


_SAYS = {
    SeamKind.ANNOUNCEMENT: "announces what is dropped",
    SeamKind.ANSWERING: "answers what is dropped",
    SeamKind.BACK_REFERENCE: "refers to what is dropped",
    SeamKind.DOUBT: "doubts what dropped text settles",
    SeamKind.CUT_SENTENCE: "goes on with a dropped sentence",
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


def _without(text: str, start: int, stop: int) -> str:
    """The text without a sentence; the white space at its end stays, because it separates segments."""
    head, tail = text[:start], text[stop:]
    if tail.strip():
        return head + tail
    head = head.rstrip()
    return head + text[len(text.rstrip()) :] if head else ""


def loose_end(reasoning: str, annotation: Annotation, script: Sequence[Edit]) -> str:
    """The first loose end that a script leaves, in words that name segment and sentence, or an empty string.

    A bridge closes the seam at which it stands; repetition loops leave none.
    """
    offsets = annotation.segment_offsets
    ways = ways_left(annotation, script)
    left, dropping, behind = "", False, False
    at = -1
    for edit in script:
        if edit.op is EditOp.DROP:
            dropping = dropping or edit.reason != LOOP
            continue
        if edit.op is EditOp.INSERT:
            dropping = behind = False
            continue
        for segment in range(edit.start, edit.stop):
            text = (
                edit.text if edit.op is EditOp.REPLACE else reasoning[offsets[segment] : offsets[segment + 1]]
            )
            behind = behind or dropping
            if dropping and (fault := _loose_before_fault(left, at)):
                return fault
            if (
                dropping
                and (kind := loose_after(text, _just_before(reasoning, offsets[segment]))) is not None
            ):
                return f"segment {segment} {_SAYS[kind]}: {_quote(text, first=True)}"
            if behind and (found := dangling_reference(text, ways, adjacent=dropping)):
                return f"segment {segment} refers to what is dropped: {found.group()!r}"
            left, at, dropping = text, segment, False
    return _loose_before_fault(left, at) if dropping else ""


def _loose_before_fault(left: str, segment: int) -> str:
    found = loose_before(left)
    return "" if found is None else f"segment {segment} {_SAYS[found[0]]}: {_quote(left, first=False)}"


def _quote(text: str, *, first: bool) -> str:
    """The first or last sentence of a text, shortened, in quotes."""
    spans = sentences(text)
    words = " ".join(text[slice(*spans[0 if first else -1])].split())
    return repr(words if len(words) <= _QUOTE else f"{words[:_QUOTE]}...")


_QUOTE = 80

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
