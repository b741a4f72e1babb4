"""Whether the answers of one trace equal its reference, in three verdicts: yes, no, not known.

In: answers, a reference, the question. Out: True, False or None. Cheap comparison comes first. The CAS is
asked only about answers that a trace states outright (boxed, bold, "the answer is"), or about expressions
where the reference is one. The number of its comparisons per trace is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.core.evidence.equivalence import is_closed
from dlcot_ray.core.stating.facts import OUTRIGHT, is_unfinished
from dlcot_ray.core.stating.question import Question, plain_name
from dlcot_ray.core.stating.spellings import compare_spelling, letter_of, plain_power, spellings
from dlcot_ray.judging.equivalence import AnswerChecker, Verdict
from dlcot_ray.judging.rules.first_correct import Statement

CAS_LOOKUPS = 3
"""Maximum CAS comparisons per trace; one costs as much as judging a trace."""

LAST_SEGMENTS = 4
"""Segments at the end whose statements are compared first."""

OPEN_LOOKUPS = 20
"""The same where the reference is an expression, which no cheaper comparison can decide."""

SHORTEST_EXPRESSION = 5
"""Characters from which an expression that the problem writes is taken as quoted from it."""

_PROSE = re.compile(r"(?<![\\a-zA-Z])(?!(?:sqrt|sin|cos|tan|log|exp|and|mod)\b)[a-zA-Z]{3,}")
_MEASURE = re.compile(r"[-−]?\d[\d.,]*\s?(?:\\(?:text|mathrm|,)|[a-zA-Z])")
_MATHEMATICAL = re.compile(r"[\d\\^_+*/=(√π]")
_VALUE_OF = re.compile(r"^\W*[A-Za-z](?:_\{?\w+\}?)?(?:\([A-Za-z](?:,\s?[A-Za-z])*\))?\s*=")
_MARKUP = re.compile(
    r"\\(?:text|mathrm|operatorname|mbox)\s?\{[^{}]*\}|\\[a-zA-Z]+|\b(?:pi|ln)\b|[A-Za-z]{3,}"
)
_LETTER = re.compile(r"[A-Za-z]")
_TO_COMPUTE = re.compile(r"binom|choose|\d!|\\(?:log|ln|sin|cos|tan|cot|sec|csc)\b")
"""A function of figures in a closed expression, which is a task and no result."""
_FUNCTION = re.compile(r"(?:sin|cos|tan|cot|sec|csc|log|ln)h?(?![a-z])", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_LIST = re.compile(r"[^,()\[\]{}]{1,40}(?:,[^,()\[\]{}]{1,40}){1,11}")
_RELATION = re.compile(r"[<>≤≥∈=]|\\(?:in|le|ge|lt|gt|leq|geq|ne|neq|cup|cap)\b")


class Comparison:
    """Compares answers with a reference, remembers verdicts, and asks the CAS only `CAS_LOOKUPS` times."""

    def __init__(self, reference: str | None, question: Question, checker: AnswerChecker) -> None:
        self._reference, self._checker = reference, checker
        self._accepted = () if reference is None else spellings(reference, question.options)
        self._known: dict[str, bool | None] = {}
        self._closed = any(map(is_closed, self._accepted))
        self._constant = self._closed or _is_constant(reference or "")
        self._question = question
        self._lookups = CAS_LOOKUPS if self._closed else OPEN_LOOKUPS

    def equal(self, answer: StatedAnswer) -> bool | None:
        """Whether an answer equals the reference; None where that is not known."""
        if self._reference is None:
            return None
        if answer.text not in self._known or (self._known[answer.text] is None and answer.form in OUTRIGHT):
            self._known[answer.text] = self._compare(answer)
        return self._known[answer.text]

    def look_ahead(self, stated: Sequence[Sequence[StatedAnswer]]) -> None:
        """Compare what the end states first: it is what the comparisons by a CAS are best spent on."""
        if self._reference is None or self._closed:
            return
        for answers in stated[: -LAST_SEGMENTS - 1 : -1]:
            for answer in answers:
                if answer.form is not AnswerForm.EQUATION:
                    self.equal(answer)

    def names_reference(self, text: str) -> bool:
        """Whether a text writes the reference, a number of two or more digits, anywhere."""
        reference = self._reference or ""
        return len(reference) > 1 and reference.isdecimal() and reference in _NUMBERS.findall(text)

    def _compare(self, answer: StatedAnswer) -> bool | None:
        if self._is_given(answer.text):
            return None
        verdicts = [compare_spelling(answer.text, accepted) for accepted in self._accepted]
        if any(verdicts):
            return True
        if False in verdicts:
            return False
        reference = self._reference or ""
        if self._lookups > 0 and _worth_a_lookup(answer, reference, closed=self._closed):
            self._lookups -= 1
            verdict = self._checker.verdict(answer.text, reference)
            if (
                verdict is Verdict.EQUAL
                and self._question.rewrites
                and not _same_functions(answer.text, reference)
            ):
                return None
            return {Verdict.EQUAL: True, Verdict.DIFFERENT: False}.get(verdict)
        return None

    def _is_given(self, text: str) -> bool:
        """Whether the problem itself writes this expression, and the reference is written otherwise."""
        if len(text) < SHORTEST_EXPRESSION or (is_closed(text) and not _TO_COMPUTE.search(text)):
            return False
        plain = plain_name(text)
        return plain in self._question.plain and plain != plain_name(self._reference or "")

    def could_answer(self, statement: Statement) -> bool:
        """Whether a value is of the kind of the reference, and certainly another one.

        A closed reference is not met by an expression that is still open. Without a reference every
        outright answer is one.
        """
        if self._reference is None:
            return statement.answer.form in OUTRIGHT
        if statement.equal is not False or self.is_unfinished(statement.answer):
            return False
        text = plain_power(statement.answer.text)
        return not self._closed or is_closed(text) or letter_of(text) is not None

    def is_unfinished(self, answer: StatedAnswer) -> bool:
        """Whether an answer holds an operation that the reference lacks."""
        return self._constant and is_unfinished(answer, self._reference or "")

    def lacks_unit(self, answer: StatedAnswer) -> bool:
        """Whether a bare number stands against a reference with a unit: in passing it says too little."""
        measure = _MEASURE.match(self._reference or "") is not None and not self._closed
        return measure and is_closed(answer.text)

    @property
    def is_list(self) -> bool:
        """Whether the reference lists several values, without brackets."""
        return _LIST.fullmatch(self._reference or "") is not None

    @property
    def is_number(self) -> bool:
        """Whether the reference is one closed number."""
        return self._closed


def _is_constant(text: str) -> bool:
    """Whether an expression holds no variable: figures, roots, i, e and pi only."""
    return bool(_NUMBERS.search(text)) and not set(_LETTER.findall(_MARKUP.sub(" ", text))) - {"e", "i"}


def _same_names(answer: str, reference: str) -> bool:
    """Whether two values contain the same single-letter names; relations are left to the CAS.

    Names could cancel out, but answers are rarely written so.
    """
    values = [_VALUE_OF.sub("", text) for text in (answer, reference)]
    if any(map(_RELATION.search, values)):
        return True
    one, other = (
        frozenset(_LETTER.findall(_MARKUP.sub(" ", value.lower()))) - {"e", "i"} for value in values
    )
    return one == other


def _same_functions(answer: str, reference: str) -> bool:
    """Whether two expressions use the same functions.

    Where another form is asked, (cos t + sin t)/4 is not yet a multiple of cos(t - pi/4).
    """
    used = [set(map(str.lower, _FUNCTION.findall(_VALUE_OF.sub("", text)))) for text in (answer, reference)]
    return used[0] == used[1]


def _worth_a_lookup(answer: StatedAnswer, reference: str, *, closed: bool) -> bool:
    """Whether a CAS could find the two equal: short, mathematical, with the same names, stated outright.

    An expression is written in many ways, so it is also compared where it is only equated.
    """
    return (
        (answer.form in OUTRIGHT or not closed)
        and len(answer.text) <= 120
        and bool(_MATHEMATICAL.search(answer.text))
        and (not _PROSE.search(answer.text) or bool(_PROSE.search(reference)))
        and _same_names(answer.text, reference)
    )
