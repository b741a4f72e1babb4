"""Which closing words may go with the work that they sum up.

In: a trace and its settled annotation. Out: the segments of the conclusion that sum up what is dropped, or
plan the reply.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.standing import conclusion_start, standing
from dlcot_ray.core.seams.cues import ASSURES, BOTH, EARLIER
from dlcot_ray.core.seams.sentences import sentences, without_lead, without_yes
from dlcot_ray.core.stating.outcomes import CLOSING_CHARS, argues, calculates
from dlcot_ray.core.stating.stated import accepted_answers, ends_on, states
from dlcot_ray.core.trace import Trace

_WAYS = re.compile(
    r"\b(?:multiple|several|different|all|both) (?:methods|approaches|ways|confirmations|checks)\b|"
    r"\b(?:another|other) (?:way|method|approach)\b",
    re.IGNORECASE,
)
_SUMS_UP = re.compile(
    rf"{_WAYS.pattern}|\bcross[- ]?(?:check|verif)\w*|\bverif(?:ied|ying)\b|"
    r"\b(?:after|with) (?:all )?(?:this|that|these|the) (?:check|verif|confirm)\w*|\bchecks? out\b|"
    r"\b(?:confirmed|verified|checked|validated) (?:\w+ )?(?:enough|sufficiently|thoroughly)\b|"
    r"\bcovered (?:all|every)\b|\bverify (?:it |this |that )?by\b|"
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
_TAIL = re.compile(
    r"^\W*(?:so,? |and |but |okay,? )*(?:again|similarly|likewise|then|also|another (?:point|thing)|"
    r"additionally|furthermore|moreover|for the)\b|\bso,? (?:no|yes)\b|"
    r"\b(?:none|neither|any|no) of the (?:other|remaining) (?:options|choices|answers|ones)\b|"
    r"^\W*(?:(?:so|therefore|thus|hence|and|but),? )*(?:they|these|those)\b|"
    r"\b(?:verification|calculation|computation|(?:double|cross)[- ]?check\w*) (?:also |again |too )?"
    r"(?:suggests?|shows?|confirms?|gives?|agrees?|supports?)\b|"
    r"\b(?:test(?:s|ed)?|test[- ]cases?|(?:small|smaller|simpl\w+|special) (?:cases?|examples?)|"
    r"(?:examples?|cases?|values) (?:that )?(?:i|we)(?:['’]ve| have)? (?:tried|tested|checked|looked|worked)|"
    r"(?:apply\w*|use|using|by|with) the same (?:logic|reasoning|idea|method|argument|principle|process)|"
    r"methods?|approach(?:es)?|"
    r"match(?:es|ed)?|(?:same|previous|earlier) (?:as|results?|answers?|values?|calculations?|findings?)|"
    r"back to (?:the|our) (?:original|main|actual) (?:problem|question|case|one)|"
    r"(?:as|like) (?:before|earlier|above)|consistent with)\b",
    re.IGNORECASE,
)
"""Closing words that belong to work before them."""
_ENTRY = re.compile(r"[\s*]{0,9}\(?(?P<number>\d{1,2})[.)]\s")
_LIST_SEGMENTS = 60
"""Maximum segments of a numbered list that the closing words end."""
_LEADS_ON = re.compile(
    r"(?:[:,]|\b(?:is|are|be|as|by|with|of|to|that|and|equals|gives|get|have|formula|equation))\s*$"
)
"""The end of a segment whose sentence goes on in the next."""
_DECLARES = re.compile(r"[\W_]*(?:final )?answer\b|[^\n]*\\boxed\b", re.IGNORECASE)
"""A line that declares the final answer."""
_OPENS_FORMULA, _CLOSES_FORMULA = ("\\[", "$$"), ("\\]", "$$")
_HEADING = re.compile(r"[\W_]*(?:the )?(?:final )?(?:answer|conclusion|result)\b[^.!?]{0,40}$", re.IGNORECASE)


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
    texts = {
        segment: annotation.segment_text(trace.reasoning, segment) for segment in range(stays.closing, count)
    }
    final = next((segment for segment in reversed(texts) if states(texts[segment], accepted)), None)
    if final is None:
        return _tail_of_work(texts, cut_behind, trace, annotation)
    behind = range(final + 1, count)
    planned = behind if behind and all(map(_PLANS.match, (texts[segment] for segment in behind))) else ()
    if cut_behind is not None:
        first = _outcome(texts, stays.closing, final, accepted)
        ended = ends_on(annotation.segment_text(trace.reasoning, cut_behind), accepted)
        if first == final and _goes_whole(texts[final], accepted, ended=ended):
            return frozenset(range(stays.closing, count))
        return frozenset((*range(stays.closing, first), *planned))
    if final - 1 > stays.closing and _HEADING.match(texts[final - 1].strip()):
        final -= 1
    sums = (i for i in range(stays.closing, final) if _SUMS_UP.search(texts[i]) or EARLIER.search(texts[i]))
    return frozenset((*range(next(sums, final), final), *planned))


def kept_outcome(trace: Trace, annotation: Annotation, gone: Collection[int]) -> dict[int, str]:
    """What stays of closing words that go whole: the last sentence, if it states the outcome by itself.

    "Let me confirm it once more: it matches. So it is 42." ends a trace from which the checking went as
    "So it is 42."

    Args:
        trace: the trace.
        annotation: with its conclusion.
        gone: segments that go because they sum up what is dropped.

    Returns:
        The segment and its new text; empty where something of the conclusion stays, or no sentence can.
    """
    accepted, count = accepted_answers(annotation), len(annotation.segment_offsets) - 1
    closing = range(conclusion_start(annotation), count)
    if not closing or not accepted or not all(segment in gone for segment in closing):
        return {}
    text = _last_outcome(annotation.segment_text(trace.reasoning, closing[-1]), accepted)
    return {} if text is None else {closing[-1]: text}


def declared_answer(trace: Trace, annotation: Annotation, gone: Collection[int]) -> dict[int, str]:
    """What stays of a last segment that goes: the lines that declare the final answer.

    "The sum is right again. I think that is it.\\nFinal Answer: \\boxed{42}" leaves its second line.

    Args:
        trace: the trace.
        annotation: settled.
        gone: segments that go, but not because they are a loop.

    Returns:
        The segment and its new text, which may be all of it; empty where the last segment stays or declares
        nothing, or where the line speaks of dropped work.
    """
    last = len(annotation.segment_offsets) - 2
    accepted = accepted_answers(annotation)
    if last not in gone or not accepted or annotation.truncated:
        return {}
    lines = annotation.segment_text(trace.reasoning, last).splitlines(keepends=True)
    at = _declaring_line(lines)
    if at is None or not states(lines[at], accepted) or _speaks_of_dropped(lines[at]):
        return {}
    if at and lines[at - 1].strip() in _OPENS_FORMULA:
        at -= 1
    if at and _HEADING.match(lines[at - 1].strip()):
        at -= 1
    return {last: "".join(lines[at:])}


def _declaring_line(lines: Sequence[str]) -> int | None:
    """The last line with words, or the box of a formula on lines of its own, if it declares an answer."""
    at = len(lines) - 1
    while at > 0 and (not lines[at].strip() or lines[at].strip() in _CLOSES_FORMULA):
        at -= 1
    return at if at >= 0 and _DECLARES.match(lines[at]) else None


def _last_outcome(text: str, accepted: Sequence[str]) -> str | None:
    """The last of several sentences, if it states the outcome and speaks of nothing that is dropped.

    A sentence of which only the first words speak of it leaves the rest: "So, sticking with the first method,
    I'm confident that it is 42."
    """
    places = sentences(text)
    start, stop = places[-1] if places else (0, 0)
    last = text[start:stop]
    if not states(last, accepted):
        return None
    if _speaks_of_dropped(last):
        return _freed(last, accepted)
    return text[start:] if len(places) > 1 else None


def _freed(sentence: str, accepted: Sequence[str]) -> str | None:
    """A sentence without its first words, if the rest states the outcome and speaks of nothing else."""
    rest = without_lead(sentence) or without_yes(sentence)
    return rest if rest is not None and states(rest, accepted) and not _hangs_on(rest) else None


def _goes_whole(text: str, accepted: Sequence[str], *, ended: bool) -> bool:
    """Whether a final outcome goes with the work that it sums up, apart from its last sentence.

    That the answer was verified stays true, so an outcome of one sentence that says so stays. Without a last
    sentence that can stay, it goes only where the text before it has `ended` on the answer.
    There what is worked out once more goes too.
    """
    if _last_outcome(text, accepted) is not None:
        return _hangs_on(text) or (ended and calculates(text))
    return ended and _speaks_of_dropped(text)


def list_before(trace: Trace, annotation: Annotation, closing: int) -> range:
    """The segments of a numbered list that goes on in segment `closing`; an empty range where there is none.

    An entry "5." may not stay where the entries before it go.
    """
    if closing == len(annotation.segment_offsets) - 1:
        return range(0)
    wanted = _number(annotation.segment_text(trace.reasoning, closing))
    for segment in range(closing - 1, max(-1, closing - _LIST_SEGMENTS), -1):
        if wanted < 2:
            break
        if _number(annotation.segment_text(trace.reasoning, segment)) == wanted - 1:
            wanted -= 1
            if wanted == 1:
                announced = segment and annotation.segment_text(
                    trace.reasoning, segment - 1
                ).rstrip().endswith(":")
                return range(segment - 1 if announced else segment, closing)
    return range(0)


def _number(text: str) -> int:
    """The number of a list's entry, or 0."""
    entry = _ENTRY.match(text)
    return int(entry["number"]) if entry else 0


