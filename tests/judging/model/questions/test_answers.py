"""Languages of answers: exact bounds, bounded length, and a reading of everything they allow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import ErrorKind, Label
from dlcot_ray.judging.model.questions import answers
from dlcot_ray.judging.model.questions.answers import BEFORE, LabelAnswer, Language, NamedError, is_in

bounds = st.integers(1, 3000).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, low + 2000)))
ranges = st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True).map(
    lambda cuts: [(a, b) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False)]
)


@given(bounds)
@settings(max_examples=60, deadline=None)
def test_a_number_regex_holds_exactly_its_numbers(bound: tuple[int, int]) -> None:
    low, high = bound
    pattern = re.compile(answers.number_regex(low, high))
    for number in {0, 1, low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1, high * 10}:
        assert bool(pattern.fullmatch(str(number))) == (low <= number <= high), number
    assert not pattern.fullmatch(f"0{low}")


def reads(language: Language, read: Callable[[str], Any], data: st.DataObject) -> Any:
    """What a drawn member of the language reads as."""
    text = data.draw(st.from_regex(language.regex, fullmatch=True))
    assert is_in(language, text)
    return read(text)


@given(ranges, st.data())
@settings(max_examples=80, deadline=None)
def test_every_answer_about_ranges_reads_as_segments_within_them(spans: Any, data: st.DataObject) -> None:
    inside = {segment for start, stop in spans for segment in range(start, stop)}
    errors = [error.segment for error in reads(answers.errors_language(spans), answers.read_errors, data)]
    assert set(errors) <= inside
    assert errors == sorted(errors)
    segment = reads(answers.completion_language(spans), answers.read_completion, data)
    assert segment in {None, BEFORE, *inside}
    items = dict(enumerate(spans, 1))
    labels = reads(answers.labels_language(items), answers.read_labels, data)
    assert labels.keys() == items.keys()
    for item, said in labels.items():
        assert said.segment is None or said.segment in range(*items[item])


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
    assert answers.read_labels("1:I22 2:C40 3:N 4:U") == {
        1: LabelAnswer(Label.INCORRECT, 21),
        2: LabelAnswer(Label.CORRECT, 39),
        3: LabelAnswer(Label.INCOMPLETE),
        4: LabelAnswer(Label.UNKNOWN),
    }
    assert answers.read_errors("E: 17Ku 23DfKu") == (
        NamedError(16, ErrorKind.CALCULATION, False),
        NamedError(22, ErrorKind.DERIVATION, True),
        NamedError(22, ErrorKind.CALCULATION, False),
    )
    assert answers.read_errors("E:") == ()
    assert answers.read_clusters("1:1 2:1 3:3") == {1: 1, 2: 1, 3: 3}
    assert [answers.read_completion(text) for text in ("0", "B", "7")] == [None, BEFORE, 6]


def test_as_many_errors_may_be_named_as_a_reader_found_in_one_trace() -> None:
    language = answers.errors_language([(0, 60)])
    answer = "E:" + "".join(f" {segment}Ku" for segment in range(1, 38))
    assert is_in(language, answer)
    assert len(answer) <= language.max_chars
