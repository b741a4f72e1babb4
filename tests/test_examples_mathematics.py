"""The mathematics of the sample traces is right where they claim it to be.

Every ground truth is recomputed without the reasoning of its trace, and every arithmetic claim in the
texts is evaluated exactly: the false ones must be the declared slips, no more and no fewer.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import math
import operator
import re
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from tests.support import REPO

EXAMPLES = REPO / "examples"
sys.path.insert(0, str(EXAMPLES))  # a folder of scripts, not a package
make_shards = importlib.import_module("make_shards")
TRACES = make_shards.load_traces(EXAMPLES / "traces")
BY_ID = {trace.trace_id: trace for trace in TRACES}


def _fraction(value: Fraction) -> str:
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _divisible_by_48() -> str:
    return str(sum((n**3 - n) % 48 == 0 for n in range(1, 1001)))


def _theatre_seats() -> str:
    orders = (p.index for p in itertools.permutations("ABCDEFG"))
    return str(sum(abs(at("A") - at("B")) > 1 and at("C") < at("D") for at in orders))


def _foot_of_the_altitude() -> str:
    ax, ay, bx, cx = Fraction(0), Fraction(8), Fraction(-6), Fraction(15)
    assert bx**2 + ay**2 == 10**2
    assert cx**2 + ay**2 == 17**2
    assert cx - bx == 21

    def foot(x: Fraction) -> tuple[Fraction, Fraction]:
        """Foot of the perpendicular from the origin P to the line through A and (x, 0)."""
        t = (ay * ay) / (x * x + ay * ay)
        return ax + t * (x - ax), ay - t * ay

    (dx, dy), (ex, ey) = foot(bx), foot(cx)
    square = (dx - ex) ** 2 + (dy - ey) ** 2
    return _fraction(Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator)))


def _seventh_powers() -> str:
    root = math.sqrt(5)
    a, b = (3 + root) / 2, (3 - root) / 2
    assert math.isclose(a**3 + b**3, 18)
    return str(round(a**7 + b**7))


def _marbles() -> str:
    orders = list(itertools.permutations("RRRRBBBGG", 4))
    draws = (next(k for k in range(2, 5) if len(set(order[:k])) < k) for order in orders)
    return _fraction(Fraction(sum(draws), len(orders)))


def _hilly_road() -> str:
    found = {
        flat
        for up, flat in itertools.product(range(39), repeat=2)
        if (down := 38 - up - flat) >= 0
        and 5 * up + 3 * flat + 2 * down == 132
        and 2 * up + 3 * flat + 5 * down == 114
    }
    (only,) = found
    return str(only)


def _log_integral() -> str:
    """Simpson's rule with 1,000 intervals against the closed form."""
    n = 1000
    weights = (1 if i in (0, n) else 4 if i % 2 else 2 for i in range(n + 1))
    total = sum(w * (i / n) ** 2 * math.log1p(i / n) for i, w in enumerate(weights)) / (3 * n)
    assert math.isclose(total, 2 / 3 * math.log(2) - 5 / 18, abs_tol=1e-10)
    return r"\frac{2}{3}\ln 2 - \frac{5}{18}"


def _staircase() -> str:
    def climb(rest: int, tired: bool) -> int:
        if rest == 0:
            return 1
        steps = (1, 2) if tired else (1, 2, 4)
        return sum(climb(rest - step, step == 4) for step in steps if step <= rest)

    return str(climb(12, tired=False))


def _two_over_x() -> str:
    """From 2/x < 1/6 and y >= 1 a solution has 12 < x, and y > 18 bounds x by 228."""
    return str(sum(x > 12 and (18 * x) % (x - 12) == 0 for x in range(13, 229)))


def _doubling_sequence() -> str:
    term = 3
    for n in range(1, 10):
        term = 2 * term + n
    return str(term)


def _round_table_chairs() -> str:
    def apart(chosen: tuple[int, ...]) -> bool:
        return not any((chair + 1) % 12 in chosen for chair in chosen)

    return str(sum(map(apart, itertools.combinations(range(12), 4))))


