"""Checks: where a look at a standing answer opens, where it is settled, and how a whole check ends.

In: segments. Out: yes or no, or a kind. A second look opens a check only once an answer stands (see
`structure.py`). Several looks in a row without a verdict between them are one check.
"""

from __future__ import annotations

import re

from dlcot_ray.core.annotation import VerificationKind

_LEAD = (
    r"^\W*(?:(?:okay|ok|so|but|and|now|hmm+|wait|a (?:minute|second|moment)|no|alright|well|actually"
    r"|yes|yeah|yep|also|then|just"
    r"|maybe|hold on|on (?:a )?second|a second|a minute|again|however|first|before (?:i |we )?[a-z ]{3,20}"
    r"|i think|we|i"
    r"|perhaps|oh|ah|right|let me think)\b[,.!…—\s-]*)*"
)
_ASKS = (
    r"(?:(?:let me|let's|let us|i should|i'll|we should|we can|i can|we could|i could|we must|we need to"
    r"|i need to|we have to"
    r"|i have to|to|i want to|should|could|must|better|maybe|perhaps|need to|just|also|quickly|again"
    r"|try to|still|might|go ahead and)\W+){0,6}"
)
_INSISTS = (
    r"(?:double[- ]?check|(?:be|make) (?:\d+ ?% |absolutely |extra |very )?(?:sure|certain|careful"
    r"|thorough)|sanity"
    r"|verif\w+|recap\b|re-?read|final(?:ly)? check|to ensure|for completeness|in case i\b"
    r"|(?:another|one (?:more|last)) (?:sanity|check|quick check|thing|final))"
)
LOOK = re.compile(
    _LEAD
    + r"(?:"
    + _ASKS
    + r"(?:(?:re-?|double[- ]?|cross[- ]?)?(?:verif|check|confirm|validat)|re-?(?:examin|calculat"
    r"|comput|evaluat|consider|count|do\b)|count again|check"
    + r"|summari[sz]e|go (?:back |through|over)|look (?:again|back)|think (?:again|if|differently"
    r"|carefully|through))"
    + r"|(?:(?:let me|let's|let us|we (?:should|might|could|can|must)|i (?:should|might|could)|also"
    r"|just) (?:\w+ )?)(?:consider|see (?:if|what|whether)|think (?:about|of)|test\b|take a|list\b"
    r"|visuali[sz]e)"
    + r"|(?:just )?(?:to be|to think|to check|to confirm|to verify|in case)\b|is there\b|are there\b"
    r"|is (?:that|this|it) (?:right|correct|all|true|really|reasonable|intuitive|possible)"
    + r"|(?:does|is) [^.?\n]{3,80}\?|what if\b|why (?:did|do|am|is)\b|could there\b"
    + r"|another (?:way|thought|angle|test|approach|point|method|possib\w+|potential)|one (?:more"
    r"|last) |alternative(?:ly)?\b"
    + r"|the (?:problem|question) (?:says|states|said|asks|specif|mention|might)"
    + r"|that(?:'s| is| seems) (?:even |too |surpris|interest|famil)|this seems (?:too|odd|surpris)"
    r"|(?:that )?seems surpris|express this" + r"|" + _ASKS + _INSISTS + r")",
    re.IGNORECASE,
)
"""Opens a look at what stands before, in plain words."""

INSIST = re.compile(_LEAD + _ASKS + _INSISTS, re.IGNORECASE)
"""Opens a look so plainly that it needs no verdict before it."""

DOUBT = re.compile(
    r"^\W*(?:(?:but|so|and|hmm+|no|okay)\b[,.!\s]*)*(?:wait|hold on|but\b|hmm+|however|actually)\b", re.I
)
"""Opens with a word of doubt or turning. It opens a check only behind a settled answer."""

