"""Numeric claims in a text, re-evaluated exactly.

In: a text. Out: its claims, each true, false or undecided. A false alarm would damage a good trace. So a
claim is false only where both sides are closed numeric expressions that were read completely, nothing is
attached to either side, no hypothesis or question surrounds it, and no rounding could explain the difference.
Many wrong statements are therefore missed (all with a variable or a unit). The surroundings are examined only
where an alarm is about to be given, so that ordinary text stays cheap.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from dlcot_ray.core.arithmetic.claims import ArithmeticClaim, compare, spell
from dlcot_ray.core.arithmetic.readings import other_reading
from dlcot_ray.core.arithmetic.suppositions import hedged
from dlcot_ray.core.arithmetic.surroundings import (
    free_after,
    free_before,
    in_inequality,
    plain_statement,
    variable_factor,
)
from dlcot_ray.core.arithmetic.worded import worded
from dlcot_ray.core.evidence.expression import Value, evaluate, evaluate_prefix


class _Side(NamedTuple):
    """One side of a claim: its span, its value, and where to look whether something is attached to it.

    `edge` is `CLEAN` if a relation or punctuation bounds the side, and `ATTACHED` if other text is attached
    to it. Otherwise it is the offset at which the neighbouring text begins (right) or ends (left).
    """

    start: int
    stop: int
    value: Value
    edge: int


_CLEAN = -1
_ATTACHED = -2

_BEHIND = r"[\d)}\]!%²³½$]"
_AHEAD = r"\s?\s?[\d(\[{\\√.$−½C-]"
_EQUAL = re.compile(rf"[=≈](?:(?<={_BEHIND}.)|(?<={_BEHIND} .)|(?<={_BEHIND}&.)|(?<={_BEHIND} &.)){_AHEAD}")
"""A possible claim: a relation between possible numbers. The pattern begins with the sign, for fast search."""
_REACH = 240
"""How far before its first relation the numeric text of a claim may begin, in characters."""
_APPROX = re.compile(rf"\\approx{_AHEAD}")
_IS = re.compile(r" is (?<=[\d)] is )\$?-?[\d(]")
_RUN = re.compile(
    r"(?>(?:[\d+\-*/^()\[\]{}!%.,=≈&$ \t−×·⋅∗÷√⁰¹²³⁴⁵⁶⁷⁸⁹⁻½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]+"
    r"|\\(?:[dtc]?frac|sqrt|cdot|times|div|[dt]?binom|approx|left|right|[bB]ig{1,2}[lr]?)(?![a-zA-Z])"
    r"|\\[,;:!%$ ()]|(?<![A-Za-z\\])(?:sqrt|binom|C)(?=\()|(?<=[\d)] )is(?= \$?-?[\d(]))+)"
)
_RELATION = re.compile(r"=|≈|\\approx|is")
_BULLET = re.compile(r"\s*(?:[-*+]|\(?\d{1,2}[.)]|#+)\s+")
_LEADING = re.compile(r"(?:[\s$&]|\*\*|\\[()\[\],;:! ])+")
_TRAILING = re.compile(r"(?:[\s$&]|\*\*|\\[()\[\],;:! ]){1,40}$")
_SEPARATOR = re.compile(r"[.,](?=[\s$]|\\[()\[\]])|\\\)\s*,|\$\s*,\s*\$")
_REST = re.compile(
    r"(?!,\s\d{3}-$)(?:[\s$*]|\\[()\[\]])*(?:[.,](?=[\s$*]|\\|$)|\*\*|[)\]}]|$)|[\s$]+\((?!\s*[-\d])"
)
_THOUSANDS_BEHIND = re.compile(r"\s\d{3}(?![\d.])")
_OPERATORS = tuple("+-*/×·÷−^")
_NEAR_SIDES = 4
"""Sides of a chain before and behind a claim that can mend it."""


def find_claims(text: str) -> tuple[ArithmeticClaim, ...]:
    """Every closed numeric claim of a text, in order; each neighbouring pair of a chain ``a = b = c``."""
    claims: list[ArithmeticClaim] = []
    places = [match.start() for match in _EQUAL.finditer(text)]
    for word, pattern in (("\\approx", _APPROX), (" is ", _IS)):
        if word in text and (more := [match.start() for match in pattern.finditer(text)]):
            places = sorted(places + more)
    done = 0
    for place in places:
        if place < done:
            continue
        begin = max(done, place - _REACH, 0)
        for run in _RUN.finditer(text, max(begin, text.rfind("\n", begin, place) + 1)):
            start, done = run.span()
            if done > place:
                if start <= place:
                    claims.extend(_claims_of_run(text, start, done))
                break
    if (
        " times " in text
        or "% of " in text
        or " plus " in text
        or " minus " in text
        or "ed by " in text
        or "squared" in text
        or "cubed" in text
        or "percent of " in text
    ):
        claims.extend(worded(text))
        claims.sort(key=lambda claim: (claim.start, claim.stop))
    return tuple(claims)


def _claims_of_run(text: str, start: int, stop: int) -> Iterator[ArithmeticClaim]:
    """Claims inside one maximal stretch of numeric text."""
    relations = list(_RELATION.finditer(text, start, stop))
    edges = [start, *itertools.chain.from_iterable(r.span() for r in relations), stop]
    parts = list(zip(edges[::2], edges[1::2], strict=True))
    for i, relation in enumerate(relations):
        (left_start, left_stop), (right_start, right_stop) = parts[i], parts[i + 1]
        if left_stop == left_start or (left := _left_side(text, left_start, left_stop, start)) is None:
            continue
        right = _right_side(text, right_start, right_stop, stop)
        if right is None or not (left.value.operators or right.value.operators or left.value.percent):
            continue
        if relation.group() == "is" and not (
            left.edge != _ATTACHED and plain_statement(text, left.start, left.stop, right.stop)
        ):
            continue
        claim = _judge(text, left, right, approximate=relation.group() in ("≈", "\\approx"))
        if claim.holds is False and _mended_in_chain(
            text, parts[max(0, i - _NEAR_SIDES) : i + 2 + _NEAR_SIDES], left, right
        ):
            claim = replace(claim, holds=None)
        yield claim


def _mended_in_chain(text: str, parts: Sequence[tuple[int, int]], left: _Side, right: _Side) -> bool:
    """Whether an earlier side of the chain equals the right side, or a later one the left: a slip in between."""
    for start, stop in parts:
        before, behind = stop < left.start, start > right.stop
        if not before and not behind:
            continue
        side = _right_side(text, start, stop, stop)
        if side is not None and before and side.value.number == right.value.number:
            return True
        if side is not None and behind and _nearly(left.value, side.value):
            return True
    return False


def _nearly(a: Value, b: Value) -> bool:
    """Whether two values are equal, or rounded ones within a hundredth."""
    if not a.decimals and not b.decimals:
        return a.number == b.number
    return abs(Fraction(a.number) - b.number) * 100 <= abs(Fraction(a.number))


def _judge(text: str, left: _Side, right: _Side, *, approximate: bool) -> ArithmeticClaim:
    """Compare the sides; a claim is false only if no other explanation applies."""
    a, b = left.value, right.value
    written = text[left.start : left.stop], text[right.start : right.stop]
    holds = compare(a, b, approximate)
    if holds is False and (
        not a.operators
        or left.edge == _ATTACHED
        or right.edge == _ATTACHED
        or (left.edge >= 0 and not free_before(text, left.edge, left.start))
        or (right.edge >= 0 and not free_after(text, right.edge, right.stop))
        or _signed(text, left, b)
        or (in_inequality(text, left.start, right.stop) and not _whole(a, b))
        or other_reading(*written, a, b)
        or hedged(text, left.start, right.stop, a, b)
    ):
        holds = None
    exact = a if a.operators or a.percent else b
    return ArithmeticClaim(left.start, right.stop, *written, holds, spell(exact.number, b))


def _whole(a: Value, b: Value) -> bool:
    """Whether nothing in a claim can have been rounded."""
    return not (a.division or b.division or a.decimals or b.decimals)


def _signed(text: str, left: _Side, b: Value) -> bool:
    """Whether the bullet before a line is a minus sign: ``- 3^2 + 2*9 = 9``."""
    before = text[: left.start].rpartition("\n")[2]
    if before.strip() != "-":
        return False
    signed = evaluate(f"-{text[left.start : left.stop]}")
    return signed is not None and signed.number == b.number


def _right_side(text: str, start: int, stop: int, run_stop: int) -> _Side | None:
    """The expression directly after a relation."""
    part = text[start:stop]
    found = evaluate_prefix(part)
    if found is None and part.rstrip(" $").endswith("**"):
        found = evaluate_prefix(part.rstrip(" $*"))
    if found is None:
        return None
    value, length = found
    first, last = _trim(text, start, start + length)
    rest = part[length:]
    if rest.strip(" $&"):
        clean = _REST.match(rest) and not rest.lstrip().startswith("..") and not variable_factor(text, last)
        return _Side(first, last, value, _CLEAN if clean else _ATTACHED)
    if stop < run_stop:
        return _Side(first, last, value, _CLEAN)
    return _Side(first, last, value, run_stop if length == len(part) else start + length)


def _left_side(text: str, start: int, stop: int, run_start: int) -> _Side | None:
    """The expression directly before a relation."""
    at, edge = start, _CLEAN
    if start == run_start:
        edge = run_start
        if not run_start or text[run_start - 1] == "\n":
            bullet = _BULLET.match(text, start, stop)
            at = bullet.end() if bullet else start
    value = evaluate(text[at:stop])
    if value is None:
        for separator in _SEPARATOR.finditer(text, at, stop):
            at = separator.end()
            edge = _ATTACHED if _goes_on(text, separator.start(), at) else _CLEAN
        value = evaluate(text[at:stop]) or evaluate(text[at:stop].lstrip(" $").removeprefix("**"))
    if value is None:
        opener = _open_bracket(text, at, stop)
        if opener is None or (opener and (text[opener - 1].isalnum() or text[opener - 1] in "}_^)")):
            return None
        if text[max(0, opener - 4) : opener].rstrip(" $").endswith(_OPERATORS):
            return None
        at, edge = opener + 1, _CLEAN
        value = evaluate(text[at:stop])
    if value is None:
        return None
    return _Side(*_trim(text, at, stop), value, edge)


def _goes_on(text: str, point: int, behind: int) -> bool:
    """Whether a point or comma separates nothing: an ellipsis, or thousands as in ``1, 234``."""
    if text[max(0, point - 1) : point] == "." or text[max(0, point - 3) : point].rstrip().endswith(
        _OPERATORS
    ):
        return True
    return (
        text[point] == "," and _THOUSANDS_BEHIND.match(text, behind) is not None and text[point - 1].isdigit()
    )


def _trim(text: str, start: int, stop: int) -> tuple[int, int]:
    """The span without white space, markdown and formula delimiters around it."""
    leading, trailing = _LEADING.match(text, start, stop), _TRAILING.search(text, start, stop)
    first = leading.end() if leading else start
    return first, max(first, trailing.start() if trailing else stop)


def _open_bracket(text: str, start: int, stop: int) -> int | None:
    depth = 0
    for at in range(stop - 1, start - 1, -1):
        if text[at] in ")]}":
            depth += 1
        elif text[at] in "([{":
            depth -= 1
            if depth < 0:
                return at
    return None
