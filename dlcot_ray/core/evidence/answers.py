"""Where a text states an answer: boxed, "the answer is ...", bold, conclusions, equation tails, options.

Extraction is generous and ordered; what an answer is worth depends on its form, which callers weigh.
Only regular expressions over single lines are used, so that cost stays linear in the text; the price
is that an answer spelled out over several lines is found by its last line alone.
"""

from __future__ import annotations

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
    AnswerForm.BOXED: 3,
    AnswerForm.PHRASE: 2,
    AnswerForm.BOLD: 2,
    AnswerForm.OPTION: 2,
    AnswerForm.CONCLUSION: 1,
    AnswerForm.EQUATION: 0,
}
_BOXED = re.compile(r"\\f?boxed\s*(?:(?P<brace>\{)|(?P<bare>[^\s{}$\\]+))")
_PHRASE = re.compile(
    r"\b(?:final |correct )?(?:answer|result|solution)\b(?: (?:to|for|of) [^.\n:=]{1,60}?)?\s*"
    r"(?:\*\*)?\s*(?::|=|(?:is|are|be|should be|must be|would be|will be|equals?)\b:?)\s*(?P<answer>[^\n]{1,160})",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*(?P<answer>[^*\n]{1,80})\*\*")
_CONCLUSION = re.compile(
    r"(?:^|(?<=[.!?,;]\s)|(?<=\n))\W*(?:so|therefore|thus|hence|which (?:is|gives|means)|that gives|giving|consequently)\b,?"
    r"(?P<body>[^\n]{0,200}?)\b(?:is|are|equals|be)\b:?\s+(?P<answer>[^\n]{1,120})",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[=≡≈]\s*(?P<answer>[^=≈≡\n.;,]{1,60}?(?:\.\d+)?)(?=[.;,](?:\s|$)|$|\s*[=≈])", re.MULTILINE
)
_OPTION = re.compile(r"(?:option|choice|answer(?: is)?:?)\s*\(?(?P<answer>[A-J])\)?(?![\w'])")
_CUT = re.compile(
    r"(?:[.!?;](?=\s|$|\*|\"))|,\s(?=[a-zA-Z]{2,}\s)|\s(?:because|since|but|and so|which|where|when|if|as|so|"
    r"for|right|is correct|—|–)\b|\s\(|\?|(?<=\w)\s[-—]\s(?=[a-z])",
)
_PHRASE_WORDS = ("answer", "result", "solution")
_OPTION_WORDS = ("option", "choice", "answer")
_CONCLUSION_WORDS = ("so", "therefore", "thus", "hence", "which", "giv", "consequently")
_WRAP = " \t\n*_`\"'“”:,;"


def find_answers(text: str) -> tuple[StatedAnswer, ...]:
    """Every place where an answer may be stated, in order of position."""
    found: dict[tuple[int, int], StatedAnswer] = {}
    if "boxed" in text:
        for match in _BOXED.finditer(text):
            start = match.end() if match["brace"] else match.start("bare")
            stop = _closing_brace(text, start) if match["brace"] else match.end("bare")
            _add(found, text, start, stop, AnswerForm.BOXED, cut=False)
    lower = text.lower()
    for match in _PHRASE.finditer(text) if any(w in lower for w in _PHRASE_WORDS) else ():
        if "boxed" not in match["answer"]:
            _add(found, text, *match.span("answer"), AnswerForm.PHRASE)
    for match in _OPTION.finditer(text) if any(w in lower for w in _OPTION_WORDS) else ():
        _add(found, text, *match.span("answer"), AnswerForm.OPTION, cut=False)
    if "**" in text:
        for match in _BOLD.finditer(text):
            if _answer_like(match["answer"]):
                _add(found, text, *match.span("answer"), AnswerForm.BOLD, cut=False)
    for match in _CONCLUSION.finditer(text) if any(w in lower for w in _CONCLUSION_WORDS) else ():
        _add(found, text, *match.span("answer"), AnswerForm.CONCLUSION)
    if any(sign in text for sign in "=≡≈"):
        for match in _TAIL.finditer(text):
            _add(found, text, *match.span("answer"), AnswerForm.EQUATION)
    return tuple(sorted(found.values(), key=lambda a: (a.start, a.stop)))


def last_answer(text: str) -> StatedAnswer | None:
    """The best final answer of a text: the last one of the strongest form that it uses."""
    answers = find_answers(text)
    return max(answers, key=lambda a: (_STRENGTH[a.form], a.start), default=None)


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for at in range(start, min(len(text), start + 2000)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
    newline = text.find("\n", start)
    return min(len(text), start + 200) if newline < 0 else newline


def _answer_like(text: str) -> bool:
    return any(c.isdigit() for c in text) and not re.match(
        r"\W*(?:step|case|part|approach|method|\d+[.)]\s)", text, re.I
    )


def _add(
    found: dict[tuple[int, int], StatedAnswer],
    text: str,
    start: int,
    stop: int,
    form: AnswerForm,
    cut: bool = True,
) -> None:
    body = text[start:stop]
    if cut and (end := _CUT.search(body, 1)) is not None:
        body = body[: end.start()]
    left = len(body) - len(body.lstrip(_WRAP))
    stripped = body.strip(_WRAP).rstrip(".!")
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if stripped.startswith(opening) and (end_at := stripped.find(closing, len(opening))) > 0:
            inner = stripped[len(opening) : end_at]
            left += len(opening) + len(inner) - len(inner.lstrip())
            stripped = inner.strip()
            break
    stripped = stripped.rstrip("$.\\ ") if not stripped.endswith("\\}") else stripped
    if not stripped or len(stripped) > 160:
        return
    key = (start + left, start + left + len(stripped))
    old = found.get(key)
    if old is None or _STRENGTH[form] > _STRENGTH[old.form]:
        found[key] = StatedAnswer(stripped, *key, form)
