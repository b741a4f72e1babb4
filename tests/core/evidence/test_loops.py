"""Where a repetition loop begins and ends, at the end of a trace and in front of its first pass."""

from __future__ import annotations

from dlcot_ray.core.evidence.loops import find_loops, with_broken_tail

PASS = [
    "Perhaps the lamp needs a stronger light to be seen.",
    "But the lamp has 40 watts, so that is enough for it.",
    "So my first thought about the lamp was right.",
]


def test_the_broken_last_pass_of_a_loop_goes_with_it() -> None:
    broken = [PASS[0], "But the lamp has 40 wa"]
    assert find_loops(["We look at a lamp.", *PASS * 3, *broken]) == ((4, 12),)


def test_a_last_segment_in_other_words_stays() -> None:
    other = [PASS[0], "But the room has two doors."]
    assert find_loops(["We look at a lamp.", *PASS * 3, *other]) == ((4, 10),)


def test_a_loop_that_runs_out_begins_where_its_first_pass_began_in_nearly_the_same_words() -> None:
    lead = "Wait, perhaps I should look at the lamp in another room and count the watts again."
    twin = "Wait, perhaps I should look at the lamp in a different room and count the watts again."
    segments = [lead, *PASS, *[twin, *PASS] * 3]
    assert find_loops(segments) == ((4, 16),)


def test_text_behind_a_loop_still_follows_the_end_of_a_pass() -> None:
    lead = "Wait, perhaps I should look at the lamp in another room and count the watts again."
    twin = "Wait, perhaps I should look at the lamp in a different room and count the watts again."
    segments = [lead, *PASS, *[twin, *PASS] * 3, "The answer is 40."]
    assert find_loops(segments) == ((5, 13),)


def test_a_loop_that_runs_out_takes_along_what_only_leads_into_it() -> None:
    lead = ["Let me compute the volume anew.", "Given:", "\\[ V = a b c \\]", "First, the sides:"]
    work = ["\\[ a b = 6 \\cdot 5 = 30 \\]", "That makes 90 litres.", "I must have made a mistake."]
    segments = ["The pool holds 90 litres.", "In other words:", *work, *[*lead, *work] * 4]
    # The first pass is 2 to 8, and its last four segments lead into the second.
    assert find_loops(segments) == ((5, len(segments)),)


def test_a_way_that_is_only_considered_leads_into_the_loop() -> None:
    lead = "Alternatively, perhaps I can use the rule N = 3 t for the lamps."
    segments = [
        "We look at lamps.",
        "They burn for 3 hours each.",
        *[lead, "That is what I did before, of course."] * 5,
    ]
    assert find_loops([*segments, lead]) == ((4, 13),)


def test_a_pass_of_which_nothing_else_would_stay_keeps_its_lead_in() -> None:
    segments = ["So we have 12 rows of chairs.", *["Let me count the rows of chairs once more:"] * 6]
    assert find_loops(segments) == ((2, 7),)


LANTERNS = [f"Lantern number {name} hangs beside the old door." for name in ("one", "two", "three", "four")]


def test_the_tail_of_a_trace_that_turns_in_circles_without_a_period_is_one_loop() -> None:
    order = [0, 2, 1, 3, 3, 0, 1, 2, 0, 3, 1, 1, 0, 2, 3, 2, 1, 0, 3, 2]
    circles = [LANTERNS[i] for i in order]
    circles[7] = "Lantern number two hangs near the old door, perhaps."
    segments = [*LANTERNS, "Let me look at the lanterns again.", *circles, "Lantern number one ha"]
    assert find_loops(segments) == ()
    assert with_broken_tail(segments, ()) == ((4, len(segments)),)
    assert with_broken_tail(segments, ((6, 8),)) == ((4, len(segments)),)
    assert with_broken_tail(segments, ((2, 3),)) == ((2, 3), (4, len(segments)))


def test_new_work_in_front_of_a_long_tail_in_circles_stays() -> None:
    work = [f"Door {i} takes {i} + {i} nails, which is {2 * i} in all." for i in range(12)]
    circles = [LANTERNS[i % 4] for i in (0, 2, 1, 3, 3, 0, 1, 2, 0, 3) * 40]
    segments = [*LANTERNS, LANTERNS[0], *work, *circles]
    assert with_broken_tail(segments, ()) == ((17, len(segments)),)


def test_a_tail_with_new_work_or_of_few_segments_is_no_loop() -> None:
    work = [f"Door {i} takes {i} + {i} nails, which is {2 * i} in all." for i in range(20)]
    mixed = [text for pair in zip(work, LANTERNS * 5, strict=True) for text in pair]
    assert with_broken_tail([*LANTERNS, *mixed], ()) == ()
    assert with_broken_tail([*LANTERNS * 2], ()) == ()
