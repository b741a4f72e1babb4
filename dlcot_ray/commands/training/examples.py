"""The examples to learn from: labelled traces, whoever labelled them, as the cases of an evaluation.

In: outputs of a job, label files, and the traces. Out: one example a trace, in a fixed order, and its part:
trained on, held back to stop early and to calibrate, or held out for the report. All traces of one problem
are in one part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dlcot_ray.commands.labelled import labelled_traces
from dlcot_ray.config.training_settings import TrainJudgeConfig
from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    ChecksCase,
    DroppedCase,
    EquivalenceCase,
    LabelledApproach,
    LabelledCheck,
    SectionsCase,
)
from dlcot_ray.inputs.label_files import read_sets
from dlcot_ray.judging.learned.results import LABELS, Results
from dlcot_ray.judging.learned.states import path_of_labels
from dlcot_ray.judging.learned.training.preparing import Labelled
from dlcot_ray.outputs.layout import ANNOTATIONS
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import read_parquet
from dlcot_ray.storage.urls import absolute

HELD_BACK = 0.1
"""Share of the problems that decide when to stop."""


class Part(StrEnum):
    """What an example is for."""

    TRAINED_ON = "trained_on"
    HELD_BACK = "held_back"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled trace: the path to learn, and everything that its labels say."""

    labelled: Labelled
    cases: tuple[Case, ...]
    part: Part


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples, and what could not be used, in one sentence each."""

    items: tuple[Example, ...]
    left_out: tuple[str, ...]

    def of(self, part: Part) -> list[Example]:
        """The examples of one part."""
        return [item for item in self.items if item.part is part]


def read_examples(config: TrainJudgeConfig) -> Examples:
    """Read the traces, the annotations and the labels.

    Raises:
        JobError: a place cannot be read, or there is no usable example.
    """
    traces = labelled_traces(
        [absolute(place) for place in _listed(config.traces)], config.dataset, _input(config)
    )
    if not traces:
        raise JobError("there are no traces", "check traces=")
    left_out: list[str] = []
    found: dict[str, list[Case]] = {}
    for place in _listed(config.annotations):
        _add(found, _annotated(place, traces, config, left_out))
    if config.labels:
        places = [absolute(place) for place in _listed(config.labels)]
        sets, unread = read_sets(places, traces, _input(config), None, "labels")
        left_out += unread
        _add(found, (case for item in sets for case in item.cases))
    chosen = sorted(found, key=_place)[: config.limit]
    items = [_example(traces[name], found[name], config.held_out) for name in sorted(chosen)]
    usable = tuple(item for item in items if item is not None)
    if len(usable) < len(items):
        left_out.append(f"{len(items) - len(usable)} traces whose sections are missing or in no legal order")
    if not usable:
        raise JobError("no trace has usable labels", "check annotations=, labels= and traces=")
    return Examples(usable, tuple(left_out))


def _input(config: TrainJudgeConfig) -> Mapping[str, object]:
    return config.storage.input


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _add(found: dict[str, list[Case]], cases: Iterable[Case]) -> None:
    """Put cases in the place of earlier ones of the same trace."""
    new: dict[str, list[Case]] = {}
    for case in cases:
        if not isinstance(case, EquivalenceCase):
            new.setdefault(case.trace.trace_id, []).append(case)
    found.update(new)


def _annotated(
    place: str, traces: Mapping[str, Trace], config: TrainJudgeConfig, left_out: list[str]
) -> Iterator[Case]:
    """The structure of every judged trace of an output, as cases."""
    store = Store(absolute(place), _input(config))
    objects = [item.relative for item in store.list(ANNOTATIONS) if item.relative.endswith(".parquet")]
    if not objects:
        raise JobError(f"{store.display_url} holds no {ANNOTATIONS}/", "check annotations=")
    unknown = failed = 0
    for relative in objects:
        for annotation in annotations_from_table(read_parquet(store.read_bytes(relative))):
            trace = traces.get(annotation.trace_id)
            if not annotation.fingerprint:
                failed += 1
            elif trace is None or annotation.segment_offsets[-1] != len(trace.reasoning):
                unknown += 1
            else:
                yield from _cases_of(trace, annotation)
    if failed:
        left_out.append(f"{store.display_url}: {failed} traces that were not judged")
    if unknown:
        left_out.append(f"{store.display_url}: {unknown} annotations of traces that traces= lacks")


def _cases_of(trace: Trace, annotation: Annotation) -> Iterator[Case]:
    yield SectionsCase(trace, annotation.segment_offsets, annotation.sections)
    yield ApproachesCase(
        trace,
        tuple(
            LabelledApproach(a.start, a.stop, None if a.label is Label.UNKNOWN else a.label, a.cluster)
            for a in annotation.approaches
        ),
    )
    yield ChecksCase(
        trace, tuple(LabelledCheck(c.start, c.stop, c.kind, c.approach) for c in annotation.verifications)
    )


def _example(trace: Trace, cases: Sequence[Case], held_out: float) -> Example | None:
    sections = next((case for case in cases if isinstance(case, SectionsCase)), None)
    if sections is None:
        return None
    approaches = {a.start for case in cases if isinstance(case, ApproachesCase) for a in case.approaches}
    checks = {c.start for case in cases if isinstance(case, ChecksCase) for c in case.checks}
    path = path_of_labels(sections.sections, approaches, checks)
    if path is None:
        return None
    dropped = next((case.drop for case in cases if isinstance(case, DroppedCase)), None)
    labelled = Labelled(trace, tuple(path), dropped, _results(cases))
    return Example(labelled, tuple(cases), part_of(trace, held_out))


def _results(cases: Sequence[Case]) -> Results | None:
    """Where the right answer first stands and what approaches end on, where the labels say both."""
    arrival = next((case for case in cases if isinstance(case, ArrivalCase)), None)
    approaches = (a for case in cases if isinstance(case, ApproachesCase) for a in case.approaches)
    ends = tuple((a.stop - 1, LABELS.index(a.label)) for a in approaches if a.label in LABELS)
    return None if arrival is None else Results(arrival.first_correct_segment, ends)


def part_of(trace: Trace, held_out: float) -> Part:
    """The part of a trace, by its problem alone."""
    problem = " ".join(trace.problem.lower().split()) or trace.trace_id
    place = _place(problem)
    if place < held_out:
        return Part.HELD_OUT
    return Part.HELD_BACK if place < held_out + (1 - held_out) * HELD_BACK else Part.TRAINED_ON


def _place(name: str) -> float:
    """A number from 0 to 1 that only the name decides."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / float(np.iinfo(np.uint64).max)
