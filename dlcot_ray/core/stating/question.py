"""What a problem asks for: names, words, options, given figures, and whether it has one short answer.

In: the text of a problem. Out: a `Question`. A value is an answer only if it is one to what is asked: in
"find m + n" the value of m is a step. The last asking sentence counts, because earlier ones belong to solved
parts. Results are cached, and the cost is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from dlcot_ray.core.stating.bounds import speaks_of_bounds

LONGEST_PROBLEM = 20_000
"""Characters at the end of a problem that are read."""

_FORMAT = re.compile(
    r"\b(?:express|round|write|give|format|simplify|enter|report|put|leave) (?:your|the|each|all|it|this)\b[^.]{0,40}\b"
    r"(?:answer|decimal|fraction|form|form\w*|integer|places?)\b|\byour answer\b|\bit may help\b|\bshow your\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\W*(?:note|assume|suppose|recall|remember|do not|hint|here|in this|where)\b", re.IGNORECASE
)
_NAMES_SOUGHT = re.compile(r"\b(?:find|compute|determine) (?:the value of )?[$\\]", re.IGNORECASE)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.DOTALL)
_SENTENCE = re.compile(
    r"(?:(?<=[.?])|(?<=[a-z)$]!))[\"')$\]]*\s+|(?<=[.?!])(?=(?:What|How|Find|Which|Compute|Determine)\b)|\s(?=\((?:The|Note|Here|Two|Assume)\b)|\n{2,}"
)
_CLOSED = re.compile(
    r"\b(?:how (?:many|much|long|far|old|fast)|(?:find|compute|determine|evaluate|calculate|simplify|solve)\b"
    r"|what (?:is|are|was|will|would|fraction|percent\w*|number|integer|value|time|day|year|angle|digit)\b"
    r"|what'?s\b|which (?:of|one|option|choice|number)\b)",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:why|explain|prove|show that|describe|discuss|design|suggest|write (?:a|an|the) (?:program|function|code|essay|story)"
    r"|implement|how (?:can|could|should|would|do|does|might)|what (?:logical )?fallac\w+|what (?:strategy|steps|pattern))\b",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"^\W*(?:is|are|does|do|can|will|was|were|did|has|have|could|must)\b", re.IGNORECASE)
_HEAD = re.compile(
    r"\b(?:find|compute|determine|evaluate|calculate|what (?:is|are|was|will be)|what's) the ((?:[\w-]+ ){1,4}?)(?:of|that|when|for|in|if|to)\b",
    re.IGNORECASE,
)
EXTREME = re.compile(
    r"\b(?:largest|smallest|(?<!at )least|greatest|maxim(?:um|al|ize)|minim(?:um|al|ize)|longest|shortest|highest|lowest|fewest)\b",
    re.IGNORECASE,
)
_ASKS_FOR = re.compile(
    r"\b(?:what|which|find|compute|determine|calculate|evaluate|give|state|how)\b", re.IGNORECASE
)
_SETTING = re.compile(
    r"[.,;:]|\b(?:if|when|where|that|such|so|given|for|how many|number of|ways?|probability|sum|product)\b",
    re.IGNORECASE,
)
"""Between the asking verb and the word, these make the extreme a part of the setting or of a longer quantity."""
_REWRITES = re.compile(
    r"\b(?:rewrite|simplify|factor(?:i[sz]e)?|expand|(?:express|write|put|convert|bring)\b[^.?]{1,120}?\b(?:as an?\b|in (?:the |polar |standard |exponential |vertex |rectangular )?form\b|in terms of\b|into\b))",
    re.IGNORECASE,
)
"""Asks for another form of an expression, so that the expression itself is no answer though it is equal."""
_COUNT = re.compile(r"\b(?:how many|number of)((?: [\w-]+){1,4})", re.IGNORECASE)
_NAME = re.compile(
    r"\$([^$]{1,60})\$|\\\((.{1,60}?)\\\)|(?<![\w\\$])([A-Za-z](?: ?[-+*] ?[A-Za-z])*)(?![\w$'])"
)
_SUBJECT = re.compile(
    r"(?:\b(?:find|compute|determine|evaluate|calculate|what (?:is|are)|solve for|value of|for)\s+(?:all\s+)?)$",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"(?:\\(?:text|textbf|mathrm|mathbf)\s?\{\s?\(?(?P<a>[A-J])\)?[.:]?\s?\}|\((?P<b>[A-J])\)|(?m:^)\s{0,9}(?P<c>[A-J])[.):]\s)"
)
_OPTION_TRIM = re.compile(r"^(?:\\qquad|\\quad|\\ |[\s~:.$)}])+|(?:\\qquad|\\quad|\\\\|\\ |[\s~;,.$])+$")
_PART = re.compile(r"(?:^|[\s:;])(?:\((?:[a-h]|i{1,3}|iv|v)\)|[a-h]\)|\(?\d{1,2}[.)])\s+", re.MULTILINE)
"""The number or letter in front of one of several questions."""
_ASKING = re.compile(r"(?<![^.?!\n])[^.?!\n]*\?")
_ASKS_TWICE = re.compile(r", and (?:what|which|how|where|when|why|who)\b", re.IGNORECASE)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"\\?[A-Za-z]{3,}")
_COMMON = frozenset(
    [
        "the",
        "and",
        "for",
        "that",
        "with",
        "number",
        "are",
        "was",
        "has",
        "have",
        "had",
        "this",
        "these",
        "those",
        "find",
        "what",
        "which",
        "how",
        "many",
        "much",
        "compute",
        "determine",
        "calculate",
        "evaluate",
        "solve",
        "value",
        "values",
        "answer",
        "all",
        "each",
        "given",
        "such",
        "from",
        "into",
        "than",
        "can",
        "could",
        "will",
        "would",
        "following",
        "their",
        "its",
        "they",
        "one",
        "two",
        "three",
        "when",
        "where",
        "does",
        "please",
        "using",
        "express",
        "there",
        "must",
        "your",
        "form",
        "let",
        "been",
        "not",
        "any",
        "only",
    ]
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a problem asks for.

    Attributes:
        names: symbols or expressions whose value is asked, as `plain_name` writes them.
        words: the content words of the asking sentence, as `stem` writes them.
        counted: the content words of what is counted, where the question is "how many".
        head: the content words of the quantity that is asked: "expected" in "the expected value of a roll".
        extreme: the question is for a largest or smallest value.
        bounded: the problem speaks of bounds, so that a bound may be the answer.
        closed: one short answer exists: a value, an option, yes or no.
        rewrites: another form of an expression is asked for.
        options: option letter -> its text.
        given: figures that the problem gives, without those of its options.
        plain: the problem, as `plain_name` writes it; empty where it has options.
    """

    names: frozenset[str]
    words: frozenset[str]
    counted: frozenset[str]
    head: frozenset[str]
    extreme: bool
    bounded: bool
    closed: bool
    rewrites: bool
    options: Mapping[str, str]
    given: frozenset[str]
    plain: str


