"""What the kept text behind a located error does with it: uses its wrong value, or notices it.

In: a trace, its annotation, an error and the kept segments. Out: whether the error can be deleted or repaired
without the rest contradicting it. All kept text to the end of the trace counts, the conclusion included. A
value can be used by name or as "that" without being written again, so where neither the wrong nor the right
value follows, a name or such a word also counts as a use. In doubt the error stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, Source
from dlcot_ray.core.arithmetic.claims import ArithmeticClaim
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.core.evidence.expression import evaluate, evaluate_prefix
from dlcot_ray.core.evidence.parser import Number
from dlcot_ray.core.trace import Trace

_VALUE = re.compile(
    r"\\[dt]?frac\{-?\d+\}\{\d+\}|(?<![\w.\\])\d[\d,]*(?:\.\d+)?(?:\s?/\s?\d+)?(?:\s?\\?%)?(?![\w])|(?<![\d.])\.\d+"
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
_RELATION = re.compile(r"=|≈|\\approx|\bis\b")
_NAME = re.compile(
    r"(?P<name>[A-Za-z](?:\w|\{\w+\}){0,24}(?:\([^()\n]{0,16}\))?|\\[a-z]+)[\s$]*(?::?=|≈|\\approx|\bis\b)[^=\n]{0,80}$"
)
_POINTS_BACK = re.compile(
    r"\b(?:that|this|it|half|twice|double|triple|"
    r"the (?:sum|total|product|result|difference|value|quotient|number|latter|last))\b"
    r"[^.!?\n]{0,80}\d",
    re.IGNORECASE,
)
_POINTED_WITHIN = 240
"""Characters behind an error within which "that" or "the sum" can mean its value."""
_NOTICES = re.compile(
    r"\b(?:mistake|wrong|incorrect|error|oops|not right|can't be right|cannot be right|"
    r"miscalculat\w+|i mis\w+)\b|"
    r"(?:^|[.!?\n])\W{0,20}(?:wait|no|hold on|hmm|actually)\b",
    re.IGNORECASE,
)
_NOTICED_WITHIN = 160
"""Characters behind an error within which a doubt can be about it."""


def claim_of(trace: Trace, error: ErrorSpan) -> ArithmeticClaim | None:
    """The numeric claim that a computed error quotes; None for errors that a model named."""
    if error.source is not Source.EVIDENCE or error.kind is not ErrorKind.CALCULATION:
        return None
    claims = find_claims(trace.reasoning[error.char_start : error.char_stop])
    return next((claim for claim in claims if claim.holds is not True), None)


def explain(trace: Trace, error: ErrorSpan) -> str:
    """What is wrong with an error and what is right, for the one who repairs it."""
    quote = trace.reasoning[error.char_start : error.char_stop].strip()
    claim = claim_of(trace, error)
    if claim is None:
        return f'"{quote[:300]}": {error.message or error.kind.value}'
    return f'"{quote[:300]}" is false: {claim.left.strip()} is {claim.expected}, not {claim.right.strip()}'


def is_noticed(trace: Trace, error: ErrorSpan) -> bool:
    """Whether the trace doubts an error right behind it; the doubt would have no object without the error."""
    return _NOTICES.search(trace.reasoning[error.char_stop : error.char_stop + _NOTICED_WITHIN]) is not None


def is_carried(trace: Trace, annotation: Annotation, error: ErrorSpan, kept: AbstractSet[int]) -> bool:
    """Whether the kept text behind an error rests on its wrong value."""
    texts = list(_texts_behind(trace, annotation, error, kept))
    claim = claim_of(trace, error)
    if claim is None or (wrong := evaluate(claim.right)) is None:
        quote = trace.reasoning[error.char_start : error.char_stop]
        numbers = set(_NUMBER.findall(_right_side(quote) or quote))
        return any(not numbers.isdisjoint(_NUMBER.findall(text)) for text in texts)
    right = evaluate(claim.left) or evaluate(claim.expected)
    later = {value for text in texts for value in _values(text)}
    if wrong.number in later:
        return True
    if right is not None and right.number in later:
        return False
    return _is_named_later(trace, error, texts) or _is_pointed_at(trace, error, texts)


def _texts_behind(
    trace: Trace, annotation: Annotation, error: ErrorSpan, kept: AbstractSet[int]
) -> Iterator[str]:
    """The rest of the error's own segment, and the kept segments behind it to the end of the trace."""
    offsets = annotation.segment_offsets
    yield trace.reasoning[error.char_stop : offsets[error.stop]]
    for segment in range(error.stop, len(offsets) - 1):
        if segment in kept:
            yield trace.reasoning[offsets[segment] : offsets[segment + 1]]


def _values(text: str) -> Iterator[Number]:
    """The values of the numbers and fractions of a text, percentages also as written."""
    for written in _VALUE.findall(text):
        for form in {written, written.rstrip("\\% ")}:
            found = evaluate_prefix(form.rstrip(","))
            if found is not None:
                yield found[0].number
        if "/" in written:
            yield from _values(written.replace("/", " "))


def _is_named_later(trace: Trace, error: ErrorSpan, texts: list[str]) -> bool:
    """Whether the claim gives its value a name that the text behind uses."""
    line = trace.reasoning.rfind("\n", 0, error.char_start) + 1
    named = _NAME.search(trace.reasoning[max(line, error.char_start - 120) : error.char_start])
    if named is None:
        return False
    name = re.compile(rf"(?<![A-Za-z\\]){re.escape(named['name'])}(?![A-Za-z])")
    return any(name.search(text) for text in texts)


def _is_pointed_at(trace: Trace, error: ErrorSpan, texts: list[str]) -> bool:
    """Whether the next words work on the value as "that", "half of it" or "the sum"."""
    return _POINTS_BACK.search("".join(texts)[:_POINTED_WITHIN]) is not None


def _right_side(quote: str) -> str:
    """The right side of the last relation in a quote, without white space; empty if there is no relation."""
    relations = list(_RELATION.finditer(quote))
    return "".join(quote[relations[-1].end() :].split()) if relations else ""
