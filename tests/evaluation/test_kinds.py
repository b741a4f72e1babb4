"""Every kind on cases small enough to score by hand, and on the human sets whose figures are known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    ErrorKind,
    ErrorSpan,
    Label,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
)
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    EquivalenceCase,
    FirstErrorCase,
    LabelledApproach,
    MethodPairCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.kinds import approaches, arrival, equivalence, first_error, methods, segmentation
from dlcot_ray.evaluation.layouts import layout_of, read_rows
from dlcot_ray.evaluation.rows import Context
from dlcot_ray.evaluation.scores import Row, Scores
from dlcot_ray.judging.equivalence import AnswerChecker

QUIET: dict[str, Any] = {"rounds": 0, "seed": 0}
UNIT = "abcdefgh\n\n"


def annotation(trace: Trace, segments: int, **given: Any) -> Annotation:
    """Segments of ten characters, all of them explored."""
    known: dict[str, Any] = {
        "sections": (Section(SectionKind.SOLUTION_EXPLORE, 0, segments),),
        "approaches": (),
        "first_correct_segment": None,
    }
    return Annotation(
        trace_id=trace.trace_id,
        fingerprint="f",
        judge="j",
        segment_offsets=tuple(range(0, 10 * segments + 1, 10)),
        verifications=(),
        reference=None,
        reference_kind=ReferenceKind.NONE,
        loops=(),
        truncated=False,
        steps=(),
        **{**known, **given},
    )


def approach(
    start: int, stop: int, label: Label = Label.CORRECT, cluster: int = 0, *errors: ErrorSpan
) -> Approach:
    return Approach(start, stop, label, Source.EVIDENCE, None, None, cluster, errors)


def trace(segments: int, name: str = "t") -> Trace:
    return Trace(name, "p", UNIT * segments, "7")


def figures(scores: Scores, name: str | None = None) -> dict[str, float]:
    rows = scores.tables[0].rows
    row: Row = rows[0] if name is None else next(row for row in rows if row.name == name)
    return {metric.name: metric.value for metric in row.metrics}


def test_sections_by_character() -> None:
    t = trace(10)
    case = SegmentationCase(t, "a", ((0, 20, "setup"), (20, 58, "explore"), (60, 100, "verify")))
    sections = (
        Section(SectionKind.QUESTION_REPEAT, 0, 1),
        Section(SectionKind.PROBLEM_UNDERSTAND, 1, 2),
        Section(SectionKind.SOLUTION_EXPLORE, 2, 8),
        Section(SectionKind.VERIFY, 8, 10),
    )
    scores = segmentation.score([case], {"t": annotation(t, 10, sections=sections)}, "j", **QUIET)
    found = figures(scores)
    assert found["agreement"] == pytest.approx(0.8)
    assert found["kappa"] == pytest.approx((0.8 - 0.36) / (1 - 0.36))
    assert found["kappa_setup"] == pytest.approx(1)
    assert found["f1_verify"] == pytest.approx(2 * 20 / 60)
    assert math.isnan(found["f1_conclusion"])
    # Sections begin at 20 and 60 for the human, at 20 and 80 for the judge.
    assert (found["section_precision"], found["section_recall"]) == (0.5, 0.5)
    assert [found["segment_precision"], found["segment_recall"]] == pytest.approx([2 / 9, 1])
    assert figures(scores, "explore everywhere")["kappa"] == pytest.approx(0)
    (bad,) = scores.bad
    assert (bad.start, bad.stop) == (6, 8)
    assert "explore, the human says verify" in bad.what


def test_a_judge_that_agrees_with_the_human_scores_one() -> None:
    t = trace(4)
    case = SegmentationCase(t, "a", ((0, 20, "explore"), (20, 40, "verify")))
    sections = (Section(SectionKind.SOLUTION_EXPLORE, 0, 2), Section(SectionKind.VERIFY, 2, 4))
    scores = segmentation.score([case], {"t": annotation(t, 4, sections=sections)}, "j", **QUIET)
    found = figures(scores)
    assert found["kappa"] == found["section_f1"] == 1
    assert found["window_diff"] == found["pk"] == 0
    assert not scores.bad


def error(at: int, source: Source = Source.EVIDENCE) -> ErrorSpan:
    return ErrorSpan(ErrorKind.CALCULATION, at // 10, at // 10 + 1, at, at + 3, source)


def steps_case(name: str, first: int | None, *errors: ErrorSpan) -> tuple[FirstErrorCase, Annotation]:
    t = trace(4, name)
    case = FirstErrorCase(t, ("abcdefgh",) * 4, (0, 10, 20, 30), first)
    return case, annotation(t, 4, approaches=(approach(0, 4, Label.CORRECT, 0, *errors),))


def test_first_errors_as_processbench_counts_them() -> None:
    made = [
        steps_case("hit", 1, error(12), error(31)),
        steps_case("early", 2, error(1)),
        steps_case("late", 0, error(25)),
        steps_case("missed", 3),
        steps_case("clean", None),
        steps_case("false alarm", None, error(5)),
        steps_case("opinion", None, error(5, Source.MODEL)),
        steps_case("clean too", None),
    ]
    cases, judged = [c for c, _ in made], {a.trace_id: a for _, a in made}
    scores = first_error.score(cases, judged, "j", **QUIET)
    found = figures(scores)
    assert found["accuracy_wrong"] == 0.25
    assert found["accuracy_correct"] == 0.5
    assert found["f1"] == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert found["wrong_noticed"] == 0.75
    # Counted as true: step 1 of "hit". As false: "early", "false alarm". Behind the first error: 31 of "hit", "late".
    assert [found["alarms"], found["alarm_precision"]] == pytest.approx([3, 1 / 3])
    assert scores.notes[0].startswith("2 computed alarms")
    assert [b.case for b in scores.bad[:3]] == ["early", "false alarm", "opinion"]
    assert figures(scores, "no error anywhere")["f1"] == 0


def test_methods_by_whole_traces_and_by_similarity() -> None:
    def pair(name: str, same: bool, clusters: tuple[int, ...]) -> tuple[MethodPairCase, Annotation]:
        t = trace(4, name)
        case = MethodPairCase(t, "one", "other", 20, same, "human", name)
        parts = {1: [(0, 4)], 2: [(0, 2), (2, 4)]}[len(clusters)]
        found = tuple(approach(a, b, Label.CORRECT, c) for (a, b), c in zip(parts, clusters, strict=True))
        return case, annotation(t, 4, approaches=found)

    made = [
        pair("apart", False, (0, 1)),
        pair("merged by mistake", False, (0, 0)),
        pair("merged", True, (0, 0)),
        pair("one approach", True, (0,)),
        pair("kept by mistake", True, (0, 1)),
    ]
    cases, judged = [c for c, _ in made], {a.trace_id: a for _, a in made}

    class Comparer:
        same_method = 0.5

        def method_similarity(self, problem: str, first: str, second: str) -> float:
            return 0.6

    found = figures(methods.score(cases, judged, "j", None, **QUIET))
    assert [found["apart"], found["merged"]] == pytest.approx([0.5, 2 / 3])
    scores = methods.score(cases, judged, "j", Comparer(), **QUIET)
    assert figures(scores)["merged"] == 1
    assert figures(scores)["apart"] == 0
    curve = {point["bar"]: point for point in scores.curves["threshold"]}
    assert (curve[0.6]["apart"], curve[0.6]["merged"]) == (0, 1)
    assert (curve[0.62]["apart"], curve[0.62]["merged"]) == (1, 0)


def test_arrival_within_a_segment() -> None:
    truths_and_found = [(3, 3), (3, 4), (3, 1), (3, None), (None, 2), (None, None)]
    cases, judged = [], {}
    for index, (truth, segment) in enumerate(truths_and_found):
        t = trace(6, str(index))
        cases.append(ArrivalCase(t, truth))
        judged[t.trace_id] = annotation(t, 6, first_correct_segment=segment)
    found = figures(arrival.score(cases, judged, "j", **QUIET))
    assert found["exact"] == pytest.approx(2 / 6)
    assert found["within"] == pytest.approx(3 / 6)
    for name in ("early", "missed", "invented"):
        assert found[name] == pytest.approx(1 / 6)
    assert found["late"] == 0


def test_labels_and_clusters_of_approaches() -> None:
    t = trace(10)
    human = (
        LabelledApproach(0, 4, Label.INCORRECT, 0),
        LabelledApproach(4, 7, Label.CORRECT, 1),
        LabelledApproach(7, 10, Label.CORRECT, 0),
    )
    judged = annotation(
        t,
        10,
        approaches=(
            approach(0, 5, Label.INCORRECT, 0),
            approach(5, 7, Label.CORRECT, 1),
            approach(7, 10, Label.INCOMPLETE, 1),
        ),
    )
    case = ApproachesCase(t, human)
    scores = approaches.score_labels([case], {"t": judged}, "j", **QUIET)
    assert figures(scores)["accuracy"] == pytest.approx(2 / 3)
    assert scores.notes == ("human>judge: correct>correct 1, correct>incomplete 1, incorrect>incorrect 1",)
    assert [(b.start, b.stop) for b in scores.bad] == [(7, 10)]
    found = figures(approaches.score_clusters([case], {"t": judged}, "j", **QUIET))
    assert found["pair_f1"] == 0
    assert found["kept_apart"] == pytest.approx(1 / 2)
    assert 0 < found["v"] < 1


def test_answers_and_pairs_that_contradict_each_other() -> None:
    cases = [
        EquivalenceCase("1", "1/2", "0.5", True),
        EquivalenceCase("2", "x+1", "1+x", True),
        EquivalenceCase("3", "3", "4", True),
        EquivalenceCase("4", "4", "3", False),
        EquivalenceCase("5", "2", "5", False),
    ]
    with AnswerChecker(timeout_seconds=60) as checker:
        scores = equivalence.score(cases, checker, **QUIET)
    assert figures(scores)["accuracy"] == pytest.approx(4 / 5)
    assert figures(scores)["timeouts"] == 0
    assert figures(scores)["certain_wrong"] == 1
    assert scores.notes[0].endswith("3 and 4")
    assert [b.case for b in scores.bad] == ["3"]


def test_the_human_set_gives_its_known_figures(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "labels" / "segmentation_rt_seg_dev.parquet")
    found, bad = read_rows(layout_of(table.column_names), table.to_pylist(), Context())
    cases: Any = found
    assert not bad
    nothing = {
        c.trace.trace_id: Annotation(
            c.trace.trace_id, "", "j", (0, len(c.trace.reasoning)), (Section(SectionKind.SOLUTION_EXPLORE, 0, 1),),
            (), (), None, ReferenceKind.NONE, None, (), False, (),
        )
        for c in cases
    }  # fmt: skip
    scores = segmentation.score(cases, nothing, "j", **QUIET)
    human, plain = figures(scores, "another human"), figures(scores, "explore everywhere")
    assert (round(human["agreement"], 2), round(human["kappa"], 2)) == (0.84, 0.38)
    assert round(plain["agreement"], 2) == 0.86
    assert plain["kappa"] == figures(scores)["kappa"] == pytest.approx(0)
    assert figures(scores, "sentences")["segment_f1"] == pytest.approx(0.72, abs=0.03)
