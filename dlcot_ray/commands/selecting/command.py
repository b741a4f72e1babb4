"""`dlcot select`: copies, for each problem, the best traces of a finished output.

A job edits every trace by itself. What to train on is a question about all traces of a problem, wherever they
are, so it has a command of its own. It reads the output twice: to choose, and to copy what was chosen.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from dlcot_ray import __version__
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import definition_of
from dlcot_ray.commands.selecting.choosing import Candidate, Select, chooser
from dlcot_ray.commands.selecting.reading import Found, read_unit, traces_by_problem
from dlcot_ray.commands.selecting.report import FOLDER, REPORT_FILE, card_of, print_selection
from dlcot_ray.config.view_settings import SelectConfig
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.layouts.deciding import recorded_preset
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import CARD_FILE, Output
from dlcot_ray.outputs.manifest import read_manifest
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet
from dlcot_ray.storage.urls import absolute, normal_form


def run_select(config: SelectConfig) -> Exit:
    """Run `dlcot select`.

    Raises:
        JobError: the input is no finished output, no trace is known to be right, or the output is not free.
    """
    source = Output(Store(absolute(str(config.input)), config.storage.input))
    target = Store(absolute(config.output or ""), config.storage.output)
    record = _finished(source)
    _check_target(source, target, overwrite=config.overwrite)
    preset = _preset(record, source)
    names = sorted(source.done())
    problems, counts = _problems(source, preset, names, Select(config.select))
    choose = chooser(Select(config.select), config.k)
    chosen: dict[int, list[int]] = defaultdict(list)
    for candidates in problems.values():
        for candidate in choose(candidates):
            chosen[candidate.unit].append(candidate.row)
    _check_any(counts, chosen, source, any(problems.values()))
    for relative in [info.relative for info in target.scan(FOLDER)]:
        target.delete(relative)
    copy = partial(_copy, source, target, names, chosen)
    counts["selected"] = sum(map_in_order(copy, sorted(chosen)))
    counts["problems_without"] = sum(not candidates for candidates in problems.values())
    report = _report(config, source, record, counts)
    target.put(CARD_FILE, card_of(report).encode())
    target.put(REPORT_FILE, (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode())
    print_selection(report, target.url(FOLDER))
    return Exit.OK


def _finished(source: Output) -> JobRecord:
    record, manifest = source.record(), read_manifest(source)
    if record is None:
        raise JobError(
            f"there is no job in {source.display_url}", "set input= to an output of dlcot enhance or derive"
        )
    if manifest is None or not manifest["complete"]:
        raise JobError(f"the job of {source.display_url} is not finished", "run it again first")
    return record


def _preset(record: JobRecord, source: Output) -> DatasetPreset:
    name = record.config["dataset"]
    preset = load_preset(name, Choices.of(record.settings))
    if definition_of(preset) != record.settings["dataset_definition"]:
        raise JobError(
            f"the dataset preset {name} has changed since {source.display_url} was made", "restore the preset"
        )
    return recorded_preset(preset, record.layouts)


def _check_target(source: Output, target: Store, *, overwrite: bool) -> None:
    here, there = normal_form(target.given_url), normal_form(source.store.given_url)
    if f"{here}/".startswith(f"{there}/"):
        raise JobError(f"the output {target.display_url} lies inside the input", "choose another output")
    target.check_writable()
    if target.exists(REPORT_FILE):
        if not overwrite:
            raise JobError(
                f"{target.display_url} holds an earlier selection",
                "choose another output, or set overwrite=true",
            )
    elif next(iter(target.scan("")), None) is not None:
        raise JobError(f"{target.display_url} holds files that dlcot select did not write", "choose another")


def _problems(
    source: Output, preset: DatasetPreset, names: Sequence[str], select: Select
) -> tuple[Mapping[bytes, list[Candidate]], Counter[str]]:
    """The correct traces of every problem, and counts of all traces."""

    def look(unit: int) -> tuple[Found, int]:
        table = read_unit(source, names[unit])
        if not {"solved", "rsr"} <= set(table.column_names):
            raise JobError(
                f"{source.display_url} was written by an earlier version",
                "run dlcot derive on its annotations",
            )
        try:
            return traces_by_problem(table, preset, names[unit], unit, select), table.num_rows
        except InputFault as fault:
            raise JobError(f"{source.display_url}: {fault.message}", "run dlcot verify") from fault

    problems: dict[bytes, list[Candidate]] = {}
    counts: Counter[str] = Counter()
    for found, rows in map_in_order(look, range(len(names))):
        counts.update(traces=rows, unknown=found.unknown, wrong=found.wrong)
        for problem, candidates in found.problems.items():
            problems.setdefault(problem, []).extend(candidates)
    counts["problems"] = len(problems)
    return problems, counts


def _check_any(counts: Mapping[str, int], chosen: Mapping[int, Any], source: Output, any_right: bool) -> None:
    if chosen:
        return
    if any_right:
        raise JobError(
            f"no trace of {source.display_url} has a rank-surprisal ratio",
            "judge with a model and judge_options.scores=surprisal, or choose another select=",
        )
    why = (
        "none of them has a ground truth"
        if counts["unknown"] == counts["traces"]
        else f"{counts['wrong']:,} miss it, {counts['unknown']:,} have none or were not judged"
    )
    raise JobError(
        f"no trace of {source.display_url} is known to be right: {why}",
        "nothing was written; train on enhanced/ itself, or give the input a ground truth",
    )


def _copy(
    source: Output, target: Store, names: Sequence[str], chosen: Mapping[int, Sequence[int]], unit: int
) -> int:
    rows = pa.array(np.sort(np.array(chosen[unit])))
    table = read_unit(source, names[unit]).take(rows)
    target.put(f"{FOLDER}/{names[unit]}.parquet", to_parquet(table))
    return len(rows)


def _report(
    config: SelectConfig, source: Output, record: JobRecord, counts: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "source": source.display_url,
        "source_fingerprint": record.fingerprint,
        "select": config.select,
        **({"k": config.k} if config.select == Select.K_DISTINCT else {}),
        "policy": record.settings["policy"],
        "counts": dict(sorted(counts.items())),
        "dlcot_version": __version__,
    }
