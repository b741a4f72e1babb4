"""Several answers to STRUCTURE: what they make together, and how far they agree."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.judging.model.questions.answers import is_in
from dlcot_ray.judging.model.questions.marks import read_structure, structure_language, write_structure
from dlcot_ray.judging.model.questions.voting import LONE, elected
from tests.support.scripted import random_member


def vote(*answers: str) -> str:
    made, _ = elected([read_structure(answer) for answer in answers])
    return write_structure(made)


@pytest.mark.parametrize(
    ("answers", "made"),
    [
        (("1Q 2S 9VA 12C", "1Q 2S 9VA 12C", "1S 5S"), "1Q 2S 9VA 12C"),
        # Each segment has the kind that most see there.
        (("1S 10VA 14S", "1S 11VA 14S", "1S 12VA 15S"), "1S 11VA 14S"),
        # Another part of the same kind opens once most have opened one.
        (("1S 20S", "1S 21S", "1S 22S"), "1S 21S"),
        (("1S 20S", "1S", "1S"), "1S"),
        (("1S 5S 20S", "1S 20S", "1S 5S 21S"), "1S 5S 20S"),
        # How a check ends, also where answers open it a little later.
        (("1S 10VA", "1S 10VN", "1S 12VN"), "1S 10VN"),
        (("1S 30VN 33VA", "1S 30VN 34VA", "1S 30VN 35VA"), "1S 30VN 34VA"),
        # Without a majority the first answer decides.
        (("1S 5VA", "1S 5P", "1S 5S"), "1S 5VA"),
        (("1S 5S 9VK", "1S 9VA"), "1S 5S 9VK"),
        (("1S 9VA", "1S 5S 9VK"), "1S 9VA"),
        (("1Q 3S", "1P 3S", "1S"), "1Q 3S"),
        # An approach that a check examines is the same one, whatever its number in an answer.
        (("1S 5S 9S 12VA2", "1S 9S 12VA1", "1S 5S 9S 12VA2"), "1S 5S 9S 12VA2"),
        (("1S 5S 9S 12VA2", "1S 5S 12VA", "1S 3P 5S 9S 12VA2"), "1S 5S 9S 12VA2"),
        (("1S 2S 5S 9S 12VA3", "1S 5S 9S 12VA2", "1S 5S 9S 12VA2"), "1S 5S 9S 12VA2"),
    ],
)
def test_answers_are_joined_segment_by_segment(answers: tuple[str, ...], made: str) -> None:
    assert vote(*answers) == made


def test_the_agreement_is_the_mean_f1_of_openings() -> None:
    same, other = read_structure("1Q 2S 9VA"), read_structure("1Q 2S 6S 9VA")
    assert elected([same] * 3) == (same, 1.0)
    structure, agreement = elected([same, other, same])
    assert structure == same
    assert agreement == pytest.approx((1 + 6 / 7 + 1) / 3)
    assert elected([same, same, read_structure("1Q 2S 9VN")])[1] == pytest.approx((1 + 1 + 4 / 6) / 3)
    assert elected([same, other])[1] == pytest.approx((1 + 6 / 7) / 2)
    assert elected([other]) == (other, LONE)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.sampled_from([0, 20]))
@settings(max_examples=150, deadline=None)
def test_any_answers_make_a_legal_one(seed: int, count: int, votes: int, start: int) -> None:
    rng = random.Random(seed)
    language = structure_language(start, start + count)
    said = [read_structure(random_member(language.regex, rng)) for _ in range(votes)]
    made, agreement = elected(said)
    assert is_in(language, write_structure(made))
    assert read_structure(write_structure(made)) == made
    assert 0 <= agreement <= 1


@given(st.integers(0, 2**32), st.integers(1, 40), st.permutations([0, 0, 0, 1, 2]))
@settings(max_examples=150, deadline=None)
def test_what_more_than_half_say_stands_whoever_says_it_first(
    seed: int, count: int, order: list[int]
) -> None:
    rng = random.Random(seed)
    language = structure_language(0, count)
    said = [read_structure(random_member(language.regex, rng)) for _ in range(3)]
    made, _ = elected([said[number] for number in order])
    openings = [(mark.segment, mark.kind, mark.outcome) for mark in made]
    assert openings == [(mark.segment, mark.kind, mark.outcome) for mark in said[0]]
