"""Whole traces as a reader labels them: rows, every kind of figure, a second reader; all scored by hand."""

from __future__ import annotations

from typing import Any

import pytest

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    Case,
    ChecksCase,
    DroppedCase,
    LabelledApproach,
    LabelledCheck,
    SectionsCase,
)
from dlcot_ray.evaluation.dropping import Dropped, dropped_ranges, drops_of_policy
from dlcot_ray.evaluation.evaluate import Options, fitted, score_cases
from dlcot_ray.evaluation.kinds import approaches, dropped, sections, starts
from dlcot_ray.evaluation.rows import Context, LabelError
from dlcot_ray.evaluation.scores import Scores
from dlcot_ray.evaluation.second_reader import annotations_of, drops_of_reader, shared_cases
from dlcot_ray.evaluation.side_by_side import side_by_side
from dlcot_ray.evaluation.trace_labels import read_trace_labels
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.work.judging import minimal_annotation

QUIET: dict[str, Any] = {"rounds": 0, "seed": 0}
SEGMENTS = 10
OFFSETS = tuple(range(0, 10 * SEGMENTS + 1, 10))
TRACE = Trace("t", "p", "abcdefgh\n\n" * SEGMENTS, "7")
AFFIRMED, NEGATED, OPEN = VerificationKind.AFFIRMATION, VerificationKind.NEGATION, VerificationKind.CHECK
EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY
ROW: dict[str, Any] = {
    "id": "t",
    "annotator": "one",
    "segments": 10,
    "sections": [
        {"kind": "question_repeat", "start": 0, "stop": 1},
        {"kind": "solution_explore", "start": 1, "stop": 6},
        {"kind": "verify", "start": 6, "stop": 9},
        {"kind": "conclusion", "start": 9, "stop": 10},
    ],
    "approaches": [
        {"start": 1, "stop": 4, "label": "incorrect", "method": 1},
        {"start": 4, "stop": 6, "label": "correct", "method": 2},
    ],
    "verifications": [
        {"start": 6, "stop": 7, "kind": "affirmation", "approach": 1},
        {"start": 7, "stop": 9, "kind": "check", "approach": 1},
    ],
    "first_correct_segment": 5,
    "needed": [{"start": 2, "stop": 3}],
    "drop": [{"start": 7, "stop": 9}],
    "drop_chars": [{"start": 62, "stop": 65}],
    "second_methods": [{"start": 8, "stop": 9}],
}


def cases_of(**changed: Any) -> list[Case]:
    return list(read_trace_labels({**ROW, **changed}, 0, Context({"t": TRACE})))


def annotation(**given: Any) -> Annotation:
    known: dict[str, Any] = {
        "sections": (Section(EXPLORE, 0, SEGMENTS),),
        "approaches": (),
        "verifications": (),
        "first_correct_segment": None,
    }
    return Annotation(
        trace_id="t",
        fingerprint="f",
        judge="j",
        segment_offsets=OFFSETS,
        reference="7",
        reference_kind=ReferenceKind.GROUND_TRUTH,
        loops=(),
        truncated=False,
        steps=(),
        **{**known, **given},
    )


def approach(start: int, stop: int, cluster: int = 0) -> Approach:
    return Approach(start, stop, Label.CORRECT, Source.RULES, None, None, cluster)


def figures(scores: Scores, row: int = 0) -> dict[str, float]:
    return {metric.name: metric.value for metric in scores.tables[0].rows[row].metrics}


def test_a_row_gives_a_case_of_every_kind_that_it_labels() -> None:
    kinds = [type(case).__name__ for case in cases_of()]
    assert kinds == [
        "SegmentationCase",
        "SectionsCase",
        "ApproachesCase",
        "ChecksCase",
        "ArrivalCase",
        "DroppedCase",
    ]
    (drop,) = (case for case in cases_of() if isinstance(case, DroppedCase))
    assert drop.drop == ((70, 90), (62, 65))
    assert drop.needed == ((20, 30),)
    assert drop.second_methods == ((80, 90),)
    assert (drop.affirmations, drop.answered) == (((60, 70),), 60)


