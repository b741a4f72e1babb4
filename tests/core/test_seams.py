"""Loose ends at a cut: which sentences dangle, what goes with them, what needs a bridge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.edits import EditOp, apply_script, check_script, drop_script
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.seams.bridges import bridge_fault
from dlcot_ray.core.seams.closing import close_seams
from dlcot_ray.core.seams.kinds import Closed, Seam, SeamKind
from dlcot_ray.core.seams.references import refers_back, ways_left
from dlcot_ray.core.seams.sentences import sentences
from tests.support.annotations import CORRECT, annotated

WORK = "We compute 6 * 7 = 42."


def closed(lines: list[str], gone: set[int], *, answer: str = "nothing") -> tuple[list[str], object]:
    """The segments that are left, stripped, and what `close_seams` found."""
    trace, annotation = annotated(lines, [(0, 1, CORRECT, 0)])
    script = drop_script(dict.fromkeys(gone, "redundant"), len(lines))
    result = close_seams(trace.reasoning, annotation, script, lambda text: answer in text)
    check_script(result.script, len(lines))
    text = apply_script(trace.reasoning, annotation.segment_offsets, result.script)
    return [line for line in text.split("\n\n") if line], result


def test_the_text_before_a_loop_ends_as_it_did() -> None:
    lines = [WORK, "Wait, no, that can't be right.", "Again we add.", "Again we add."]
    trace, annotation = annotated(lines, [(0, 1, CORRECT, 0)])
    script = drop_script({2: LOOP, 3: LOOP}, len(lines))
    assert close_seams(trace.reasoning, annotation, script, lambda text: False).script == script


@pytest.mark.parametrize(
    "announcement",
    [
        "But just to be thorough, let's consider another method.",
        "Wait, but to cross-verify:",
        "Let me double-check that.",
        "Wait.",
        "Wait, no, hold on, wait a second!",
        "But wait, is that right?",
        "Maybe I should check the segments as well.",
        "Is there another way to see this?",
        "Alternatively, perhaps there's a different approach to find it.",
        "Let me plug x = 2 back into the equation to verify.",
        "Checking the options again.",
        "Going over all the steps once more:",
    ],
)
def test_the_announcement_of_a_dropped_range_is_removed(announcement: str) -> None:
    for left in ([WORK, announcement], [f"{WORK} {announcement}"]):
        lines = [*left, "Take 7 * 6 instead.", "The answer is 42."]
        kept, result = closed(lines, {len(left)})
        assert kept == [WORK, "The answer is 42."]
        assert result.seams == (Seam(SeamKind.ANNOUNCEMENT, len(left) - 1, Closed.RULE),)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "work",
    [
        "Let me check: 6 * 7 = 42, so that is correct.",
        "Let x be the number of apples.",
        "So, is it 42? Yes, because 42 / 7 = 6.",
        "\\[\nx = 42\n\\]",
        "Option B is also okay.",
        "Checking the options, B is 41 and C is 43.",
        "We have to test whether 42 is even, and since it ends in 2 it is.",
    ],
)
def test_work_before_a_cut_stays(work: str) -> None:
    kept, result = closed([work, "Again.", "The answer is 42."], {1})
    assert kept == [work, "The answer is 42."]
    assert result.seams == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "answer",
    [
        "Yes, that matches.",
        "Same reasoning, so 0.",
        "Great, that also checks out.",
        "Which confirms the result.",
        "No, that doesn't match.",
    ],
)
def test_a_sentence_that_answers_a_dropped_range_is_removed(answer: str) -> None:
    for right in ([answer, "The answer is 42."], [f"{answer} The answer is 42."]):
        kept, result = closed([WORK, "Check 42 / 7.", *right], {1})
        assert kept == [WORK, "The answer is 42."]
        assert result.seams == (Seam(SeamKind.ANSWERING, 2, Closed.RULE),)  # type: ignore[attr-defined]


def test_a_reference_to_both_is_removed_only_if_one_is_left() -> None:
    lines = [WORK, "Add.", "Both methods agree. So it is 42."]
    assert closed(lines, {1})[0] == [WORK, "So it is 42."]
    assert refers_back("Both methods agree.", adjacent=True, single=False) is None
    assert refers_back("as computed above", adjacent=False, single=True) is None
    assert refers_back("as computed above", adjacent=True, single=False) is not None


def test_a_sentence_that_would_stand_twice_in_a_row_goes_once() -> None:
    kept, result = closed(
        [f"{WORK} So the answer is 42.", "Check.", "Therefore, the answer is 42.", "Done."], {1}
    )
    assert kept == [f"{WORK} So the answer is 42.", "Done."]
    assert result.seams == (Seam(SeamKind.REPETITION, 2, Closed.RULE),)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "last", ["Therefore, the answer is 42.", "So there are 42 tiles. Done.", "42. Done."]
)
def test_the_last_sentence_and_one_that_says_something_else_or_little_stay(last: str) -> None:
    lines = [f"{WORK} So the answer is 42.", "Check.", last]
    assert closed(lines, {1})[0] == [lines[0], last]


def test_a_list_goes_with_the_sentence_that_leads_to_it() -> None:
    says = "I tried multiple approaches: adding the rows, halving, and mirroring. So it is 42."
    assert closed([WORK, "Halve the rows.", says], {1})[0] == [WORK, "So it is 42."]


def test_a_sum_up_that_names_dropped_work_goes() -> None:
    lines = [
        WORK,
        "By the symmetry of the rows it is 42 again.",
        "The symmetry argument agrees. So it is 42.",
    ]
    assert closed(lines, {1})[0] == [WORK, "So it is 42."]


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("By the symmetry of the rows we compute 6 * 7 = 42.", "The symmetry argument agrees."),
        (WORK, "Does the symmetry argument agree?"),
        (WORK, "Let us use symmetry now."),
        (WORK, "The answer agrees."),
    ],
)
def test_a_word_that_kept_text_has_or_that_sums_up_nothing_stays(kept: str, says: str) -> None:
    assert closed([kept, "By symmetry the answer is 42.", says], {1})[0] == [kept, says]


def test_a_sum_up_that_computes_needs_the_dropped_text() -> None:
    _, result = closed([WORK, "By symmetry 42.", "The symmetry argument gives 21 + 21 = 42."], {1})
    (need,) = result.needs  # type: ignore[attr-defined]
    assert need.sentence == "The symmetry argument gives 21 + 21 = 42."


def test_examples_of_a_reference_go_with_it_and_any_other_way_is_none() -> None:
    refers = "The other method agrees. For example, in the first rows. So it is 42."
    assert closed([WORK, "Add.", refers], {1})[0] == [WORK, "So it is 42."]
    asks = "Is there any other way to read it? For example, the rows could be columns."
    assert closed([WORK, "Add.", asks], {1})[0] == [WORK, asks]


def test_a_sentence_that_must_stay_needs_a_bridge() -> None:
    lines = [WORK, "Add.", "Both methods give 42."]
    kept, result = closed(lines, {1}, answer="42")
    assert kept == [WORK, "Both methods give 42."]
    (need,) = result.needs  # type: ignore[attr-defined]
    assert (need.kind, need.left, need.right, need.segment) == (SeamKind.BACK_REFERENCE, 0, 2, 2)
    assert need.sentence == "Both methods give 42."


def test_rule_edits_are_recorded_with_their_reason() -> None:
    _, result = closed([f"{WORK} Let me verify.", "Again.", "Yes, that works.", "42"], {1})
    edits = [(edit.op, edit.start, edit.reason) for edit in result.script]  # type: ignore[attr-defined]
    assert edits == [
        (EditOp.REPLACE, 0, "seam: announces what is dropped"),
        (EditOp.DROP, 1, "redundant"),
        (EditOp.DROP, 2, "seam: answers what is dropped"),
        (EditOp.KEEP, 3, ""),
    ]


def test_without_a_cut_the_script_is_unchanged() -> None:
    lines = ["Let me verify.", "Yes, that matches.", "Both methods agree."]
    assert closed(lines, set())[0] == lines


@given(st.text(alphabet="ab .!?:\n(\"'", max_size=60))
def test_sentences_cover_their_text(text: str) -> None:
    assert "".join(text[start:stop] for start, stop in sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("That settles it, so the result stands.", ""),
        ("", "empty"),
        ("One. Two. Three.", "two sentences"),
        ("x" * 301, "two sentences"),
        ("So \\boxed{42} it is.", "markup"),
        ("</think> The answer is here.", "markup"),
        ("Adding 17 confirms it.", "states 17"),
        ("This gives 42 again.", ""),
    ],
)
def test_a_bridge_is_short_and_has_no_new_numbers(text: str, fault: str) -> None:
    trace, _ = annotated([WORK], [(0, 1, CORRECT, 0)])
    found = bridge_fault(trace, text, ("42",))
    assert (fault in found) if fault else found == ""


@pytest.mark.parametrize(
    ("text", "refers"),
    [
        ("It is consistent across different methods, so 42 it is.", True),
        ("I checked it by two different approaches.", True),
        ("How many different ways are there?", False),
        ("I drew it and checked it with another method.", True),
        ("I could check it with another method.", False),
        ("Different methods of payment are counted apart.", False),
    ],
)
def test_a_reference_to_several_methods_is_known_from_a_count_of_ways(text: str, refers: bool) -> None:
    assert bool(refers_back(text, adjacent=True, single=True)) is refers


def test_a_claim_of_several_methods_goes_where_a_check_may_have_been_the_other_method() -> None:
    lines = [
        "Multiply 6 by 7: 42.",
        "Check: 42 / 7 = 6.",
        "By adding, 21 + 21 = 42.",
        "It agrees across different methods.",
    ]
    _, annotation = annotated(lines, [(0, 1, CORRECT, 0)], [(1, 2, 0, 0), (2, 3, 0, 1)], conclusion=3)
    script = drop_script({2: "redundant"}, 4)
    assert ways_left(annotation, script).lacks("different methods")
    assert not ways_left(annotation, drop_script({}, 4)).lacks("different methods")


@pytest.mark.parametrize(
    ("last", "left"),
    [
        (
            "So it is 42. That seems right, but let me double-check my steps.",
            "So it is 42. That seems right.",
        ),
        ("So it is 42, and I'll verify it to be sure.", "So it is 42."),
        ("So it is 42, but let me check that 6 * 7 = 42.", "So it is 42, but let me check that 6 * 7 = 42."),
    ],
)
def test_the_end_of_a_sentence_that_announces_a_dropped_check_goes(last: str, left: str) -> None:
    assert closed([last, "6 * 7 = 42, so it holds.", "The answer is 42."], {1})[0] == [
        left,
        "The answer is 42.",
    ]
