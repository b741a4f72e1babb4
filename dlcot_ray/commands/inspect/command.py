"""`dlcot inspect`: how the input would be read, from a sample, before any job; needs no Ray and no judge.

Files are sampled with a fixed seed and grouped by their columns. For each group it prints the layout, which
column serves as what, what is not used, three traces as they are understood, the kinds of references, and
which rows would be rejected and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.inspect.text import inspect_lines
from dlcot_ray.config.view_settings import InspectConfig
from dlcot_ray.errors import ConfigError, InputFault, JobError, reason_of
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.columns import inner_key, layout_key, reads
from dlcot_ray.inputs.files.listing import NO_ROWS, Skipped
from dlcot_ray.inputs.files.shards import Shard, find_inputs
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.report import examples_of, report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.layouts.sampling import MOST_FILES, open_sample, sample_rows, some_shards
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.inputs.readers.protocol import READ_ERRORS
from dlcot_ray.outputs.manifest import skipped_as_dict
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.console import print_report

_LOOKED_AT = 64
"""Files whose columns are read; of a larger input a sample."""
_FILES_SHOWN = 3


def run_inspect(config: InspectConfig) -> Exit:
    """Run `dlcot inspect`.

    Raises:
        JobError: the settings or inputs cannot be used.
    """
    figures = inspect_inputs(config)
    print_report(figures, inspect_lines(figures), config.json)
    refused = any(group["layout"] is None for group in figures["layouts"])
    return Exit.WITH_FAULTS if refused or figures["unusable_inputs"] else Exit.OK


def inspect_inputs(config: InspectConfig) -> dict[str, Any]:
    """How the input would be read, as plain JSON types.

    Raises:
        JobError: the settings or inputs cannot be used.
    """
    preset = _preset(config)
    inputs = [config.input] if isinstance(config.input, str) else list(config.input)
    found = find_inputs([absolute(url) for url in inputs], config.storage.input)
    shards = found.shards
    looked_at = some_shards(shards, _LOOKED_AT, str(config.seed))
    groups: dict[str, list[tuple[Shard, pa.Schema]]] = defaultdict(list)
    faults, empty = list(map(str, found.faults)), []
    for shard, schema in map_in_order(lambda item: _schema(item, config.storage.input), looked_at):
        if isinstance(schema, InputFault):
            faults.append(str(schema))
        elif schema is None:
            empty.append(Skipped(shard.file, NO_ROWS))
        else:
            groups[layout_key(schema)].append((shard, schema))
    if not groups:
        raise JobError(
            f"none of {len(faults)} files can be read: {faults[0]}" if faults else "the inputs have no rows"
        )
    return {
        "files": len(shards),
        "looked_at": len(looked_at),
        "layouts": [group for files in groups.values() for group in _groups(preset, files, config)],
        "unusable_inputs": faults,
        "skipped": skipped_as_dict([*found.skipped, *empty]),
    }


def _preset(config: InspectConfig) -> DatasetPreset:
    try:
        return load_preset(config.dataset, Choices.of(vars(config)))
    except JobError as error:
        raise ConfigError(error.message, error.remedy) from error


def _schema(
    shard: Shard, options: Mapping[str, object] | None
) -> tuple[Shard, pa.Schema | InputFault | None]:
    """The columns of a file, or why it cannot be read; None for a file without rows."""
    try:
        with closing(open_sample(shard, options)) as reader:
            metadata = reader.metadata()
            return shard, metadata.arrow_schema if metadata.rows else None
    except InputFault as fault:
        return shard, fault
    except READ_ERRORS as error:
        return shard, InputFault(shard.file, f"it cannot be read ({reason_of(error)})", "write it again")


def _groups(
    preset: DatasetPreset, files: Sequence[tuple[Shard, pa.Schema]], config: InspectConfig
) -> Iterator[dict[str, Any]]:
    """The reports of files with one set of columns: one, or more where fields inside the columns differ."""
    while files:
        key = inner_key(files[0][1])
        alike = [item for item in files if inner_key(item[1]) == key]
        choice = _choice(preset, key, alike, config)
        mine = [item for item in files if item in alike or _serves(choice, item[1])]
        yield _report(choice, mine, named=not preset.order)
        files = [item for item in files if item not in mine]


def _choice(
    preset: DatasetPreset, key: str, files: Sequence[tuple[Shard, pa.Schema]], config: InspectConfig
) -> Choice:
    shards = [shard for shard, _ in files]
    sampled = some_shards(shards, MOST_FILES, f"{config.seed}/{key}")
    table = sample_rows(sampled, key, config.storage.input, rows=config.sample)
    sample = Sample(table if table is not None else files[0][1].empty_table())
    return choose_layout(preset, sample, shards[0].file)


def _serves(choice: Choice, schema: pa.Schema) -> bool:
    return not choice.refusal and reads(choice.fit.preset, schema)


def _report(choice: Choice, files: Sequence[tuple[Shard, pa.Schema]], *, named: bool) -> dict[str, Any]:
    """The report of the files that one layout is for, with examples."""
    schema = files[0][1]
    return {
        "files": len(files),
        "names": [shard.file for shard, _ in files[:_FILES_SHOWN]],
        "columns": {field.name: str(field.type) for field in schema},
        **report_of(choice, schema, named=named),
        "examples": examples_of(choice),
    }
