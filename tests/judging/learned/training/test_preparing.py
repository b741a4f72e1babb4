"""From labels to what is learned: only what the labels can tell."""

from __future__ import annotations

import pytest

pytest.importorskip("scipy")

from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.learned.results import Results
from dlcot_ray.judging.learned.states import APPROACH, CHECK, CONCLUSION
from dlcot_ray.judging.learned.training.preparing import Labelled, prepare

TRACE = Trace("t", "What is 6 * 7?", "It is 6 * 7 = 42.\n\nI check: 42 / 7 = 6.\n\nThe answer is 42.", "42")
RESULTS = Results(first=2, ends=((0, 0), (2, 0)))


def test_labels_of_the_whole_trace_teach_results() -> None:
    (made,) = prepare([Labelled(TRACE, (APPROACH, CHECK, CONCLUSION), results=RESULTS)])
    assert made is not None
    assert made.rows.results == RESULTS


def test_labels_of_the_first_segments_alone_teach_structure_only() -> None:
    (made,) = prepare([Labelled(TRACE, (APPROACH, CHECK), results=RESULTS)])
    assert made is not None
    assert made.rows.states == (APPROACH, CHECK)
    assert made.rows.results is None
