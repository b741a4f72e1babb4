"""Loose ends that an edit leaves, and how each is closed (DLCoT step 6, without rewriting the trace).

In: a trace's text, its annotation and an edit script. Out: the script with the loose ends taken out, and the
seams that need a bridge. Three things can dangle around a dropped range: a sentence before it that announces
it ("Let me verify this another way."), a sentence behind it that answers it ("Yes, that matches."), and a
reference to it ("both methods"). The rule takes such a sentence out by a recorded edit. Where the sentence
carries the answer, the seam needs a bridge; without one, the dropped range stays. Seams in other words are
missed. A false alarm costs one sentence of commentary and no work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, EditScript, replace_segments, segments_of
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.seams import cues
from dlcot_ray.core.seams.kinds import SAYS, Closed, Seam, SeamKind, SeamNeed
from dlcot_ray.core.seams.loose_ends import ANSWER_CHARS, just_before, loose_after, loose_before
from dlcot_ray.core.seams.namings import dropped_words
from dlcot_ray.core.seams.references import dangling_reference, ways_left
from dlcot_ray.core.seams.sentences import sentences, without_lead, without_yes

_ANNOUNCING_SEGMENTS = 3
"""Maximum segments before a drop that can be removed as announcements; more would remove work."""


@dataclass(frozen=True, slots=True)
class ClosedScript:
    """A script with its rule edits, the seams that they closed, and those left open."""

    script: EditScript
    seams: tuple[Seam, ...] = ()
    needs: tuple[SeamNeed, ...] = ()


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
    looping = _behind_loops(script)
    for left, right in joints:
        if right not in looping:
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
        self._dropped = dropped_words(reasoning, annotation, script)
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
        span = _with_examples(text, span)
        if self._states_answer(text[span[0] : span[1]]):
            return False
        self._replace(segment, _without(text, *span), kind)
        return True

    def _replace(self, segment: int, text: str, kind: SeamKind) -> None:
        self.texts[segment] = text
        self.reasons.setdefault(segment, f"seam: {SAYS[kind]}")
        self.seams.append(Seam(kind, segment, Closed.RULE))

    def close_left(self, left: int) -> None:
        """Take out what announces or doubts at the end of the text before a drop."""
        segment = left
        while segment in self._kept and left - segment < _ANNOUNCING_SEGMENTS:
            found = loose_before(self._text(segment))
            if found is None:
                self._take_off_announcement(segment)
                break
            sentence = self._text(segment)[slice(*found[1])]
            if _has_work(sentence) and not cues.ANNOUNCES.match(sentence):
                break
            if not self._take_out(segment, found[1], found[0]):
                break
            if not self.texts[segment].strip():
                segment -= 1

    def _take_off_announcement(self, segment: int) -> None:
        """Take "but let me double-check that" off the end of a sentence that says something else first."""
        text = self._text(segment)
        spans = sentences(text)
        sentence = text[slice(*spans[-1])] if spans else ""
        said = cues.ANNOUNCES_AT_END.search(sentence) if len(sentence) <= _LONGEST_SENTENCE else None
        if said is None or not any(map(str.isalpha, sentence[: said.start()])):
            return
        kept = f"{sentence[: said.start()].rstrip(' ,;')}.{sentence[len(sentence.rstrip()) :]}"
        self._replace(segment, text[: spans[-1][0]] + kept + text[spans[-1][1] :], SeamKind.ANNOUNCEMENT)

    def close_right(self, left: int, right: int) -> None:
        """Take out what answers or points at dropped text at the beginning of the text behind a drop."""
        if right not in self._kept:
            return
        self._close_repetition(left, right)
        text = self._text(right)
        kind = loose_after(text, just_before(self._reasoning, self._offsets[right]))
        if kind is None:
            return
        start, stop = sentences(text)[0]
        rest = without_yes(text[start:stop]) if kind is SeamKind.ANSWERING else None
        if rest is not None and not cues.ANSWERS.match(text[start:stop]):
            self._replace(right, rest + text[stop:], kind)
            return
        short = stop - start <= ANSWER_CHARS and not _has_work(text[start:stop])
        if not short or not self._take_out(right, (start, stop), kind):
            self.needs.append(SeamNeed(kind, left, right, right, text[start:stop].strip()))

    def _close_repetition(self, left: int, right: int) -> None:
        """Take out the first sentence behind a drop where the last one before it says the same.

        It stays where it is the last of the kept text, so that the text ends as it did.
        """
        spans = sentences(self._text(right))
        if left not in self._kept or not spans or (len(spans) == 1 and right == max(self._kept)):
            return
        before = self._text(left)
        said = [_said(before[slice(*span)]) for span in sentences(before)[-1:]]
        first = _said(self._text(right)[slice(*spans[0])])
        if len(first) >= _REPEATED_CHARS and said == [first]:
            self._replace(right, _without(self._text(right), *spans[0]), SeamKind.REPETITION)

    def close_references(self, segment: int, joint: tuple[int, int], *, adjacent: bool) -> None:
        """Take out the sentences of a segment that refer to dropped text."""
        named = self._dropped.named(segment, self._text(segment))
        if not named and dangling_reference(self._text(segment), self._ways, adjacent=adjacent) is None:
            return
        for span in reversed(sentences(self._text(segment))):
            text = self._text(segment)[slice(*span)]
            if self._dropped.named(segment, text):
                self._close_naming(segment, span, joint)
                continue
            if dangling_reference(text, self._ways, adjacent=adjacent) is None:
                continue
            if self._take_off_lead(segment, span, adjacent=adjacent):
                continue
            if not self._take_out(segment, span, SeamKind.BACK_REFERENCE):
                self.needs.append(SeamNeed(SeamKind.BACK_REFERENCE, *joint, segment, text.strip()))

    def _take_off_lead(self, segment: int, span: tuple[int, int], *, adjacent: bool) -> bool:
        """Take off "either way", or first words that refer to dropped text where the rest has figures."""
        whole = self._text(segment)
        text = whole[slice(*span)]
        rest = without_lead(text)
        if rest is None or not (cues.EITHER_WAY.match(text) or any(map(str.isdigit, rest))):
            return False
        if dangling_reference(rest, self._ways, adjacent=adjacent) is not None:
            return False
        self._replace(segment, whole[: span[0]] + rest + whole[span[1] :], SeamKind.BACK_REFERENCE)
        return True

    def _close_naming(self, segment: int, span: tuple[int, int], joint: tuple[int, int]) -> None:
        """Take out a sentence that sums up dropped work by its name, unless it computes something."""
        text = self._text(segment)[slice(*span)]
        if _has_work(text) or not self._take_out(segment, span, SeamKind.BACK_REFERENCE):
            self.needs.append(SeamNeed(SeamKind.BACK_REFERENCE, *joint, segment, text.strip()))


_LONGEST_SENTENCE = 1000
"""Characters of a sentence whose end is looked at."""
_CONCLUDING = frozenset({"so", "therefore", "thus", "hence"})
_REPEATED_CHARS = 12
"""Minimum length of a sentence whose repetition is taken out."""
_WORK = re.compile(r"\d\s*[-+*/×·÷^=<>]|[=<>≤≥]\s*[-\d\\(]")


def _has_work(sentence: str) -> bool:
    """Whether a sentence computes something, so that it is no mere commentary."""
    return _WORK.search(sentence) is not None and not sentence.rstrip().endswith("?")


def _with_examples(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """The span of a sentence, with those behind it that only give examples of it, or that it leads to."""
    start, stop = span
    rest = text[span[1] :]
    for first, last in sentences(rest):
        sentence = rest[first:last]
        leads = cues.LEADS_ON.search(text[start:stop].rstrip()) is not None
        if not (leads or cues.EXEMPLIFIES.match(sentence)) or _has_work(sentence):
            break
        stop = span[1] + last
    return start, stop


def _said(sentence: str) -> str:
    """What a sentence says, without its first word of conclusion, its signs and its layout."""
    words = re.findall(r"[^\W_]+", sentence.lower())
    return " ".join(words[1:] if words and words[0] in _CONCLUDING else words)


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


def _behind_loops(script: Sequence[Edit]) -> frozenset[int]:
    """Where drops end that take out nothing but repetition: the text before them ends as it did."""
    ends: set[int] = set()
    looping = True
    for edit in script:
        if edit.op is EditOp.DROP:
            looping = looping and edit.reason == LOOP
            ends.discard(edit.start)
            if looping:
                ends.add(edit.stop)
        else:
            looping = True
    return frozenset(ends)


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