def _seven_odd_numbers() -> str:
    (first,) = (n for n in range(-999, 999, 2) if sum(range(n, n + 14, 2)) == 399)
    return str(first + 12)


def _leaking_tank() -> str:
    content, minute = Fraction(0), 0
    while content < 1:
        hour = minute // 60
        content += Fraction(1, 360) + (hour >= 1) * Fraction(1, 540) - (hour >= 2) * Fraction(1, 1080)
        minute += 1
    assert content == 1
    return str(minute)


def _largest_product() -> str:
    grid = [(Fraction(i, 30), (30 - 2 * Fraction(i, 30)) / 3) for i in range(1, 450)]
    return _fraction(max(x * x * y for x, y in grid))


def _balloon() -> str:
    (seconds,) = (t for t in range(1, 20) if 30 + 5 * t - 5 * t * t == 0)
    return str(30 + 5 * seconds)


def _thirteen_times() -> str:
    return str(sum(n for n in range(100, 1000) if n == 13 * sum(map(int, str(n)))))


def _six_lanterns() -> str:
    words = itertools.product("RGB", repeat=6)
    return str(sum(len(set(w)) == 3 and all(a != b for a, b in itertools.pairwise(w)) for w in words))


def _sum_divisible() -> str:
    pairs = list(itertools.combinations(range(1, 21), 2))
    return _fraction(Fraction(sum((a + b) % 3 == 0 for a, b in pairs), len(pairs)))


GROUND_TRUTH: dict[str, Callable[[], str]] = {
    "divisible-by-48": _divisible_by_48,
    "theatre-seats": _theatre_seats,
    "foot-of-the-altitude": _foot_of_the_altitude,
    "seventh-powers": _seventh_powers,
    "marbles-until-a-match": _marbles,
    "hilly-road": _hilly_road,
    "log-integral": _log_integral,
    "staircase": _staircase,
    "two-over-x": _two_over_x,
    "doubling-sequence": _doubling_sequence,
    "round-table-chairs": _round_table_chairs,
    "seven-odd-numbers": _seven_odd_numbers,
    "leaking-tank": _leaking_tank,
    "remainder-mod-91": lambda: str((3**100 + 5**100) % 91),
    "largest-product": _largest_product,
    "balloon-and-sandbag": _balloon,
    "thirteen-times-digit-sum": _thirteen_times,
    "sum-divisible-by-three": _sum_divisible,
    "six-lanterns": _six_lanterns,
}


def test_every_ground_truth_is_recomputed() -> None:
    assert set(GROUND_TRUTH) == {t.trace_id for t in TRACES if t.ground_truth is not None}


@pytest.mark.parametrize("trace_id", sorted(GROUND_TRUTH))
def test_ground_truth(trace_id: str) -> None:
    assert BY_ID[trace_id].ground_truth == GROUND_TRUTH[trace_id]()


@pytest.mark.parametrize("trace", [t for t in TRACES if t.final is not None], ids=lambda t: t.trace_id)
def test_final_answer_agrees_with_the_outcome(trace: Any) -> None:
    def plain(answer: str) -> str:
        return re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", answer)

    agrees = plain(trace.final) == plain(trace.ground_truth)
    assert agrees == (trace.outcome == "correct")


def test_the_open_puzzle_has_two_solutions() -> None:
    def false_statements(culprit: str) -> int:
        ada = culprit in "BC"
        return [ada, culprit != "B", ada, culprit != "C"].count(False)

    assert [culprit for culprit in "ABCD" if false_statements(culprit) == 1] == ["B", "C"]


