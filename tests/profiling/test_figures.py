from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, Approach, Label, ReferenceKind, Source
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.profiling.figures import chosen_share, end_of, figures_of, process_efficiency, underthinking
from tests.support.annotations import AFFIRMS, CORRECT, OPEN, WRONG, annotated

LINE = "one two three four five six seven eight nine ten"


def with_answers(annotation: Annotation, *answers: str | None) -> Annotation:
    """The annotation, its approaches with other answers."""
    made = tuple(
        replace(item, answer=answer) for item, answer in zip(annotation.approaches, answers, strict=True)
    )
    return replace(annotation, approaches=made)


def test_the_efficiency_of_an_outcome_is_the_share_of_tokens_up_to_the_first_right_answer() -> None:
    trace, annotation = annotated([LINE] * 4, [(0, 1, CORRECT, 0), (1, 4, CORRECT, 1)])
    assert annotation.first_correct_segment == 0
    found = figures_of(trace, annotation)
    assert found.outcome_efficiency == pytest.approx(1 / 4, abs=0.03)
    assert found.behind_answer == 0.75
    assert found.ends == "right"


def test_without_a_right_answer_the_outcome_is_zero_and_nothing_is_behind_it() -> None:
    trace, annotation = annotated([LINE] * 2, [(0, 2, WRONG, 0)])
    found = figures_of(trace, with_answers(annotation, "41"))
    assert found.outcome_efficiency == 0
    assert found.behind_answer is None
    assert found.ends == "wrong"


def test_text_of_a_method_that_was_used_before_is_no_progress() -> None:
    _, annotation = annotated([LINE] * 4, [(0, 1, CORRECT, 0), (1, 2, CORRECT, 0), (2, 4, CORRECT, 1)])
    assert process_efficiency(annotation) == 0.75


def test_a_check_is_compared_with_checks_and_not_with_approaches() -> None:
    _, annotation = annotated(
        [LINE] * 3, [(0, 1, CORRECT, 0)], [(1, 2, 0, 0), (2, 3, 0, 0)], kinds=(AFFIRMS, AFFIRMS)
    )
    assert process_efficiency(annotation) == pytest.approx(2 / 3)


def test_underthinking_is_the_text_behind_a_right_approach_that_was_left() -> None:
    trace, annotation = annotated([LINE] * 4, [(0, 1, CORRECT, 0), (1, 4, WRONG, 1)])
    wrong = with_answers(annotation, "42", "41")
    assert underthinking(wrong) == 0.75
    assert figures_of(trace, wrong).underthinking == 0.75


def test_underthinking_is_zero_where_no_approach_is_right_and_undefined_where_the_end_is_right() -> None:
    trace, annotation = annotated([LINE] * 2, [(0, 1, WRONG, 0), (1, 2, WRONG, 1)])
    assert figures_of(trace, with_answers(annotation, "40", "41")).underthinking == 0
    trace, annotation = annotated([LINE] * 2, [(0, 1, WRONG, 0), (1, 2, CORRECT, 1)])
    assert figures_of(trace, annotation).underthinking is None


def test_failed_steps_are_the_segments_of_wrong_and_unfinished_approaches() -> None:
    trace, annotation = annotated([LINE] * 4, [(0, 1, WRONG, 0), (1, 2, OPEN, 1), (2, 4, CORRECT, 2)])
    assert figures_of(trace, annotation).failed_steps == 0.5


def test_without_a_reference_nothing_is_said_about_right_and_wrong() -> None:
    trace, annotation = annotated([LINE] * 2, [(0, 2, Label.UNKNOWN, 0)], kind=ReferenceKind.NONE)
    found = figures_of(trace, annotation)
    assert found.ends == "unknown"
    assert (found.outcome_efficiency, found.failed_steps, found.underthinking) == (None, None, None)


def test_a_last_answer_of_the_trace_itself_is_no_reference() -> None:
    _, annotation = annotated([LINE] * 2, [(0, 2, CORRECT, 0)], kind=ReferenceKind.TRACE)
    assert end_of(annotation) == "unknown"


def test_a_trace_without_approaches_ends_open() -> None:
    trace, annotation = annotated([LINE], [])
    found = figures_of(trace, annotation)
    assert (found.ends, found.approaches, found.process_efficiency) == ("open", 0, None)


def test_the_review_ratio_counts_the_characters_of_checks() -> None:
    trace, annotation = annotated([LINE] * 4, [(0, 3, CORRECT, 0)], [(3, 4, 0, 0)])
    assert figures_of(trace, annotation).review_ratio == 0.25


def test_branches_are_counted_per_thousand_tokens() -> None:
    trace, annotation = annotated([LINE] * 3, [(0, 1, WRONG, 0), (1, 2, WRONG, 1), (2, 3, CORRECT, 2)])
    found = figures_of(trace, annotation)
    assert found.branch_density == pytest.approx(2000 / found.tokens)


def test_loops_between_and_inside_segments_are_counted_once() -> None:
    inside = "and so on " * 60
    trace, annotation = annotated([LINE, LINE, LINE, inside], [(0, 4, OPEN, 0)], loops=((1, 3),))
    share = figures_of(trace, annotation).loops
    between = 2 * (len(LINE) + 2) / len(trace.reasoning)
    assert between < share < 1


def test_control_words_are_looked_for_in_thinking_and_reply() -> None:
    trace, annotation = annotated([LINE], [])
    assert figures_of(trace, annotation).control_words == 0
    assert figures_of(replace(trace, response="Done.<|im_end|>"), annotation).control_words == 1


def test_the_choice_of_a_policy_is_a_share_of_the_characters() -> None:
    _, annotation = annotated([LINE] * 4, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)])
    assert chosen_share(annotation, parse_policy("keep_one_per_cluster")) == 0.5


def test_an_empty_trace_has_figures() -> None:
    trace, annotation = annotated([], [])
    found = figures_of(trace, annotation)
    assert (found.tokens, found.segments, found.loops, found.behind_answer) == (0, 0, 0.0, None)


def test_approaches_hold_their_errors() -> None:
    trace, annotation = annotated([LINE], [])
    approach = Approach(0, 1, WRONG, Source.EVIDENCE, "41", 0, 0)
    assert figures_of(trace, replace(annotation, approaches=(approach,))).arithmetic_errors == 0
