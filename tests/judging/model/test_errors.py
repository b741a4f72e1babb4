"""The errors of long traces: asked about each approach by itself, and joined."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep, Source, StepStatus
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.dry_run import DryRunEngine, EstimatedTokenizer
from dlcot_ray.judging.model.engine import Constraint, RequestError
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.model.questions.answers import MAX_ERRORS
from tests.judging.model.test_judge import asked, check_sound, judge_with

FRUIT = ("apples", "pears", "plums", "figs", "dates", "limes", "kiwis")


def trace_of(count: int) -> Trace:
    """A trace of that many segments, the last of which states the answer."""
    lines = [
        f"Next I look at the {FRUIT[i % 7]} of shelf number {i}, which is fine." for i in range(count - 1)
    ]
    return Trace("t", "How many are there?", "\n\n".join([*lines, "So the answer is 42."]), "42")


def errors_of(annotation: Annotation) -> list[list[int]]:
    """Of each approach, the segments of its errors, counted from 1."""
    return [[error.start + 1 for error in approach.errors] for approach in annotation.approaches]


def errors_step(annotation: Annotation) -> StepStatus:
    return next(status for status in annotation.steps if status.step is JudgeStep.ERRORS)


def asked_ranges(prompts: Sequence[str]) -> list[str]:
    """What each ERRORS question was about."""
    return [text.rpartition("ERRORS within segments ")[2].split("?")[0] for text in prompts]


def judged(
    structure: str, errors: Mapping[str, str | Exception], trace: Trace
) -> tuple[Annotation, list[str]]:
    """The annotation, and the ranges of each ERRORS question; `errors` has the answer to each."""
    prompts: list[str] = []
    others = {"STRUCTURE": structure, "LABELS": "", "SAME": "n", "ANSWER": "0"}

    def answer(prompt: str, constraint: Constraint) -> str | Exception:
        word = asked(prompt)
        if word == "ERRORS":
            prompts.append(prompt)
            return errors[asked_ranges([prompt])[0]]
        return others.get(word, "")

    annotation, engine = judge_with(answer, trace)
    check_sound(annotation, trace)
    assert len({prompt[:4_000] for prompt in map(engine.tokenizer.decode, engine.prompts)}) == 1
    return annotation, asked_ranges(prompts)


LONG, STRUCTURE = trace_of(60), "1Q 2S 26S 41VA 46S 60C"


def test_each_approach_of_a_long_trace_is_asked_about_by_itself() -> None:
    answers = {"2-25": "E: 3Df 20DuDu", "26-40": "E:", "46-59": "E: 46Du 59Df"}
    annotation, ranges = judged(STRUCTURE, answers, LONG)
    assert ranges == ["2-25", "26-40", "46-59"]
    assert errors_of(annotation) == [[3, 20, 20], [], [46, 59]]
    step = errors_step(annotation)
    assert (step.source, step.confidence, step.note) == (Source.MODEL, 0.8, "")
    assert (step.questions, step.reasked) == (3, 0)


@pytest.mark.parametrize("fault", ["E: 3Du", "nonsense", RequestError("too long")])
def test_an_approach_whose_answer_fails_falls_back_alone(fault: str | Exception) -> None:
    """An answer that names segments of another approach is none."""
    annotation, ranges = judged(STRUCTURE, {"2-25": "E: 3Df", "26-40": fault, "46-59": "E: 59Df"}, LONG)
    assert ranges[0] == "2-25"
    assert ranges[-1] == "46-59"
    assert errors_of(annotation) == [[3], [], [59]]
    step = errors_step(annotation)
    assert (step.source, step.confidence) == (Source.MODEL, 0.6)
    assert step.note.startswith("the rules' answer for 1 of 3 parts: ")


def test_where_the_answers_of_all_approaches_fail_the_step_falls_back() -> None:
    fault = RequestError("too long")
    annotation, _ = judged(STRUCTURE, {"2-25": fault, "26-40": fault, "46-59": fault}, LONG)
    step = errors_step(annotation)
    assert (step.source, step.note) == (Source.EVIDENCE, "the rules' answer: too long")
    assert errors_of(annotation) == [[], [], []]


def test_computed_errors_stand_where_an_answer_fails() -> None:
    lines = LONG.reasoning.split("\n\n")
    lines[29] = "There I count 7 + 5 = 13 of them."
    trace = Trace("t", LONG.problem, "\n\n".join(lines), "42")
    annotation, _ = judged(STRUCTURE, {"2-25": "E: 3Df", "26-40": "nonsense", "46-59": "E:"}, trace)
    assert errors_of(annotation) == [[3], [30], []]


@pytest.mark.parametrize(
    ("count", "structure", "asks"),
    [
        (MAX_ERRORS, "1S 26S", ["1-25, 26-48"]),
        (MAX_ERRORS + 1, "1S 26S", ["1-25", "26-49"]),
        # What lies outside the approaches does not count, and one approach is one question.
        (MAX_ERRORS + 9, "1Q 5P 11S 26S", ["11-25, 26-57"]),
        (MAX_ERRORS + 9, "1S", ["1-57"]),
    ],
)
def test_approaches_that_one_answer_can_name_are_asked_about_at_once(
    count: int, structure: str, asks: list[str]
) -> None:
    answers = dict.fromkeys(asks, "E:")
    assert judged(structure, answers, trace_of(count))[1] == asks


def test_a_dry_run_counts_a_question_for_each_approach() -> None:
    lines = LONG.reasoning.split("\n\n")
    first = ["2 + 2 = 5 of them.", *lines[:30], "So the answer is 42."]
    turn = "Another approach: let me try a different method. Suppose x = 42."
    two = "\n\n".join([*first, turn, *lines[30:-1], "43 - 1 = 42, so the answer is 42.", lines[-1]])
    judge = ModelJudge(DryRunEngine(EstimatedTokenizer(), 16_384), "dry run")
    try:
        annotation = asyncio.run(judge.judge(Trace("t", LONG.problem, two, "42")))
    finally:
        judge.close()
    assert len(annotation.approaches) == 2
    step = errors_step(annotation)
    assert step.questions == 2
    assert step.tokens.prefill < 2 * 60
    assert step.tokens.cached > 1.9 * annotation.steps[0].tokens.prefill
