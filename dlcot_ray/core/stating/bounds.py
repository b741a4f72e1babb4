"""Whether a value is only a bound: "n is at least 64" says nothing of what n is.

In: a text and an answer in it, or a problem. Out: yes or no. Where the problem itself speaks of bounds, a bound
may be the answer.
"""

from __future__ import annotations

import re

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer

_BOUND = re.compile(
    r"(?:\b(?:at (?:least|most)|no (?:less|more|fewer) than|not exceed(?:ing)?|exceeds?)"
    r"|[≥≤]|(?<=\s)[<>]=?|\\(?:geq?|leq?|lt|gt)(?:slant)?(?![a-z]))[\s$({]{0,4}$",
    re.IGNORECASE,
)
"""The text before a value that something only reaches or does not exceed."""
_SPEAKS_OF_BOUNDS = re.compile(
    r"[≥≤<>]|\\(?:geq?|leq?|lt|gt)(?:slant)?(?![a-z])|\bat (?:least|most)\b|\bthan\b|\bexceed|\bup to\b|"
    r"\b(?:bound|range|interval|inequalit|extrem|maxim|minim)\w*\b|\b(?:domain|need(?:s|ed)?|require[sd]?|enough)\b|"
    r"\b(?:larg|small|great|long|short|high|low|few)est\b|\bleast\b|\bmost\b",
    re.IGNORECASE,
)
_REACH = 24
"""Characters before a value in which a bound is looked for."""


def speaks_of_bounds(problem: str) -> bool:
    """Whether a problem speaks of bounds, needs or extremes, so that a bound may be its answer."""
    return _SPEAKS_OF_BOUNDS.search(problem) is not None


def is_bound(text: str, answer: StatedAnswer) -> bool:
    """Whether a value that is no box is written as a bound of something."""
    if answer.form is AnswerForm.BOXED:
        return False
    return _BOUND.search(text[max(0, answer.start - _REACH) : answer.start]) is not None
