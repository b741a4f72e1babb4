"""What a text introduces and what it uses: values, symbols, pairs of both, and named things.

In: a text. Out: `Mention`s in order of place. A mention introduces its thing (a result worked out, "let x
be", "Case 2:" at the start of a line), or it uses it. `core/gating/reliance.py` asks which thing kept text
uses though only dropped text introduced it. Every pattern is linear in the length of the text. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Thing(StrEnum):
    """The kinds of thing that a text can rely on."""

    VALUE = "value"
    SYMBOL = "symbol"
    PAIR = "value of a symbol"
    NAME = "name"


EVERY_THING = frozenset(Thing)


class Mention(NamedTuple):
    """One place where a text names a thing.

    Attributes:
        key: the thing in one spelling, e.g. ``40320``, ``x_1``, ``x=4``, ``method 2``.
        start: offset in code points.
        text: the thing as written.
        introduces: a reader who sees this place first knows what is meant.
        defines: it is more than a first use: worked out, defined or headed here.
    """

    thing: Thing
    key: str
    start: int
    text: str
    introduces: bool
    defines: bool


_NUMBER = re.compile(r"\d(?<![\w.]\d)(?:\d{0,2}(?:,\d{3}){1,6}(?!,?\d)|\d*)(?:\.\d+)?(?!\.?\w)")
_BEFORE_RESULT = " \n\t$\\({[-−"
"""Characters that may stand between an equals sign and its right side."""
_GOES_ON = re.compile(r"\s*[-+*/^×·÷!%°(\\]")
"""Text after a number that is an operand of a further calculation."""
_LOOK_BACK = 8
_MIN_DIGITS = 2
"""Minimum number of digits of a bare value; numbers of one digit recur by chance too often."""
TELLING = 3
"""From this number of digits a number counts without an equals sign, because it rarely recurs by chance."""

_GREEK = r"\\(?:alpha|beta|gamma|delta|theta|lambda|mu|phi|psi|omega|rho|sigma|tau)|[α-ω]"
_LETTER = rf"(?:{_GREEK}|[A-Za-z])(?:_(?:\w|\{{\w{{1,3}}\}}))?"
_OPENING = r"[\\($]{0,3}\s?"
_CLOSING = r"\s?[\\)$]{0,3}"
_SYMBOL = re.compile(rf"(?<![A-Za-z\\'’_])(?P<name>{_LETTER})(?![A-Za-z'’_])")
_LET = re.compile(
    r"\b(?:let(?!['’]| me\b| us\b)|denot(?:e|ed|ing)|define|call|suppose|assume|say|introduce|represent|"
    r"named?)\b"
    r"(?P<what>[^.;\n]{1,200})",
    re.IGNORECASE,
)
"""A definition: the symbols in it are introduced there."""
_ARTICLES = frozenset("aAI")
_MATHS_BEFORE = re.compile(r"(?:[-=+*/^(<>≤≥{|$]\s?|\d)$")
_MATHS_AFTER = re.compile(r"\s?(?:[=+*/^<>≤≥²³)}|$\\]|-\s|\(|be\b)")
_UNIT_BEFORE = re.compile(r"\d\s$")
_NEAR = 3
"""Characters before a symbol that tell whether it is one."""

_EQUALS = re.compile(
    rf"(?:=|\bis\b|\bequals\b)\s*{_OPENING}(?P<value>[-−]?(?:\d{{1,3}}(?:,\d{{3}}){{1,6}}(?!\d)|\d+)(?:\.\d+)?)"
    r"(?![\w/]|\.\d|\s*[-+*/^×·÷!%°\\(])"
)
_ON_THE_LEFT = re.compile(rf"(?<![A-Za-z\\'’_])(?P<name>{_LETTER}){_CLOSING}\s*$")
_SYMBOL_CHARS = 14
BEHIND = 40
"""Characters behind the beginning of a mention within which its pattern begins, at least."""
_CITED = re.compile(
    r"\b(?:since|as|because|using|with|given(?: that)?|know(?:ing)?(?: that)?|found(?: that)?|got|"
    rf"recall(?: that)?|plug(?:ging)?(?: in)?|substitut(?:e|ing)|where|had|earlier,?)\s+{_OPENING}$",
    re.IGNORECASE,
)
"""Text before the value of a symbol that is used, not worked out."""
_CITATION = 24

_NOUNS = frozenset(
    re.findall(
        r"\w+",
        "subproblem question "
        "method approach strategy technique case subcase scenario possibility lemma theorem claim "
        "proposition equation eqn eq formula identity inequality expression relation step option part "
        "condition constraint fact observation figure pattern group set triangle circle line point "
        "quadrilateral rectangle square segment plane matrix event ",
    )
)
_LABELLED = re.compile(r"(?<=\S)\s{1,3}[*#\\($]{0,3}(?P<label>\d{1,2}|[A-Z]{1,4}|[ivx]{2,4})(?![\w'’]|\.\d)")
_LAST_WORD = re.compile(r"[A-Za-z]+(?=\.?$)")
_NOUN_CHARS = 16
_HEADING = re.compile(
    r"(?:^|\n)[\s#*>\-•\d.)]*"
    r"(?:(?:for|in|consider|now|next|then|first|second|third|finally|also|alternatively|under|by)[\s,:]+){0,3}$",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:call|label|name|denote|let|consider|define|as|draw|construct|mark|form)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)
_AHEAD = 60
_LABEL = r"\d|[A-Z]|\*{1,2}|i{1,3}|iv|v"
_TAG = re.compile(r"\\tag\s*\{?\(?(?P<label>\w{1,2})\)?\}?")
_BRACKETS = re.compile(rf"\((?P<label>{_LABEL})\)(?!\s?\()")
_LINE_ENDS = re.compile(r"[ \t]*(?:\\\]|\$\$)?[ \t]*(?:\n|$)")
_CITES = re.compile(
    r"\b(?:from|in|into|using|by|equations?|eqs?\.?|with|and|of|to|recall)\s+$", re.IGNORECASE
)


@lru_cache(maxsize=32)
def mentions(text: str, things: frozenset[Thing] = EVERY_THING) -> tuple[Mention, ...]:
    """All mentions of a text, or those of some kinds of thing, ascending by place."""
    found: list[Mention] = []
    for thing in Thing:
        if thing in things:
            found += _symbols(text) if thing is Thing.SYMBOL else mentions_between(text, thing, 0, len(text))
    return tuple(sorted(found, key=lambda mention: mention.start))


@lru_cache(maxsize=256)
def mentions_between(text: str, thing: Thing, start: int, stop: int) -> tuple[Mention, ...]:
    """The mentions of one kind, which is not `SYMBOL`, that are found from `start` to `stop`.

    The pattern is searched there, so that a mention may begin some characters before `start`.
    """
    if thing is Thing.VALUE:
        return tuple(_values(text, start, stop))
    if thing is Thing.PAIR:
        return tuple(_pairs(text, start, stop))
    return (*_names(text, start, stop), *_equations(text, start, stop))


def letters(text: str, start: int = 0, stop: int | None = None) -> set[str]:
    """The symbols of a text, whether it defines them or not; keys as in `Mention`."""
    places = _SYMBOL.finditer(text, start, len(text) if stop is None else stop)
    return {_plain(match["name"]) for match in places if _is_symbol(text, match)}


def _values(text: str, first: int, last: int) -> Iterator[Mention]:
    """Numbers of two digits and more; results of equations are introduced by them."""
    for match in _NUMBER.finditer(text, first, last):
        written = match.group()
        if len(written) < _MIN_DIGITS:
            continue
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()].rstrip(_BEFORE_RESULT)
        arrived = before.endswith(("=", "≈", "\\approx"))
        result = arrived and not _GOES_ON.match(text, match.end())
        key = written.replace(",", "")
        yield Mention(Thing.VALUE, key, match.start(), written, result, result)


@lru_cache(maxsize=8)
def definitions(text: str) -> dict[int, str]:
    """The places where a text defines symbols, with the symbols."""
    defined: dict[int, str] = {}
    for let in _LET.finditer(text):
        for match in _SYMBOL.finditer(text, let.start("what"), let.end("what")):
            if _is_symbol(text, match):
                defined[match.start()] = _plain(match["name"])
    return defined


def _symbols(text: str) -> Iterator[Mention]:
    """The places of each symbol that is defined somewhere in the text; a definition introduces it."""
    defined = definitions(text)
    names = set(defined.values())
    for match in _of_names(names).finditer(text) if names else ():
        name = _plain(match["name"])
        if name in names and _is_symbol(text, match):
            here = match.start() in defined
            yield Mention(Thing.SYMBOL, name, match.start(), match["name"], here, here)


def _of_names(names: set[str]) -> re.Pattern[str]:
    """A pattern that finds some symbols fast: it looks for their first character."""
    first = "".join(sorted({re.escape(name[0]) for name in names}))
    after = r"(?:_(?:\w|\{\w{1,3}\}))?(?![A-Za-z'’_])"
    return re.compile(rf"(?P<name>[{first}](?<![A-Za-z\\'’_][{first}])(?:(?<=\\)[a-z]{{2,7}})?{after})")


def _is_symbol(text: str, match: re.Match[str]) -> bool:
    """Whether a letter is no article, pronoun or unit."""
    before = text[max(0, match.start() - _NEAR) : match.start()]
    if match["name"] in _ARTICLES:
        return bool(_MATHS_BEFORE.search(before) or _MATHS_AFTER.match(text, match.end()))
    return not _UNIT_BEFORE.search(before) or _MATHS_AFTER.match(text, match.end()) is not None


def _pairs(text: str, first: int, last: int) -> Iterator[Mention]:
    """A symbol with its value: introduced by an equation, used where it is cited ("since S = 3")."""
    for match in _EQUALS.finditer(text, first, last):
        start = max(0, match.start() - _SYMBOL_CHARS)
        symbol = _ON_THE_LEFT.search(text[start : match.start()])
        if symbol is None:
            continue
        start += symbol.start()
        key = f"{_plain(symbol['name'])}={match['value'].replace(',', '').replace('−', '-')}"
        cited = _CITED.search(text[max(0, start - _CITATION) : start]) is not None
        yield Mention(Thing.PAIR, key, start, text[start : match.end()], not cited, not cited)


def _names(text: str, first: int, last: int) -> Iterator[Mention]:
    """Things with a noun and a label; introduced by a heading or by a definition."""
    for match in _LABELLED.finditer(text, first, last):
        word = _LAST_WORD.search(text[max(0, match.start() - _NOUN_CHARS) : match.start()])
        noun = "" if word is None else word.group().lower()
        noun = noun if noun in _NOUNS else noun.removesuffix("s")
        if word is None or noun not in _NOUNS:
            continue
        start = max(0, match.start() - _NOUN_CHARS) + word.start()
        before = text[max(0, start - _AHEAD) : start]
        heads = _HEADING.search(before) is not None or _CALLED.search(before) is not None
        kind = "equation" if noun in ("eq", "eqn") else noun
        yield Mention(
            Thing.NAME, f"{kind} {match['label'].lower()}", start, text[start : match.end()], heads, True
        )


def _equations(text: str, first: int, last: int) -> Iterator[Mention]:
    """Equations with a label in brackets: introduced at the end of their line, used in "from (1)"."""
    for match in _TAG.finditer(text, first, last):
        yield Mention(
            Thing.NAME, f"equation {match['label'].lower()}", match.start(), match.group(), True, True
        )
    for match in _BRACKETS.finditer(text, first, last):
        before = text[max(0, match.start() - _AHEAD) : match.start()]
        line = before.rpartition("\n")[2]
        ends = _LINE_ENDS.match(text, match.end()) is not None and "=" in line
        if ends or _CITES.search(before):
            key = f"equation {match['label'].lower()}"
            yield Mention(Thing.NAME, key, match.start(), match.group(), ends, ends)


def _plain(name: str) -> str:
    return name.replace("{", "").replace("}", "")
