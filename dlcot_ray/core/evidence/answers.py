"""Where a text states an answer: boxed, "the answer is ...", bold, conclusions, equation tails, options.

A cue says where an answer may begin, and one pattern for mathematical notation (plain, Unicode or LaTeX)
reads it up to where prose goes on, so that "15 feet, as expected" yields ``15`` and "m + n = 13+54=67"
yields ``67``. Extraction is generous and ordered; what an answer is worth depends on its form, which
callers weigh. Patterns stay within a line and are bounded, so that cost is linear in the text; the price
is that an answer spelled out over several lines is found by its last line alone.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import StrEnum


class AnswerForm(StrEnum):
    """How an answer is stated, strongest first."""

    BOXED = "boxed"
    PHRASE = "phrase"
    BOLD = "bold"
    OPTION = "option"
    CONCLUSION = "conclusion"
    EQUATION = "equation"


@dataclass(frozen=True, slots=True)
class StatedAnswer:
    """An answer as written; `start`/`stop` are code-point offsets of it in the text given."""

    text: str
    start: int
    stop: int
    form: AnswerForm


_STRENGTH = {
    AnswerForm.BOXED: 3.0,
    AnswerForm.PHRASE: 2.0,
    AnswerForm.BOLD: 2.0,
    AnswerForm.OPTION: 2.0,
    AnswerForm.CONCLUSION: 1.5,
    AnswerForm.EQUATION: 0.5,
}
_FADE = {AnswerForm.BOXED: 6000}
_FADE_OTHERS = 400
"""Characters over which a statement loses one point of strength: what is said last counts most."""

_TOKEN = (
    r"(?:\\(?:text|textbf|mathrm|mathbf|mbox|operatorname)\s?\{[^{}\n]{0,40}\}|\\[a-zA-Z]+|\\[{}%,;:!$\\ ]"
    r"|\d+(?:[.,]\d+)*|\.\d+|[-+*/^_=<>≤≥≠≡≈×·⋅÷−–√π∞°%∪∩∈θαβγφωλτ′'½⅓⅔¼¾⅕⅙⅛⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ₀₁₂₃₄₅₆₇₈₉!|]|(?<=\d):(?=\d)"
    r"|[()\[\]{}]|,\s?(?=[^()\[\]{}\n]{0,60}[)\]}])"
    r"|(?<![A-Za-z])(?:sqrt|log|ln|sin|cos|tan|sec|csc|cot|pi|mod|exp|cis|arc(?:sin|cos|tan)|[A-Za-z])(?![A-Za-z']))"
)
_VALUE = rf"{_TOKEN}(?:[ ~]{{0,2}}{_TOKEN}){{0,60}}+"
_RUN = re.compile(_VALUE)
_MATH = re.compile(
    r"\$\$?(?=\S)(?P<d>[^$\n]{1,160}?)(?<=\S)\$|\\\((?P<p>.{1,160}?)\\\)|\\\[\s*(?P<b>[^\n]{1,160}?)\s*\\\]"
)
_LEAD = re.compile(
    r"(?:\s|\*\*|[\"'“‘`]|\\\[(?=\s)|(?:indeed|exactly|just|simply|therefore|thus|hence|then|equal to|equals?|approximately|"
    r"about|roughly|actually|still|also|both|precisely|probably|likely|option|given by|represented as|written as|"
    r"found to be|simply|only|as|the (?:number|value|fraction|point|interval|expression|integer|sum|ordered pair|pair|set))\b:?|:)*",
    re.IGNORECASE,
)
_LIST = re.compile(rf"(?:,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)(?=[-−$\\(\[\d]|[a-z] ?=){_VALUE}")
_WORDS = re.compile(r"[A-Za-z][\w'-]*(?: [A-Za-z][\w'-]*){0,2}(?=\s*(?:[.;!*\"\n]|$))")
_NO_ANSWER = re.compile(
    r"(?:not|never|n't|correct|right|wrong|that|this|the|an?|in|to|what|which|it|its|consistent|same|different|as|found|"
    r"obtained|indeed|of|valid|there|here|good|fine|clear|reasonable|unique|positive|negative|integer|integers|whether|"
    r"how|if|when|where|because|since|still|likely|probably|also|one|we|they|confirmed|verified|below|above|incorrect|"
    r"straightforward|simple|step|needed|required|expected|supposed|for|by|from|all|both|let|so|just|actually|given)\b",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\f?box(?:ed)?\s*(?:(?P<brace>\{)|(?P<bare>[^\s{}$\\,;]+))")
_PHRASE = re.compile(
    r"\b(?:answer|result|solution)s?\b(?:\*\*)?(?:[^.\n:=*]{0,60}?\b(?:is|are|be|was|becomes?|equals?)(?![a-zA-Z']|\snot\b)|\s*(?:\*\*)?\s*[:=])"
    r"|\bfinal answer\b[*:#\s]{1,12}(?=[-−\d$\\(\[])",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    r"(?P<answer>\\[dt]?frac\{[^{}\n]*\}\{[^{}\n]*\}|[-−]?\d[\d.,/]*(?:\s?[%°π])?|\([^()\n]{1,30}\))\$?\s+(?:is|was|as)\s"
    r"(?:indeed\s)?(?:the|our|my)\s(?:final\s|correct\s|right\s)*(?:answer|solution|result)\b",
)
_BOLD = re.compile(r"\*\*(?P<answer>[^*\n]{1,80})\*\*")
_HEADING = re.compile(
    r"\W*(?:step|case|part|approach|method|option|figure|example|question|problem|\d+[.):]\s)", re.IGNORECASE
)
_CUE_WORD = (
    r"\s{0,3}\**(?=[A-Za-z])(?:[YyOoAaBbWwGgPpFf][a-z]{1,7}\b\W{1,3})?(?:[SsTtHhCcFfIiAagwytWI][a-z]|I )(?:(?<=[Ss]o)"
    r"|(?<=[Tt]h)(?:erefore|us|at gives)|(?<=[Hh]e)nce|(?<=[Cc]o)nsequently|(?<=[Tt]o)tal(?:l?ing)?|(?<=[Ff]i)nally"
    r"|(?<=wh)ich (?:is|gives|means|equals)|(?<=gi)v(?:ing|es)|(?<=ge)ts?|(?<=yi)elding|(?<=[Ii]n) total"
    r"|(?<=[Ww]e) (?:get|have|obtain|find|conclude)|(?<=I )(?:am (?:pretty |quite )?confident|get|find)|(?<=[Aa]l)together"
    r")(?![A-Za-z])"
)
"""A concluding word at the head of a clause. Told apart by its first two letters before it is read: several times
faster than plain alternatives, and most of what this module costs."""
_CUE = re.compile(r"[.!?;,\n]" + _CUE_WORD)
_FIRST_CUE = re.compile(_CUE_WORD)
_SENTENCE_END = re.compile(r"[.!?;](?=[\s*\"$])|\n")
_VERB = re.compile(
    r"\b(?:is|are|equals?|be|get|gives?|giving|obtain|find|have|has|yields?|yielding|becomes|was|totall?ing|only|exactly|=>)"
    r"(?![a-zA-Z'])(?!\s*not\b):?",
    re.IGNORECASE,
)
_STATES = re.compile(r" (?:is|be)\s?(?=[-−\d$\\(\[√π])")
_NUMERAL = re.compile(rf"(?<![\w\\.])(?=[-−√(\d\\]){_VALUE}")
_EQUATION = re.compile(rf"[=≡≈]\s{{0,2}}(?P<answer>(?=[-−+√π(\[{{\d\\$a-zA-Z½⅓⅔¼¾.])\$?{_VALUE})")
_OPTION = re.compile(
    r"\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer(?: is)?:?)\s*(?:is\s)?\**\(?(?P<answer>[A-J])\)?(?![\w'])(?! [a-z]+ing\b)"
)
_DIGITS = "0123456789\\√π½⅓⅔¼¾⅕⅙⅛"
_TRAILING = " \t\n.,;:!?*_`\"'“”-–−+/=<>≤≥≈≡|~^"
_BRACE = re.compile(r"[{}]")
_BRACKET = re.compile(r"[(\[{}\])]")
_OPENING, _CLOSING = "([{", ")]}"


def find_answers(text: str, *, passing: bool = True) -> tuple[StatedAnswer, ...]:
    """Every place where an answer may be stated, in order of position.

    Without `passing`, only what is stated outright: no conclusions, no equation tails. These are most of
    what a trace states and of what finding it costs.
    """
    found: dict[tuple[int, int], StatedAnswer] = {}
    if "box" in text:
        _add_boxed(found, text)
    lower = text.lower()
    if "answer" in lower or "result" in lower or "solution" in lower:
        for match in _PHRASE.finditer(text):
            _add_value(found, text, match.end(), AnswerForm.PHRASE, words=True)
        for match in _REVERSED.finditer(text):
            _add(found, text, *match.span("answer"), AnswerForm.PHRASE)
    if "option" in lower or "choice" in lower or "answer" in lower:
        for match in _OPTION.finditer(text):
            _add(found, text, *match.span("answer"), AnswerForm.OPTION)
    if "**" in text:
        for match in _BOLD.finditer(text):
            if any(c.isdigit() for c in match["answer"]) and not _HEADING.match(match["answer"]):
                _add_value(found, text, match.start("answer"), AnswerForm.BOLD, words=False)
    if passing and any(map(text.__contains__, _DIGITS)):
        _add_conclusions(found, text)
    if passing and ("=" in text or "≡" in text or "≈" in text):
        _add_equations(found, text)
    return tuple(sorted(found.values(), key=lambda a: (a.start, a.stop)))


def last_answer(text: str) -> StatedAnswer | None:
    """The best final answer of a text: the strongest form, where a statement fades with its distance from the end."""
    end = len(text.rstrip())
    return max(
        find_answers(text),
        key=lambda a: (_STRENGTH[a.form] - (end - a.stop) / _FADE.get(a.form, _FADE_OTHERS), a.start),
        default=None,
    )


def _add_boxed(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    for match in _BOXED.finditer(text):
        start = match.end() if match["brace"] else match.start("bare")
        stop = _closing_brace(text, start) if match["brace"] else match.end("bare")
        body = text[start:stop]
        left = len(body) - len(body.lstrip(" \n\t$"))
        body = body.strip(" \n\t$").rstrip("." if match["brace"] else ".,;)")
        if body and len(body) <= 400:
            found[start + left, start + left + len(body)] = StatedAnswer(
                body, start + left, start + left + len(body), AnswerForm.BOXED
            )


def _closing_brace(text: str, start: int) -> int:
    """Where the brace opened before `start` closes; an unterminated one ends with its line."""
    depth = 1
    for brace in _BRACE.finditer(text, start, start + 400):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return brace.start()
    newline = text.find("\n", start)
    return min(len(text), start + 200) if newline < 0 else newline


def _add_conclusions(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """What a clause with a concluding word states: the values behind its verbs, else its last numeral."""
    first = _FIRST_CUE.match(text)
    for cue in itertools.chain((first,) if first else (), _CUE.finditer(text)):
        limit = cue.end() + 400
        end = _SENTENCE_END.search(text, cue.end(), limit)
        start, stop = cue.start(), end.start() + 1 if end else min(len(text), limit)
        hit = False
        for verb in _VERB.finditer(text, start, stop):
            hit |= _add_value(found, text, verb.end(), AnswerForm.CONCLUSION, words=False)
        if not hit:
            numerals = [m.span() for m in _NUMERAL.finditer(text, cue.end(), stop)]
            if numerals:
                _add(found, text, *_after_equals(text, *numerals[-1]), AnswerForm.CONCLUSION)
    for match in _STATES.finditer(text):
        sure = text.endswith(("must be ", "should be "), max(0, match.end() - 12), match.end())
        form = AnswerForm.CONCLUSION if sure else AnswerForm.EQUATION
        _add_value(found, text, match.end(), form, words=False)


def _add_equations(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """What stands behind the last relation of a chain, where the sentence or formula ends with it."""
    for match in _EQUATION.finditer(text):
        start, stop = match.span("answer")
        if text[start] == "$":
            start += 1
        body = text[start:stop]
        if body.isdigit():
            found.setdefault((start, stop), StatedAnswer(body, start, stop, AnswerForm.EQUATION))
            continue
        for part_start, part_stop in _chain(text, start, stop):
            _add(found, text, part_start, part_stop, AnswerForm.EQUATION)


def _chain(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    parts = []
    at = start
    for relation in re.finditer(r"[=≡≈]", text[start:stop]):
        parts.append((at, start + relation.start()))
        at = start + relation.end()
    parts.append((at, stop))
    return parts


def _after_equals(text: str, start: int, stop: int) -> tuple[int, int]:
    """The part behind the last equals sign of a chain, where its left side is more than a name."""
    body = text[start:stop]
    at = max(body.rfind(sign, 0, len(body.rstrip(_TRAILING))) for sign in "=≈")
    if at <= 0 or (body.count("=") == 1 and len(body[:at].strip(" $\\(")) <= 2):
        return start, stop
    return start + at + 1, stop


def _add_value(
    found: dict[tuple[int, int], StatedAnswer], text: str, at: int, form: AnswerForm, *, words: bool
) -> bool:
    """Read the value that begins at `at`, behind filler words; with `words`, a short text will do too."""
    lead = _LEAD.match(text, at)
    at = lead.end() if lead else at
    if text.startswith(("\\boxed", "\\fbox", "$\\boxed", "\\(\\boxed"), at):
        return False
    math = _MATH.match(text, at)
    if math is not None and math.lastgroup is not None:
        start, stop = math.span(math.lastgroup)
        if "boxed" in text[start:stop]:
            return False
        return _add(found, text, *_after_equals(text, start, stop), form)
    run = _RUN.match(text, at + 1 if text.startswith("$", at) else at)
    if run is not None:
        start, stop = run.span()
        while words and (more := _LIST.match(text, stop)) is not None:
            stop = more.end()
        start, stop = _after_equals(text, start, stop)
        if _significant(text[start:stop]):
            return _add(found, text, start, stop, form)
    if words and not _NO_ANSWER.match(text, at) and (match := _WORDS.match(text, at)) is not None:
        return _add(found, text, *match.span(), form)
    return False


def _significant(body: str) -> bool:
    """Whether a run of notation is a value, not a stray letter or sign."""
    bare = body.strip(_TRAILING + " ()[]{}")
    return bool(bare) and bare not in ("a", "A", "I") and any(c.isalnum() or c in "½⅓⅔¼¾∞π" for c in bare)


def _add(
    found: dict[tuple[int, int], StatedAnswer], text: str, start: int, stop: int, form: AnswerForm
) -> bool:
    """Record ``text[start:stop]`` without what does not belong to it: punctuation, markup, lone brackets."""
    if not text[start:stop].isdigit():
        start, stop = _clean(text, start, stop)
        if text.startswith(("\\boxed", "\\fbox"), start):
            return False
        if not start < stop <= start + 160 or not _significant(text[start:stop]):
            return False
    old = found.get((start, stop))
    if old is None or _STRENGTH[form] > _STRENGTH[old.form]:
        found[start, stop] = StatedAnswer(text[start:stop], start, stop, form)
    return True


def _clean(text: str, start: int, stop: int) -> tuple[int, int]:
    while start < stop and text[start] in " \t\n$*_`\"'“”:,;":
        start += 1
    while True:
        before = stop
        while stop > start and (text[stop - 1] in _TRAILING or text[stop - 1] == "$"):
            stop -= 1
        if text[stop - 2 : stop] in (" a", " A", " I") or text.endswith(("\\", "\\ "), start, stop):
            stop -= 1
        if _BRACKET.search(text, start, stop) and (lone := _lone_bracket(text, start, stop)) is not None:
            stop = lone
        if stop == before:
            return start, stop


def _lone_bracket(text: str, start: int, stop: int) -> int | None:
    """Where a bracket that is not closed or not opened inside the span stands; intervals may mix ( and ]."""
    opened = []
    for at in range(start, stop):
        if text[at] in _OPENING:
            opened.append(at)
        elif text[at] in _CLOSING:
            if not opened:
                return at
            opened.pop()
    return opened[0] if opened else None
