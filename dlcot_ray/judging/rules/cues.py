"""The wording by which teachers mark their own structure, as compiled patterns over one segment.

Cues are anchored at the start of a segment where position matters: "Wait" in mid-sentence marks a local
check, not a boundary. They do not depend on the habits of one teacher: every family (R1, QwQ, Qwen3, gpt-oss,
Gemini) has at least one wording in every pattern. English only.
"""

from __future__ import annotations

import re

_LEAD = r"^\W{0,40}(?:(?:okay|ok|so|but|and|now|hmm+|wait|alright|well|actually|yes|yeah|also|then|just|maybe)\b[,.!…\s]{0,20}){0,12}"

NEW_APPROACH = re.compile(
    _LEAD
    + r"(?:let me |let's |let us |i'll |i can |we can |we could |i could |perhaps |is there |try |think )*"
    r"[^.\n]{0,60}?\b(?:(?:another|different|alternative|second|third|other|new) "
    r"(?:way|approach|method|strategy|idea|route|solution|angle)"
    r"|start (?:over|again|afresh)|from scratch|approach (?:it|this) (?:differently|another way))",
    re.IGNORECASE,
)
"""Says outright that the strategy changes. A failed match is slow: call `announces_approach` instead."""
_STRATEGY_WORDS = (
    "way",
    "method",
    "approach",
    "solution",
    "idea",
    "start",
    "scratch",
    "strateg",
    "route",
    "angle",
)

ALTERNATIVELY = re.compile(
    _LEAD + r"(?:alternatively|or alternatively|instead,|on second thought)", re.IGNORECASE
)
"""May open a new approach or a short alternative; the surrounding segments decide."""
_TURNING = ("alternatively", "instead,", "on second thought")
"""One of these is in every match of `ALTERNATIVELY`."""

VERIFY = re.compile(
    _LEAD
    + r"(?:(?:let me|let's|let us|i should|i'll|we should|we can|i can|to|i want to|i need to|should|could|"
    r"better|maybe|perhaps|need to|just|also|quickly|double)\W+){0,4}"
    r"(?:verif|re-?verif|check|double[- ]?check|re-?check|confirm|make sure|be sure|be careful|sanity|test|"
    r"validat|cross[- ]?(?:check|verif)|re-?examine|re-?calculate|recompute|go (?:over|through)|see if (?:that|this|it)|"
    r"plug(?:ging)? (?:it |this |that |them |these )?(?:back|in)|substitut\w+ (?:it |this |them )?back)",
    re.IGNORECASE,
)
"""Opens a check of a result."""

RECONSIDER = re.compile(
    r"^\W*(?:wait|hold on|hmm|but wait|actually|is (?:that|this|it) (?:right|correct|all))\b", re.IGNORECASE
)
"""Opens a second look: a check once an answer stands, a local remark before that."""
QUESTIONING = re.compile(
    r"\?|\b(?:check|verif\w+|make sure|sure|certain|confirm|correct|right|mistake\w*|miss(?:ed|ing)|wrong|consistent|sense|"
    r"confident|careful|recheck|double|overlook\w*)\b",
    re.IGNORECASE,
)
"""Marks a second look as a check, not a new thought."""

LOOKS_BACK = re.compile(
    r"(?:^|[.!?]\s{1,9})\W{0,20}(?:wait|hold on|let me (?:just )?(?:check|verify|double|make sure|recheck|recap|think again|reconsider)"
    r"|but (?:wait|check|let)|(?:that|this) (?:seems|looks|makes sense|matches|checks)|(?:does|is) (?:that|this)"
    r"|(?:yes|yep|yeah|good|perfect|great)\b)",
    re.IGNORECASE,
)
"""A sentence about the result just before it."""
ANSWER = re.compile(r"\b(?:answer|final result|solution is|what we (?:want|need))\b", re.IGNORECASE)
"""Mentions the answer."""

CONCLUDE = re.compile(
    r"^\W{0,40}(?:so,? |therefore,? |thus,? |hence,? |in (?:conclusion|summary),? |to (?:conclude|sum up|summari[sz]e),? |"
    r"ok(?:ay)?,? |alright,? |i(?:'m| am) (?:confident|sure)|overall,? |finally,? |yes,? )*"
    r"(?:\**final answer|the (?:final )?answer (?:is|should be|must be|would be)|answer\s*:|"
    r"i(?:'m| am) (?:pretty |quite |now |fairly )?(?:confident|sure|convinced)|in (?:conclusion|summary)|"
    r"the (?:correct |final |required )?(?:answer|result|solution|value)\b[^.\n]{0,60}\bis\b|\\boxed|\$+\\boxed|"
    r"(?:we|i)(?:'ll| will| can|'d)? (?:answer|respond|present|write|produce|output|give))",
    re.IGNORECASE,
)

OPENING = re.compile(
    r"\b(?:(?:this|the|a|my|our) (?:math |geometry |algebra |word )?(?:problem|question|puzzle|task|exercise)\b"
    r"|(?:we|i)(?:'re| are|'m| am|'ve been)? (?:given|asked|told)\b|(?:we|i) (?:need|have|want) to \w+"
    r"|(?:we|let us|let's) (?:find|compute|prove|show|determine|solve)\b|(?:our|my|the) (?:goal|task|aim) is)",
    re.IGNORECASE,
)
"""Mentions the problem or the question, as traces of all families do at their start."""


def turns_aside(segment: str) -> bool:
    """Whether a segment opens with `ALTERNATIVELY`; looks first for a word that every match contains."""
    lower = segment.lower()
    return any(word in lower for word in _TURNING) and ALTERNATIVELY.match(segment) is not None


def announces_approach(segment: str) -> bool:
    """Whether a segment opens with `NEW_APPROACH`; looks first for a word that every match contains."""
    lower = segment.lower()
    return any(word in lower for word in _STRATEGY_WORDS) and NEW_APPROACH.match(segment) is not None