def test_the_program_in_the_staircase_trace_runs() -> None:
    source = BY_ID["staircase"].reasoning.split("```python\n")[1].split("```")[0]
    scope: dict[str, Callable[[int], int]] = {}
    exec(source, scope)
    assert scope["count"](12) == 499


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
# Arithmetic claims: runs of digits, operators, brackets and equals signs, after LaTeX and Unicode notation
# has been rewritten. What a formula with letters leaves over at either end of a run is discarded.
_REWRITE: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"\\[()\[\],]|\$|\\(?:left|right)(?![a-z])", " "),
    (r"\\ln\s*[\d.]+", "Q"),
    (r"\\frac(\d)(\d)", r"(\1/\2)"),
    (r"\\d?frac\{([\d ]+)\}\{([\d ]+)\}", r"(\1/\2)"),
    (r"\\cdot|·|×", "*"),
    (r"−", "-"),
    (r"\s*\\[a-zA-Z]+", "Q"),
    (r"[²³¹⁰⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m.group().translate(_SUPERSCRIPTS)),
    (r"\) ?\(", ")*("),
]
_RUN = re.compile(r"(?:[\d ()+*/^=-]|\.(?=\d))+")
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _value(expression: str) -> Fraction | None:
    """Exact value of an arithmetic expression, or None if it is only a piece of one."""

    def walk(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return Fraction(walk(node.left) ** int(walk(node.right)))
        if isinstance(node, ast.BinOp):
            return _OPERATIONS[type(node.op)](walk(node.left), walk(node.right))
        if isinstance(node, ast.UnaryOp):
            return -walk(node.operand)
        if isinstance(node, ast.Constant):
            return Fraction(str(node.value))
        raise SyntaxError(ast.dump(node))

    try:
        return walk(ast.parse(expression.strip().replace("^", "**"), mode="eval").body)
    except SyntaxError:
        return None


def _rounding(expression: str) -> Fraction:
    """Half a unit of the last decimal place; 0 for integers and fractions, which are meant exactly."""
    decimals = re.fullmatch(r"\s*-?\d+\.(\d+)\s*", expression)
    return Fraction(1, 2 * 10 ** len(decimals.group(1))) if decimals else Fraction(0)


def _claims(text: str) -> Iterator[tuple[str, bool]]:
    """Each claim `left = right` between two expressions without letters, and whether it holds."""
    for pattern, replacement in _REWRITE:
        text = re.sub(pattern, replacement, text)
    for match in _RUN.finditer(text):
        terms = match.group().split("=")
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        touches_before = not match.group().startswith(" ") and (before.isalnum() or before in "√}]!^|")
        touches_after = not match.group().endswith(" ") and (after.isalpha() or after in "√{[!")
        if (touches_before and before) or re.match(r"\s*[-+*/^]", terms[0]):
            terms[0] = ""
        if touches_after and after:
            terms[-1] = ""
        for left, right in itertools.pairwise(terms):
            a, b = _value(left), _value(right)
            if a is not None and b is not None and re.search(r"[\d)]\s*[-+*/^]", left + right):
                holds = abs(a - b) <= max(_rounding(left), _rounding(right))
                yield f"{left.strip()} = {right.strip()}", holds


def _normal(claim: str) -> str:
    """A slip as it is written in a text, in the notation of `_claims`."""
    return claim.replace("×", "*").replace("·", "*").replace("−", "-")


def test_the_claim_checker_sees_true_and_false_claims() -> None:
    text = (
        r"So 2 · 3 = 6 and \(\frac{1}{2} + 1 = \frac32\), 7(x + 1) = 3, 3² = 8, x - 1 = 5, 2/3 = 0.67, "
        r"C(3, 2) = 3, 5 + 4 = 8 + 1 = 10, \ln 2 + 1 = 3, 6! - 1 = 719, 2 + 3 = 5x, (1 + 1)(2 + 1) = 6."
    )
    claims = list(_claims(text))
    assert [claim for claim, holds in claims if not holds] == ["3^2 = 8", "8 + 1 = 10"]
    assert [claim for claim, holds in claims if holds] == [
        "2 * 3 = 6",
        "(1/2) + 1 = (3/2)",
        "2/3 = 0.67",
        "5 + 4 = 8 + 1",
        "(1 + 1)*(2 + 1) = 6",
    ]


def test_arithmetic_claims_hold_except_for_the_declared_slips() -> None:
    total = 0
    for trace in TRACES:
        claims = list(_claims(trace.reasoning))
        total += len(claims)
        assert [claim for claim, holds in claims if not holds] == [_normal(slip) for slip in trace.slips]
    assert total >= 400
