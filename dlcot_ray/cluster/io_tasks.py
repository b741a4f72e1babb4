"""The reading and the writing phase of the graph: Ray tasks that record each unit in the ledger."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from dlcot_ray.cluster.ledger.crash_rules import Directive
from dlcot_ray.cluster.ledger.unit_events import Phase
from dlcot_ray.cluster.wire import (
    MADE_TABLES,
    READ_TABLES,
    bundled,
    effort_of,
    pack_unit,
    table_of,
    unbundle,
    unit_of,
    use_of,
)
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.results import UnitOutput, UnitResult
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.spec import WorkSpec
from dlcot_ray.work.writing import write_unit


def read_bundles(batch: pa.Table, spec: WorkSpec, ledger: Any) -> Iterator[pa.Table]:
    """Read the units of the packed tasks in column `task`, bundled for the judges."""
    return bundled(_read_units(batch, spec, ledger), spec.rows_per_bundle, spec.bytes_per_bundle)


def write_bundle(batch: pa.Table, spec: WorkSpec, ledger: Any) -> pa.Table:
    """Write the units of a bundle; column `results` has the pickled list of their `UnitResult`."""
    output, units = spec.open_output(), unbundle(batch)
    results = [_write_unit(units, index, output, spec, ledger) for index in range(units.num_rows)]
    return pa.table({"results": pa.array([pickle.dumps(results)], pa.binary())})


def _read_units(batch: pa.Table, spec: WorkSpec, ledger: Any) -> Iterator[tuple[int, pa.Table]]:
    for blob in batch.column("task").to_pylist():
        task = pickle.loads(blob)
        reading = read_units(task, spec)
        reason = ""
        for unit in task.units:
            entry = _LedgerEntry(ledger, Phase.READING, unit.name)
            reason = reason or entry.start()
            if reason:
                # The units behind one that cannot be read are in the same sweep of the file.
                yield 0, pack_unit(unit, f"cannot be read ({reason})", dict.fromkeys(READ_TABLES))
                continue
            read = next(reading)
            entry.finish()
            tables = {name: getattr(read, name) for name in READ_TABLES}
            yield unit.stop - unit.start, pack_unit(read.task, read.error, tables)


def _write_unit(units: pa.Table, index: int, output: Output, spec: WorkSpec, ledger: Any) -> UnitResult:
    task, error = unit_of(units, index)
    made = error or _unit_output(units, index)
    entry = _LedgerEntry(ledger, Phase.WRITING, task.name)
    reason = entry.start()
    if reason:
        made = f"cannot be written ({reason})"
    written = write_unit(task, made, output, spec)
    entry.finish()
    return replace(written, engine=use_of(units, index), effort=effort_of(units, index))


def _unit_output(units: pa.Table, index: int) -> UnitOutput:
    tables = {name: table_of(units, index, name) for name in MADE_TABLES}
    return UnitOutput(stats=UnitStats.from_json(units.column("stats")[index].as_py()), **tables)


class _LedgerEntry:
    """A unit of a reading or writing task in the ledger, so that one that crashes its worker is quarantined.

    Args:
        ledger: from `open_ledger`.
        phase, unit: the same in every attempt.
    """

    def __init__(self, ledger: Any, phase: Phase, unit: str) -> None:
        self._ledger, self._phase, self._unit = ledger, phase, unit

    def start(self) -> str:
        """Record the unit; returns the reason to skip it, or an empty string."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        directive: Directive = ray.get(
            self._ledger.start_task.remote(self._phase, self._unit, secrets.token_hex(8), node)
        )
        return directive.quarantine or directive.stop_job

    def finish(self) -> None:
        """Remove the unit."""
        self._ledger.finish_task.remote(self._phase, self._unit)
