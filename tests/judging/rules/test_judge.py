"""The rules judge on whole traces: structure, labels, clusters, and nothing it cannot survive."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import Annotation, Label, ReferenceKind, SectionKind, VerificationKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge

PROBLEM = "A box holds 6 red and 8 blue balls. In how many ways can 6 balls be chosen from the box?"
TRACE = """Okay, so a box holds 6 red and 8 blue balls, and I have to find in how many ways 6 balls can be chosen from the box.

There are 14 balls, and order does not matter, so the binomial coefficient C(14, 6) counts the choices. Factorials: 14!/(6! 8!).

The numerator is 14*13*12*11*10*9 = 2162160 and the denominator is 720, so the quotient is 3003. The answer is 3003.

Let me double-check the multiplication. 14*13 = 182, 182*12 = 2184, 2184*11 = 24024. Yes, that's correct.

Alternatively, let me use a different approach: sum over the number of red balls with Vandermonde's identity, with k red and 6-k blue.

Terms: k=0 gives 28, k=1 gives 336, k=2 gives 1050, k=3 gives 1120, k=4 gives 420, k=5 gives 48, k=6 gives 1. The Vandermonde sum is 3003, the same. So the answer is 3003.

**Final Answer**
\\boxed{3003}
"""


@pytest.fixture(scope="module")
def judge() -> Iterator[RulesJudge]:
    judge = RulesJudge()
    yield judge
    judge.close()


def test_the_structure_of_a_plain_trace(judge: RulesJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, "3003"))
    assert [s.kind for s in found.sections] == [
        SectionKind.QUESTION_REPEAT,
        SectionKind.SOLUTION_EXPLORE,
        SectionKind.VERIFY,
        SectionKind.SOLUTION_EXPLORE,
        SectionKind.CONCLUSION,
    ]
    assert [(a.label, a.answer) for a in found.approaches] == [(Label.CORRECT, "3003")] * 2
    assert found.approaches[0].cluster != found.approaches[1].cluster
    assert [(v.kind, v.approach) for v in found.verifications] == [(VerificationKind.AFFIRMATION, 0)]
    assert found.first_correct_segment == 2
    assert_well_formed(found)


def test_a_wrong_ground_truth_makes_approaches_incorrect(judge: RulesJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, "3004"))
    assert {a.label for a in found.approaches} == {Label.INCORRECT}
    assert found.first_correct_segment is None


def test_without_ground_truth_the_response_is_the_reference(judge: RulesJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, None, "It is \\boxed{3003}."))
    assert (found.reference, found.reference_kind) == ("3003", ReferenceKind.RESPONSE)


def test_a_false_product_is_located_and_quoted(judge: RulesJudge) -> None:
    text = TRACE.replace("The numerator is", "Since 14*13 = 192, the numerator is")
    found = judge.annotate(Trace("t", PROBLEM, text, "3003"))
    errors = [error for approach in found.approaches for error in approach.errors]
    assert [text[e.char_start : e.char_stop].strip() for e in errors] == ["14*13 = 192"]


def test_the_fingerprint_changes_with_the_content(judge: RulesJudge) -> None:
    first = judge.annotate(Trace("t", PROBLEM, TRACE, "3003")).fingerprint
    assert first == judge.annotate(Trace("other", PROBLEM, TRACE, "3003")).fingerprint
    assert first != judge.annotate(Trace("t", PROBLEM, TRACE, None)).fingerprint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(reasoning=st.text(min_size=1, max_size=400), problem=st.text(max_size=40))
def test_any_text_gets_a_well_formed_annotation(reasoning: str, problem: str) -> None:
    judge = RulesJudge()
    assert_well_formed(judge.annotate(Trace("t", problem, reasoning, "42")))
    judge.close()


def test_real_traces_get_well_formed_annotations_and_their_answer_is_found(
    judge: RulesJudge, shared_data: Path
) -> None:
    rows = pl.read_parquet(shared_data / "traces" / "cot_compression.parquet").filter(
        pl.col("ground_truth").is_not_null()
    )
    sample = rows.sample(60, seed=7)
    solved = 0
    for row in sample.iter_rows(named=True):
        trace = Trace(row["id"], row["problem"], row["reasoning"], row["ground_truth"], row["answer_text"])
        found = judge.annotate(trace)
        assert_well_formed(found)
        solved += any(a.label is Label.CORRECT for a in found.approaches)
    assert solved >= 50


def assert_well_formed(found: Annotation) -> None:
    count = len(found.segment_offsets) - 1
    at = 0
    for section in found.sections:
        assert section.start == at < section.stop
        at = section.stop
    assert at == count
    spans = [(a.start, a.stop) for a in found.approaches] + [(v.start, v.stop) for v in found.verifications]
    spans.sort()
    assert all(0 <= a < b <= count for a, b in spans)
    assert all(x[1] <= y[0] for x, y in itertools.pairwise(spans))
    for approach in found.approaches:
        assert approach.answer_segment is None or approach.start <= approach.answer_segment < approach.stop


WORKED = "We multiply and add what we have got so far, carefully and in order, to see where it leads us."


@pytest.mark.parametrize(
    ("stated", "reference", "reached"),
    [
        ("So the sum is 284.", "284", True),
        ("So we get 2^2 * 71, which factors nicely.", "284", False),
        ("Let me try x = 1 here and see.", "1", False),
        ("Therefore, the product is 1.", "1", True),
        ("And 12 + 24 = 36.", "36", True),
        ("So the total is 1,284.", "1284", True),
        ("So the probability is ½.", "\\frac{1}{2}", True),
        ("So the length is $\\frac{3}{7}$.", "3/7", True),
    ],
)
def test_an_answer_in_passing_counts_only_with_the_digits_of_the_reference(
    judge: RulesJudge, stated: str, reference: str, *, reached: bool
) -> None:
    trace = Trace("t", "What is it?", f"{WORKED}\n\n{stated}\n\n{WORKED}", reference)
    assert (judge.annotate(trace).first_correct_segment == 1) is reached


@pytest.mark.parametrize(
    ("boxed", "reference", "equal"),
    [
        ("y = \\frac{x+1}{2}", "(1+x)/2", True),
        ("x \\in [-2, 7]", "[-2,7]", True),
        ("100 \\sqrt{p}", "100p^{\\frac{1}{2}}", True),
        ("\\frac{a+b}{2}", "\\frac{x+y}{2}", False),
    ],
)
def test_outright_answers_are_compared_as_mathematics(
    judge: RulesJudge, boxed: str, reference: str, *, equal: bool
) -> None:
    found = judge.annotate(
        Trace("t", "What is it?", f"{WORKED}\n\nThe answer is \\boxed{{{boxed}}}.", reference)
    )
    assert (found.first_correct_segment is not None) is equal