@lru_cache(maxsize=512)
def read_question(problem: str) -> Question:
    """Read a problem. Raises nothing for any text."""
    text = _DRAWING.sub(" ", problem[-LONGEST_PROBLEM:])
    options, first = _options(text)
    body = text if first is None else text[:first]
    asked = _asking_sentence(body)
    return Question(
        names=frozenset(_names(asked)),
        words=frozenset(content_words(asked)),
        counted=frozenset(content_words(_first_group(_COUNT, asked))),
        head=frozenset(content_words(_first_group(_HEAD, asked))),
        extreme=_asks_extreme(asked),
        bounded=speaks_of_bounds(body),
        closed=bool(options) or (_is_closed(asked) and not _OPEN.search(asked)),
        rewrites=_REWRITES.search(asked) is not None,
        options=MappingProxyType(options),
        given=frozenset(_FIGURE.findall(body)),
        plain="" if options else plain_name(text),
    )


def asks_several(problem: str) -> bool:
    """Whether a problem asks several things: numbered parts that ask, or two closed questions.

    No single answer settles such a problem, so only a ground truth can be compared.
    """
    text = problem[-LONGEST_PROBLEM:]
    parts = [
        part for part in _PART.split(text)[1:] if "?" in part or _CLOSED.search(part) or _OPEN.search(part)
    ]
    questions = [asked for asked in _ASKING.findall(text) if _CLOSED.search(asked)]
    return len(parts) > 1 or len(questions) > 1 or any(map(_ASKS_TWICE.search, questions))


