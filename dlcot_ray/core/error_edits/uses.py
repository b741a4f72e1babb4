"""What the kept text behind a located error does with it: uses its wrong value, or notices it.

In: a trace, its annotation, an error and the kept segments. Out: whether the error can be deleted or repaired
without the rest contradicting it. All kept text to the end of the trace counts, the conclusion included. A
value can be used by name or as "that" without being written again, so where neither the wrong nor the right
value follows, a name or such a word also counts as a use. In doubt the error stays. The kept text is read
once for all errors, because a trace may have very many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import accumulate

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
_NAMED_BEFORE = 120
"""Characters before an error within which its value gets a name."""
_NAMED_WITHIN = 100_000
"""Characters behind an error that are searched for the name of its value; in more text it counts as used."""
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
    return _false_claim(trace.reasoning[error.char_start : error.char_stop])


@lru_cache(maxsize=16384)
def _false_claim(quote: str) -> ArithmeticClaim | None:
    """The claim of a quote; every step of the ladder asks for it again."""
    return next((claim for claim in find_claims(quote) if claim.holds is not True), None)


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


class ErrorUses:
    """What the kept text of a trace does with the values of its errors.

    Args:
        trace: its text.
        annotation: its segments.
        kept: numbers of the segments that stay, those of the errors among them.
    """

    def __init__(self, trace: Trace, annotation: Annotation, kept: AbstractSet[int]) -> None:
        self._trace, self._offsets = trace, annotation.segment_offsets
        self._kept = sorted(kept)

    def is_carried(self, error: ErrorSpan) -> bool:
        """Whether the kept text behind an error rests on its wrong value."""
        claim = claim_of(self._trace, error)
        if claim is None or (wrong := evaluate(claim.right)) is None:
            quote = self._trace.reasoning[error.char_start : error.char_stop]
            numbers = _NUMBER.findall(_right_side(quote) or quote)
            return any(self._numbers.get(number, -1) >= error.char_stop for number in numbers)
        if self._values.get(wrong.number, -1) >= error.char_stop:
            return True
        right = evaluate(claim.left) or evaluate(claim.expected)
        if right is not None and self._values.get(right.number, -1) >= error.char_stop:
            return False
        return self._is_named_later(error) or self._is_pointed_at(error)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Number as it is written -> where in the trace it stands last."""
        return {
            found[0]: at + found.start() for at, text in self._texts() for found in _NUMBER.finditer(text)
        }

    @cached_property
    def _values(self) -> dict[Number, int]:
        """Value of a number or fraction -> where in the trace it stands last."""
        return {
            value: at + found.start()
            for at, text in self._texts()
            for found in _VALUE.finditer(text)
            for value in _values_of(found[0])
        }

    @cached_property
    def _text(self) -> str:
        """The kept text."""
        return "".join(text for _, text in self._texts())

    @cached_property
    def _places(self) -> dict[int, int]:
        """Segment -> where it begins in the kept text."""
        lengths = (self._offsets[segment + 1] - self._offsets[segment] for segment in self._kept)
        return dict(zip(self._kept, accumulate(lengths, initial=0), strict=False))

    def _texts(self) -> Iterator[tuple[int, str]]:
        """Where each kept segment begins in the trace, and its text."""
        for segment in self._kept:
            start = self._offsets[segment]
            yield start, self._trace.reasoning[start : self._offsets[segment + 1]]

    def _behind(self, error: ErrorSpan) -> int:
        """Where in the kept text an error ends."""
        last = error.stop - 1
        return self._places[last] + error.char_stop - self._offsets[last]

    def _is_named_later(self, error: ErrorSpan) -> bool:
        """Whether the claim gives its value a name that the text behind uses."""
        text, near = self._trace.reasoning, max(0, error.char_start - _NAMED_BEFORE)
        line = text.rfind("\n", near, error.char_start) + 1
        named = _NAME.search(text[max(line, near) : error.char_start])
        if named is None:
            return False
        begin = self._behind(error)
        name = re.compile(rf"(?<![A-Za-z\\]){re.escape(named['name'])}(?![A-Za-z])")
        if name.search(self._text, begin, begin + _NAMED_WITHIN) is not None:
            return True
        return begin + _NAMED_WITHIN < len(self._text)

    def _is_pointed_at(self, error: ErrorSpan) -> bool:
        """Whether the next words work on the value as "that", "half of it" or "the sum"."""
        begin = self._behind(error)
        return _POINTS_BACK.search(self._text[begin : begin + _POINTED_WITHIN]) is not None


def _values_of(written: str) -> Iterator[Number]:
    """The values of a number or fraction; of a percentage also as written, of a fraction also its parts."""
    for form in {written, written.rstrip("\\% ")}:
        found = evaluate_prefix(form.rstrip(","))
        if found is not None:
            yield found[0].number
    if "/" in written:
        for part in _VALUE.findall(written.replace("/", " ")):
            yield from _values_of(part)


def _right_side(quote: str) -> str:
    """The right side of the last relation in a quote, without white space; empty if there is no relation."""
    relations = list(_RELATION.finditer(quote))
    return "".join(quote[relations[-1].end() :].split()) if relations else ""