SETTLES = re.compile(
    r"\b(?:(?:seems?|looks?|is|are|was|were|that's|it's|be|indeed) (?:also |all |indeed |still "
    r"|pretty |quite |perfectly |to be )*"
    r"(?:right|correct|consistent|good|valid|fine|solid|safe|settled|reassuring|plausible|reasonable"
    r"|clear|true|straightforward|accurate|okay|ok)\b"
    r"|correct[.!)]|checks? out|(?:that|it|this|which|everything|all) (?:\w+ )?(?:works|holds|matches"
    r"|agrees?|fits|adds up|makes sense|confirms?|aligns?)"
    r"|makes sense|makes a lot of sense|same (?:answer|result|value|number|thing|conclusion)|as (?:before"
    r"|above|expected|we (?:had|found|did|established)|i did)|matches|agree\b"
    r"|consistent|confirm(?:s|ed|ing|ation)|satisf(?:y|ies|ied)|yep\b|yes\b|perfect|no (?:mistakes?"
    r"|problem|issue)|(?:i'm|i am|feel) (?!not\b)(?:\w+ )?(?:confident|sure|certain)"
    r"|all good|we're good|so no\b|not allowed|doesn't (?:matter|affect|change)|excluded|✓|✔|verified"
    r"|i think (?:that's|it's|this is|i've|the answer)|still \S+)",
    re.IGNORECASE,
)
"""A verdict in favour of what was looked at."""

STATES = re.compile(
    r"^\W*(?:(?:and|but|again|okay|wait|yes|yeah|yep|no|well)\b[,.!\s]*)*(?:so|therefore|thus|hence"
    r"|then|which means|this means|in total|total|final answer|the (?:final )?answer)\b",
    re.IGNORECASE,
)
"""Opens a sentence that states a result."""

FAULT = re.compile(
    r"\b(?:that(?:'s| is| was| can't be| cannot be) (?:not right|wrong|incorrect|not correct|impossible)"
    r"|(?<!think )(?<!sure )(?<!believe )(?<!if )(?<!whether )(?<!unless )"
    r"i (?:made|messed|miscounted|forgot|overlooked|missed)\b"
    r"|(?:doesn't|does not|don't|didn't|not) (?:match|add up|work|hold|satisfy|fit|balanced)|contradict\w*"
    r"|discrepanc\w*|can't be right|cannot be right|mistaken"
    r"|not valid|something(?:'s| is) (?:off|wrong)|not included|(?<!if we )need to include"
    r"|too (?:coarse|small|large|big)|i(?:'m| am) missing|was wrong)",
    re.IGNORECASE,
)
OPEN_END = re.compile(
    r"\b(?:not sure|unclear|confus\w+|i don't know|which (?:one )?is correct|don't know)\b", re.I
)
_FIRST_SENTENCE = re.compile(r"[^.!?\n]{1,70}[.!]\s+")
_TAIL = 140
"""Characters at the end of a segment that hold its verdict."""


def looks_back(segment: str) -> bool:
    """Whether a segment opens a look at what stands, in its first sentence or behind a short verdict."""
    return LOOK.match(segment) is not None or LOOK.match(_behind_a_verdict(segment)) is not None


def _behind_a_verdict(segment: str) -> str:
    """What follows a short first sentence that is a verdict; empty where there is none."""
    first = _FIRST_SENTENCE.match(segment)
    if first is None or SETTLES.search(first.group()) is None:
        return ""
    return segment[first.end() :]


def insists(segment: str) -> bool:
    """Whether a segment opens a look of its own, whatever stands before it."""
    return INSIST.match(segment) is not None or INSIST.match(_behind_a_verdict(segment)) is not None


def doubts(segment: str) -> bool:
    """Whether a segment opens with a word of doubt."""
    return DOUBT.match(segment) is not None


def settles(segment: str, *, answered: bool) -> bool:
    """Whether a segment ends in a verdict, or states the answer as a result."""
    tail = segment.rstrip()[-_TAIL:]
    if tail.endswith(("?", ":")):
        return False
    if SETTLES.search(tail) is not None:
        return True
    return answered and states(segment)


def states(segment: str) -> bool:
    """Whether a segment opens by stating a result."""
    return STATES.match(segment) is not None and not segment.rstrip().endswith(("?", ":"))


def verification_kind(text: str) -> VerificationKind:
    """How a check ends: it finds fault, leaves the value open, or (as nearly all) lets it stand.

    The end of the text decides. A check without a word of doubt at its end agrees with what it checks.
    """
    end = text.rstrip()[-2 * _TAIL :]
    if end.endswith("?"):
        return VerificationKind.CHECK
    faults = [m.end() for m in FAULT.finditer(end)]
    if faults:
        agrees = [m.end() for m in SETTLES.finditer(end)]
        if not agrees or faults[-1] > agrees[-1]:
            return VerificationKind.NEGATION
    if OPEN_END.search(end[-_TAIL:]) and not SETTLES.search(end[-_TAIL:]):
        return VerificationKind.CHECK
    return VerificationKind.AFFIRMATION
