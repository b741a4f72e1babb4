"""`as_readers`: the cut behind the answer begins and ends where readers would make it, by the judge's chances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, SectionKind, Source, VerificationKind
from dlcot_ray.core.applying.looks import leaves_conflict
from dlcot_ray.core.applying.needless import ending_at, needless_run
from dlcot_ray.core.applying.openness import supposes, without_announcement
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.policies.registry import AS_READERS, DEFAULT_POLICY, parse_policy
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, annotated

LINES = [
    "We multiply 6 by 7.",
    "So the answer is 42.",
    "Let me check by division: 42 / 7 = 6, so that is right.",
    "But is 42 even? 42 / 2 = 21, so it is, and the answer is 42.",
    "Let me check by adding: 7 + 7 + 7 + 7 + 7 + 7 = 42, so it works.",
    "Alternatively, 6 * 7 = 7 * 6 = 42, so that holds.",
    "The answer is **42**.",
]
CHECKS: list[tuple[int, int, int | None, int]] = [(2, 3, 0, 0), (3, 5, 0, 1), (5, 6, 0, 2)]
STAYS, GOES, OPEN = 0.01, 0.99, 0.5


def made(
    chances: Sequence[float],
    lines: Sequence[str] = LINES,
    policy: str = DEFAULT_POLICY,
    checks: Sequence[tuple[int, int, int | None, int]] = CHECKS,
) -> Enhancement:
    trace, annotation = read(chances, lines, checks)
    return enhance(trace, annotation, parse_policy(policy))


def read(
    chances: Sequence[float],
    lines: Sequence[str] = LINES,
    checks: Sequence[tuple[int, int, int | None, int]] = CHECKS,
) -> tuple[Trace, Annotation]:
    trace, annotation = annotated(
        list(lines), [(0, 2, CORRECT, 0)], checks, conclusion=6, kinds=(AFFIRMS, AFFIRMS, AFFIRMS)
    )
    return trace, replace(annotation, needless=tuple(chances))


def gone(result: Enhancement) -> list[int]:
    return [i for edit in result.script if edit.op is EditOp.DROP for i in range(edit.start, edit.stop)]


def test_without_chances_the_policy_alone_decides() -> None:
    assert gone(made(())) == [3, 4, 5]


def test_what_a_reader_keeps_behind_the_check_stays() -> None:
    assert gone(made((STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS))) == [4, 5]


def test_only_a_policy_that_asks_for_it_reads_the_chances() -> None:
    chances = (STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS)
    assert gone(made(chances, policy=DEFAULT_POLICY.removesuffix(f"+{AS_READERS}"))) == [3, 4, 5]


def test_what_a_reader_drops_of_an_approach_behind_its_answer_goes() -> None:
    trace, annotation = annotated(LINES, [(0, 6, CORRECT, 0)], conclusion=6)
    (approach,) = annotation.approaches
    early = replace(annotation, approaches=(replace(approach, answer_segment=1),), first_correct_segment=1)
    assert gone(enhance(trace, early, parse_policy(DEFAULT_POLICY))) == []
    read = replace(early, needless=(STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS))
    assert gone(enhance(trace, read, parse_policy(DEFAULT_POLICY))) == [4, 5]


def test_a_check_that_affirms_the_answer_stays_also_against_the_chances() -> None:
    assert gone(made((STAYS, STAYS, GOES, GOES, GOES, GOES, STAYS))) == [3, 4, 5]


def test_what_is_hardly_likelier_to_go_than_to_stay_stays() -> None:
    assert gone(made((STAYS, STAYS, OPEN, 0.7, 0.7, 0.7, STAYS))) == [3, 4, 5]
    assert gone(made((STAYS, STAYS, OPEN, 0.55, 0.55, 0.55, STAYS))) == []


def test_a_cut_does_not_begin_inside_a_thought() -> None:
    open_end = [*LINES[:3], "But is 42 even? I am not sure.", *LINES[4:]]
    # The doubt stays with what settles it, or goes with it.
    assert gone(made((STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS), open_end)) == [5]


def test_a_gate_that_refuses_leaves_what_the_policy_made() -> None:
    # Nothing would state the answer at the end any more.
    lines = [LINES[0], "So 6 * 7 = 42. But 2 * 42 = 84 is asked for half of it.", *LINES[2:]]
    result = made((STAYS, STAYS, GOES, GOES, GOES, GOES, GOES), lines)
    assert "42" in result.reasoning.rstrip().splitlines()[-1]


def test_a_trace_of_which_a_reader_keeps_all_stays_unchanged_and_says_why() -> None:
    result = made((STAYS,) * 7)
    assert (result.status, result.reason) == (Status.UNCHANGED, "needed")


def test_a_cut_does_not_begin_behind_what_is_only_supposed() -> None:
    supposed = [*LINES[:3], "But is 42 even? Then maybe the task means 41 instead.", *LINES[4:]]
    # The check behind it settles what it supposes, so both stay or both go.
    assert gone(made((STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS), supposed)) in ([], [5], [3, 4, 5])


def test_a_last_sentence_that_announces_the_next_check_goes_with_it() -> None:
    # "But let me check again." leaves nothing open where the check that it announces goes.
    announced = [*LINES[:3], f"{LINES[3]} But let me check again.", *LINES[4:]]
    result = made((STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS), announced)
    assert gone(result) == [4, 5]
    assert "check again" not in result.reasoning


def test_another_reading_of_the_task_is_only_supposed() -> None:
    assert supposes("Then 84 would be meant. But that would be a different interpretation.")
    assert supposes("But wait, no, the new ones would not be given away.")
    assert not supposes("So the answer is 84. That is the only way to read it.")


def test_a_result_that_does_not_match_an_earlier_one_is_a_conflict() -> None:
    assert leaves_conflict("That would be 80 %, but wait, that's not matching the previous result.")
    assert not leaves_conflict("It does not match the pattern of the other rows.")


def test_a_cut_does_not_begin_with_what_goes_on_with_the_step_before() -> None:
    lines = [*LINES[:3], "Then 42 / 2 = 21. Yes, that works.", *LINES[4:]]
    assert gone(made((STAYS, STAYS, STAYS, GOES, GOES, GOES, STAYS), lines)) == [4, 5]


@pytest.mark.parametrize(
    "open_end",
    [
        "But I need to check whether 42 is even.",
        "Let me see if there are others.",
        "Let me check if it is 42.",
    ],
)
def test_a_sentence_that_says_what_is_still_to_be_examined_is_no_mere_announcement(open_end: str) -> None:
    text = f"So it is 42. {open_end}"
    assert without_announcement(text) == text


def test_a_cut_does_not_end_before_the_check_that_the_last_dropped_sentence_announces() -> None:
    announced = [*LINES[:3], "But is 42 even? It is, so 42. But let me check again.", *LINES[4:]]
    assert gone(made((STAYS, STAYS, STAYS, GOES, STAYS, STAYS, STAYS), announced)) != [3]


def test_a_cut_that_could_only_begin_with_much_that_a_reader_keeps_begins_later() -> None:
    # The whole check would have to go, because its first line leaves a doubt: a reader keeps that line.
    doubt = "But is 42 even? I am not sure, " + "because I have not divided it by two yet, " * 8 + "perhaps."
    lines = [*LINES[:3], doubt, *LINES[4:]]
    assert gone(made((STAYS, STAYS, STAYS, 0.2, GOES, GOES, STAYS), lines)) == [5]
    assert gone(made((STAYS, STAYS, STAYS, 0.6, GOES, GOES, STAYS), lines)) == [3, 4, 5]


def test_what_no_gate_would_pass_whole_stays_too_where_a_reader_keeps_all() -> None:
    # The source itself asks and never answers, so a gate refuses it; the reader still drops nothing.
    lines = [*LINES[:6], "But is it 42? The answer is **42**."]
    result = made((STAYS,) * 7, lines)
    assert (result.status, result.reasoning) == (Status.UNCHANGED, read((), lines)[0].reasoning)


def test_reasons_are_true_of_the_text_that_comes_out() -> None:
    result = made((STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS))
    (cut,) = (edit for edit in result.script if edit.op is EditOp.DROP and edit.start == 4)
    assert cut.reason == "redundant: text behind the answer"


def test_items_end_where_the_cut_begins() -> None:
    trace, annotation = read(())
    split = ending_at(trace, annotation, range(4, 6))
    assert [(check.start, check.stop, check.kind) for check in split.verifications] == [
        (2, 3, VerificationKind.AFFIRMATION),
        (3, 4, VerificationKind.AFFIRMATION),
        (4, 5, VerificationKind.CHECK),
        (5, 6, VerificationKind.AFFIRMATION),
    ]
    early = ending_at(trace, annotation, range(1, 2))
    assert [(approach.start, approach.stop) for approach in early.approaches] == [(0, 1)]
    assert [(s.start, s.stop, s.kind) for s in early.sections] == [
        (0, 1, SectionKind.SOLUTION_EXPLORE),
        (1, 2, SectionKind.VERIFY),
        (2, 6, SectionKind.SOLUTION_EXPLORE),
        (6, 7, SectionKind.CONCLUSION),
    ]
    assert early.verifications[0].kind is CHECK


def test_a_check_without_the_step_that_states_the_answer_affirms_nothing() -> None:
    lines = [*LINES[:3], "But 6 * 3 = 18, and 18 is even.", "Then 18 + 24 = 42, so it works.", *LINES[5:]]
    trace, annotation = read((), lines)
    assert kinds(ending_at(trace, annotation, range(4, 6)))[(3, 4)] is CHECK
    trace, annotation = read(())
    assert kinds(ending_at(trace, annotation, range(4, 6)))[(3, 4)] is AFFIRMS


def kinds(annotation: Annotation) -> dict[tuple[int, int], VerificationKind]:
    return {(check.start, check.stop): check.kind for check in annotation.verifications}


@pytest.mark.parametrize("count", [0, 6, 8])
def test_chances_of_other_segments_are_no_chances(count: int) -> None:
    trace, annotation = read((GOES,) * count)
    assert needless_run(trace, annotation, {3, 4, 5}) is None


def test_without_an_answer_there_is_no_run() -> None:
    trace, annotation = annotated(LINES, [(0, 2, CORRECT, 0)], CHECKS, conclusion=6)
    unknown = replace(annotation, approaches=(), first_correct_segment=None, needless=(GOES,) * 7)
    assert needless_run(trace, unknown, set()) is None


def test_an_error_that_is_taken_out_is_no_drop_of_the_policy() -> None:
    halves = "By halves 42 / 2 = 21, and 2 * 21 is 42, so that is right."
    lines = ["We multiply 6 by 7.", "First 2 + 2 = 5.", *LINES[1:3], halves, *LINES[4:]]
    checks = [(3, 4, 0, 0), (4, 6, 0, 1), (6, 7, 0, 2)]
    trace, annotation = annotated(
        lines, [(0, 3, CORRECT, 0)], checks, conclusion=7, kinds=(AFFIRMS, AFFIRMS, AFFIRMS)
    )
    begin = trace.reasoning.index("2 + 2")
    error = ErrorSpan(ErrorKind.CALCULATION, 1, 2, begin, begin + len("2 + 2 = 5"), Source.EVIDENCE)
    (approach,) = annotation.approaches
    annotation = replace(
        annotation,
        approaches=(replace(approach, errors=(error,)),),
        needless=(STAYS, STAYS, STAYS, STAYS, STAYS, GOES, GOES, STAYS),
    )
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY, {"errors": "delete"}))
    assert "2 + 2" not in result.reasoning
    assert [i for i in gone(result) if i > 1] == [5, 6]
