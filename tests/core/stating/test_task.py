"""Only a closed task has an answer that can be compared."""

from __future__ import annotations

import pytest

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.stating.task import TaskKind, is_comparable, task_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.answering.reference import find_reference

OPTIONS = "Which of these floats?\n\n(A) iron\n(B) cork\n(C) lead"


@pytest.mark.parametrize(
    ("problem", "response", "kind"),
    [
        ("How many apples are left?", None, TaskKind.VALUE),
        (OPTIONS, None, TaskKind.OPTION),
        ("Is 91 a prime number?", None, TaskKind.YES_NO),
        ("Find the longest word of a list.", "```python\nmax(words, key=len)\n```", TaskKind.CODE),
        ("Find the longest word of a list.", "def longest(words):\n    return 1", TaskKind.CODE),
        ("Prove that the sum of two odd numbers is even.", None, TaskKind.PROOF),
        ("Why is the sky blue?", None, TaskKind.OPEN),
        ("What is the shortest route, and which towns lie on it?", None, TaskKind.SEVERAL),
    ],
)
def test_the_kind_of_a_task(problem: str, response: str | None, kind: TaskKind) -> None:
    assert task_of(problem, response) is kind
    assert kind.closed is (kind in (TaskKind.VALUE, TaskKind.OPTION, TaskKind.YES_NO))


def test_code_and_pages_of_prose_are_no_known_answer() -> None:
    assert is_comparable("\\frac{1}{2}")
    assert not is_comparable("def f(x):\n    return x")
    assert not is_comparable("the reason lies in the way of the light " * 20)
    assert is_comparable("the reason lies in the way of the light " * 20 + "\\boxed{7}")


@pytest.mark.parametrize("truth", ["proof", "N/A", "nan", "notfound", "import os\nprint(1)"])
def test_a_truth_that_is_no_answer_gives_no_reference(truth: str) -> None:
    trace = Trace("t", "What is 2 + 5?", "So the answer is 7.", truth, "It is \\boxed{7}.")
    assert find_reference(trace) == (None, ReferenceKind.NONE)


@pytest.mark.parametrize(
    ("problem", "end", "response", "reference"),
    [
        ("What is 2 + 5?", "So the answer is 7.", "By counting on, the sum is 7.", "7"),
        ("What is 2 + 5?", "So the answer is 7.", "By counting on, the sum is 8.", None),
        ("What is 2 + 5?", "So the answer is 7.", "One counts on from the first one.", None),
        (OPTIONS, "So the answer is B.", "**Cork floats.**\n\nB. cork", "B"),
        (OPTIONS, "So the answer is B.", "The one that floats is option B.", "B"),
        (OPTIONS, "So the answer is B.", "Unlike option B, what floats is option C.", None),
        (OPTIONS, "So the answer is B.", "Cork is lighter than water.", None),
    ],
)
def test_beside_a_response_the_trace_is_the_reference_where_they_agree(
    problem: str, end: str, response: str, reference: str | None
) -> None:
    kind = ReferenceKind.NONE if reference is None else ReferenceKind.TRACE
    assert find_reference(Trace("t", problem, f"I look at each. {end}", None, response)) == (reference, kind)


def test_a_trace_that_ends_unsure_gives_no_reference() -> None:
    sure = Trace("t", "What is 2 + 5?", "I count on. So the answer is 7.")
    unsure = Trace("t", "What is 2 + 5?", "I think the answer is 7. But I am still confused by the sign.")
    assert find_reference(sure) == ("7", ReferenceKind.TRACE)
    assert find_reference(unsure) == (None, ReferenceKind.NONE)
