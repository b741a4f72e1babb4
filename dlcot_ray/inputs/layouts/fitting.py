"""How well a preset fits a sample: the share of rows that become traces, and why the others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, InputFault, RowFault
from dlcot_ray.inputs.choices import PassedReason
from dlcot_ray.inputs.columns import ColumnMap, NoFlags, resolve_columns
from dlcot_ray.inputs.items import Passed
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.layouts.settling import settle, why_unused
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.traces import traces_of

_LEAST_THINKING = 0.1
"""Share of rows that must think before the others count as replies without thinking."""

ANOTHER_TRACE = "another trace"
"""Why a column of traces is not read."""
_NO_MATTER_OF_LAYOUT = (Cause.NO_THINKING, Cause.INVALID_UTF8, Cause.BAD_LINE)


@dataclass(frozen=True, slots=True)
class Fit:
    """A preset, settled on a sample, and what came of the rows.

    Attributes:
        preset: with the candidates that can serve.
        columns: where its fields are; None if the preset cannot be used at all.
        traces: the traces of the sample.
        faults: cause -> number of rows that are no traces.
        messages: cause -> the message of the first such row.
        rows: number of rows of the sample.
        passed: generations that the settings leave out.
        problem: why the preset cannot be used; empty if it can.
        left_out: column that a candidate of the preset names -> why it cannot serve.
    """

    preset: DatasetPreset
    columns: ColumnMap | None
    traces: tuple[Trace, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    passed: int = 0
    problem: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def fitting(self) -> int:
        """Number of traces."""
        return len(self.traces)

    @property
    def share(self) -> float:
        """Share of what the rows hold that is a trace, from 0 to 1.

        Damaged rows are left out, and replies without thinking too, where enough others think: a layout can
        help neither.
        """
        read = self.fitting + self.passed
        found = len(self.traces) + self.passed + sum(self.faults.values())
        counted = found - sum(self.faults.get(cause, 0) for cause in _NO_MATTER_OF_LAYOUT)
        if counted <= 0 or read < found * _LEAST_THINKING:
            return read / found if found else 0.0
        return read / counted


def fit(preset: DatasetPreset, sample: Sample, label: str, *, named: bool = False) -> Fit:
    """Settle a preset on a sample and read the rows with it.

    Args:
        preset: with its candidates.
        sample: rows of one layout.
        label: names the file in messages.
        named: the user named the preset.

    Raises:
        NoFlags: the chosen generations need correctness flags, and the files have none.
    """
    settled = settle(preset, sample, named=named)
    left_out = _left_out(preset, settled, sample)
    try:
        columns = resolve_columns(settled, sample.table.schema, label)
    except NoFlags:
        raise
    except InputFault as fault:
        because = "".join(f"; {path}: {why}" for path, why in left_out.items())
        told = fault.message.replace(f" for dataset preset {preset.name}", "")
        reason = f"{told.partition('; it has ')[0].partition(' (looked for ')[0]}{because}"
        return Fit(settled, None, rows=sample.rows, problem=reason, left_out=left_out)
    items = [
        item.found for item in traces_of(sample.table, columns, file=label, first_row=0, shard_name="row")
    ]
    _check_flags(items, columns, sample, label)
    faults = [item for item in items if isinstance(item, RowFault)]
    messages: dict[str, str] = {}
    for fault_ in faults:
        messages.setdefault(str(fault_.cause), fault_.message)
    return Fit(
        settled,
        columns,
        tuple(item for item in items if isinstance(item, Trace)),
        dict(Counter(str(item.cause) for item in faults)),
        messages,
        sample.rows,
        sum(isinstance(item, Passed) for item in items),
        left_out={**left_out, **_other_traces(settled, columns, sample)},
    )


def _check_flags(items: Sequence[object], columns: ColumnMap, sample: Sample, label: str) -> None:
    """Refuse a choice by flags that would take nothing, because no flag of the sample says anything."""
    unknown = [isinstance(item, Passed) and item.reason is PassedReason.NOT_FLAGGED for item in items]
    if columns.correctness and unknown and all(unknown):
        names = ", ".join(path.text for path in columns.correctness)
        raise NoFlags(
            label,
            f"generations={columns.choices.generations} needs correctness flags, and {names} says neither "
            f"true nor false in {sample.rows} sampled rows",
            "set generations=all or first, or name another column under correctness: in a dataset preset",
        )


def _other_traces(settled: DatasetPreset, columns: ColumnMap, sample: Sample) -> dict[str, str]:
    """Places that hold traces too, and are not read, because a row gives those of one place."""
    read = columns.traces
    paths = settled.reasoning if columns.reasoning is not None else settled.tagged
    others = [path for path in paths if read is not None and path != read.text]
    return {path: ANOTHER_TRACE for path in others if sample.holding(path) is not None}


def _left_out(preset: DatasetPreset, settled: DatasetPreset, sample: Sample) -> dict[str, str]:
    listed = (*preset.problem, *preset.reasoning, *preset.tagged, *preset.ground_truth, *preset.response)
    reasons = {path: why_unused(path, preset, settled, sample) for path in dict.fromkeys(listed)}
    return {path: why for path, why in reasons.items() if why}
