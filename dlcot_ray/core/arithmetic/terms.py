"""Sums compared term by term.

In: two sides of a claim and their values. Out: whether the right side rounds the terms of the left one, or runs
on from its value. The function runs only for claims that would otherwise be called false.
"""

from __future__ import annotations

from fractions import Fraction

from dlcot_ray.core.evidence.expression import Value, evaluate
from dlcot_ray.core.evidence.parser import Number

_RUN_NEARNESS = 10
"""A running sum may miss the value so far by one part in this many."""


def other_terms(left: str, right: str, a: Value, b: Value) -> bool:
    """The right side is a sum that rounds each term of the left one, or one that runs on from its value.

    ``3(0.716) - 2 = 2.15 - 2`` rounds; ``4,600 + 920 = 5,500 + 78`` adds the next number.
    """
    if not b.operators:
        return False
    rights = _terms(right)
    lefts = _terms(left) if len(rights) > 1 else []
    if len(lefts) < 2 or not all(lefts) or not all(rights):
        return False
    ones, others = [v.number for v in lefts if v], [v for v in rights if v]
    if len(ones) == len(others) and all(map(_rounds, ones, others)):
        return True
    head = others[0].number
    if {abs(v.number) for v in others} & {abs(one) for one in ones}:
        return False
    return abs(Fraction(a.number) - head) * _RUN_NEARNESS <= abs(Fraction(a.number))


def _rounds(exact: Number, rounded: Value) -> bool:
    """Whether a term is the other one, rounded to the decimals that it has."""
    if not rounded.decimals:
        return exact == rounded.number
    return abs(Fraction(exact) - rounded.number) * 2 <= Fraction(1, 10**rounded.decimals)


def _terms(side: str) -> list[Value | None]:
    """The values of the terms of a sum, with their signs."""
    cuts, depth, last = [0], 0, ""
    for at, char in enumerate(side):
        depth += (char in "([{") - (char in ")]}")
        if char in "+-−" and not depth and (last.isalnum() or last in ")]}!%"):
            cuts.append(at)
        last = char if not char.isspace() else last
    return [
        evaluate(side[start:stop].lstrip("+ ").strip(" $"))
        for start, stop in zip(cuts, [*cuts[1:], len(side)], strict=True)
    ]
