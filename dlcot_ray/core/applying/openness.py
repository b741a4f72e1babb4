"""Whether a text has an end: it asks, announces, doubts or sets out for something, or it does not.

In: text. Out: small facts about its last sentence, which tell whether what follows belongs to it. English
only; every pattern is linear.
"""

from __future__ import annotations

import re

from dlcot_ray.core.applying.looks import HEDGES, UNSURE, announces_check
from dlcot_ray.core.seams import cues
from dlcot_ray.core.seams.kinds import SeamKind
from dlcot_ray.core.seams.loose_ends import loose_before
from dlcot_ray.core.seams.sentences import sentences

_WONDERS = re.compile(
    r"^\W*(?:(?:but|so|and|hmm+)\b[,\s]*)*(?:the question is|i wonder|thinking (?:of|about) whether)\b",
    re.IGNORECASE,
)
"""A question that is put without its sign."""
_LACKS = re.compile(
    r"^\W*but (?:i|we) (?:still|don't|do not) (?:\w+ )?(?:have|know|need|don't|can't)\b", re.IGNORECASE
)
_WAITS = re.compile(r"\W*(?:(?:but|so|oh|no|okay)\b\W*)*(?:wait|hold on|hmm+)\W*$", re.IGNORECASE)
_UNCOMPUTED = re.compile(
    r"(?:(?:so|then|now|thus|and)\b[,\s]{0,3}){0,2}"
    r"[\s$\\(]*\d[\d\s().,/^]*(?:[*×·+]|\\times|\\cdot)[\d\s().,/*×·+^-]*[.$)\s\\]*$",
    re.IGNORECASE,
)
"""An expression in figures that is still to be worked out."""
_SETS_OUT = re.compile(
    r"\b(?:let(?:'s| me| us)|i(?:'ll| will)|we(?:'ll| will)) (?:\w+ ){0,2}?"
    r"(?:consider|look|see|compute|calculate|find|use|list|work|start|expand|write|try|think)\b[^.!?]*[.:]?\W*$",
    re.IGNORECASE,
)
_FULL_STOP = re.compile(r"[.!?]")
_MESSED_UP = re.compile(
    r"\b(?:messed|mixed) (?:\w+ )?up\b|\b(?:doesn't|does not|don't) (?:add up|make sense)\b|"
    r"\bcan't be right\b",
    re.IGNORECASE,
)
_TURNED_DOWN = re.compile(
    r"\b(?:but|though|however),? (?:i think |i believe |since |as )?(?:that|this|it|the|those|these|i|we)\b"
    r"[^.!?]{0,80}\b(?:n't|not|simplest|same|enough|sufficient|fine|right|correct|unnecessary|complicated|"
    r"straightforward|easier|okay)",
    re.IGNORECASE,
)
"""A possibility that the same sentence turns down."""
_STILL_TO_DO = re.compile(
    r"\b(?:but|however|though)\b[^.!?]{0,40}\b(?:need|should|have|want|must|ought)\b(?: to)?[^.!?]{0,20}"
    r"\b(?:check|verify|confirm|consider|make sure|be sure|see|ensure|think|look|determine|decide|"
    r"(?:rule|find|figure) out)\b",
    re.IGNORECASE,
)
"""A sentence that says what is still to be examined."""
_GOES_TO_CHECK = re.compile(
    r"\b(?:but|however|though),? (?:just )?(?:let(?:'s| me| us)|i(?:'ll| will)|we(?:'ll| will))\b[^.!?]{0,20}"
    r"\b(?:check|verify|confirm|consider|make sure|be sure|see|ensure)\b",
    re.IGNORECASE,
)

_ANOTHER_READING = re.compile(
    r"\b(?:different|another) (?:interpretation|reading|way (?:to|of) (?:interpret|read)\w*)\b", re.IGNORECASE
)
"""A reading of the problem that what follows turns down."""
_OBJECTS = re.compile(r"^\W*(?:(?:but|hmm+|oh|so)\W+)*(?:wait\W+no|no\W+wait)\b", re.IGNORECASE)
"""The beginning of an objection."""
_AGAIN = re.compile(
    r"\b(?:let(?:'s| me| us)|i(?:'ll| will)) (?:just |quickly )?"
    r"(?:re-?check|(?:double|cross)[- ]?check|check|verify|confirm)\b"
    r"(?: (?:that|this|it|again|once more|once again|just|to be (?:sure|safe|certain)|to make sure|carefully|"
    r"(?:my|the|these) (?:work|answers?|results?|calculations?|steps?|math|numbers)))*[.!…]*\s*$",
    re.IGNORECASE,
)
"""Announces that the same is checked again, and nothing else that is still to be examined."""
_ANNOUNCING = 2
"""Maximum number of last sentences that announce one check."""


def is_open(text: str) -> bool:
    """Whether a text ends in a question, a doubt or an announcement, so that what follows settles it."""
    last = last_sentence(text)
    if not last or last.endswith(("?", ":")):
        return bool(last)
    if (
        _UNCOMPUTED.match(last)
        or _WONDERS.match(last)
        or _LACKS.match(last)
        or _STILL_TO_DO.search(last)
        or _GOES_TO_CHECK.search(last)
        or _WAITS.match(last)
    ):
        return True
    if HEDGES.match(last) or UNSURE.search(_FULL_STOP.split(last)[-1]):
        return _TURNED_DOWN.search(last) is None
    if cues.CONCLUDES.search(last) is not None:
        return False
    doubts = cues.DOUBTS.search(last) or _MESSED_UP.search(last)
    return doubts is not None or cues.ANNOUNCES.match(last) is not None


def supposes(text: str) -> bool:
    """Whether the last sentence of a text only supposes something, so that what follows may settle it."""
    last = last_sentence(text)
    hedged = (
        HEDGES.match(last) or UNSURE.search(last) or _ANOTHER_READING.search(last) or _OBJECTS.match(last)
    )
    return hedged is not None and _TURNED_DOWN.search(last) is None and not last.endswith(":")


def is_left_open(text: str) -> bool:
    """Whether the last sentence of a text says that something is still to be examined, or only may be so."""
    last = last_sentence(text)
    if _STILL_TO_DO.search(last):
        return True
    hedges = HEDGES.match(last) or (UNSURE.match(last) and not _FULL_STOP.search(last))
    return bool(hedges) and "=" not in last and not _TURNED_DOWN.search(last)


def without_announcement(text: str) -> str:
    """A text without last sentences that only announce that the same is checked again, if more is left.

    "But let me check again." is taken out as a loose end where the check goes. A sentence that says what is
    still to be examined ("let me check whether x = 3 works too") is no such announcement.
    """
    for _ in range(_ANNOUNCING):
        found = loose_before(text)
        if found is None or found[0] is not SeamKind.ANNOUNCEMENT:
            break
        start, stop = found[1]
        if not _AGAIN.search(text[start:stop]) or not text[:start].strip():
            break
        text = text[:start]
    return text


def sets_out(text: str) -> bool:
    """Whether the last sentence of a text sets out to work something new, and works nothing yet."""
    last = last_sentence(text)
    return (
        _SETS_OUT.search(last) is not None
        and not announces_check(last)
        and cues.CONCLUDES.search(last) is None
        and "=" not in last
    )


def last_sentence(text: str) -> str:
    """The last sentence of a text."""
    spans = sentences(text.rstrip())
    return text[slice(*spans[-1])].strip() if spans else ""
