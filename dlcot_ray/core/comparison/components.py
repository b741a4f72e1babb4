"""Comparison of answers with several components: tuples, intervals, sets and lists.

In: two plain answers. Out: an outcome, or None where a CAS may know more. Order counts in brackets and between
differently named values; it does not in sets and bare lists. Round brackets around two values are a point or an
open interval. The answer ``1, 2`` could be meant as either, so it is not certain there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dlcot_ray.core.comparison.notation import squeeze
from dlcot_ray.core.comparison.numbers import as_rational, is_number
from dlcot_ray.core.comparison.outcome import Outcome

MAX_PARTS = 40
"""Longer lists are left to the CAS."""

_BRACKETS = {"\\{": ("\\}",), "{": ("}",), "(": (")", "]"), "[": (")", "]", "["), "]": ("[", "]")}
_JOINED = re.compile(r"\s{0,3}[,;]?\s{1,3}(?:and|or)\s{1,3}|\s{0,3};\s{0,3}|\s{0,3},\s{0,3}(?:and|or)\s{1,3}")
_NAMED = re.compile(r"([a-zA-Z]\w{0,3}(?:_\{\w{1,3}\})?)\s*=\s*([^=<>]+)")
_IN = re.compile(r"^[a-zA-Z]\s*\\in\s*|^\(?(?:[a-z],)+[a-z]\)?\s*=\s*(?=[(\[])")
_VECTOR = re.compile(r"\\begin\{[pb]matrix\}([^&]*?)(?:\\\\)?\s*\\end\{[pb]matrix\}")
_ANGLED = re.compile(r"\\langle(?![a-zA-Z])([^\\]*(?:\\(?!rangle)[^\\]*)*)\\rangle")
_DECIMAL_COMMA = re.compile(r"\d,\d")
_INFINITE = re.compile(r"\\infty")


@dataclass(frozen=True, slots=True)
class Components:
    """Brackets (both, "" for none) and components, in order; `names` where each is written as ``x = 1``.

    `vector`: written as a column or in angles, so that it is no interval; round brackets are its kind.
    """

    kind: str
    parts: tuple[str, ...]
    names: tuple[str, ...] = ()
    vector: bool = False

    @property
    def is_set(self) -> bool:
        """A set in braces that are printed."""
        return self.kind == "\\{\\}"

    @property
    def ordered(self) -> bool:
        """Order counts between the components."""
        return (self.kind[:1] in ("(", "[", "]") and bool(self.kind)) or len(set(self.names)) > 1


Compare = Callable[[str, str], bool | None]


def compare_components(a: str, b: str, equal: Compare) -> Outcome | None:
    """Compare two plain answers part by part; `equal` compares two parts."""
    left, right = split_components(a), split_components(b)
    if left is None or right is None:
        one = left or right
        other = squeeze(b if left is not None else a)
        # Two numbers are not one, but a decimal comma looks like a list of two.
        several = one is not None and (one.kind or not _DECIMAL_COMMA.search(a if one is left else b))
        return Outcome.DIFFERENT if several and is_number(other) else None
    if left.names and right.names and set(left.names) == set(right.names) and left.ordered:
        parts = dict(zip(left.names, left.parts, strict=True))
        left = Components(left.kind, tuple(parts.get(name, "") for name in right.names), right.names)
    if left.kind and right.kind:
        return _compare_bracketed(left, right, equal)
    if left.ordered or right.ordered:
        return _compare_with_list(left, right, equal)
    return _as_sets(left, right, equal)


def split_components(plain: str) -> Components | None:
    """Brackets and components of a tuple, interval, set or bare list; None for anything else."""
    text = _IN.sub("", plain.strip())
    vector = _VECTOR.fullmatch(text) or _ANGLED.fullmatch(text)
    if vector is not None:
        text = "(" + vector[1].replace("\\\\", ",") + ")"
    kind, body = "", text
    for opening, closings in _BRACKETS.items():
        if text.startswith(opening):
            closing = next((c for c in closings if text.endswith(c)), None)
            if closing is not None and (opening != "{" or not text.endswith("\\}")):
                kind, body = opening + closing, text[len(opening) : -len(closing)]
            break
    parts = _split(body) if kind else _named_groups(body) or _split(_JOINED.sub(",", body))
    if kind and parts is None:
        kind, parts = "", _split(_JOINED.sub(",", text))
    if parts is None or not all(parts) or len(parts) > MAX_PARTS or (len(parts) < 2 and kind != "\\{\\}"):
        return None
    if kind == "{}":
        kind = ""
    named = [_NAMED.fullmatch(part) for part in parts]
    if all(named):
        return Components(kind, tuple(m[2].strip() for m in named if m), tuple(m[1] for m in named if m))
    if named[0] and len(parts) > 1 and not any(named[1:]):
        # "x = 1, 2" names its first value only.
        parts = [named[0][2].strip(), *parts[1:]]
    if len(parts) == 2 and not kind and " " not in text and re.fullmatch(r"-?\d{1,3},\d{3}", text):
        return None
    return Components(kind, tuple(parts), vector=vector is not None and kind == "()")


def _named_groups(text: str) -> list[str] | None:
    """``p=5, q=2; p=7, q=2`` as two pairs."""
    groups = [_split(group) for group in _JOINED.split(text)]
    if len(groups) < 2:
        return None
    found = []
    for group in groups:
        named = [_NAMED.fullmatch(part) for part in group or [""]]
        values = [match[2].strip() for match in named if match is not None]
        if len(values) < 2 or len(values) != len(named):
            return None
        found.append(f"({','.join(values)})")
    return found


def _split(body: str) -> list[str] | None:
    parts, depth, last = [], 0, 0
    for at, char in enumerate(body):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif char == "," and not depth:
            parts.append(body[last:at].strip())
            last = at + 1
    return None if depth else [*parts, body[last:].strip()]


def _compare_bracketed(a: Components, b: Components, equal: Compare) -> Outcome | None:
    if a.is_set and b.is_set:
        return _as_sets(a, b, equal)
    if a.is_set or b.is_set:
        # A set is no interval, but a set of two is sometimes written as a pair: the values can refute.
        found = _as_sets(a, b, equal)
        return Outcome.DIFFERENT if found is Outcome.DIFFERENT else Outcome.UNKNOWN
    found = _in_order(a, b, equal)
    if (a.vector or b.vector) and {a.kind, b.kind} <= {"()", "[]"}:
        # Beside a column, square brackets are a vector, too.
        return found
    if _interval_kind(a.kind) == _interval_kind(b.kind) or found is Outcome.DIFFERENT:
        return found
    if found is None or len(a.parts) != 2 or any(_INFINITE.search(p) for p in a.parts):
        return None
    return Outcome.DIFFERENT


def _interval_kind(kind: str) -> str:
    return {"][": "()", "]]": "(]", "[[": "[)"}.get(kind, kind)


def _compare_with_list(a: Components, b: Components, equal: Compare) -> Outcome | None:
    """An ordered answer against a bare list."""
    found = _in_order(a, b, equal)
    if found is Outcome.EQUAL:
        pair = a if a.kind else b
        return (
            Outcome.UNKNOWN if _may_be_interval(pair) and len(set(a.names + b.names)) < 2 else Outcome.EQUAL
        )
    return Outcome.DIFFERENT if _as_sets(a, b, equal) is Outcome.DIFFERENT else Outcome.UNKNOWN


def _may_be_interval(pair: Components) -> bool:
    if len(pair.parts) != 2 or not pair.kind:
        return False
    low, high = (as_rational(squeeze(part)) for part in pair.parts)
    return pair.kind != "()" or low is None or high is None or low < high


def _in_order(a: Components, b: Components, equal: Compare) -> Outcome | None:
    if len(a.parts) != len(b.parts):
        return Outcome.DIFFERENT if _all_numbers(a) and _all_numbers(b) else None
    verdicts = [_same(x, y, equal) for x, y in zip(a.parts, b.parts, strict=True)]
    if False in verdicts:
        return Outcome.DIFFERENT
    return None if None in verdicts else Outcome.EQUAL


def _same(a: str, b: str, equal: Compare) -> bool | None:
    return True if a == b else equal(a, b)


def _all_numbers(found: Components) -> bool:
    return all(is_number(squeeze(part)) for part in found.parts)


def _as_sets(a: Components, b: Components, equal: Compare) -> Outcome | None:
    """Every part has an equal one on the other side; a part that differs from all there decides."""
    left, right = dict.fromkeys(a.parts), dict.fromkeys(b.parts)
    if len(left) != len(right) and not (_all_numbers(a) and _all_numbers(b)):
        return None
    rows = [[_same(x, y, equal) for y in right] for x in left]
    columns = list(zip(*rows, strict=True))
    if any(all(v is False for v in line) for line in (*rows, *columns)):
        return Outcome.DIFFERENT
    if not all(True in line for line in (*rows, *columns)):
        return None
    repeated = len(a.parts) != len(b.parts) and not (a.is_set and b.is_set)
    return Outcome.UNKNOWN if repeated else Outcome.EQUAL
