"""Languages of answers: exact bounds, bounded length, and a reading of everything they allow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import ErrorKind, Label, SectionKind, VerificationKind
from dlcot_ray.judging.model.questions import answers
from dlcot_ray.judging.model.questions.answers import AnswerInvalid, Language, is_in, number_regex

bounds = st.integers(1, 3000).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, low + 2000)))
ranges = st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True).map(
    lambda cuts: [(a, b) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)]
)


@given(bounds)
@settings(max_examples=60, deadline=None)
def test_a_number_regex_holds_exactly_its_numbers(bound: tuple[int, int]) -> None:
    low, high = bound
    pattern = re.compile(number_regex(low, high))
    for number in {0, 1, low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1, high * 10}:
        assert bool(pattern.fullmatch(str(number))) == (low <= number <= high), number
    assert not pattern.fullmatch(f"0{low}")


def reads(language: Language, read: Callable[[str], Any], data: st.DataObject) -> Any:
    """What a drawn member of the language reads as; None where it is out of order."""
    text = data.draw(st.from_regex(language.regex, fullmatch=True))
    assert is_in(language, text)
    assert len(text) <= language.max_chars
    try:
        return read(text)
    except AnswerInvalid:
        return None


@given(ranges, st.data())
@settings(max_examples=80, deadline=None)
def test_every_answer_about_ranges_reads_as_segments_within_them(spans: Any, data: st.DataObject) -> None:
    inside = {segment for start, stop in spans for segment in range(start, stop)}
    letters = "".join(answers.CHECK_LETTERS)
    starts = reads(answers.starts_language(spans), answers.read_starts, data)
    checks = reads(answers.starts_language(spans, 24, letters), answers.read_checks, data)
    errors = reads(answers.errors_language(spans), answers.read_errors, data)
    segment = reads(answers.segment_language(spans), answers.read_segment, data)
    for segments in (starts or (), [c[0] for c in checks or ()], [e[0] for e in errors or ()]):
        assert set(segments) <= inside
        assert list(segments) == sorted(set(segments))
    assert segment is None or segment in inside


@given(st.one_of(st.just(0), st.integers(0, 500)), st.integers(1, 400), st.data())
@settings(max_examples=80, deadline=None)
def test_sections_begin_at_the_window_and_conclude_last(start: int, size: int, data: st.DataObject) -> None:
    sections = reads(answers.sections_language(start, start + size), answers.read_sections, data)
    if sections is not None:
        assert sections[0][0] == start
        assert all(start <= segment < start + size for segment, _ in sections)
        kinds = [kind for _, kind in sections]
        assert SectionKind.CONCLUSION not in kinds[:-1]
        if start == 0:
            assert SectionKind.SOLUTION_EXPLORE in kinds
        assert not {SectionKind.QUESTION_REPEAT, SectionKind.PROBLEM_UNDERSTAND} & {*kinds[2:]}
        assert all(one is not other for one, other in itertools.pairwise(kinds))


@given(st.integers(1, 30), st.integers(1, 15), st.data())
@settings(max_examples=60, deadline=None)
def test_each_cluster_item_resolves_to_the_earliest_of_its_method(
    first: int, size: int, data: st.DataObject
) -> None:
    items = list(range(first + 1, first + 1 + size))
    found = reads(answers.clusters_language(items, [1, first]), answers.read_clusters, data)
    assert list(found) == items
    for item, root in found.items():
        assert root <= item
        assert found.get(root, root) == root


def test_the_forms_that_the_prompts_show_are_read() -> None:
    assert answers.read_sections("1Q 3P 5S 40V 44S 51C")[3] == (39, SectionKind.VERIFY)
    assert answers.read_starts("5 44") == (4, 43)
    assert answers.read_checks("40A 42N") == (
        (39, VerificationKind.AFFIRMATION),
        (41, VerificationKind.NEGATION),
    )
    assert answers.read_labels("1:C 2:N") == {1: Label.CORRECT, 2: Label.INCOMPLETE}
    assert answers.read_errors("17Ku 23Df") == (
        (16, ErrorKind.CALCULATION, False),
        (22, ErrorKind.DERIVATION, True),
    )
    assert answers.read_clusters("1:1 2:1 3:3") == {1: 1, 2: 1, 3: 3}
    assert [answers.read_starts("0"), answers.read_checks("0"), answers.read_errors("0")] == [(), (), ()]


@pytest.mark.parametrize("text", ["5 5", "7 3", "1 2 2"])
def test_segments_out_of_order_are_an_invalid_answer(text: str) -> None:
    with pytest.raises(AnswerInvalid, match=r"segment \d is named after segment \d"):
        answers.read_starts(text)


def test_a_label_must_be_one_of_the_offered_letters() -> None:
    language = answers.labels_language({1: "IN", 3: "CIN"})
    assert is_in(language, "1:I 3:C")
    assert not is_in(language, "1:C 3:C")
    assert not is_in(language, "1:I 2:C 3:C")
