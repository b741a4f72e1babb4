"""The language of STRUCTURE: ascending by construction, linear, and read as the parts of a trace."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import SectionKind, VerificationKind
from dlcot_ray.judging.model.questions.answers import is_in
from dlcot_ray.judging.model.questions.joining import owned_marks
from dlcot_ray.judging.model.questions.marks import (
    MAX_MARKS,
    Mark,
    read_structure,
    structure_language,
    write_structure,
)
from dlcot_ray.judging.model.windows import Window

S, V, C = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY, SectionKind.CONCLUSION
A, N = VerificationKind.AFFIRMATION, VerificationKind.NEGATION

marks = st.lists(
    st.tuples(
        st.integers(1, 599),
        st.sampled_from(list(SectionKind)),
        st.sampled_from(list(VerificationKind)),
        st.none() | st.integers(0, 20),
    ),
    max_size=MAX_MARKS - 2,
    unique_by=lambda mark: mark[0],
)


@given(marks)
@settings(max_examples=60, deadline=None)
def test_every_structure_can_be_said_and_is_read_back(
    drawn: list[tuple[int, SectionKind, VerificationKind, int | None]],
) -> None:
    said = [Mark(0, S)]
    for segment, kind, outcome, of in sorted(drawn):
        if kind is not C:
            said.append(Mark(segment, kind, outcome, of) if kind is V else Mark(segment, kind))
    said.append(Mark(599, C)) if said[-1].segment < 599 else None
    text = write_structure(said)
    language = structure_language(0, 600)
    assert is_in(language, text)
    assert len(text) <= language.max_chars
    assert read_structure(text) == tuple(said)


def test_no_answer_is_out_of_order_and_the_expression_is_linear() -> None:
    language = structure_language(0, 60)
    assert is_in(language, "1Q 2P 5S 10VA 13VN 17S 23VA1 49C")
    for wrong in ("1S 5VA 3S", "1S 5VA 5S", "2S", "1VA", "1S 61C", "1S 5V", "1S  5VA", "1S 05VA", "1S 5VA0"):
        assert not is_in(language, wrong)
    sizes = [len(structure_language(0, count).regex) for count in (100, 200, 400)]
    assert sizes[1] < 2.2 * sizes[0]
    assert sizes[2] < 2.2 * sizes[1]
    assert structure_language(0, 1).regex == "1S"
    re.compile(structure_language(0, 3000).regex)


def test_a_window_may_begin_with_anything() -> None:
    language = structure_language(20, 40)
    assert is_in(language, "21VA 30S")
    assert is_in(language, "21C")
    assert not is_in(language, "20S")


def test_a_conclusion_with_parts_behind_it_is_none() -> None:
    assert read_structure("1S 4C 6VA 9C") == (Mark(0, S), Mark(5, V, A), Mark(8, C))
    assert read_structure("21C 30S") == (Mark(20, S),)


def test_windows_are_joined_without_new_parts_at_their_seam() -> None:
    first, second = Window(0, 30, 0, 25), Window(20, 50, 25, 50)
    goes_on = owned_marks(
        [(first, (Mark(0, S), Mark(10, V, N), Mark(15, S))), (second, (Mark(20, S), Mark(40, V, A, 0)))]
    )
    assert goes_on == (Mark(0, S), Mark(10, V, N), Mark(15, S), Mark(40, V, A))
    turns = owned_marks([(first, (Mark(0, S),)), (second, (Mark(20, S), Mark(23, V, A), Mark(30, S)))])
    assert turns == (Mark(0, S), Mark(25, V, A), Mark(30, S))


def test_starts_are_kept_where_a_window_begins_one_behind_the_seam() -> None:
    first, second = Window(0, 30, 0, 25), Window(20, 50, 25, 50)
    joined = owned_marks([(first, (Mark(0, S),)), (second, (Mark(20, S), Mark(26, S)))])
    assert joined == (Mark(0, S), Mark(26, S))
    assert [pair[0].segment < pair[1].segment for pair in pairwise(joined)] == [True]
