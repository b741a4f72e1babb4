"""The states of the chain: the role of a segment, and which role may follow which.

A path through these states is a structure: sections, where approaches begin, where checks begin. Only legal
ones have a path: the task first, then work, then looks at it, the conclusion last; whatever opens a check
comes behind work, and every trace works on something.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import numpy as np

from dlcot_ray.core.annotation import Section, SectionKind
from dlcot_ray.judging.learned.arrays import Bools
from dlcot_ray.judging.rules.runs import Run

TASK, UNDERSTAND, APPROACH, WORK, CHECK, LOOK, CONCLUSION = range(7)
"""The states. APPROACH and CHECK open one; WORK and LOOK go on with it."""

COUNT = 7

SECTION_OF = (
    SectionKind.QUESTION_REPEAT,
    SectionKind.PROBLEM_UNDERSTAND,
    SectionKind.SOLUTION_EXPLORE,
    SectionKind.SOLUTION_EXPLORE,
    SectionKind.VERIFY,
    SectionKind.VERIFY,
    SectionKind.CONCLUSION,
)
"""State -> the section that a segment in it belongs to."""

_OPENS = {
    SectionKind.QUESTION_REPEAT: TASK,
    SectionKind.PROBLEM_UNDERSTAND: UNDERSTAND,
    SectionKind.SOLUTION_EXPLORE: APPROACH,
    SectionKind.VERIFY: CHECK,
    SectionKind.CONCLUSION: CONCLUSION,
}
_GOES_ON = {APPROACH: WORK, CHECK: LOOK}

_AFTER = {
    TASK: (TASK, UNDERSTAND, APPROACH),
    UNDERSTAND: (UNDERSTAND, APPROACH),
    APPROACH: (APPROACH, WORK, CHECK, CONCLUSION),
    WORK: (APPROACH, WORK, CHECK, CONCLUSION),
    CHECK: (APPROACH, CHECK, LOOK, CONCLUSION),
    LOOK: (APPROACH, CHECK, LOOK, CONCLUSION),
    CONCLUSION: (CONCLUSION,),
}


def _mask(states: Sequence[int]) -> Bools:
    mask = np.zeros(COUNT, dtype=np.bool_)
    mask[list(states)] = True
    return mask


MAY_FOLLOW: Bools = np.stack([_mask(_AFTER[state]) for state in range(COUNT)])
"""`MAY_FOLLOW[a, b]`: state b may come directly behind state a."""

MAY_START: Bools = _mask((TASK, UNDERSTAND, APPROACH))
MAY_END: Bools = _mask((APPROACH, WORK, CHECK, LOOK, CONCLUSION))


def states_of(runs: Sequence[Run]) -> list[int]:
    """The path of a structure; every run of exploration is an approach, every run of verification a check."""
    path: list[int] = []
    for run in runs:
        opens = _OPENS[run.kind]
        path.append(opens)
        path.extend([_GOES_ON.get(opens, opens)] * (run.stop - run.start - 1))
    return path


def runs_of(path: Sequence[int]) -> list[Run]:
    """The runs of a legal path, in order; they partition its segments."""
    starts = [
        i
        for i, state in enumerate(path)
        if state in (APPROACH, CHECK) or not i or SECTION_OF[state] is not SECTION_OF[path[i - 1]]
    ]
    return [
        Run(SECTION_OF[path[start]], start, stop)
        for start, stop in zip(starts, [*starts[1:], len(path)], strict=True)
    ]


_HEAD = (SectionKind.QUESTION_REPEAT, SectionKind.PROBLEM_UNDERSTAND)


def path_of_labels(
    sections: Sequence[Section], approaches: Collection[int], checks: Collection[int]
) -> list[int] | None:
    """The path of a labelled structure, or None where it has no legal one.

    Args:
        sections: from segment 0 on without gaps; they may end before the trace does.
        approaches, checks: segments in which one begins.
    """
    opens = {SectionKind.SOLUTION_EXPLORE: approaches, SectionKind.VERIFY: checks}
    runs: list[Run] = []
    rank = stop = 0
    for section in sections:
        if section.start != stop:
            return None
        kind, stop = section.kind, section.stop
        # The task said or understood again in the midst of the work is part of the work.
        here = _HEAD.index(kind) if kind in _HEAD else len(_HEAD)
        if here < rank:
            kind = SectionKind.SOLUTION_EXPLORE
        rank = max(rank, here)
        inside = (i for i in range(section.start + 1, stop) if i in opens.get(kind, ()))
        cuts = [section.start, *inside, stop]
        runs += [Run(kind, one, other) for one, other in itertools.pairwise(cuts)]
    path = states_of(runs)
    legal = all(MAY_FOLLOW[one, other] for one, other in itertools.pairwise(path))
    return path if path and legal and MAY_START[path[0]] else None
