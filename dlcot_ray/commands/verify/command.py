"""`dlcot verify`: audits an output from its storage, and compares it with the inputs that still exist.

It lists the objects, reads and checks every unit (`outputs/audit/`), looks for ids that repeat over all
units, and compares the manifest with the sums of the units. Everything is read once, the ids twice. One unit
per thread is in memory, besides the LIST.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import definition_of
from dlcot_ray.commands.verify.manifest import manifest_findings
from dlcot_ray.commands.verify.reading import open_source, repeated_ids
from dlcot_ray.commands.verify.result import Audit, FileAudit
from dlcot_ray.config.view_settings import VerifyConfig
from dlcot_ray.core.policies.base import PolicyError
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.layouts.deciding import recorded_preset
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import read_table
from dlcot_ray.inputs.readers.registry import open_reader
from dlcot_ray.outputs.audit.source import compare_rows
from dlcot_ray.outputs.audit.stored import Expected, StoredUnit
from dlcot_ray.outputs.audit.unit import audit_unit
from dlcot_ray.outputs.inventory import Finding, Inventory, ListedUnit, coverage, names_of, take_inventory
from dlcot_ray.outputs.job_record import InputRecord, JobRecord
from dlcot_ray.outputs.layout import (
    ANNOTATIONS,
    ENHANCED,
    FOLDERS,
    JOB_FILE,
    MASKED,
    PREFERENCES,
    REJECTED,
    Output,
)
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.console import print_report

_THREADS = 4
"""Files audited at once: reading waits for the network, checking takes one CPU."""


def run_verify(config: VerifyConfig) -> Exit:
    """Run `dlcot verify`.

    Raises:
        JobError: there is no output, or it cannot be read at all.
    """
    output = Output(Store(absolute(config.output or ""), config.storage.output))
    audit = verify(output, compare_inputs=config.inputs, input_options=config.storage.input)
    lines = [str(finding) for finding in audit.findings[: config.max_findings]]
    if len(audit.findings) > len(lines):
        lines.append(f"... and {len(audit.findings) - len(lines):,} more findings")
    lines += [f"note: {note}" for note in audit.notes]
    verdict = f"{len(audit.findings):,} findings" if audit.findings else "nothing wrong"
    lines.append(
        f"{output.display_url}: {verdict} in {audit.units:,} units with {audit.rows:,} rows "
        f"({audit.compared:,} of them compared with their inputs)"
    )
    print_report({"output": output.display_url, **asdict(audit)}, lines, config.json)
    return Exit.WITH_FAULTS if audit.findings else Exit.OK


def verify(
    output: Output, *, compare_inputs: bool = True, input_options: Mapping[str, Any] | None = None
) -> Audit:
    """Audit an output.

    Args:
        output: the output to audit.
        compare_inputs: also compare rows with their inputs, as far as these still exist.
        input_options: fsspec options of the inputs; None takes those of the job.

    Raises:
        JobError: there is no output, or it cannot be read at all.
    """
    record = output.record()
    if record is None:
        raise JobError(
            f"there is no job in {output.display_url}", "give an output of dlcot enhance or dlcot derive"
        )
    audit = Audit()
    expected = _expected(record, audit)
    inventory = take_inventory(output.store.list(temporary=True), names_of(record))
    audit.findings += [*inventory.strays, *_record(output, record)]
    options = record.options_of("input") if input_options is None else input_options

    def look(item: InputRecord) -> FileAudit:
        return _look(item, inventory, output, expected, options if compare_inputs else None)

    files = []
    for file in map_in_order(look, record.inputs, _THREADS):
        files.append(file)
        audit.findings += file.audit.findings
        audit.notes += file.audit.notes
        audit.units += file.audit.units
        audit.rows += file.audit.rows
        audit.compared += file.audit.compared
    audit.findings += repeated_ids(output, [unit for file in files for unit in file.sound])
    audit.findings += manifest_findings(output, record, files, inventory)
    return audit


def _expected(record: JobRecord, audit: Audit) -> Expected:
    settings = record.settings
    name = record.config.get("dataset") or settings["dataset"]
    preset = load_preset(name, Choices.of(settings))
    if definition_of(preset) != settings["dataset_definition"]:
        audit.notes.append(f"the dataset preset {name} has changed since the job")
    preset = recorded_preset(preset, record.layouts)
    try:
        policy = parse_policy(settings["policy"], dict(settings["policy_options"])).expression
    except PolicyError as error:
        policy = None
        audit.notes.append(
            f"edits are not checked against the policy, because this version cannot parse it ({error})"
        )
    return Expected(preset, settings["judge"], policy, record.command == "enhance", record.fingerprint)


def _record(output: Output, record: JobRecord) -> Iterator[Finding]:
    recorded = json.loads(output.store.read_bytes(JOB_FILE)).get("fingerprint")
    if recorded != record.fingerprint:
        yield Finding(
            JOB_FILE, None, f"its fingerprint is {recorded}, its settings give {record.fingerprint}"
        )
    for what in ("file", "name"):
        values = Counter(getattr(item, what) for item in record.inputs)
        for value in (value for value, count in values.items() if count > 1):
            yield Finding(JOB_FILE, None, f"several inputs have the {what} {value}")


def _look(
    item: InputRecord,
    inventory: Inventory,
    output: Output,
    expected: Expected,
    options: Mapping[str, Any] | None,
) -> FileAudit:
    """Audit the units of one input file."""
    file = FileAudit(item)
    audit = file.audit
    units = inventory.units.get(item.name, ())
    audit.findings += coverage(item.file, item.rows, units)
    source = open_source(item, options, audit.notes) if options is not None else None
    for listed in units:
        if not listed.complete:
            continue
        audit.units += 1
        try:
            unit = _load(output, listed, item.file)
        except (JobError, InputFault) as error:
            audit.findings.append(Finding(f"{ENHANCED}/{listed.name}.parquet", None, str(error)))
            continue
        findings = list(audit_unit(unit, expected))
        audit.findings += findings
        audit.rows += unit.stats.rows
        file.stats += unit.stats
        if "trace_id" in unit.enhanced.column_names:
            file.sound.append(listed)
        if source is not None:
            rows = source.take(listed.start, listed.stop)
            if rows is None:
                audit.notes.append(f"{item.file} cannot be read any further: its rows are not compared")
                source = None
            else:
                audit.findings += compare_rows(unit, rows, expected.preset)
                audit.compared += rows.num_rows
    if source is not None:
        source.close()
    return file


def _load(output: Output, listed: ListedUnit, label: str) -> StoredUnit:
    """Read a unit's objects.

    Raises:
        JobError, InputFault: one of them cannot be read.
    """
    tables = {name: _read(output, info.relative) for name, info in listed.objects.items() if name in FOLDERS}
    stats, job = output.footer(listed.name)
    return StoredUnit(
        listed.name,
        label,
        listed.start,
        listed.stop,
        stats,
        tables[ENHANCED],
        tables.get(REJECTED),
        tables.get(ANNOTATIONS),
        tables.get(PREFERENCES),
        tables.get(MASKED),
        job,
    )


def _read(output: Output, relative: str) -> pa.Table:
    try:
        with closing(open_reader(output.store, relative, relative)) as reader:
            return read_table(reader)
    except (pa.ArrowException, OSError) as error:
        raise InputFault(relative, f"it cannot be read ({reason_of(error)})") from error
