"""Things that only dropped text introduced and that kept text uses.

In: a trace, its annotation and an edit script. Out: the first such use, or None. An approach that repeats a
method may still be where a count was found, a symbol defined or an equation numbered that later text uses.
Wording alone gives no sign of that, so values, symbols, values of symbols and named things are followed (see
`core/gating/mentions.py`). The first mention decides: if it is dropped, and the next kept mention only uses
the thing, a reader misses it. Equal things without a connection cost a cut, not a trace.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.gating.mentions import (
    BEHIND,
    TELLING,
    Mention,
    Thing,
    definitions,
    letters,
    mentions,
    mentions_between,
)
from dlcot_ray.core.gating.wholeness import answer_stands
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.trace import Trace


@dataclass(frozen=True, slots=True)
class Reliance:
    """Kept segment `segment` uses `value`, which only dropped segment `source` introduced.

    Attributes:
        thing: what kind of thing `value` is.
    """

    segment: int
    value: str
    source: int
    thing: Thing = Thing.VALUE


def missing_result(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> Reliance | None:
    """The first use in kept text of a thing that only dropped text introduced, or None.

    The whole kept text counts: the way to the answer, kept checks and the conclusion. What the problem gives
    is not missing.

    Args:
        trace: the source.
        annotation: settled.
        script: a total edit script over its segments.
    """
    edits = [edit for edit in script if edit.op is not EditOp.INSERT]
    if not any(edit.op is EditOp.DROP for edit in edits):
        return None
    given = letters(trace.problem) | {mention.key for mention in mentions(trace.problem)}
    shared = _shared(trace.reasoning, annotation.segment_offsets, edits, given)
    return _first_missing(trace, annotation, edits, given, shared) if shared else None


def _first_missing(
    trace: Trace,
    annotation: Annotation,
    edits: Sequence[Edit],
    given: Set[str],
    shared: frozenset[Thing],
) -> Reliance | None:
    """The first use of a thing of the `shared` kinds that only dropped text introduced."""
    starts = [edit.start for edit in edits]
    offsets, stands = annotation.segment_offsets, answer_stands(annotation)
    introduced: dict[str, Reliance] = {}
    decided: set[str] = set()
    found: Reliance | None = None
    for mention in mentions(trace.reasoning, shared):
        if mention.key in decided:
            continue
        segment = bisect_right(offsets, mention.start) - 1
        edit = edits[bisect_right(starts, segment) - 1]
        if edit.op is EditOp.DROP:
            if edit.reason != LOOP and _counts(mention, early=stands is None or segment <= stands):
                made = Reliance(segment, mention.text, segment, mention.thing)
                introduced.setdefault(mention.key, made)
            continue
        if edit.op is EditOp.REPLACE and mention.text not in edit.text:
            continue
        # The first place in the kept text decides: there the thing is introduced, or it is missing.
        decided.add(mention.key)
        source = introduced.get(mention.key)
        if source is None or mention.key in given or mention.introduces:
            continue
        found = Reliance(segment, mention.text, source.source, mention.thing)
        break
    return found


def _shared(text: str, offsets: Sequence[int], edits: Sequence[Edit], given: Set[str]) -> frozenset[Thing]:
    """The kinds of which dropped text and kept text behind it mention one thing that is not given.

    Mostly little text is kept behind the first drop, so that this costs far less than to read all of it.
    """
    dropped = [edit for edit in edits if edit.op is EditOp.DROP and edit.reason != LOOP]
    kept = [
        edit for edit in edits if edit.op is not EditOp.DROP and dropped and edit.start > dropped[0].start
    ]
    lost, left = (
        [(offsets[edit.start], min(len(text), offsets[edit.stop] + BEHIND)) for edit in part]
        for part in (dropped, kept)
    )
    shared: set[Thing] = set()
    for thing in (Thing.VALUE, Thing.PAIR, Thing.NAME):
        used = {mention.key for span in left for mention in mentions_between(text, thing, *span)} - given
        if used and any(m.key in used for span in lost for m in mentions_between(text, thing, *span)):
            shared.add(thing)
    used = {name for span in left for name in letters(text, *span)} - given
    if used and any(
        name in used and any(start <= place < stop for start, stop in lost)
        for place, name in definitions(text).items()
    ):
        shared.add(Thing.SYMBOL)
    return frozenset(shared)


def _counts(mention: Mention, *, early: bool) -> bool:
    """Whether a dropped mention introduces its thing. On the way to the answer a long number always does."""
    if mention.defines:
        return True
    return early and mention.thing is Thing.VALUE and len(mention.text) >= TELLING
