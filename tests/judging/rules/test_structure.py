"""The structure of whole traces by rules: head, approaches, checks and their kinds, conclusion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import SectionKind, VerificationKind
from dlcot_ray.judging.rules import approaches, checks
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.head import find_head
from dlcot_ray.judging.rules.structure import find_runs
from dlcot_ray.judging.rules.tail import conclusion_start

PROBLEM = "A farmer has 20 sheep and sells 3 of them every week. After how many weeks are fewer than 6 left?"
REPEATS = "Okay, so a farmer has 20 sheep and sells 3 of them every week, and I need to find after how many weeks fewer than 6 are left."
SOLVES = "After w weeks there are 20 - 3w sheep, so 20 - 3w < 6 gives 3w > 14 and w > 4.67."
ANSWERS = "So the answer is 5 weeks."
QUESTION, UNDERSTAND, EXPLORE, VERIFY, CONCLUSION = SectionKind


def shape(segments: list[str], *answered: int) -> list[tuple[SectionKind, int]]:
    """Kind and start of every run; `answered`: the segments that state a candidate answer."""
    runs = find_runs(segments, PROBLEM, [i in answered for i in range(len(segments))])
    assert [run.start for run in runs[1:]] == [run.stop for run in runs[:-1]]
    return [(run.kind, run.start) for run in runs]


@pytest.mark.parametrize(
    ("segments", "begin"),
    [
        ([REPEATS, "Selling happens weekly, so the flock shrinks step by step.", SOLVES, ANSWERS], 2),
        ([REPEATS, "The flock has n animals at first.", "Here n = 20.", SOLVES, ANSWERS], 3),
        ([REPEATS, "First, I need to understand what 20 - 3 * 2 would mean here.", SOLVES, ANSWERS], 2),
        ([REPEATS, "What happens if w = 42 here?", SOLVES, ANSWERS], 2),
        ([REPEATS, "The number that is left is:", "20 - 3w", SOLVES, ANSWERS], 1),
        ([REPEATS, "If all the sheep were sold at once, it would be 20 - 20 = 0 sheep.", SOLVES, ANSWERS], 2),
    ],
)
def test_the_work_begins_with_the_first_formula_that_the_problem_does_not_give(
    segments: list[str], begin: int
) -> None:
    assert find_head(segments, PROBLEM)[-1].stop == begin


def test_without_a_formula_wording_ends_the_head() -> None:
    problem = "Why does the shepherd count his sheep every evening?"
    segments = [
        "Okay, the question is why the shepherd counts his sheep every evening.",
        "Wolves come at night, and a lost animal is seen at once.",
        "So he counts them to notice a loss.",
    ]
    assert find_head(segments, problem)[-1].stop == 1


def test_a_look_at_a_standing_answer_is_a_check_and_the_rest_concludes() -> None:
    segments = [
        REPEATS,
        SOLVES,
        ANSWERS,
        "Wait, let me check: 20 - 15 = 5, which is fewer than 6. Correct.",
        ANSWERS,
    ]
    assert shape(segments, 2, 4) == [(QUESTION, 0), (EXPLORE, 1), (VERIFY, 3), (CONCLUSION, 4)]


def test_a_look_before_an_answer_stands_belongs_to_its_approach() -> None:
    segments = [REPEATS, SOLVES, "Wait, let me check that: 14 / 3 = 4.67. Yes.", ANSWERS]
    assert (VERIFY, 2) not in shape(segments, 3)


def test_looks_without_a_verdict_between_them_are_one_check() -> None:
    looks = [
        "But wait, does the first sale happen at once?",
        "Wait, maybe the weeks are counted from zero.",
        "Hmm, or the farmer sells on Fridays. In any case the count of sales is what matters. That is consistent.",
        "Let me also verify the week before: 20 - 12 = 8, which is not fewer than 6. Correct.",
    ]
    found = shape([REPEATS, SOLVES, ANSWERS, *looks, ANSWERS], 2, 7)
    assert [start for kind, start in found if kind is VERIFY] == [3, 6]


def test_the_sentence_with_the_verdict_belongs_to_the_check() -> None:
    segments = [
        REPEATS,
        SOLVES,
        ANSWERS,
        "Let me double-check: 20 - 3 * 5 = 5.",
        "Yes, that is right.",
        ANSWERS,
    ]
    assert shape(segments, 2, 5)[-2:] == [(VERIFY, 3), (CONCLUSION, 5)]


WORKED = [
    "Write f(w) = 20 - 3w for the flock and look at the function in detail, term by term, as carefully as possible.",
    "Its slope is -3 and f(0) = 20, so f(1) = 17, f(2) = 14, and so on down the line, week after week, until it is small.",
    "The values f(3) = 11 and f(4) = 8 are still too large, and there may be many more of them for a larger flock than ours.",
    "Continuing in this manner for every flock would take a long time. This seems tedious.",
]


def test_an_approach_opens_where_the_one_before_is_given_up_and_something_is_set_up() -> None:
    other = [
        "Let me set up the inequality 20 - 3w < 6 and solve it for w, which treats every flock at once and needs no table.",
        "Moving the terms gives 3w > 20 - 6 = 14, and dividing by the positive number 3 keeps the direction of the sign.",
        "So w > 14/3 = 4.67 holds, and the smallest whole number of weeks above that bound is the one that we look for here.",
        "Rounding up is needed, because the farmer sells whole sheep at the end of a whole week, never a part of one, by 1.",
    ]
    found = shape([REPEATS, *WORKED, *other, ANSWERS], 9)
    assert [start for kind, start in found if kind is EXPLORE] == [1, 5]


@pytest.mark.parametrize("word", ["Alternatively", "Wait", "Or maybe", "On second thought"])
def test_a_word_alone_opens_no_approach(word: str) -> None:
    aside = f"{word}, the sheep could be counted in pairs, but that changes nothing about the number of weeks here."
    found = shape([REPEATS, *WORKED[:3], aside, SOLVES, ANSWERS], 6)
    assert [start for kind, start in found if kind is EXPLORE] == [1]


def test_another_way_to_a_standing_answer_needs_figures_of_its_own() -> None:
    again = (
        "Alternatively, subtract week by week: 20 - 3 = 17, then 17 - 3 = 14, and so on until 5 is reached. "
        * 3
    )
    fresh = [REPEATS, SOLVES, ANSWERS, again + ANSWERS, ANSWERS]
    repeats = [REPEATS, SOLVES + " 17 14", ANSWERS, again + ANSWERS, ANSWERS]
    assert (EXPLORE, 3) in shape(fresh, 2, 3, 4)
    assert (VERIFY, 3) in shape(repeats, 2, 3, 4)


def test_a_second_way_may_say_that_the_same_answer_comes_out() -> None:
    way = "Let me try another approach: the flock loses 18 = 6 * 3 sheep in 6 weeks, which is more than is needed here."
    back = "One week less takes 15 away and is already enough, so the same answer comes out of this second count."
    segments = [REPEATS, SOLVES, ANSWERS, way, back, "Let me check 20 - 15 = 5. Yes.", ANSWERS]
    assert (EXPLORE, 3) in shape(segments, 2, 6)


@pytest.mark.parametrize(
    "segment",
    [
        "Another way to think about it: count the sales.",
        "But let me try another approach to be sure.",
        "Is there a different method? Let me see.",
        "Let me approach this problem differently.",
        "Let me start over.",
    ],
)
def test_announcements_of_another_way(segment: str) -> None:
    assert approaches.announces(segment)


@pytest.mark.parametrize(
    "segment",
    [
        "The two methods that I have used agree.",
        "Another way someone could go wrong is to forget the first week.",
        "Either way, the answer is 5.",
        "There is a better price next week.",
    ],
)
def test_no_announcements_of_another_way(segment: str) -> None:
    assert not approaches.announces(segment)


@pytest.mark.parametrize(
    "segment",
    [
        "But wait, is there any chance that the problem counts month ends?",
        "Just to be thorough, let me recompute the last week.",
        "Another sanity check: the flock never becomes negative.",
        "That is right. Let me verify it with a smaller flock.",
        "However, we need to be careful with the first week.",
        "To recap: 20 sheep, 3 a week.",
    ],
)
def test_openings_of_a_look(segment: str) -> None:
    assert checks.looks_back(segment)


@pytest.mark.parametrize(
    "segment", ["Compute 3 * 5 = 15.", "Now the second case: w is odd.", "I think this is the answer."]
)
def test_no_openings_of_a_look(segment: str) -> None:
    assert not checks.looks_back(segment)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Let me check: 20 - 15 = 5. Yes, that works.", VerificationKind.AFFIRMATION),
        ("Let me check: 20 - 15 = 5, and 5 < 6. So 5 weeks.", VerificationKind.AFFIRMATION),
        (
            "Let me look again. Each week is counted. I don't think I made an error.",
            VerificationKind.AFFIRMATION,
        ),
        ("I made a mistake, no wait, 15 is fine. So that is consistent.", VerificationKind.AFFIRMATION),
        ("Let me check: 20 - 18 = 2. That does not match, I made a mistake.", VerificationKind.NEGATION),
        (
            "Let me check the other count. Now I have two values. Which one is correct?",
            VerificationKind.CHECK,
        ),
    ],
)
def test_the_kind_of_a_check_is_how_it_ends(text: str, kind: VerificationKind) -> None:
    assert verification_kind(text) is kind


def test_the_conclusion_is_the_tail_in_which_nothing_is_examined() -> None:
    segments = [
        REPEATS,
        SOLVES,
        ANSWERS,
        "Does that hold? 20 - 15 = 5. It does.",
        "I am confident in this.",
        ANSWERS,
    ]
    assert conclusion_start(segments, [False, False, True, False, False, True], 1) == 4


@pytest.mark.parametrize(
    "segment",
    [
        "So the answer is 5 weeks, which matches what I had before.",
        "So with the other count the answer is 5 weeks. Let me just compute the last week once more.",
        "So the answer is 5 weeks, the same number as in the table.",
    ],
)
def test_a_tail_that_computes_or_compares_is_no_conclusion(segment: str) -> None:
    segments = [REPEATS, SOLVES, ANSWERS, "Let me check: 20 - 15 = 5.", segment, ANSWERS]
    answered = [False, False, True, False, True, True]
    assert conclusion_start(segments, answered, 1) == 5


def test_a_segment_that_gives_an_answer_outright_is_never_head() -> None:
    segments = [
        "How many weeks is it?",
        "She sells 3 a week, and the answer is 5.",
        "Let me check: 3 * 5 = 15.",
    ]
    assert find_head(segments, PROBLEM, [False, True, False])[-1].stop == 1
    assert find_head([segments[1], segments[2]], PROBLEM, [True, False]) == []


def test_a_figure_of_the_problem_does_not_end_the_head() -> None:
    segments = [REPEATS, "He has 20 sheep at first.", SOLVES, ANSWERS]
    assert find_head(segments, PROBLEM, [True, True, False, True])[-1].stop == 2


def test_a_short_way_with_formulas_of_its_own_is_an_approach() -> None:
    way = (
        "Alternatively, let me turn the count around with the letters s and r for what is sold and what is left. "
        "Then s + r = 20, s = 3w, r < 6, so 20 - s < 6, s > 14, 3w > 14, w >= 5 and r <= 20 - 15 = 5. "
    )
    copied = "Then s + r = 20, s = 3w, r < 6, so 20 - s < 6, s > 14, 3w > 14, w >= 5 and r <= 20 - 15 = 5. "
    assert (EXPLORE, 3) in shape([REPEATS, SOLVES, ANSWERS, way + ANSWERS, ANSWERS], 2, 3, 4)
    assert (VERIFY, 3) in shape([REPEATS, SOLVES + copied, ANSWERS, way + ANSWERS, ANSWERS], 2, 3, 4)


def test_a_look_behind_a_second_way_that_came_to_the_same_result_is_a_check() -> None:
    way = "Let me try another approach: the flock loses 18 = 6 * 3 sheep in 6 weeks, which is more than is needed here."
    back = "One week less takes 15 away and is already enough. Okay, that matches what I had before, the same result."
    look = "But just to be extra sure, let me check the last week again: 20 - 15 = 5. Yes, that works."
    found = shape([REPEATS, SOLVES, ANSWERS, way, back, look, ANSWERS], 2, 6)
    assert [start for kind, start in found if kind in (EXPLORE, VERIFY)] == [1, 3, 5]


def test_a_doubt_behind_a_look_that_came_to_the_same_result_is_a_check_of_its_own() -> None:
    looks = [
        "Wait, but let me double-check the count: 20 - 3 * 5 = 5.",
        "Hmm, the same result. So it is 5 after that many weeks, as before.",
        "But wait a second, 5 seems quite low to me.",
        "The flock shrinks by 3 a week, and 3 * 5 = 15, so that looks fine.",
    ]
    found = shape([REPEATS, SOLVES, ANSWERS, *looks, ANSWERS], 2, 7)
    assert [start for kind, start in found if kind is VERIFY] == [3, 5]


def test_a_way_that_only_hopes_for_the_same_answer_has_not_arrived() -> None:
    hope = (
        "But another way to approach the whole problem is to go through a table of all the weeks from the first one on, "
        "and to see whether that leads to the same answer, which would be a good sign for the count that I made."
    )
    table = (
        "The flock is 17, 14, 11, 8 and then 5, so 20 - 3 * 4 = 8 is too many and 8 - 3 = 5 is few enough."
    )
    assert (EXPLORE, 3) in shape([REPEATS, SOLVES, ANSWERS, hope, table + " " + ANSWERS, ANSWERS], 2, 4, 5)


@settings(deadline=None, max_examples=200)
@given(
    segments=st.lists(
        st.sampled_from(
            [REPEATS, SOLVES, ANSWERS, *WORKED, "Wait, no.", "Alternatively,", "x", "Yes.", "\n"]
        ),
        min_size=1,
        max_size=30,
    ),
    data=st.data(),
)
def test_runs_partition_any_list_of_segments(segments: list[str], data: st.DataObject) -> None:
    answered = data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments)))
    runs = find_runs(segments, PROBLEM, answered)
    assert [i for run in runs for i in range(run.start, run.stop)] == list(range(len(segments)))
