"""Checks and closing words by evidence: which checks affirm the answer, and what the text ends with.

In: a trace and its settled annotation. Out: the annotation with checks that end on the answer as affirmations
and with closing words where the trace has any, and the parts of a conclusion that sum up what is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dlcot_ray.core.annotation import Annotation, Label, Section, SectionKind, Verification, VerificationKind
from dlcot_ray.core.applying.examinations import with_whole_checks
from dlcot_ray.core.applying.looks import is_left_open, is_open, last_sentence, leaves_conflict
from dlcot_ray.core.arrival import accepted_answers, ends_on, states
from dlcot_ray.core.gating.wholeness import closing_words
from dlcot_ray.core.policies.standing import Standing, conclusion_start, kept_check, standing, trunk_stop
from dlcot_ray.core.seams.cues import BOTH, EARLIER, VERDICT
from dlcot_ray.core.trace import Trace

CLOSING_CHARS = 400
"""Maximum characters of a last segment that can be the closing words; a longer one contains work."""

DOUBT_CHARS = 300
"""Characters at the end of the trunk that are searched for a doubt."""

_SUMS_UP = re.compile(
    r"\b(?:multiple|several|different|all|both) (?:methods|approaches|ways|confirmations|checks)\b|"
    r"\b(?:another|other) (?:way|method|approach)\b|\bcross[- ]?(?:check|verif)\w*|\bverif(?:ied|ying)\b|"
    r"\b(?:after|with) (?:all )?(?:this|that|these|the) (?:check|verif|confirm)\w*|\bchecks? out\b|"
    r"\b(?:confirms?|solidif(?:y|ies)|verifies) (?:it|that|this|the)\b|\bto (?:summari[sz]e|recap|sum up)\b",
    re.IGNORECASE,
)
_PLANS = re.compile(
    r"(?:(?:so|now|ok|okay|but|then)\W+)*(?:we(?:'ll| will| should| can| need to| must)?|let(?:'s| us)|"
    r"i(?:'ll| will| should)?) (?:now |just )?(?:provide|produce|write|present|answer|give|output|respond|"
    r"format|deliver|craft|explain)\b",
    re.IGNORECASE,
)
"""The beginning of a segment that plans the reply."""
ARRIVING_SEGMENTS = 4
"""Segments at the end of the trunk, or of the check that stays, one of which ends on the answer."""
_NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
_DOUBTS = re.compile(
    r"\b(?:is (?:that|this|it) (?:really |actually )?(?:correct|right|true)\s*\?|"
    r"(?:maybe|perhaps) i(?:'ve)? (?:made|missed|messed|mis\w+)|did i (?:make|miss|mess|mis\w+)|"
    r"i (?:might|may|could) have (?:made|missed|messed|mis\w+))",
    re.IGNORECASE,
)
_WONDERS = re.compile(
    r"^\W*(?:(?:but|so|and|oh|no)\b[\s,]*)*(?:wait|hold on|hmm+)\b[^?]*"
    r"\b(?:maybe|perhaps|mixed (?:\w+ )?up|intuitive|sure|right|wrong|possible|enough|"
    r"too (?:\w+))\b[^?]*\?\W*$",
    re.IGNORECASE,
)
"""A question that doubts what stands before it."""
_TAIL = re.compile(
    r"^\W*(?:so,? |and |but |okay,? )*(?:again|similarly|likewise|then|also)\b|\bso,? (?:no|yes)\b|"
    r"\b(?:test(?:s|ed)?|test[- ]cases?|(?:small|smaller|simpl\w+|special) (?:cases?|examples?)|"
    r"methods?|approach(?:es)?|"
    r"match(?:es|ed)?|(?:same|previous|earlier) (?:as|results?|answers?|values?|calculations?|findings?)|"
    r"(?:as|like) (?:before|earlier|above)|consistent with)\b",
    re.IGNORECASE,
)
"""Closing words that belong to work before them."""
_CONTINUES = re.compile(
    r"\s*(?:\\\[|\$\$)?\s*(?:=|\\(?:approx|equiv|implies|Rightarrow)\b|[≈≡⇒])"
    r"|\W*(?:(?:so|and|again|yes|okay|also|which|that|this|it|everything|all)\b[,\s]*){0,3}"
    r"(?:looks?|seems?|is|the) (?:\w+ )?(?:correct|right|good|fine|consistent|same(?: \w+)?)\W*$"
    r"|\W*(?:subtract|add|multiply|divid|combin|simplify|substitut)ing\b[^.\n]{0,60}"
    r"\b(?:we|i) (?:get|have|find)\b",
    re.IGNORECASE,
)
"""A segment that goes on with a formula or a calculation before it, or is a bare verdict on it."""
_CALCULATES = re.compile(r"\d\s*[-+*/×·÷^]\s*\d[^=\n]*=|=[^=\n]*=")
_ASSURES = re.compile(
    r"^\W*(?:(?:so|and|yes|yep|okay|therefore|thus|hence)\b[,\s]*)*"
    r"(?:i(?:'m| am)|that(?:'s| is)|this is|i think)\b"
    r"[^.!?\n]{0,60}\b(?:confident|sure|answer|it|correct|right|result|solution|done)\b[^.!?\n]{0,30}[.!]?\W*$",
    re.IGNORECASE,
)
_HEADING = re.compile(r"[\W_]*(?:the )?(?:final )?(?:answer|conclusion|result)\b[^.!?]{0,40}$", re.IGNORECASE)


def with_evidence(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose open checks affirm where they end on the answer, with closing words found."""
    ended = _with_ends(trace, annotation)
    return _closed(trace, with_whole_checks(trace, _affirmed(trace, ended)))


