"""Seeded traces of our own, each with one harmful or harmless cut, as material for the gates.

A kind of harm is a function from a random generator to a `Cut`: the lines of a trace, its structure, what is
dropped, the gate that must refuse it and what its reason must name. Numbers, nouns and wording vary.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dlcot_ray.core.annotation import Annotation, Label, VerificationKind
from dlcot_ray.core.edits import EditScript, drop_script
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CORRECT, DOUBTS, OPEN, WRONG, annotated

Item = tuple[int, int, Label, int]
Check = tuple[int, int, int | None, int]


@dataclass(frozen=True)
class SeededCut:
    """A trace with a cut.

    Attributes:
        gone: the segments that are dropped.
        gate: the gate that must refuse it; empty for a harmless cut.
        named: what the reason of that gate must contain.
    """

    lines: Sequence[str]
    approaches: Sequence[Item]
    gone: Sequence[int]
    gate: str = ""
    named: str = ""
    checks: Sequence[Check] = ()
    kinds: tuple[VerificationKind, ...] = ()
    conclusion: int | None = None
    reference: str = "42"
    loops: tuple[tuple[int, int], ...] = field(default=())

    def script(self) -> tuple[Trace, Annotation, EditScript]:
        trace, annotation = annotated(
            list(self.lines),
            self.approaches,
            self.checks,
            conclusion=self.conclusion,
            reference=self.reference,
            kinds=self.kinds,
            loops=self.loops,
        )
        return trace, annotation, drop_script(dict.fromkeys(self.gone, "seeded"), len(self.lines))


THINGS = ("seats", "tiles", "coins", "lamps", "books", "boats", "pears", "stamps")
SURE = ("Let me double-check that.", "Just to be sure, let me verify this.", "Let me check it once more.")
OTHER = (
    "Let me try another method.",
    "Alternatively, let me use a different approach.",
    "Is there another way?",
)
AGREE = ("That matches.", "Yes, that checks out.", "So it is correct.")


@dataclass(frozen=True)
class _Hall:
    """A solved trace: solution 1 to 5, check 6 to 8, second solution 9 to 11, check 12 to 14, the end."""

    lines: list[str]
    answer: str
    rows: int

    def cut(self, gone: Sequence[int], gate: str = "", named: str = "", **changes: object) -> SeededCut:
        made: dict[str, object] = {
            "checks": [(6, 9, 0, 0), (12, 15, 1, 1)],
            "kinds": (AFFIRMS, AFFIRMS),
            "conclusion": 15,
            "reference": self.answer,
        }
        approaches = [(1, 6, CORRECT, 0), (9, 12, CORRECT, 1)]
        return SeededCut(self.lines, approaches, gone, gate, named, **(made | changes))  # type: ignore[arg-type]


def hall(rng: random.Random, *, end: str = "") -> _Hall:
    things, rows, each = rng.choice(THINGS), rng.randint(11, 40), 2 * rng.randint(6, 20)
    extra, answer = rng.randint(5, 60), rows * each
    lines = [
        f"We want the number of {things}.",
        f"Let n be the number of rows; a row has {each} {things}.",
        f"The plan says 3n + {extra} = {3 * rows + extra}. (1)",
        f"Subtract {extra} on both sides: 3n = {3 * rows}, so n = {rows}.",
        f"With {rows} rows there are {each} * {rows} = {answer} {things}.",
        f"So the answer is {answer}.",
        rng.choice(SURE),
        f"Put {rows} into the plan: 3 * {rows} + {extra} = {3 * rows + extra}, as it says.",
        rng.choice(AGREE),
        rng.choice(OTHER),
        f"One half of the hall has {answer // 2} {things}, and {answer // 2} * 2 = {answer}.",
        f"So the answer is {answer}.",
        rng.choice(SURE),
        f"Each row has {each}, and {answer} / {each} = {rows}.",
        rng.choice(AGREE),
        end or "I am confident about it.",
        f"Therefore, the answer is {answer}.",
    ]
    return _Hall(lines, str(answer), rows)


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


def relied_on(rng: random.Random, introduced: str, used: str, named: str) -> SeededCut:
    """A first attempt introduces something that the second attempt of the same method uses."""
    total = rng.randint(210, 990)
    lines = [
        "We count in two steps.",
        introduced,
        "This does not finish it yet.",
        used,
        f"So the answer is {total}.",
        f"The answer is {total}.",
    ]
    approaches = [(1, 3, OPEN, 0), (3, 5, CORRECT, 0)]
    return SeededCut(lines, approaches, [1, 2], "results_kept", named, conclusion=5, reference=str(total))


def value_used(rng: random.Random) -> SeededCut:
    a, b = rng.randint(12, 49), rng.randint(12, 49)
    things = rng.choice(THINGS)
    return relied_on(
        rng, f"The pairs are {a} * {b} = {a * b}.", f"Each of the {a * b} pairs has its {things}.", str(a * b)
    )


def short_value_used(rng: random.Random) -> SeededCut:
    letter, value = rng.choice("kmpqrs"), rng.randint(2, 9)
    since = rng.choice(["Since", "Because", "Given that", "We found that"])
    return relied_on(
        rng,
        f"The last column gives {letter} = {value}.",
        f"{since} {letter} = {value}, few are left.",
        f"{letter} = {value}",
    )


def symbol_used(rng: random.Random) -> SeededCut:
    letter, things = rng.choice("kmpqrsuvw"), rng.choice(THINGS)
    define = rng.choice(
        [
            f"Let {letter} be the number of {things}.",
            f"Denote the {things} by {letter}.",
            f"Call the count of {things} {letter}.",
        ]
    )
    return relied_on(rng, define, f"Then 2{letter} + 6 is even.", f"symbol '{letter}'")


def equation_used(rng: random.Random) -> SeededCut:
    label = rng.choice(["1", "2", "A", "*"])
    use = rng.choice(
        [f"From ({label}) we see that it is even.", f"Substituting into ({label}) leaves little."]
    )
    return relied_on(rng, f"The sides give 2u + v = w. ({label})", use, f"({label})")


def named_thing_used(rng: random.Random) -> SeededCut:
    noun = rng.choice(["Lemma", "Claim", "Equation", "Formula", "Method", "Condition", "Pattern"])
    label = rng.choice(["1", "2", "3"])
    return relied_on(
        rng,
        f"{noun} {label}: the sum of the rows is even.",
        f"By parity, {noun.lower()} {label} leaves half.",
        f"{noun.lower()} {label}",
    )


def figure_used(rng: random.Random) -> SeededCut:
    corners = rng.choice(["PQR", "XYZ", "KLM"])
    return relied_on(
        rng,
        f"Draw triangle {corners} inside the court.",
        f"The area of triangle {corners} is half of it.",
        f"triangle {corners}",
    )


def used_by_the_conclusion(rng: random.Random) -> SeededCut:
    made = hall(rng)
    value = 1000 + int(made.answer)
    made.lines[10] = f"With the stalls there are {made.answer} + 1000 = {value}."
    made.lines[15] = f"Without the stalls, the {value} shrink."
    return made.cut(range(9, 15), "results_kept", str(value))


def used_by_a_check(rng: random.Random) -> SeededCut:
    made = hall(rng)
    value = 2000 + int(made.answer)
    made.lines[7] = f"Without the stalls there are {made.answer} + 2000 = {value}."
    made.lines[13] = f"Both floors of the {value} have rows, and these are all."
    return made.cut([6, 7, 8], "results_kept", str(value))


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
    sentence_cut_through,
    doubt_left,
    question_left,
    conclusion_gone,
    settling_gone,
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


def second_solution_dropped(rng: random.Random) -> SeededCut:
    return hall(rng).cut(range(9, 15))


def second_check_dropped(rng: random.Random) -> SeededCut:
    return hall(rng, end=rng.choice(["Both methods agree.", "I am sure of it."])).cut([12, 13, 14])


def all_behind_the_answer_dropped(rng: random.Random) -> SeededCut:
    return hall(rng).cut(range(6, 15))


def behind_the_answer_dropped_with_its_claim(rng: random.Random) -> SeededCut:
    return hall(rng, end="Both methods agree.").cut(range(9, 16))


def repeated_attempt_dropped(rng: random.Random) -> SeededCut:
    made = hall(rng)
    lines = [
        made.lines[0],
        "Go through the rows one by one.",
        "That takes long.",
        *made.lines[1:9],
        *made.lines[15:],
    ]
    approaches = [(1, 3, OPEN, 0), (3, 8, CORRECT, 0)]
    return SeededCut(lines, approaches, [1, 2], "", "", [(8, 11, 1, 0)], (AFFIRMS,), 11, made.answer)


def loop_dropped(rng: random.Random) -> SeededCut:
    made = hall(rng)
    times = rng.randint(2, 6)
    lines = [*made.lines[:6], *[made.lines[5]] * times, *made.lines[15:]]
    loop = (6, 6 + times)
    return SeededCut(
        lines,
        [(1, 6, CORRECT, 0)],
        range(*loop),
        conclusion=loop[1],
        reference=made.answer,
        loops=(loop,),
    )


HARMLESS: tuple[Callable[[random.Random], SeededCut], ...] = (
    second_solution_dropped,
    second_check_dropped,
    all_behind_the_answer_dropped,
    behind_the_answer_dropped_with_its_claim,
    repeated_attempt_dropped,
    loop_dropped,
)
