"""The traces that label files refer to by id: those of inputs, and the sources of an output's rows.

`dlcot view --label` labels the traces of an output, so the output is what a reader has at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.label_files import read_traces
from dlcot_ray.outputs.layout import JOB_FILE, Output
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.storage.store import Store


def labelled_traces(places: Sequence[str], dataset: str, options: Mapping[str, object]) -> dict[str, Trace]:
    """All traces of inputs and outputs by id; rows that are no traces are left out.

    Args:
        places: absolute places of inputs, and of outputs of dlcot.
        dataset: how the columns of inputs become traces; an output says so itself.
        options: fsspec options.

    Raises:
        JobError, InputFault: a place or a file cannot be read.
    """
    outputs = [place for place in places if _is_output(place, options)]
    inputs = [place for place in places if place not in outputs]
    found = read_traces(inputs, dataset, options) if inputs else {}
    for place in outputs:
        stored = StoredOutput(Output(Store(place, options)))
        for unit in stored.units():
            for trace in stored.sources(unit):
                found.setdefault(trace.trace_id, trace)
    return found


def _is_output(place: str, options: Mapping[str, object]) -> bool:
    return not any(sign in place for sign in "*?[") and Store(place, options).exists(JOB_FILE)