def test_null_labels_nothing_and_an_empty_list_says_that_there_is_none() -> None:
    nothing = dict.fromkeys(("sections", "verifications", "drop", "drop_chars"))
    found = cases_of(**nothing, approaches=[])
    assert [type(case).__name__ for case in found] == ["ApproachesCase", "ArrivalCase"]
    empty = cases_of(verifications=[], drop=[], drop_chars=None)
    assert {"ChecksCase", "DroppedCase"} <= {type(case).__name__ for case in empty}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"segments": 9}, "t was labelled in 9 segments, but has 10: label it again"),
        ({"drop": [{"start": 7}]}, "drop, entry 0, has no stop: give start and stop"),
        (
            {"drop": [{"start": 7, "stop": 11}]},
            "segments 7-11 do not exist in t, which has 10 (drop, entry 0)",
        ),
        ({"drop": [{"start": 7, "stop": "9"}]}, "stop of drop, entry 0, is '9': it has to be a whole number"),
        ({"needed": ["2-3"]}, "needed is no list of objects with start and stop"),
        (
            {"drop_chars": [{"start": 90, "stop": 101}]},
            "characters 90-101 (drop_chars, entry 0) lie outside t",
        ),
        (
            {"verifications": [{"start": 6, "stop": 7, "kind": "affirmed", "approach": 1}]},
            "verifications, entry 0, has the kind 'affirmed': did you mean 'affirmation'?",
        ),
        (
            {"verifications": [{"start": 6, "stop": 7, "kind": "check", "approach": 2}]},
            "verifications, entry 0 of t examines approach 2, but there are 2: count approaches from 0",
        ),
        (
            {"approaches": [{"start": 1, "stop": 4, "label": "wrong", "method": 1}]},
            "approaches, entry 0, has the label 'wrong': valid: correct, incomplete, incorrect",
        ),
        (
            {
                "sections": [
                    {"kind": "verify", "start": 0, "stop": 5},
                    {"kind": "verify", "start": 4, "stop": 9},
                ]
            },
            "sections 0-5 and 4-9 of t overlap: give each segment one section",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_one_sentence(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(LabelError) as caught:
        cases_of(**changed)
    assert says in str(caught.value)


def test_the_five_kinds_of_section_per_character() -> None:
    reader = (
        Section(SectionKind.QUESTION_REPEAT, 0, 2),
        Section(SectionKind.PROBLEM_UNDERSTAND, 2, 4),
        Section(EXPLORE, 4, 10),
    )
    judged = (Section(SectionKind.QUESTION_REPEAT, 0, 4), Section(EXPLORE, 4, 10))
    case = SectionsCase(TRACE, OFFSETS, reader)
    scores = sections.score([case], {"t": annotation(sections=judged)}, "j", **QUIET)
    # Agreement 0.8; by chance 0.2 * 0.4 + 0.6 * 0.6 = 0.44. In four classes the two would agree wholly.
    assert figures(scores)["agreement"] == pytest.approx(0.8)
    assert figures(scores)["kappa"] == pytest.approx(0.36 / 0.56)
    assert figures(scores)["f1_question_repeat"] == pytest.approx(2 / 3)
    assert figures(scores, 1)["kappa"] == pytest.approx(0)
    assert scores.notes == ("human>judge, share of the characters: problem_understand>question_repeat 20.0%",)
    (bad,) = scores.bad
    assert (bad.start, bad.stop) == (2, 4)
    assert "question_repeat, the human says problem_understand" in bad.what


def test_segments_that_a_reader_leaves_open_do_not_count() -> None:
    case = SectionsCase(TRACE, OFFSETS, (Section(VERIFY, 0, 2),))
    judged = annotation(sections=(Section(VERIFY, 0, 1), Section(EXPLORE, 1, 10)))
    assert figures(sections.score([case], {"t": judged}, "j", **QUIET))["agreement"] == pytest.approx(0.5)


def test_starts_of_approaches_exactly_and_within_a_segment() -> None:
    human = tuple(LabelledApproach(start, start + 1, None, None) for start in (0, 4, 8))
    judged = annotation(approaches=(approach(0, 3), approach(3, 6), approach(6, 10)))
    scores = starts.score_approaches([ApproachesCase(TRACE, human)], {"t": judged}, "j", **QUIET)
    found = figures(scores)
    assert [found["f1"], found["precision"], found["recall"]] == pytest.approx([1 / 3] * 3)
    assert [found["f1_within"], found["precision_within"]] == pytest.approx([2 / 3] * 2)
    assert figures(scores, 1)["recall"] == 1
    assert figures(scores, 1)["precision"] == pytest.approx(0.3)
    assert scores.bad[0].what == "missed 8; too many 6"
    nothing = starts.score_approaches([ApproachesCase(TRACE, ())], {"t": judged}, "j", **QUIET)
    assert figures(nothing)["precision"] == 0


def test_checks_and_their_kinds() -> None:
    human = (
        LabelledCheck(2, 3, AFFIRMED, 0),
        LabelledCheck(5, 6, NEGATED, 0),
        LabelledCheck(8, 9, OPEN, 0),
    )
    judged = annotation(
        verifications=(Verification(2, 3, AFFIRMED, 0, 0), Verification(6, 7, OPEN, 0, 1)),
    )
    case = ChecksCase(TRACE, human)
    found = figures(starts.score_checks([case], {"t": judged}, "j", **QUIET))
    assert [found["precision"], found["recall"]] == pytest.approx([1 / 2, 1 / 3])
    assert [found["precision_within"], found["recall_within"]] == pytest.approx([1, 2 / 3])
    scores = starts.score_kinds([case], {"t": judged}, "j", **QUIET)
    assert (scores.cases, figures(scores)["accuracy"], figures(scores)["accuracy_exact"]) == (2, 0.5, 1)
    assert scores.notes[0] == "human>judge: affirmation>affirmation 1, negation>check 1"
    assert scores.bad[0].what == "called check, the human says negation"


def test_only_approaches_that_the_judge_tells_apart_are_pairs_of_methods() -> None:
    human = tuple(LabelledApproach(start, start + 2, None, 1) for start in (0, 2, 4, 6))
    judged = annotation(approaches=(approach(0, 4, 0), approach(4, 6, 1)))
    scores = approaches.score_clusters([ApproachesCase(TRACE, human)], {"t": judged}, "j", **QUIET)
    # The first two lie in one approach, the last in none: two pairs are left, both kept apart.
    assert "2 wrongly kept apart" in scores.bad[0].what
    assert figures(scores)["pair_recall"] == 0


def test_dropped_text_against_a_reader() -> None:
    case = DroppedCase(
        TRACE, ((60, 100),), ((10, 20),), ((80, 100),), affirmations=((50, 60), (60, 70)), answered=50
    )
    scores = dropped.score([case], {"t": annotation()}, {"t": Dropped(((15, 20), (60, 80)), "enhanced")}, "j", **QUIET)  # fmt: skip
    found = figures(scores)
    assert [found["precision"], found["recall"]] == pytest.approx([20 / 25, 20 / 40])
    assert found["f1"] == found["mean_f1"] == pytest.approx(40 / 65)
    assert found["f1_second_methods_free"] == pytest.approx(40 / 45)
    assert (found["harm"], found["unharmed"], found["check_kept"]) == (5, 0, 1)
    assert [found["cut"], found["cut_by_reader"]] == pytest.approx([0.25, 0.4])
    assert "needed characters dropped: t (5)" in scores.notes
    (bad,) = scores.bad
    assert (bad.start, bad.stop) == (1, 2)
    assert bad.what.startswith("5 needed characters dropped; F1 0.62: the judge drops 25 characters")
    assert bad.what.endswith("(enhanced)")


def test_a_trace_that_neither_side_cuts_scores_one_and_a_lost_check_is_named() -> None:
    untouched = DroppedCase(TRACE, (), ())
    lost = DroppedCase(Trace("lost", "p", TRACE.reasoning), (), (), (), ((50, 60),))
    drops = {"t": Dropped(()), "lost": Dropped(((50, 60),))}
    judged = {"t": annotation(), "lost": annotation()}
    scores = dropped.score([untouched, lost], judged, drops, "j", **QUIET)
    assert figures(scores)["mean_f1"] == 0.5
    assert figures(scores)["check_kept"] == 0
    assert any(note.endswith("none left in: lost") for note in scores.notes)


def test_a_replaced_segment_drops_the_characters_that_its_new_text_lacks() -> None:
    text = "One. Two. Three.\n\nFour."
    script = (
        Edit(EditOp.REPLACE, 0, 1, "One. Three.\n\n", "seam"),
        Edit(EditOp.INSERT, 1, 1, "So", "bridge"),
        Edit(EditOp.DROP, 1, 2),
    )
    ranges = dropped_ranges(text, (0, 18, 23), script)
    assert sum(stop - start for start, stop in ranges) == len("Two. ") + len("Four.")
    assert ranges[-1] == (18, 23)


def test_a_long_replaced_segment_is_compared_by_sentences() -> None:
    sentences = [f"Step {number} takes {number} more stones. " for number in range(400)]
    text, left = "".join(sentences), "".join(s for n, s in enumerate(sentences) if n not in (3, 390))
    edit = (Edit(EditOp.REPLACE, 0, 1, left, "r"),)
    ranges = dropped_ranges(text, (0, len(text)), edit)
    assert sum(stop - start for start, stop in ranges) == len(sentences[3]) + len(sentences[390])
    blanks = "a. " * 9_000
    other = (Edit(EditOp.REPLACE, 0, 1, "b. " * 9_000, "r"),)
    assert dropped_ranges(blanks, (0, len(blanks)), other)[0][0] == 0


def test_a_reader_that_agrees_with_the_other_scores_one_everywhere() -> None:
    cases = cases_of()
    with AnswerChecker(timeout_seconds=60) as checker:
        scored = score_cases(
            cases,
            annotations_of(cases),
            "reader",
            drops=drops_of_reader(cases),
            comparer=None,
            checker=checker,
            options=Options(rounds=0),
        )
    told = {name: value for item in scored for name, value in item.headline().items()}
    for name in (
        "sections.kappa", "boundary.f1", "label.accuracy", "label.incorrect_found", "check.f1",
        "check_kind.accuracy_exact", "arrival.exact", "dropped.mean_f1", "dropped.unharmed",
    ):  # fmt: skip
        assert told[name] == 1, name


def test_two_readers_are_compared_on_what_both_labelled() -> None:
    other = cases_of(verifications=None, drop=None, drop_chars=None)
    shared = shared_cases(cases_of(), other)
    assert {type(case).__name__ for case in shared} == {
        "SegmentationCase",
        "SectionsCase",
        "ApproachesCase",
        "ArrivalCase",
    }
    assert not shared_cases(cases_of(), [])


def test_a_readers_structure_takes_the_rest_from_a_judge() -> None:
    read = annotations_of(cases_of(), {"t": annotation()})["t"]
    assert (read.reference, read.first_correct_segment) == ("7", 5)
    assert [a.label for a in read.approaches] == [Label.INCORRECT, Label.CORRECT]
    assert (read.approaches[1].answer, read.approaches[1].answer_segment) == ("7", 5)
    assert read.approaches[0].answer is None


def test_a_trace_that_could_not_be_judged_is_scored_as_not_annotated() -> None:
    failed = minimal_annotation(TRACE, "j", "judge_failed", "")
    cases = cases_of()
    annotations = fitted([TRACE], {"t": failed})
    with AnswerChecker(timeout_seconds=60) as checker:
        scored = score_cases(
            cases,
            annotations,
            "j",
            drops=drops_of_policy([TRACE], annotations, Options().policy),
            comparer=None,
            checker=checker,
            options=Options(rounds=0),
        )
    told = {name: value for item in scored for name, value in item.headline().items()}
    assert told["sections.agreement"] == 0.5
    assert told["label.accuracy"] == told["check.recall"] == told["dropped.mean_f1"] == 0
    assert fitted([TRACE], {"t": annotation()}) == {"t": annotation()}


def test_both_labellings_are_shown_in_segment_numbers() -> None:
    judged = annotation(
        approaches=(approach(1, 6),), verifications=(Verification(6, 9, OPEN, 0, 0),), first_correct_segment=4
    )
    drops = {"t": Dropped(((60, 90), (92, 95)), "enhanced")}
    text = side_by_side(cases_of(), {"t": judged}, drops)
    assert "## t, 10 segments" in text
    assert "| approaches | 1-4 incorrect m1, 4-6 correct m2 | 1-6 correct m0 |" in text
    assert "| checks | 6-7 affirmation, 7-9 check | 6-9 check |" in text
    assert "| first correct | 5 | 4 |" in text
    assert "| dropped | characters 62-65, 7-9 | 6-9, characters 92-95 |" in text
    assert "| needed | 2-3 | - |\n| outcome | - | enhanced |" in text
    assert "abc" not in text
    assert side_by_side([], {}, {}) == ""
