"""Seeded traces of our own, each with one harmful or harmless cut, as material for the gates.

A kind of harm is a function from a random generator to a `SeededCut`: the lines of a trace, its structure, what is
dropped, the gate that must refuse it and what its reason must name. Numbers, nouns and wording vary.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.core.gating.hall import OTHER, THINGS, SeededCut, hall
from tests.core.gating.reliances import (
    equation_used,
    figure_used,
    named_thing_used,
    short_value_used,
    symbol_used,
    used_by_a_check,
    used_by_the_conclusion,
    value_used,
)
from tests.support.annotations import AFFIRMS, CORRECT, DOUBTS, OPEN, WRONG


def definition_cut_out(rng: random.Random) -> SeededCut:
    return hall(rng).cut([1], "nothing_cut_through", "segment 1")


def equation_cut_out(rng: random.Random) -> SeededCut:
    return hall(rng).cut([2], "nothing_cut_through", "segment 2")


def derivation_cut_out(rng: random.Random) -> SeededCut:
    return hall(rng).cut([3], "nothing_cut_through", "segment 3")


def answer_cut_out(rng: random.Random) -> SeededCut:
    return hall(rng).cut([5, 11, 16], "answer_preserved", "")


def understanding_cut_out(rng: random.Random) -> SeededCut:
    return hall(rng).cut([0], "nothing_cut_through", "segment 0")


def half_a_check(rng: random.Random) -> SeededCut:
    gone = rng.choice([[6], [7], [6, 7], [7, 8]])
    return hall(rng).cut([*gone, *range(9, 15)], "nothing_cut_through", "check 0")


def half_a_second_solution(rng: random.Random) -> SeededCut:
    return hall(rng).cut([rng.choice([9, 10])], "nothing_cut_through", "approach 1")


def announcement_left(rng: random.Random) -> SeededCut:
    made = hall(rng)
    made.lines[8] = f"{made.lines[8]} {rng.choice(OTHER)}"
    return made.cut(range(9, 15), "no_dangling_reference", "segment 8 announces")


def heading_left(rng: random.Random) -> SeededCut:
    made = hall(rng)
    made.lines[8] = (
        f"{made.lines[8]} {rng.choice(['Computing it by halves:', 'The second solution is as follows:'])}"
    )
    return made.cut(range(9, 15), "no_dangling_reference", "segment 8 announces")


def answer_to_dropped_question(rng: random.Random) -> SeededCut:
    says = rng.choice(
        ["So yes, that is settled.", "Yes, exactly.", "That also matches.", "Right, it holds again."]
    )
    return hall(rng, end=says).cut(range(9, 15), "no_dangling_reference", "segment 15 answers")


def both_methods_left(rng: random.Random) -> SeededCut:
    claim = rng.choice(["Both methods agree.", "Both approaches lead there.", "Either way it is the same."])
    return hall(rng, end=claim).cut(range(9, 15), "no_dangling_reference", "segment 15 refers")


def many_checks_left(rng: random.Random) -> SeededCut:
    claim = rng.choice(
        ["I have confirmed it enough ways.", "I checked this several times.", "All these checks point there."]
    )
    return hall(rng, end=claim).cut(range(6, 15), "no_dangling_reference", "segment 15 refers")


def demonstrative_left(rng: random.Random) -> SeededCut:
    says = rng.choice(
        ["This formula is convenient.", "That value fits the plan.", "These calculations suffice."]
    )
    return hall(rng, end=says).cut(range(9, 15), "no_dangling_reference", "segment 15 refers")


def as_before_left(rng: random.Random) -> SeededCut:
    says = rng.choice(["As computed above, half is enough.", "The previous method is shorter."])
    return hall(rng, end=says).cut(range(9, 15), "no_dangling_reference", "segment 15 refers")


def dropped_work_named(rng: random.Random) -> SeededCut:
    """A sum-up names an argument of which only dropped text speaks."""
    word, says = rng.choice(
        [
            ("symmetry", "The symmetry argument gives the same number."),
            ("mirroring", "Counting rows and mirroring the hall agree."),
            ("induction", "As we saw, induction is too long here."),
        ]
    )
    made = hall(rng, end=says)
    made.lines[10] = f"By {word}: {made.lines[10]}"
    return made.cut(range(9, 15), "no_dangling_reference", f"sums up what is dropped: '{word}'")


def count_of_a_dropped_list_left(rng: random.Random) -> SeededCut:
    says = rng.choice(["That's {} in all.", "That makes {}.", "This is exactly {}, as it should be."])
    number = rng.randint(11, 99)
    return hall(rng, end=says.format(number)).cut(range(9, 15), "no_dangling_reference", "segment 15 refers")


def sentence_cut_through(rng: random.Random) -> SeededCut:
    made = hall(rng, end=rng.choice(["which settles the matter.", "because halves are equal."]))
    made.lines[14] = rng.choice(["Counting both halves we see", "The halves are the same"])
    return made.cut(range(9, 15), "no_dangling_reference", "segment 15 goes on")


def doubt_left(rng: random.Random) -> SeededCut:
    doubt = rng.choice(
        ["Hmm, but that seems too large.", "Wait, maybe I have missed a row.", "But I'm not sure about it."]
    )
    made = hall(rng)
    made.lines[8] = f"{made.lines[8]} {doubt}"
    return made.cut(range(9, 15), "no_dangling_reference", "segment 8 doubts")


def question_left(rng: random.Random) -> SeededCut:
    made = hall(rng)
    made.lines[8] = f"{made.lines[8]} {rng.choice(['But wait, is that right?', 'Is every row full?'])}"
    return made.cut(range(9, 15), "no_dangling_reference", "segment 8 announces")


def conclusion_gone(rng: random.Random) -> SeededCut:
    return hall(rng).cut(range(9, 17), "ending_kept", "closing words")


def settling_gone(rng: random.Random) -> SeededCut:
    """A check that doubts the answer stays, and the one that settles it goes."""
    made = hall(rng)
    made.lines[8] = "This is more than the hall can hold, so there is an error."
    return made.cut(range(9, 15), "checks_supported", "check 0 doubts", kinds=(DOUBTS, AFFIRMS))


def work_left_open(rng: random.Random) -> SeededCut:
    """Work behind the answer stays without a result, and the check that has its result goes."""
    made = hall(rng)
    made.lines[11] = rng.choice(["This counts the front half only.", "The other half is as full."])
    cut = made.cut([12, 13, 14], "checks_supported", "check 1 that finishes it")
    return replace(cut, approaches=[(1, 6, CORRECT, 0), (9, 12, OPEN, 1)])


def solution_of_a_check_gone(rng: random.Random) -> SeededCut:
    made = hall(rng)
    made.lines[11] = f"So the answer would be {int(made.answer) + 5}."
    made.lines[14] = "That many do not fit, so it is wrong."
    cut = made.cut([9, 10, 11], "checks_supported", "examines approach 1", kinds=(AFFIRMS, DOUBTS))
    return replace(cut, approaches=[(1, 6, CORRECT, 0), (9, 12, WRONG, 1)])


def finding_gone(rng: random.Random) -> SeededCut:
    """The check that finds an error goes, and the error stays."""
    made = hall(rng)
    wrong = [
        f"Take {made.rows + 1} rows instead, that looks nicer.",
        f"So the answer is {int(made.answer) + 7}.",
        "Let me look at the plan.",
        "The plan does not allow that many rows, so this is wrong.",
    ]
    lines = [made.lines[0], *wrong, *made.lines[1:9], *made.lines[15:]]
    approaches = [(1, 3, WRONG, 1), (5, 10, CORRECT, 0)]
    checks = [(3, 5, 0, 1), (10, 13, 1, 0)]
    return SeededCut(
        lines,
        approaches,
        [3, 4],
        "checks_supported",
        "check 0 finds fault",
        checks,
        (DOUBTS, AFFIRMS),
        13,
        made.answer,
    )


def case_gone(rng: random.Random) -> SeededCut:
    noun, labels = rng.choice(
        [("Case", "123"), ("Option", "ABC"), ("Scenario", "123"), ("Possibility", "123")]
    )
    parts = [rng.randint(3, 30) for _ in labels]
    cases = [f"{noun} {k}: there are {part} of them." for k, part in zip(labels, parts, strict=True)]
    total = sum(parts)
    sums = f"Together {parts[0]} + {parts[1]} + {parts[2]} = {total}, so the answer is {total}."
    lines = ["Split the rows.", *cases, sums, f"The answer is {total}."]
    lost = rng.choice([1, 2, 3])
    # A judge that takes every case for an approach of one method lets a policy drop one of them.
    approaches = [(1, 2, OPEN, 0), (2, 3, OPEN, 0), (3, 4, OPEN, 0), (4, 5, CORRECT, 0)]
    named = f"{noun.lower()} {labels[lost - 1]} (segment {lost}) is dropped"
    return SeededCut(lines, approaches, [lost], "cases_complete", named, conclusion=5, reference=str(total))


def only_attempt_of_its_method(rng: random.Random) -> SeededCut:
    made = hall(rng)
    lines = [made.lines[0], "Try to guess the rows first.", "A guess does not lead far.", *made.lines[1:9]]
    lines += made.lines[15:]
    approaches = [(1, 3, OPEN, 1), (3, 8, CORRECT, 0)]
    checks = [(8, 11, 1, 0)]
    return SeededCut(
        lines, approaches, [1, 2], "nothing_cut_through", "approach 0", checks, (AFFIRMS,), 11, made.answer
    )


def other_sign_dropped(rng: random.Random) -> SeededCut:
    """A step that has two signs, "d = ±4; take 4 first", cut behind the first of them."""
    step, start = rng.randint(3, 9), rng.randint(20, 40)
    lines = [
        f"The three numbers stand {step} apart, so d = ±{step}.",
        f"Take d = {step} first: the last one is {start} + {step} = {start + step}.",
        f"So the answer is {start + step}.",
        f"Check: {start + step} - {step} = {start}, as it should be.",
        f"Now d = -{step}: the numbers run backwards, and the last one is again {start + step}.",
        f"So with both signs it is {start + step}, which is right.",
        f"The answer is {start + step}.",
    ]
    return SeededCut(
        lines,
        [(0, 3, CORRECT, 0)],
        [4, 5],
        "cases_complete",
        f"d = -{step} (segment 4) is dropped",
        checks=[(3, 4, 0, 0), (4, 6, 0, 0)],
        kinds=(AFFIRMS, AFFIRMS),
        conclusion=6,
        reference=str(start + step),
    )


def rest_of_a_list_dropped(rng: random.Random) -> SeededCut:
    """A list that is announced as tried one by one, cut behind the entry that fits."""
    things, fits = rng.choice(THINGS), rng.randint(4, 8)
    entries = [f"{i}. With {i} {things} a row has {i * i + 1}." for i in range(1, fits + 3)]
    lines = [
        f"We try the numbers of {things} one by one.",
        *entries[:fits],
        f"So the answer is {fits * fits + 1}.",
        "Let us go on with the others:",
        *entries[fits:],
        "None of these fits.",
        f"Therefore, the answer is {fits * fits + 1}.",
    ]
    end = len(lines) - 1
    return SeededCut(
        lines,
        [(0, fits + 2, CORRECT, 0)],
        range(fits + 2, end),
        "cases_complete",
        f"entry {fits + 1} of a list",
        checks=[(fits + 2, end, 0, 0)],
        kinds=(AFFIRMS,),
        conclusion=end,
        reference=str(fits * fits + 1),
    )


HARMFUL: tuple[Callable[[random.Random], SeededCut], ...] = (
    rest_of_a_list_dropped,
    other_sign_dropped,
    definition_cut_out,
    equation_cut_out,
    derivation_cut_out,
    answer_cut_out,
    understanding_cut_out,
    half_a_check,
    half_a_second_solution,
    announcement_left,
    heading_left,
    answer_to_dropped_question,
    both_methods_left,
    many_checks_left,
    demonstrative_left,
    as_before_left,
    dropped_work_named,
    count_of_a_dropped_list_left,
    sentence_cut_through,
    doubt_left,
    question_left,
    conclusion_gone,
    settling_gone,
    work_left_open,
    solution_of_a_check_gone,
    finding_gone,
    case_gone,
    only_attempt_of_its_method,
    value_used,
    short_value_used,
    symbol_used,
    equation_used,
    named_thing_used,
    figure_used,
    used_by_the_conclusion,
    used_by_a_check,
)
