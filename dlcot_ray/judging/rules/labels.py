"""Answers and labels of approaches, from evidence (DLCoT steps 2.3 and 3).

In: segments and the reference. Out: what each segment states, and the label of a range of segments. An
approach is labelled by its own last result: correct if that equals the reference, incorrect if it is another
answer to what the problem asks, incomplete if it has none. A value that is not known to be equal or
different decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlcot_ray.core.annotation import Label, ReferenceKind, Source
from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.core.stating.bounds import is_bound
from dlcot_ray.core.stating.facts import (
    OUTRIGHT,
    ends_sentence,
    is_asked,
    is_headed,
    is_linked,
    is_other_name,
    is_recalled,
    is_stated,
    sentence_of,
)
from dlcot_ray.core.stating.question import Question, read_question
from dlcot_ray.core.stating.spellings import same_text
from dlcot_ray.judging.answering.comparison import Comparison
from dlcot_ray.judging.answering.reading import (
    answers_of,
    concluded_words,
    concludes,
    equation_of,
    figures,
    has_figures,
    is_fraction,
    last_result,
    shows_fraction,
    word_of,
    written_equations,
)
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.first_correct import Statement, find_arrivals

STRONG = OUTRIGHT
"""Forms that state an answer outright."""

ENDING = 2
"""Segments at the end of an approach in which a right value is its result, however it is put."""


class ApproachLabel(NamedTuple):
    """The label of an approach, the answer that it rests on, that answer's segment, and what decided.

    `sure`: the chance that the label is right, 0..1; None where only the kind of the evidence tells.
    """

    label: Label
    answer: str | None
    segment: int | None
    source: Source
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentAnswers:
    """What each segment states.

    Attributes:
        stated: all answers that are found.
        correct: the stated one that equals the reference, or None.
        arrived: the right answer stands as a result (see `first_correct.py`).
        fresh: a right value is stated that the segment does not only recall.
        other: another answer to what is asked that stands as the segment's last result, or None.
        closing: another value that is the answer if an approach ends here, or None.
        candidate: an answer stands, right or not.
    """

    stated: tuple[tuple[StatedAnswer, ...], ...]
    correct: tuple[str | None, ...]
    arrived: tuple[bool, ...]
    fresh: tuple[bool, ...]
    other: tuple[str | None, ...]
    closing: tuple[str | None, ...]
    candidate: tuple[bool, ...]

    @property
    def first_correct(self) -> int | None:
        """The first segment in which the right answer stands, or None."""
        return next((i for i, here in enumerate(self.arrived) if here), None)

    @property
    def ends_right(self) -> bool:
        """Whether the trace ends on the truth: no other answer stands behind the right one."""
        right = max((i for i, here in enumerate(self.arrived) if here), default=-1)
        if right > max((i for i, text in enumerate(self.other) if text is not None), default=-1):
            return True
        said = max((i for i, text in enumerate(self.correct) if self._says(i, text)), default=-1)
        return said > max((i for i, text in enumerate(self.other) if self._says(i, text)), default=-1)

    def _says(self, i: int, text: str | None) -> bool:
        """Whether segment i gives this value outright."""
        return text is not None and any(a.form in STRONG and a.text == text for a in self.stated[i])


def read_answers(
    segments: Sequence[str], reference: str | None, checker: AnswerChecker, problem: str = ""
) -> SegmentAnswers:
    """Find the answers of every segment and compare them with the reference.

    In passing, an answer is only searched for where the reference's own figures are written, those of the
    trace's last answer, or words of the question with a concluding word.
    """
    question = read_question(problem)
    last = last_result(segments)
    comparison = Comparison(reference, question, checker)
    stated = _find(segments, question, reference, last)
    comparison.look_ahead(stated)
    facts = tuple(
        _facts(segment, answers, question, comparison)
        for segment, answers in zip(segments, stated, strict=True)
    )
    short = reference is not None and len(reference.strip("$ .")) == 1
    arrived = find_arrivals(segments, facts, question, short=short)
    reading = _Reading(segments, facts, question, last, comparison)
    other = tuple(map(reading.other, range(len(segments))))
    return SegmentAnswers(
        stated,
        tuple(next((s.answer.text for s in reversed(here) if s.equal), None) for here in facts),
        arrived,
        tuple(map(reading.is_fresh, range(len(segments)))),
        other,
        tuple(map(reading.closing, range(len(segments)))),
        tuple(right or wrong is not None for right, wrong in zip(arrived, other, strict=True)),
    )


def _find(
    segments: Sequence[str], question: Question, reference: str | None, last: str | None
) -> tuple[tuple[StatedAnswer, ...], ...]:
    wanted = [figures(text) for text in (reference, last) if text is not None]
    fraction = reference is not None and is_fraction(reference)
    word = word_of(reference)
    found = tuple(
        answers_of(
            segments,
            i,
            passing=any(has_figures(segment, digits) for digits in wanted)
            or concludes(segment, question)
            or (fraction and shows_fraction(segment)),
        )
        for i, segment in enumerate(segments)
    )
    equation = equation_of(reference)
    if word is not None:
        written = (concluded_words(segment, word) for segment in segments)
    elif equation is not None:
        written = (written_equations(segment, equation) for segment in segments)
    else:
        return found
    return tuple(_with_words(answers, words) for answers, words in zip(found, written, strict=True))


def _with_words(
    answers: tuple[StatedAnswer, ...], words: tuple[StatedAnswer, ...]
) -> tuple[StatedAnswer, ...]:
    """The answers and the words among them, in order; an answer that covers a word stays alone."""
    free = [w for w in words if not any(a.start <= w.start and w.stop <= a.stop for a in answers)]
    return tuple(sorted((*answers, *free), key=lambda a: (a.start, a.stop))) if free else answers


def _facts(
    segment: str, answers: Sequence[StatedAnswer], question: Question, comparison: Comparison
) -> tuple[Statement, ...]:
    """The values that a segment puts as facts, without those of another name of the family that is asked."""
    found = tuple(
        Statement(answer, _equal(answer, comparison))
        for answer in answers
        if is_stated(segment, answer)
        and not is_other_name(segment, answer, question)
        and (question.bounded or not is_bound(segment, answer))
    )
    return (*found, *_lists(segment, found, comparison)) if comparison.is_list else found


def _lists(segment: str, found: Sequence[Statement], comparison: Comparison) -> tuple[Statement, ...]:
    """The values of each sentence as one list, where that list is the reference."""
    sentences: dict[tuple[int, int], list[StatedAnswer]] = {}
    for statement in found:
        sentences.setdefault(sentence_of(segment, statement.answer), []).append(statement.answer)
    joined = []
    for answers in sentences.values():
        values = dict.fromkeys(answer.text.rpartition("=")[2].strip(" $") for answer in answers)
        text = ", ".join(values)
        whole = StatedAnswer(text, answers[0].start, answers[-1].stop, AnswerForm.CONCLUSION)
        if len(values) > 1 and comparison.equal(whole):
            joined.append(Statement(whole, True))
    return tuple(joined)


def label_range(answers: SegmentAnswers, start: int, stop: int, kind: ReferenceKind) -> ApproachLabel:
    """The label of the approach in segments `[start, stop)`: by its own last result.

    Correct: the right answer arrives and no other answer stands behind it, or the range ends on the right
    value. The segment is where a correct answer first stands.
    """
    right = next((i for i in range(start, stop) if answers.arrived[i]), None)
    wrong = next((i for i in range(stop - 1, start - 1, -1) if answers.other[i] is not None), None)
    if kind is ReferenceKind.NONE:
        if wrong is None:
            return ApproachLabel(Label.INCOMPLETE, None, None, Source.EVIDENCE)
        return ApproachLabel(Label.UNKNOWN, answers.other[wrong], wrong, Source.RULES)
    last = next((i for i in range(stop - 1, start - 1, -1) if answers.fresh[i]), None)
    if right is None and last is not None and last >= stop - ENDING:
        right = last
    ends = range(stop - 1, max(start, stop - ENDING, last or 0) - 1, -1)
    closing = next((i for i in ends if answers.closing[i] is not None and i != last), None)
    if wrong is None and closing is not None:
        return ApproachLabel(Label.INCORRECT, answers.closing[closing], closing, Source.EVIDENCE)
    if right is not None and last is not None and (wrong is None or wrong < last):
        return ApproachLabel(Label.CORRECT, answers.correct[right], right, Source.EVIDENCE)
    if wrong is not None:
        return ApproachLabel(Label.INCORRECT, answers.other[wrong], wrong, Source.EVIDENCE)
    return ApproachLabel(Label.INCOMPLETE, None, None, Source.EVIDENCE)


def _equal(answer: StatedAnswer, comparison: Comparison) -> bool | None:
    """Whether a value equals the reference; an open computation only if given outright."""
    if comparison.is_unfinished(answer) and answer.form not in STRONG:
        return None
    if answer.form is AnswerForm.EQUATION and comparison.lacks_unit(answer):
        return None
    return comparison.equal(answer)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads which other answers than the reference stand in a segment.

    Attributes:
        segments, statements: the texts, and what each states as a fact.
        last: what the trace finally answers, or None.
    """

    segments: Sequence[str]
    statements: Sequence[Sequence[Statement]]
    question: Question
    last: str | None
    comparison: Comparison

    def is_fresh(self, i: int) -> bool:
        """Whether segment i states a right value that it does not only recall."""
        text = self.segments[i]
        return any(s.equal and not is_recalled(text, s.answer) for s in self.statements[i])

    def other(self, i: int) -> str | None:
        """The last result of segment i, if it is another answer to what is asked."""
        text = self.segments[i]
        for statement in reversed(self.statements[i]):
            answer = statement.answer
            if statement.equal:
                return None
            if not self.comparison.could_answer(statement) or is_recalled(text, answer):
                continue
            if answer.form in STRONG or (answer.form is AnswerForm.CONCLUSION and self._stands(text, answer)):
                return answer.text
        return None

    def closing(self, i: int) -> str | None:
        """The last value of segment i, if it is closed, another one, and of the kind that is asked."""
        if not self.statements[i]:
            return None
        text, statement = self.segments[i], self.statements[i][-1]
        answer = statement.answer
        if not (self.comparison.could_answer(statement) and self.comparison.is_number):
            return None
        if answer.form is AnswerForm.EQUATION and not ends_sentence(text, answer):
            return None
        if self.comparison.names_reference(text):
            return None
        said = is_headed(text, answer, self.question) or is_asked(text, answer, self.question)
        return answer.text if said or self._is_last(answer) else None

    def _stands(self, text: str, answer: StatedAnswer) -> bool:
        if self._is_last(answer):
            return True
        number = self.comparison.is_number and is_linked(text, answer)
        return number and is_asked(text, answer, self.question)

    def _is_last(self, answer: StatedAnswer) -> bool:
        return self.last is not None and same_text(answer.text, self.last)
