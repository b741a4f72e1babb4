"""The head of a trace: what repeats the question, and what understands it before the work begins.

In: segments and the problem. Out: up to two runs. The work begins with the first equation, operation or
inequality that the problem does not give. An announcement that ends in a colon belongs to the work it
announces. Where a trace shows no such formula, as in questions of plain language, wording decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import SectionKind
from dlcot_ray.judging.rules import cues
from dlcot_ray.judging.rules.runs import Run

HEAD_SEGMENTS = 20
"""Number of segments at the start that are searched for the beginning of the work."""

HEAD_SHARE, FEW = 3, 3
"""The head is at most one third of the segments, or so few of them."""

LONG = 1500
"""Characters from which a segment is more than a restatement."""

_WORD = re.compile(r"[^\W_]+")
_RELATION = re.compile(
    r"(?:(?<![<>=!:])=(?!=)|[≈≡≥≤<>→⇒]|\\(?:approx|equiv|geq?|leq?|lt|gt|implies|to|mapsto)(?![a-z])"
    r"|\bequals\b|\bis equal to\b)"
)
_OPERATION = re.compile(
    r"\d[)\]}!²³]*\s?(?:\*|×|·|⋅|÷|\\times|\\cdot|\\div)\s?[(\\]*(?!10\^|10[⁻⁰¹²³⁴-⁹])\d|\d[)\]}!]*\s[+−/-]\s[(\\$]*\d"
    r"|\d!"
    r"|\bchoose\s\d|\b\d+\s(?:divided by|multiplied by|times|plus|minus)\s\d|\bC\(\d+,\s?\d+\)"
    r"|[\w)}]\s\+\s\\?[A-Za-z]{1,4}[_^( )\\²]|\(\w\s-\s\w\)\(|\)\s[+−-]\s[A-Za-z]{1,3}\(|\\binom\{?\d"
    r"|\d\(\d+\s?[+−-]\s?\d|\([±−-]?\d+(?:\.\d+)?, ?[±−-]?\d+(?:\.\d+)?(?:, ?[±−-]?\d+(?:\.\d+)?)?\)"
    r"|\\[dt]?frac\{[^{}]*[a-z][^{}]*\}\{|\(\d+\s[+−-]\s\d"
)
_MARKUP = re.compile(r"\\[()\[\],;:! ]|[\s$*{}]|\\(?:left|right|text|mathrm|displaystyle|dfrac|frac)\b|\\")
_PLAIN_VALUE = re.compile(r"^[-−]?[\d.,/%°]+$")
_SIGNS = (
    ("^\\circ", "°"),
    ("^{\\circ}", "°"),
    ("\\theta", "θ"),
    ("\\pi", "π"),
    ("\\alpha", "α"),
    ("\\cdot", "*"),
    ("\\times", "*"),
    ("×", "*"),
    ("²", "^2"),
    ("³", "^3"),
    ("−", "-"),
)
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}")
_CLAUSE = re.compile(r"[,;:?\n]|\.(?=\s|$)|(?<![\\a-z])(?!sin|cos|tan|log|sqrt)[a-z]{3,}\b")
_BULLET = re.compile(r"^\s*(?:[-+–•*]|\d{1,2}[.)])\s")
_NAME = re.compile(r"^[A-Za-z](?:_?\w)?$")
_NUMBER = re.compile(r"\d+")
_OPERATOR = re.compile(r"[-+*/^×·²³!−]|sqrt|frac|cdot|times")
_SUPPOSES = re.compile(r"\b(?:if|when|where)\s(?:\S{1,12}\s?)?$")
_HYPOTHETICAL = re.compile(r"\b[Ii]f\b[^.?!]{0,80}\bwere\b[^.?!]{0,80}\bwould\b[^.?]{0,80}")
_PURPOSE = re.compile(
    r"\b(?:(?:need|want|have|has|trying|asked|asks?|looking|going) (?:us )?(?:to|for)|such that"
    r"|goal|in other words|so that"
    r"|means? that|if i can|if we can)\b",
    re.IGNORECASE,
)
_ANSWERS = re.compile(
    r"\\boxed\s?\{|\b(?:answer|result|total)\b[^.?\n]{0,60}?(?:\bis|[:=])\s*\S", re.IGNORECASE
)
"""Says an answer outright; a figure that a problem gives may look like one without such words."""
_ORIENTS = re.compile(
    r"^\W*(?:(?:okay|ok|so|first|alright|now|hmm|well|and|but|then)\b[,.!\s]*)*(?:of all,? |things first,? )?"
    r"(?:(?:i|we) (?:first )?(?:need|have|want|should|must) to (?:first )?(?:understand|parse|interpret"
    r"|figure out what|recall what)"
    r"|let me (?:make sure|start by understanding|(?:try to )?(?:understand|visuali[sz]e))|let's (?:make sure"
    r"|understand|parse)"
    r"|let's plan|my plan|the plan|let me (?:first )?recall (?:some|the general|the basic|what))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a problem gives: its text without spaces and markup, and its whole numbers."""

    text: str
    numbers: frozenset[str]