def _with_ends(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose last check has its end, also where the judge left it out or in the conclusion.

    What goes on with a formula of the check, or is a bare verdict on it, belongs to the check.
    """
    check = max(annotation.verifications, key=lambda v: v.start, default=None)
    count = len(annotation.segment_offsets) - 1
    if check is None or any(approach.start >= check.stop for approach in annotation.approaches):
        return annotation
    start, stop = check.stop, _tail(trace, annotation, check.stop)
    if stop == start:
        return annotation
    checks = tuple(replace(v, stop=stop) if v is check else v for v in annotation.verifications)
    closing = conclusion_start(annotation)
    if closing >= stop:
        return replace(annotation, verifications=checks)
    sections = [replace(s, stop=min(s.stop, closing)) for s in annotation.sections if s.start < closing]
    sections[-1:] = [replace(section, stop=stop) for section in sections[-1:]]
    if stop < count:
        sections.append(Section(SectionKind.CONCLUSION, stop, count))
    return replace(annotation, verifications=checks, sections=tuple(sections))


def _tail(trace: Trace, annotation: Annotation, start: int) -> int:
    """Where the segments from `start` on end that go on with the text before them, or judge it."""
    count = len(annotation.segment_offsets) - 1
    while start < count and _CONTINUES.match(_text(trace, annotation, start)):
        start += 1
    return start


def _affirmed(trace: Trace, annotation: Annotation) -> Annotation:
    """Affirmation is evidence: a check that ends on the accepted answer affirms it, in whatever words.

    One without a figure and without a verdict is only announced ("let me double-check that"), and affirms
    nothing.
    """
    accepted, trunk = accepted_answers(annotation), trunk_stop(annotation)
    if not accepted or trunk is None:
        return annotation
    offsets = annotation.segment_offsets

    def judged(check: Verification) -> Verification:
        if check.start < trunk or check.kind is VerificationKind.NEGATION:
            return check
        text = trace.reasoning[offsets[check.start] : offsets[check.stop]]
        if check.kind is VerificationKind.AFFIRMATION:
            examines = any(map(str.isdigit, text)) or VERDICT.search(text) or states(text, accepted)
            return check if examines else replace(check, kind=VerificationKind.CHECK)
        affirms = ends_on(text, accepted)
        return replace(check, kind=VerificationKind.AFFIRMATION) if affirms else check

    return replace(annotation, verifications=tuple(map(judged, annotation.verifications)))


def _closed(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose conclusion states the answer, if one of the last segments does.

    "I think that is right" alone is no outcome, so the sentence before it that states one belongs to it.
    """
    count, trunk = len(annotation.segment_offsets) - 1, trunk_stop(annotation)
    accepted, start = accepted_answers(annotation), conclusion_start(annotation)
    if trunk is None or not accepted or annotation.truncated:
        return annotation
    if any(states(_text(trace, annotation, segment), accepted) for segment in range(start, count)):
        return annotation
    if start == count:
        start = max(trunk, closing_words(trace.reasoning, annotation))
    starts = [a.start for a in annotation.approaches] + [v.start for v in annotation.verifications]
    stays = kept_check(annotation, trunk)
    ends = stays is not None and annotation.verifications[stays].stop == start
    text = _text(trace, annotation, start - 1)
    outcome = start - 1 >= trunk and max(starts, default=0) < start - 1 and len(text) <= CLOSING_CHARS
    if outcome and not ends and states(text, accepted) and not BOTH.search(text):
        start -= 1
    if any(check.start < start < check.stop for check in annotation.verifications):
        start = _tail(trace, annotation, start)
    return annotation if start == conclusion_start(annotation) else _concluding(annotation, start)


def _concluding(annotation: Annotation, start: int) -> Annotation:
    """The annotation whose conclusion begins at segment `start`, inside the last section before it."""
    sections = [
        replace(section, stop=min(section.stop, start))
        for section in annotation.sections
        if section.start < start
    ]
    count = len(annotation.segment_offsets) - 1
    return replace(
        annotation,
        sections=(*sections, Section(SectionKind.CONCLUSION, start, count)),
        approaches=tuple(replace(a, stop=min(a.stop, start)) for a in annotation.approaches),
        verifications=tuple(replace(v, stop=min(v.stop, start)) for v in annotation.verifications),
    )


def needless_closing(trace: Trace, annotation: Annotation, cut_behind: int | None = None) -> frozenset[int]:
    """The segments of the conclusion that sum up the checking or plan the reply.

    They may go if the text before them goes: what sums up, only where the final answer stands behind it; what
    plans the reply, only where it stands before it.

    Args:
        trace: the trace.
        annotation: with its conclusion.
        cut_behind: the last segment that stays before the conclusion, if the text between goes. Then only the
            last segments of the conclusion stay that state the outcome; the others may be the tail of what
            goes. If that segment ends on the answer, an outcome that speaks of what is dropped goes too.
    """
    stays, accepted = standing(annotation), accepted_answers(annotation)
    count = len(annotation.segment_offsets) - 1
    if stays is None or not accepted or count == stays.closing:
        return frozenset()
    texts = {segment: _text(trace, annotation, segment) for segment in range(stays.closing, count)}
    final = next((segment for segment in reversed(texts) if states(texts[segment], accepted)), None)
    if final is None:
        return _tail_of_work(texts, cut_behind, trace, annotation)
    behind = range(final + 1, count)
    planned = behind if behind and all(map(_PLANS.match, (texts[segment] for segment in behind))) else ()
    if cut_behind is not None:
        first = _outcome(texts, stays.closing, final, accepted)
        ended = ends_on(_text(trace, annotation, cut_behind), accepted)
        if first == final and ended and _hangs_on(texts[final]):
            return frozenset(range(stays.closing, count))
        return frozenset((*range(stays.closing, first), *planned))
    if final - 1 > stays.closing and _HEADING.match(texts[final - 1].strip()):
        final -= 1
    sums = (i for i in range(stays.closing, final) if _SUMS_UP.search(texts[i]) or EARLIER.search(texts[i]))
    return frozenset((*range(next(sums, final), final), *planned))


def _tail_of_work(
    texts: Mapping[int, str], cut_behind: int | None, trace: Trace, annotation: Annotation
) -> frozenset[int]:
    """The closing words that belong to dropped work, where none of them states the answer.

    What comes before the last "I think that is right" goes with it, if the kept text ends on the answer.
    """
    if cut_behind is None or not _ASSURES.match(texts[max(texts)]):
        return frozenset()
    if not ends_on(_text(trace, annotation, cut_behind), accepted_answers(annotation)):
        return frozenset()
    first = max(texts)
    while first - 1 in texts and _ASSURES.match(texts[first - 1]):
        first -= 1
    return frozenset(range(min(texts), first))


def _outcome(texts: Mapping[int, str], closing: int, final: int, accepted: Sequence[str]) -> int:
    """The first of the last segments that state the outcome, with their heading."""
    first = final
    for segment in range(final - 1, closing - 1, -1):
        text = texts[segment]
        if _HEADING.match(text.strip()):
            first = segment
        elif _hangs_on(text) or _CALCULATES.search(text) or len(text) > CLOSING_CHARS:
            break
        elif states(text, accepted):
            first = segment
        elif not _ASSURES.match(text):
            break
    return first


def _hangs_on(text: str) -> bool:
    """Whether closing words go on with work before them, or speak of tests, methods or earlier results."""
    return (
        _TAIL.search(text) is not None or _SUMS_UP.search(text) is not None or BOTH.search(text) is not None
    )


def settling(trace: Trace, annotation: Annotation) -> range | None:
    """The segments directly behind the trunk that settle a doubt at its end, or None where it ends in none.

    "Is that right? Maybe I made a mistake." may not stay without the work that answers it: the items behind
    it, up to the first that ends on the answer without a doubt. If none does, all of them settle it; so they
    do if the check that stays ends open.
    """
    stays, accepted = standing(annotation), accepted_answers(annotation)
    if stays is None or stays.trunk == 0 or not accepted:
        return None
    at = stays.trunk
    if stays.check is not None:
        check = annotation.verifications[stays.check]
        looked = trace.reasoning[
            annotation.segment_offsets[check.start] : annotation.segment_offsets[check.stop]
        ]
        if (is_open(looked) or leaves_conflict(looked)) and check.stop < stays.closing:
            return range(at, _settled_by(trace, annotation, check.stop, stays.closing))
    items = _items(annotation, at)
    approach = next((a for a in annotation.approaches if a.start == at), None)
    opening = _text(trace, annotation, at)[:DOUBT_CHARS] if items else ""
    asked = approach is not None and approach.label is Label.CORRECT and _DOUBTS.search(opening) is not None
    if not items or items[0][0] != at:
        return None
    doubted = asked or _is_doubtful(_text(trace, annotation, at - 1))
    if not doubted and _arrives(trace, annotation, stays, accepted):
        return None
    stop = _settled_by(trace, annotation, at, stays.closing)
    return range(at, stop) if doubted or stop < stays.closing else None


def _settled_by(trace: Trace, annotation: Annotation, at: int, closing: int) -> int:
    """Where the first item from segment `at` on ends that ends on the answer without a doubt."""
    offsets, accepted = annotation.segment_offsets, accepted_answers(annotation)
    for start, stop in _items(annotation, at):
        text = trace.reasoning[offsets[start] : offsets[stop]]
        if not is_open(text) and not leaves_conflict(text) and ends_on(text, accepted):
            return stop
    return closing


def _items(annotation: Annotation, at: int) -> list[tuple[int, int]]:
    """The approaches and checks that begin at segment `at` or behind it."""
    items = [(approach.start, approach.stop) for approach in annotation.approaches]
    items += [(check.start, check.stop) for check in annotation.verifications]
    return sorted(item for item in items if item[0] >= at)


def _arrives(trace: Trace, annotation: Annotation, stays: Standing, accepted: Sequence[str]) -> bool:
    """Whether the way to the answer ends on it, and not on a value from which a step still leads there.

    "61 + 94 = 155, so N = 1155" is not yet the remainder 155. Only numbers are compared.
    """
    if _NUMBER.fullmatch(accepted[0].strip("$ ")) is None:
        return True
    ends = list(range(max(0, stays.trunk - ARRIVING_SEGMENTS), stays.trunk))
    if stays.check is not None:
        check = annotation.verifications[stays.check]
        ends += range(max(check.start, check.stop - ARRIVING_SEGMENTS), check.stop)
    return any(ends_on(_text(trace, annotation, segment), accepted) for segment in reversed(ends))


def _is_doubtful(text: str) -> bool:
    if _DOUBTS.search(text[-DOUBT_CHARS:]) is not None or is_left_open(text):
        return True
    return _WONDERS.search(last_sentence(text)) is not None


def _text(trace: Trace, annotation: Annotation, segment: int) -> str:
    offsets = annotation.segment_offsets
    return trace.reasoning[offsets[segment] : offsets[segment + 1]]
