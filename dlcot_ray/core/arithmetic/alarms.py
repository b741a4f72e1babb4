"""Arithmetic alarms: numeric claims of a trace that are false as asserted.

In: a trace's text and its segments. Out: error spans, each over the whole claim at its own place. `finding.py`
reads one segment; here the text around it is read too, because an equation that is tested or refuted, a
modulus or a base often stands in another segment. In doubt there is no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import ErrorKind, ErrorSpan, Source
from dlcot_ray.core.arithmetic.claims import ArithmeticClaim
from dlcot_ray.core.arithmetic.corrections import is_corrected
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.core.arithmetic.language import in_english
from dlcot_ray.core.arithmetic.notation import glosses_number, points_group
from dlcot_ray.core.arithmetic.suppositions import (
    announced,
    denied,
    denied_behind_another,
    evaluated_behind,
    holds_in,
    instance_of_equation,
    number_systems,
    refuted,
)
from dlcot_ray.core.arithmetic.surroundings import continues_before, continues_behind
from dlcot_ray.core.evidence.expression import evaluate

_DENIED_WITHIN = 200
"""Characters behind a claim that can deny it."""


def find_errors(text: str, offsets: Sequence[int], start: int, stop: int) -> tuple[ErrorSpan, ...]:
    """False arithmetic in segments `[start, stop)`; `corrected` where the trace returns to it and corrects it.

    Args:
        text: of the whole trace.
        offsets: of its segments in it.
        start, stop: numbers of segments.
    """
    errors: list[ErrorSpan] = []
    for i in range(start, stop):
        for claim in find_claims(text[offsets[i] : offsets[i + 1]]):
            if claim.holds is not False:
                continue
            at, end = offsets[i] + claim.start, offsets[i] + claim.stop
            if not is_asserted(text, at, end, claim):
                continue
            errors.append(
                ErrorSpan(
                    ErrorKind.CALCULATION,
                    i,
                    i + 1,
                    at,
                    end,
                    Source.EVIDENCE,
                    is_corrected(text, end, claim),
                    f"{claim.left} = {claim.right} (is {claim.expected})",
                )
            )
    return tuple(errors)


def is_asserted(text: str, start: int, stop: int, claim: ArithmeticClaim) -> bool:
    """Whether a trace asserts the false claim at `[start, stop)` of its text, in ordinary arithmetic."""
    a, b = evaluate(claim.left) or evaluate(claim.expected), evaluate(claim.right)
    if continues_before(text, start) or continues_behind(text, stop) or denied(_sentence_behind(text, stop)):
        return False
    if announced(text, start) or instance_of_equation(text, start, claim.right):
        return False
    if a is None or b is None or refuted(text, start, stop, a, b) or evaluated_behind(text, stop, a):
        return False
    if denied_behind_another(text, stop, b) or glosses_number(text, start, claim.left, a):
        return False
    if points_group(text, start, stop) or not in_english(text, start, stop):
        return False
    return not holds_in(number_systems(text), claim.left, claim.right)


def _sentence_behind(text: str, stop: int) -> str:
    """The text behind a claim, up to a blank line unless a lower-case word goes on there."""
    after = text[stop : stop + _DENIED_WITHIN]
    paragraph, blank, rest = after.partition("\n\n")
    return after if blank and len(paragraph) < 16 and rest[:1].islower() else paragraph
