"""Labelled structures as paths of states."""

from __future__ import annotations

from dlcot_ray.core.annotation import Section, SectionKind
from dlcot_ray.judging.learned.states import (
    APPROACH,
    CHECK,
    CONCLUSION,
    LOOK,
    TASK,
    UNDERSTAND,
    WORK,
    path_of_labels,
)

TASK_KIND, UNDERSTAND_KIND, EXPLORE, VERIFY, CONCLUDE = SectionKind


def test_sections_are_cut_where_approaches_and_checks_begin() -> None:
    sections = [
        Section(TASK_KIND, 0, 1),
        Section(EXPLORE, 1, 4),
        Section(VERIFY, 4, 7),
        Section(CONCLUDE, 7, 8),
    ]
    path = path_of_labels(sections, {1, 3}, {4, 6})
    assert path == [TASK, APPROACH, WORK, APPROACH, CHECK, LOOK, CHECK, CONCLUSION]


def test_the_task_said_again_in_the_work_is_work() -> None:
    sections = [Section(UNDERSTAND_KIND, 0, 1), Section(EXPLORE, 1, 2), Section(TASK_KIND, 2, 4)]
    assert path_of_labels(sections, {1}, set()) == [UNDERSTAND, APPROACH, APPROACH, WORK]


def test_labels_without_a_legal_path_have_none() -> None:
    assert path_of_labels([Section(TASK_KIND, 0, 1), Section(VERIFY, 1, 2)], set(), {1}) is None
    assert path_of_labels([Section(EXPLORE, 0, 1), Section(EXPLORE, 2, 3)], {0}, set()) is None
    assert path_of_labels([], set(), set()) is None
