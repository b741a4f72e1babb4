"""Every regular expression of the package: linear on hostile text, and the same on each Python 3.11."""

from __future__ import annotations

import math
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.support.growth import MOST, growth
from tests.support.hostile import FLOODS
from tests.support.patterns import Used, every_pattern

LENGTH = 1000
QUICK_S = 0.0008
"""A quadratic pattern takes longer on `LENGTH` characters: a step back costs a few nanoseconds."""
_ATOMS = (*"a1 \n.,-=*$\\([{x'|", "1 ", "a.", "(1", "x=", "so ", "the ")
_FLOODS = {name: cache(flood) for name, flood in FLOODS.items()}


@pytest.mark.timeout(1200)
def test_every_pattern_is_linear() -> None:
    steep = []
    for where, used in every_pattern().items():
        search = _search(used)
        # A pattern may be slow and linear: a word at every place costs as much as a quadratic flood elsewhere.
        quick = max(QUICK_S, 3 * growth(search, _FLOODS["mixed"], LENGTH, quick=math.inf).seconds)
        for name, flood in _floods_for(used.pattern):
            found = growth(search, flood, LENGTH, quick=quick)
            if found.exponent > MOST:
                steep.append(f"{where} on {name}: exponent {found.exponent:.2f}")
                break
    assert not steep, "\n".join(steep)


def test_no_pattern_has_a_possessive_quantifier() -> None:
    # Python 3.11.2, which is `python3` on Debian 12, goes round without end in some of them (CPython issue 106052,
    # mended in 3.11.5). Atomic groups (?>...) do the same and are sound.
    found = [
        where
        for where, used in every_pattern().items()
        if codes.POSSESSIVE_REPEAT in _operators(used.pattern)
    ]
    assert not found


def test_patterns_are_found_in_constants_containers_and_calls() -> None:
    patterns = every_pattern()
    assert len(patterns) > 400
    assert any(".core.markup._CONTROL" in where for where in patterns)
    assert any("core.arithmetic" in where and ".line " in where for where in patterns)


def _floods_for(pattern: re.Pattern[str]) -> Iterator[tuple[str, Callable[[int], str]]]:
    """All floods, the pattern's own words over and over, and its words before a flood."""
    tags = any(sign in pattern.pattern for sign in "<[|")
    yield from ((name, flood) for name, flood in _FLOODS.items() if tags or "<" not in name)
    words = list(dict.fromkeys(word.lower() for word in re.findall(r"[A-Za-z]{2,}", pattern.pattern)))[:8]
    for word in words:
        for piece in (word, f"{word} "):
            yield repr(piece), _after("", piece)
    for word in words[:4]:
        for atom in _ATOMS:
            yield f"{word!r}, then {atom!r}", _after(f"{word} ", atom)


@cache
def _after(start: str, piece: str) -> Callable[[int], str]:
    return cache(lambda length: start + (piece * (length // len(piece) + 1))[:length])


def _search(used: Used) -> Callable[[str], object]:
    """A pattern as it is used: tried at the start of a text, or searched for all through it."""
    if used.at_one_place:
        return used.pattern.match
    return lambda text: sum(1 for _ in used.pattern.finditer(text))


def _operators(pattern: re.Pattern[str]) -> set[object]:
    found: set[object] = set()
    waiting: list[object] = [parser.parse(pattern.pattern, pattern.flags)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, parser.SubPattern):
            found.update(operator for operator, _ in part)
            waiting.extend(argument for _, argument in part)
        elif isinstance(part, list | tuple):
            waiting.extend(part)
    return found
