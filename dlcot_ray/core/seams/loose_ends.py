"""Finds loose ends: sentences before and after a dropped range that hang on it."""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.seams import cues
from dlcot_ray.core.seams.kinds import SAYS, SeamKind
from dlcot_ray.core.seams.namings import dropped_words
from dlcot_ray.core.seams.references import dangling_reference, ways_left
from dlcot_ray.core.seams.sentences import quote, sentences

ANSWER_CHARS = 140
"""Maximum characters of an answering sentence; a longer one contains work."""
_LONGEST = 260
"""Maximum characters of a sentence of commentary; a longer one contains work."""
_ENDS = frozenset(".!?:*`")


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
    if cues.HALF_SURE.search(sentence):
        return SeamKind.DOUBT, spans[-1]
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
    if cues.SAYS_YES.match(sentence) or (len(sentence) <= ANSWER_CHARS and cues.ANSWERS.match(sentence)):
        return SeamKind.ANSWERING
    if cues.POINTS_BACK.match(sentence):
        return SeamKind.BACK_REFERENCE
    ended = before.rstrip()[-1:] in _ENDS
    return SeamKind.CUT_SENTENCE if cues.GOES_ON.match(sentence) and not ended else None


def just_before(reasoning: str, offset: int) -> str:
    """The end of the text up to an offset, no longer than a sentence of commentary."""
    return reasoning[max(0, offset - _LONGEST) : offset]


def loose_end(reasoning: str, annotation: Annotation, script: Sequence[Edit]) -> str:
    """The first loose end that a script leaves, in words that name segment and sentence, or an empty string.

    A bridge closes the seam at which it stands; repetition loops leave none.
    """
    offsets = annotation.segment_offsets
    ways, dropped = ways_left(annotation, script), dropped_words(reasoning, annotation, script)
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
            if dropping and (kind := loose_after(text, just_before(reasoning, offsets[segment]))) is not None:
                return f"segment {segment} {SAYS[kind]}: {quote(text, first=True)}"
            if behind and (found := dangling_reference(text, ways, adjacent=dropping)):
                return f"segment {segment} refers to what is dropped: {found.group()!r}"
            if behind and (word := dropped.named(segment, text)):
                return f"segment {segment} sums up what is dropped: {word!r}"
            left, at, dropping = text, segment, False
    return _loose_before_fault(left, at) if dropping else ""


def _loose_before_fault(left: str, segment: int) -> str:
    found = loose_before(left)
    return "" if found is None else f"segment {segment} {SAYS[found[0]]}: {quote(left, first=False)}"