def is_yes_no(problem: str) -> bool:
    """Whether the asking sentence can be answered with yes or no."""
    asked = _asking_sentence(_DRAWING.sub(" ", problem[-LONGEST_PROBLEM:]))
    return "?" in asked and _YES_NO.search(asked) is not None


def plain_name(name: str) -> str:
    """A symbol or expression without white space, markup and braces: ``a_{2023}`` and ``a_2023`` are one."""
    return re.sub(r"[\s{}$*]|\\[(),;!]|\\left|\\right", "", name).rstrip(".,;:?")


def stem(word: str) -> str:
    """A word in lower case, without a plural ending."""
    word = word.lower()
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def content_words(text: str) -> set[str]:
    """The stems of the words that carry meaning; commands of a formula are none."""
    words = map(str.lower, _WORD.findall(text))
    return {stem(word) for word in words if word not in _COMMON and not word.startswith("\\")}


def _asking_sentence(text: str) -> str:
    """The last sentence that asks for something; formats of the answer are no question."""
    sentences = [s for s in _SENTENCE.split(text) if s.strip()]
    for sentence in reversed(sentences):
        formal = _FORMAT.search(sentence) and not _NAMES_SOUGHT.search(sentence)
        if "?" not in sentence and (formal or _REMARK.match(sentence)):
            continue
        if "?" in sentence or any(ask.search(sentence) for ask in (_CLOSED, _OPEN, _REWRITES)):
            return sentence
    return sentences[-1] if sentences else ""


def _asks_extreme(asked: str) -> bool:
    """Whether the quantity that is asked for is a largest or smallest one, not just one in the setting."""
    found = EXTREME.search(asked)
    if found is None:
        return False
    before = asked[: found.start()]
    verbs = list(_ASKS_FOR.finditer(before))
    return not before.strip() or (bool(verbs) and _SETTING.search(before, verbs[-1].end()) is None)


def _first_group(pattern: re.Pattern[str], asked: str) -> str:
    found = pattern.search(asked)
    return found[1] if found else ""


def _is_closed(asked: str) -> bool:
    return bool(_CLOSED.search(asked) or (_YES_NO.search(asked) and "?" in asked))


def _names(asked: str) -> set[str]:
    names = set()
    for match in _NAME.finditer(asked):
        if _SUBJECT.search(asked[max(0, match.start() - 24) : match.start()]):
            name = plain_name(match[1] or match[2] or match[3])
            if name not in ("a", "A", "I") or match[3] is None:
                names.add(name)
    return names


def _options(text: str) -> tuple[dict[str, str], int | None]:
    """Option letters with their texts, and where they begin; empty unless A and B follow each other."""
    marks = list(_OPTION.finditer(text))
    letters = [m["a"] or m["b"] or m["c"] for m in marks]
    start = next((i for i in range(len(letters) - 1, -1, -1) if letters[i] == "A"), None)
    if start is None or letters[start + 1 : start + 2] != ["B"]:
        return {}, None
    options = {}
    for i in range(start, len(marks)):
        if letters[i] != "ABCDEFGHIJ"[i - start : i - start + 1]:
            break
        stop = marks[i + 1].start() if i + 1 < len(marks) else text.find("\n\n", marks[i].end())
        options[letters[i]] = _OPTION_TRIM.sub("", text[marks[i].end() : stop if stop >= 0 else len(text)])[
            :400
        ]
    return options, marks[start].start()