def _tail_of_work(
    texts: Mapping[int, str], cut_behind: int | None, trace: Trace, annotation: Annotation
) -> frozenset[int]:
    """The closing words that belong to dropped work, where none of them states the answer.

    What comes before the last "I think that is right" goes with it, and so do first words that answer it, if
    the kept text ends on the answer.
    """
    if cut_behind is None:
        return frozenset()
    if not ends_on(annotation.segment_text(trace.reasoning, cut_behind), accepted_answers(annotation)):
        return frozenset()
    first, count = max(texts), max(texts) + 1
    if not ASSURES.match(texts[first]):
        # "So, no. Hence it is unique." answers what is dropped.
        behind = next((i for i in sorted(texts) if not _hangs_on(texts[i])), count)
        return frozenset(range(min(texts), behind))
    while first - 1 in texts and ASSURES.match(texts[first - 1]):
        first -= 1
    return frozenset(range(min(texts), first))


def _outcome(texts: Mapping[int, str], closing: int, final: int, accepted: Sequence[str]) -> int:
    """The first of the last segments that state the outcome, with their heading."""
    first = final
    for segment in range(final - 1, closing - 1, -1):
        text = texts[segment]
        if _HEADING.match(text.strip()) or (segment + 1 == first and _LEADS_ON.search(text)):
            first = segment
        elif _hangs_on(text) or argues(text) or calculates(text) or len(text) > CLOSING_CHARS:
            break
        elif states(text, accepted):
            first = segment
        elif not ASSURES.match(text):
            break
    return first


def _hangs_on(text: str) -> bool:
    """Whether closing words go on with work before them, or speak of tests, methods or earlier results."""
    return (
        _TAIL.search(text) is not None or _SUMS_UP.search(text) is not None or BOTH.search(text) is not None
    )


def _speaks_of_dropped(text: str) -> bool:
    """Whether an outcome speaks of tests, methods or results that went. That it was verified stays true."""
    return _TAIL.search(text) is not None or _WAYS.search(text) is not None or BOTH.search(text) is not None