def find_head(segments: Sequence[str], problem: str, answered: Sequence[bool] = ()) -> list[Run]:
    """Leading restatement and understanding; at least one segment is left for the exploration.

    `answered[i]`: segment i states an answer. Such a segment is work, whatever it looks like.
    """
    words = {w.lower() for w in _WORD.findall(problem)}
    begin = _work_begins(segments, problem, words)
    answers = (
        i for i in range(begin) if answered[i : i + 1] and answered[i] and _ANSWERS.search(segments[i])
    )
    begin = next(answers, begin)
    repeat = 0
    while repeat < begin and _restates(segments[repeat], words, first=repeat == 0):
        repeat += 1
    runs = []
    if repeat:
        runs.append(Run(SectionKind.QUESTION_REPEAT, 0, repeat))
    if begin > repeat:
        runs.append(Run(SectionKind.PROBLEM_UNDERSTAND, repeat, begin))
    return runs


def _work_begins(segments: Sequence[str], problem: str, words: set[str]) -> int:
    """The first segment of the work. A trace of one segment is work."""
    if len(segments) < 2:
        return 0
    given = Given(_flat(problem), frozenset(_NUMBER.findall(problem)))
    limit = min(HEAD_SEGMENTS, max(FEW, len(segments) // HEAD_SHARE), len(segments) - 1)
    for i in range(1, limit + 1):
        if _ORIENTS.match(segments[i]) or not shows_work(segments[i], given):
            continue
        while i > 1 and segments[i - 1].rstrip().endswith(":") and not _restates(segments[i - 1], words):
            i -= 1
        return i
    return _worded_begin(segments, words, limit)


def _worded_begin(segments: Sequence[str], words: set[str], limit: int) -> int:
    """Where no formula shows the beginning: behind the segments that speak of the problem."""
    begin = 1
    while begin < limit and (
        _ORIENTS.match(segments[begin])
        or cues.OPENING.search(segments[begin])
        or _restates(segments[begin], words, first=True)
    ):
        begin += 1
    return begin


def shows_work(segment: str, given: Given) -> bool:
    """Whether a segment holds a relation or an operation that the problem lacks."""
    segment = _HYPOTHETICAL.sub("", segment)
    for match in _OPERATION.finditer(segment):
        if _flat(match.group()) not in given.text:
            return True
    purpose = _PURPOSE.search(segment) is not None
    return any(_is_new(segment, match, given, purpose) for match in _RELATION.finditer(segment))


def _is_new(segment: str, relation: re.Match[str], given: Given, purpose: bool) -> bool:
    """Whether a relation says more than the problem: not its own formula, nor a name for a given value."""
    left = _flat(
        _BULLET.sub("", _CLAUSE.split(segment[max(0, relation.start() - 80) : relation.start()])[-1])
    )
    right = _flat(_CLAUSE.split(segment[relation.end() : relation.end() + 60].lstrip())[0])
    sign = _flat(relation.group())
    if _SUPPOSES.search(segment, max(0, relation.start() - 16), relation.start()):
        return False
    if not right or not left or left[-8:] + sign + right[:4] in given.text:
        return False
    if _PLAIN_VALUE.match(right) and sign == "=" and _NAME.match(left):
        return False
    if all(number in given.numbers for number in _NUMBER.findall(right)):
        return not purpose and not (_PLAIN_VALUE.match(right) and not _OPERATOR.search(left))
    return True


def _flat(text: str) -> str:
    """A formula without spaces and markup, so that two notations of it can be compared."""
    text = _FRACTION.sub(r"\1/\2", text)
    for notation, sign in _SIGNS:
        text = text.replace(notation, sign)
    return _MARKUP.sub("", text)


def _restates(segment: str, problem_words: set[str], *, first: bool = False) -> bool:
    words = [w.lower() for w in _WORD.findall(segment)]
    if not words or len(segment) > LONG:
        return False
    shared = sum(w in problem_words for w in words) / len(words)
    return shared >= (0.45 if first else 0.6) or (first and bool(cues.OPENING.search(segment)))
