"""Claims that a text does not assert: supposed, asked, tested, refuted, or true in another arithmetic.

In: a text and the place of a claim. Out: whether what stands around it takes it back. `hedged` looks at the
sentence, `refuted` at the lines behind it, `instance_of_equation` at the equations before it. The functions
run only for claims that would otherwise be called false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.arithmetic.readings import holds_in_base, ratio_of
from dlcot_ray.core.arithmetic.surroundings import is_counted
from dlcot_ray.core.evidence.expression import Value, evaluate

_HEDGE_BEFORE = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|imagine|pretend|say|would|could|might|were|claim\w*|wrong\w*|incorrect\w*|mistak\w*|"
    r"instead|not|never|cannot|versus|vs|contradict\w*|impossible|try|trying|guess|test\w*|need|want|require\w*|should|must|"
    r"such that|so that|whether|unless|hypothe\w+|does|did|could|can|maybe|perhaps|check if|see if|approximat\w+|about|roughly|around|"
    r"nearest|nearly|almost|close|closest|round\w*|estimate\w*|operation|define\w*|digits?|concatenat\w+|like|wrote|written|"
    r"erroneous\w*|fallac\w+|paradox\w*|joke|true or false|"
    r"puzzle\w*|riddle\w*|patterns?|often|common(?:ly)?)\b|n't\b|[≠?⊕★◊~∼≲≳]",
    re.IGNORECASE,
)
_STATED_EQUATION = re.compile(r"\bequations?\b[^=\n]{0,24}$", re.IGNORECASE)
"""``the equation 3 + 4 = 12``; in "the equation is A + B = 3 + 4 = 12" it is a calculation."""
_ANNOUNCED = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|imagine|pretend|would|could|might|claim\w*|instead|contradict\w*|impossible|try|trying|guess|"
    r"test\w*|require\w*|must|such that|so that|whether|equations?|wrote|student|says?)\b|\?",
    re.IGNORECASE,
)
"""Words that take a claim back if the line before announces it with a colon."""
_HEDGE_AFTER = re.compile(
    r"(?:[\s$*)\]}(.,;:—–-]|\\[\])]|\\q?quad|\\text(?:bf|it)?\{|\\,)*(?:(?:which|that|this|but|so|and|it|the equation|this equation)(?:'s|\b)\W*){0,3}"
    r"(?:(?:is|was|are|would be|seems|looks)\W+)?(?:also\W+)?(?:clearly\W+)?"
    r"(?:no\b|not\b(?! (?:zero|0|an?|prime|divisible|enough|yet)\b)|isn't|doesn't|don't|does not|do not|didn't|can't|cannot|false|wrong|incorrect|impossible|invalid|"
    r"a contradiction|contradict|fails?\b|too (?:big|small|high|low|large|much|many)|≠|✗|✘|❌|off by|carry|borrow|write|"
    r"approx|roughly|about|round|nearly|almost|close|or so\b|\(?mod)|[^.\n?!]{0,120}\?",
    re.IGNORECASE,
)
_OTHER_ARITHMETIC = re.compile(
    r"\b(?:mod|modulo|modular|congruen\w+|base[- ]?(?:\d|two|three|four|five|six|seven|eight|nine|ten|twelve|b\b)|GF ?\(|[ZF]_\{?\d|Z ?/ ?\d|boolean|binary|octal|hex\w*|remainder|rem ?\d*|carry|borrow\w*|clock|"
    r"xor|XOR|matrix|vectors?|cryptarithm\w*|concatenat\w+)|≡|= ?\?|\\mathbb\{?[ZF]\}?[_/]|\\pmod|\\equiv|[a-z] ?\* ?[a-z] ?=",
    re.IGNORECASE,
)
_CALENDAR = re.compile(r"\b(?:(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day|o'clock|[ap]\.?m)\b")
_TURNS = (
    (360, re.compile(r"°|\bdegrees?\b|\bangles?\b|\\circ")),
    (60, re.compile(r"\bminutes?\b|\bseconds?\b")),
)
_DIFFERENCE = re.compile(
    r"differ\w*|distance|between|apart|\bgap\b|Δ|\\Delta|\bchanges?\b|deviat\w*|\berrors?\b|absolute|separat\w*|\boff\b",
    re.IGNORECASE,
)
_MODULUS = re.compile(
    r"(?:\bmod(?:ulo|ulus)?|\\[bp]?mod)[\s{(is]*(\d{1,6})|\b(?:unit'?s?'?|ones?'?|last|final)[- ](two|three)?[- ]?digit",
    re.IGNORECASE,
)
_BASES = re.compile(
    r"\bbase[- ]?(\d{1,2}|two|three|four|five|six|seven|eight|nine|twelve|sixteen)\b|\b(binary|ternary|octal|hex)|"
    r"\d_\{?(\d{1,2})\b|\d([₂₃₄₅₆₇₈₉])",
    re.IGNORECASE,
)
_NAMED_BASE = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "twelve": 12,
    "sixteen": 16, "binary": 2, "ternary": 3, "octal": 8, "hex": 16,
}  # fmt: skip
_MOST_SYSTEMS = 16
"""Different moduli and bases of a trace that are tried."""
_ABSURD = re.compile(
    r"\b(?:equation|this|that|which|it)(?:'s| is) (?:not (?:possible|true)|impossible|false|absurd|a contradiction)|\bcontradict",
    re.IGNORECASE,
)
_ABSURDITY = re.compile(
    r"(?<![-+*/^=×·.,\w(){}])(?<![-+*/^=×·.,)}]\s)(\d{1,9})\s?=\s?(\d{1,9})"
    r"(?![\d.,]*\d|\s?[-+*/^×·%(a-zA-Z]|\s?\\(?![\\\])]))"
)
"""``7 = 10``: the evaluated form of an equation that is being tested."""
_LAST = {"two": 100, "three": 1000}
_BROKEN_OFF = re.compile(r",(?:  |\s\(?wait\b|\s\d*\s?-?something)", re.IGNORECASE)
_REFUTED = re.compile(
    r"(?:[\s$]|\\[\])])*(?!=)[^\n=]{0,8}(?:\\implies|\\[Rr]ightarrow|⟹|⇒|=>|→)[^\n]{0,200}?(?:≠|\\neq?(?![a-z]))"
    r"|(?:[\s$.,;:]|\\[\])])*(?!=)[^.\n=]{0,60}\b(?:not a solution|no solution|(?:doesn't|does not|don't|do not) (?:work|hold|satisfy|match|equal))"
)
_CONVERSIONS = frozenset({7, 12, 16, 24, 25, 30, 36, 52, 60, 100, 365, 1000, 1440, 3600, 5280})

_BEHIND = 500
"""Characters behind a claim that are searched for its refutation."""
_EVALUATED_WITHIN = 120
_UNEQUAL = re.compile(
    r"(?P<one>(?<![\d.,])[\d.,]*\d|\\[dt]?frac\{\d+\}\{\d+\})[\s$]*(?:≠|\\neq?(?![a-z])|\\ne\b|!=|(?:is|does|do)(?:n't| not) (?:equal(?: to)?)?)[\s$]*"
    r"(?P<other>[\d.,]*\d|\\[dt]?frac\{\d+\}\{\d+\})"
)
_DENIED_EQUATION = re.compile(
    r"(?:[\s$.,;:&]|\\[\\()\[\]])*(?:(?:so|then|or|i\.e\.|and|which is|that is|meaning)\b[\s,:]*)?"
    r"(?P<one>[\d\s$+\-*/^×·().]{1,60})=(?P<other>[\d\s$+\-*/^×·()]{1,40})(?:[\s$.,;:!&?—–-]|\\[\\()\[\]])*"
    r"(?:(?:this|that|which|it|the equation)(?:'s| is| seems| looks)?\s+)?(?:also |clearly )?(?:not true|not so|no\b|false|wrong|incorrect|not (?:correct|equal|possible))",
    re.IGNORECASE,
)
"""A second equation directly behind, and its denial: ``..., 28 = 72. Wrong.``"""
_DENIED_WITHIN = 200
_NOT_SO = re.compile(
    r"\bnot (?:true|correct|possible|equal|valid|a (?:valid )?solution|consistent|satisf\w+|hold|work|balanced|the same|(?:directly )?useful|an? (?:identity|equality))"
    r"|(?:n't|\b(?:does|do|did|is) not) (?:work|hold|match|equal|true|correct|possible|satisf\w+|a solution|add up|balance)"
    r"|\bcontradict|\bimpossible\b|\bno solutions?\b|\bfails\b|\bfalse\b|\b(?:LHS|left)\b[^.\n]{0,30}(?:≠|\\neq?(?![a-z]))",
    re.IGNORECASE,
)
_NOTICES = re.compile(r"\W*(?:wait|hmm|no,|oops|actually|hold on|let me|I )", re.IGNORECASE)
_ON_TRIAL = re.compile(
    r"\b(?:test\w*|try|trying|plug\w*|substitut\w+|verify\w*|suppose|assume|if|check)\b", re.IGNORECASE
)
_WORD = re.compile(r"(?<!\\)\b[A-Za-z]{3,}")
_DISPLAYED = 1000
"""Characters of a line before a claim that is displayed on its own; the claims of a longer line stand in it."""
_FORMULA_LINES = 6
_EQUATION = re.compile(r"([^=\n]{1,80})=[\s$]*([\d.,]*\d)(?![\d.,]*\d|\s?[-+*/^×·\\%(a-zA-Z])")
_VARIABLE = re.compile(r"(?<![A-Za-z\\])[a-zA-Z](?![a-zA-Z])|(?<=\d)[a-z](?![a-zA-Z])")
_BEFORE = 500
"""Characters before a claim that are searched for the equation that it is an instance of."""


@dataclass(frozen=True, slots=True)
class NumberSystems:
    """Moduli and bases that a text names; whole numbers above 1."""

    moduli: tuple[int, ...]
    bases: tuple[int, ...]


def denied(after: str) -> bool:
    """Whether the text after a claim denies it, as in "..., which is not true"."""
    return _HEDGE_AFTER.match(after) is not None


def hedged(text: str, start: int, stop: int, a: Value, b: Value) -> bool:
    """Whether the claim at `[start, stop)` is a question, a supposition, denied, a conversion, or modular."""
    near = max(0, start - 120)
    sentence = max(near, *(text.rfind(mark, near, start) + 1 for mark in (". ", "\n", "! ", "? ")))
    if _HEDGE_BEFORE.search(text, sentence, start) or _HEDGE_AFTER.match(text, stop):
        return True
    if _STATED_EQUATION.search(text, sentence, start):
        return True
    if _REFUTED.match(text, stop) or _ABSURD.search(text, stop, stop + 120):
        return True
    if any(sides[1] != sides[2] for sides in _ABSURDITY.finditer(text, stop, stop + 80)):
        return True
    if _OTHER_ARITHMETIC.search(text, max(0, start - 400), min(len(text), stop + 120)):
        return True
    if a.number == -b.number and _DIFFERENCE.search(text, near, start):
        return True
    if not a.number or not b.number:
        return False
    return _is_conversion(text, near, stop, a, b)


def _is_conversion(text: str, near: int, stop: int, a: Value, b: Value) -> bool:
    """Whether calendar, clock, angle, units or whole things explain the difference."""
    gap = a.number - b.number
    if (gap % 7 == 0 or gap % 12 == 0) and _CALENDAR.search(text, near, stop + 40):
        return True
    if any(gap % turn == 0 and word.search(text, near, stop + 40) for turn, word in _TURNS):
        return True
    counted = is_counted(text, stop)
    if counted and a.division and -1 < gap < 1 and gap.denominator != 1 and b.number.denominator == 1:
        # The whole part of a quotient: ``17/5 = 3 full boxes``.
        return True
    ratio = ratio_of(a, b)
    if ratio >= 10 and _BROKEN_OFF.match(text, stop):
        return True
    return ratio in _CONVERSIONS and counted


def announced(text: str, start: int) -> bool:
    """Whether the line before a displayed claim supposes, tests or asks it: "Suppose they agree:"."""
    line = text.rfind("\n", max(0, start - _DISPLAYED), start) + 1
    if (not line and start > _DISPLAYED) or "=" in text[line:start] or _WORD.search(text, line, start):
        return False
    before = text[max(0, line - 400) : line].rstrip().removesuffix("\\[").removesuffix("$$").rstrip()
    last = before.rpartition("\n")[2]
    sentence = re.split(r"[.!]\s", last)[-1]
    return _ANNOUNCED.search(sentence) is not None


def evaluated_behind(text: str, stop: int, a: Value) -> bool:
    """Whether the next formula evaluates the left side rightly: ``9 + 5 = 20``, then ``14 = 20`` or ``9 + 5 = 14``.

    Prose in between would make it a correction.
    """
    after = text[stop : stop + _EVALUATED_WITHIN]
    word = _WORD.search(re.sub(r"\\text\w*", " ", after))
    formula = after[: word.start()] if word else after
    for side in re.split(r"=|\\n", formula)[1:4]:
        value = evaluate(side.strip(" $&\\[]()"))
        if value is not None and value.number == a.number:
            return True
    return False


def refuted(text: str, start: int, stop: int, a: Value, b: Value) -> bool:
    """Whether the lines behind a claim refute it: ``28 ≠ 10``, or "This is not correct" after more formulas.

    A refutation that notices an error ("Wait, that is not right") leaves the claim asserted, unless it was on
    trial.
    """
    after = text[stop : stop + _BEHIND]
    for sides in _UNEQUAL.finditer(after):
        one, other = evaluate(sides["one"]), evaluate(sides["other"])
        if one is not None and other is not None:
            values = {one.number, other.number}
            if len(values) > 1 and (values == {a.number, b.number} or a.number in values):
                return True
    trial = _ON_TRIAL.search(text, max(0, start - 160), start) is not None
    for line in after.split("\n")[: _FORMULA_LINES + 2]:
        prose = re.sub(r"\\(?:text(?:bf|it)?|quad|qquad|mathrm)", " ", line)
        if not _WORD.search(prose):
            continue
        if _NOTICES.match(prose) and not trial:
            return False
        return _NOT_SO.search(prose[:140]) is not None
    return False


def denied_behind_another(text: str, stop: int, b: Value) -> bool:
    """Whether a second false equation with the same right value follows, and is denied itself."""
    second = _DENIED_EQUATION.match(text, stop, stop + _DENIED_WITHIN)
    if second is None:
        return False
    one, other = evaluate(second["one"].strip(" $\n")), evaluate(second["other"].strip(" $\n"))
    return one is not None and other is not None and one.number != other.number and other.number == b.number


def instance_of_equation(text: str, start: int, right: str) -> bool:
    """Whether an equation with a variable and the same right side stands before: numbers were put into it.

    After ``6a + 15d = 720`` the line ``6*1 + 15*47 = 720`` is the equation again, no calculation.
    """
    wanted = right.strip(" $")
    for equation in _EQUATION.finditer(text, max(0, start - _BEFORE), start):
        if (
            equation[2].rstrip(".,") == wanted
            and _VARIABLE.search(equation[1])
            and re.search(r"[-+*/^×·]|\\frac|\\cdot|\d[a-z]", equation[1])
        ):
            return True
    return False


@lru_cache(maxsize=4)
def number_systems(text: str) -> NumberSystems:
    """The moduli and bases that a text names."""
    moduli = {int(m[1] or _LAST.get((m[2] or "").lower(), 10)) for m in _MODULUS.finditer(text)}
    bases = set()
    for named in _BASES.finditer(text):
        word = (named[1] or named[2] or named[3] or "").lower()
        if named[4]:
            bases.add("₀₁₂₃₄₅₆₇₈₉".index(named[4]))
        else:
            bases.add(_NAMED_BASE.get(word) or int(word))
    return NumberSystems(
        tuple(sorted(m for m in moduli if m > 1)[:_MOST_SYSTEMS]),
        tuple(sorted(base for base in bases if 2 <= base <= 36)[:_MOST_SYSTEMS]),
    )


def holds_in(systems: NumberSystems, left: str, right: str) -> bool:
    """Whether two different sides are equal modulo one of the numbers, or written in one of the bases."""
    a, b = evaluate(left), evaluate(right)
    if a is None or b is None or a.number.denominator != 1 or b.number.denominator != 1:
        return False
    gap = a.number - b.number
    if any(0 <= b.number < m and gap % m == 0 for m in systems.moduli):
        return True
    return any(holds_in_base(left, right, base) for base in systems.bases)
