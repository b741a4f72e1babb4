"""Which characters of a trace an edit drops.

In: traces, annotations and a policy. Out: ranges of characters. Bridges and repairs are left out, because
only a writer makes them. Of a segment that an edit replaces, those characters count as dropped that its new
text lacks.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import EditOp, EditScript
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import Ranges

_LONGEST = 2_000
"""Most characters, or sentences, of a text that are compared, because that takes quadratic time."""
_PIECE = re.compile(r".+?(?:[.!?]\s+|\n\s*|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is dropped of one trace.

    Attributes:
        ranges: its characters.
        outcome: the status of the edit with its reason, e.g. ``unchanged: nothing_to_cut``.
    """

    ranges: Ranges
    outcome: str = ""


def drops_of_policy(
    traces: Sequence[Trace], annotations: Mapping[str, Annotation], policy: Policy
) -> dict[str, Dropped]:
    """What `policy` drops of each trace, by trace id."""
    found = {}
    for trace in traces:
        annotation = annotations[trace.trace_id]
        made = enhance(trace, annotation, policy)
        ranges = dropped_ranges(trace.reasoning, annotation.segment_offsets, made.script)
        reason = f": {made.reason}" if made.reason else ""
        found[trace.trace_id] = Dropped(ranges, f"{made.status}{reason}")
    return found


def dropped_ranges(text: str, offsets: Sequence[int], script: EditScript) -> Ranges:
    """The characters of `text` that a script drops, in order."""
    return tuple(_ranges(text, offsets, script))


def _ranges(text: str, offsets: Sequence[int], script: EditScript) -> Iterator[tuple[int, int]]:
    for edit in script:
        start, stop = offsets[edit.start], offsets[edit.stop]
        if edit.op is EditOp.DROP:
            yield start, stop
        elif edit.op is EditOp.REPLACE:
            for first, last in _lacking(text[start:stop], edit.text):
                yield start + first, start + last


def _lacking(old: str, new: str) -> Iterator[tuple[int, int]]:
    """The parts of `old` that `new` lacks: characters of a short text, sentences of a long one."""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(middle), len(other)) <= _LONGEST:
        yield from _different(middle, other, head)
        return
    sentences, others = _PIECE.findall(old), _PIECE.findall(new)
    if max(len(sentences), len(others)) <= _LONGEST:
        yield from _different(sentences, others, 0)
    else:
        yield head, len(old) - tail


def _different(one: Sequence[str], other: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
    """Where the parts of `one`, the first of which begins at `start`, are not in `other`."""
    at = list(itertools.accumulate(map(len, one), initial=start))
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for tag, first, stop, _, _ in matcher.get_opcodes():
        if tag in ("delete", "replace"):
            yield at[first], at[stop]


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
