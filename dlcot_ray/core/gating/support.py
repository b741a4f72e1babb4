"""What the closing words and the visible reply claim, and whether the kept text still bears it out.

In: a trace, its annotation and an edit script. Out: what lacks support, in words, or an empty string. The
closing words give the answer in a form that the work has to lead to, and a reply may report a verification
("I verified it by a tally of columns"), which a student should find in the thinking. A reply that carries its
verification out needs none there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.evidence.answers import last_answer
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.policies.standing import conclusion_start
from dlcot_ray.core.seams.references import dangling_reference, ways_left
from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.trace import Trace

_FIGURE = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
_MIN_DIGITS = 2
_VERIFIES = re.compile(
    r"\b(?:we|i)(?: have|['’]ve)? (?:also |then )?(?:verified|confirmed|(?:double|cross)[- ]?checked)\b"
    r"|\b(?:was|were|been|is|are|can be)(?: also)? (?:verified|confirmed|(?:double|cross)[- ]?checked)"
    r" (?:by|using|via|with|through)\b"
    r"|\bafter (?:verifying|confirming|checking|(?:double|cross)[- ]?checking)\b",
    re.IGNORECASE,
)
"""Reports a verification. "Let's verify this by counting:" reports none: the reply carries it out itself."""
_OWN_WAYS = re.compile(
    r"\b(?:another|second|alternative|different|several|multiple|two) (?:method|way|approach)"
    r"|\balternative(?:ly)?\b|\b(?:method|approach) (?:2|two|ii|b)\b"
    r"|\b(?:verif(?:y|ication)|confirm(?:ation)?|check) (?:\w+ )?(?:by|using|via|with)\b",
    re.IGNORECASE,
)
"""Opens a second way in the reply itself."""
_MARKUP = " \t\n*_"
_WORD = re.compile(r"[^\W\d_]{5,}")
_GENERAL = re.compile(
    r"(?:verif|confirm|check|double|cross|method|approach|answer|result|solution|value|correct|valid|using|"
    r"through|there|these|those|which|their|where|other|another|second|alternative|different|indeed|would|"
    r"should|could|above|below|first|final|number|total|problem|check|matches|ensur|therefore|since|given)\w*"
)
"""Words that name no method."""
_REPLY_CHARS = 8000
"""Characters at the end of a reply that are read."""
_SHARE = 3
"""A reported verification lacks support if a third of the words that name it stand in dropped text only."""


def lost_outcome(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> str:
    """A figure of the final answer, as the closing words write it, that only dropped text works out.

    "143/11050" may be the right value, and still not the fraction 11/850 on which the trace ends.
    """
    closing, count = conclusion_start(annotation), len(annotation.segment_offsets) - 1
    final = last_answer("".join(_texts(trace, annotation, script, closing, count)[0]))
    wanted = [figure for figure in _figures(final.text) if len(figure) >= _MIN_DIGITS] if final else []
    if not wanted:
        return ""
    left, dropped = _texts(trace, annotation, script, 0, closing)
    kept = {*_figures(trace.problem), *(figure for text in left for figure in _figures(text))}
    gone = {figure for text in dropped for figure in _figures(text)}
    lost = next((figure for figure in wanted if figure in gone and figure not in kept), None)
    return "" if lost is None else f"only dropped text works out the {lost} of the final answer"


def unsupported_reply(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> str:
    """A verification that the reply reports, and that only dropped text holds."""
    reply = (trace.response or "")[-_REPLY_CHARS:]
    if not reply or not any(edit.op is EditOp.DROP and edit.reason != LOOP for edit in script):
        return ""
    claim = dangling_reference(reply, ways_left(annotation, script), adjacent=False)
    if claim is not None and _OWN_WAYS.search(reply, 0, claim.start()) is None:
        return f"the reply speaks of {claim.group()!r}"
    reports = [said for said in _reports(reply) if _names(said)]
    if not reports:
        return ""
    left, dropped = _texts(trace, annotation, script, 0, len(annotation.segment_offsets) - 1)
    kept = {*_names(trace.problem), *(name for text in left for name in _names(text))}
    gone = {name for text in dropped for name in _names(text)}
    for said in reports:
        names = _names(said)
        lost = sorted(name for name in names if name in gone and name not in kept)
        if len(lost) * _SHARE >= len(names) and lost:
            return f"the reply reports a verification by {lost[0]!r}, which only dropped text holds"
    return ""


def _texts(
    trace: Trace, annotation: Annotation, script: Sequence[Edit], start: int, stop: int
) -> tuple[list[str], list[str]]:
    """What a script keeps and what it drops, apart from loops, of segments `[start, stop)`."""
    offsets = annotation.segment_offsets
    left: list[str] = []
    dropped: list[str] = []
    for edit in script:
        first, last = max(edit.start, start), min(edit.stop, stop)
        if first >= last and not (edit.op is EditOp.INSERT and start <= edit.start < stop):
            continue
        if edit.op is EditOp.DROP:
            if edit.reason != LOOP:
                dropped.append(trace.reasoning[offsets[first] : offsets[last]])
        else:
            left.append(edit.text or trace.reasoning[offsets[first] : offsets[last]])
    return left, dropped


def _figures(text: str) -> Iterator[str]:
    return (match.group().replace(",", "") for match in _FIGURE.finditer(text))


def _reports(reply: str) -> list[str]:
    said = [reply[start:stop] for start, stop in sentences(reply) if _VERIFIES.search(reply, start, stop)]
    return [sentence for sentence in said if not sentence.rstrip(_MARKUP).endswith(":")]


def _names(text: str) -> set[str]:
    """The words of a text that may name a method."""
    return {word for word in map(str.lower, _WORD.findall(text)) if not _GENERAL.fullmatch(word)}
