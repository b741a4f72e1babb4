"""`dlcot derive`: applies another policy to stored annotations, without judging again.

It plans the same units as the job that made the annotations. So the annotations of each unit are under the
unit's own name, and no join is needed. Annotations are not copied into the new output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import (
    Prepared,
    checked_policy,
    checked_writer,
    definition_of,
    open_output,
    released_on_error,
    storable_settings,
    stored,
)
from dlcot_ray.commands.run import execute
from dlcot_ray.config.judges import token_counter
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.pool import pool_of
from dlcot_ray.config.settings import DeriveConfig, JudgeConfig
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.layouts.deciding import recorded_preset
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.outputs.job_record import JobRecord, check_inputs
from dlcot_ray.outputs.layout import ENHANCED, INPUT_METADATA_FILE, Output
from dlcot_ray.outputs.owning.claim import Claim, claim
from dlcot_ray.plan.completed import complete_units
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.tracking import check_tracker
from dlcot_ray.work.spec import WorkSpec, stuck_after


def run_derive(config: DeriveConfig) -> Exit:
    """Run `dlcot derive`.

    Raises:
        JobError: the job cannot start, or cannot go on.
    """
    return execute(prepare_derive(config))


def prepare_derive(config: DeriveConfig) -> Prepared:
    """Check settings, inputs and annotations, claim the output, and plan the units of the first job.

    Raises:
        JobError: there are no annotations, or the inputs, the preset or the output do not fit them.
        ConfigError: a setting is wrong.
    """
    check_tracker(config.tracker)
    place = absolute((config.annotations or "").rstrip("/").removesuffix("/annotations"))
    config = replace(config, annotations=place, output=absolute(config.output or ""))
    storage = config.storage
    read_options = storage.input if storage.annotations is None else storage.annotations
    source = Output(Store(place, read_options))
    base = source.record()
    if base is None:
        raise JobError(
            f"there is no job in {source.display_url}", "set annotations= to an output of dlcot enhance"
        )
    if base.command != "enhance":
        origin = base.config.get("annotations")
        raise JobError(
            f"{source.display_url} was itself derived and has no annotations", f"set annotations={origin}"
        )
    preset = load_preset(base.config["dataset"], Choices.of(base.settings))
    if definition_of(preset) != base.settings["dataset_definition"]:
        raise JobError(
            f"the dataset preset {base.config['dataset']} has changed since {source.display_url} was made",
            "restore the preset or run dlcot enhance again",
        )
    preset = recorded_preset(preset, base.layouts)
    policy_options = checked_policy(config)
    writer = (
        load_judge(config.writer, config.writer_options, allow_code=config.allow_code)
        if config.writer is not None
        else None
    )
    written_by = checked_writer(config.errors, writer)
    token_counter(base.settings["tokenizer"])
    inherited = {
        key: value
        for key, value in base.settings.items()
        if key not in ("policy", "policy_options", "writer")
    }
    settings = {
        "policy": config.policy,
        "policy_options": policy_options,
        "annotations": base.fingerprint,
        **inherited,
        "slow_rows": config.slow_rows,
        **written_by,
    }
    input_options = base.options_of("input", storage.input)
    inputs = base.config["input"]
    output = open_output(config.output or "", storage.output, [*inputs, place])
    job = JobRecord("derive", storable_settings(settings), stored(config))
    held = claim(output, job, overwrite=config.overwrite, lease_s=config.lease_s)
    with released_on_error(held):
        record = replace(held.record, layouts=base.layouts)
        return _planned(Base(source, base, preset, inputs, input_options), config, held, record, writer)


@dataclass(frozen=True, slots=True)
class Base:
    """The job whose annotations are used: its output, record, preset, and inputs with their options."""

    output: Output
    record: JobRecord
    preset: DatasetPreset
    inputs: Sequence[str]
    options: Mapping[str, Any]


def _planned(
    source: Base, config: DeriveConfig, held: Claim, record: JobRecord, writer: JudgeConfig | None
) -> Prepared:
    """Plan the units of the first job in the output that is held."""
    base, preset, input_options = source.record, source.preset, source.options
    shards = find_shards(source.inputs, input_options)
    check_inputs(base, shards, source.output.display_url)
    check_inputs(record, shards, held.output.display_url)
    names = {item.file: item.name for item in base.inputs}
    metadata = MetadataCache(source.output.read_state(INPUT_METADATA_FILE))
    plan = make_plan(
        [shard for shard in assign_names(shards, names) if shard.file in names],
        preset,
        rows_per_unit=base.settings["rows_per_unit"],
        bytes_per_unit=base.settings["bytes_per_unit"],
        options=input_options,
        metadata=metadata,
    )
    spec = WorkSpec(
        preset=preset,
        policy=config.policy,
        policy_options=record.settings["policy_options"],
        judge=None,
        tokenizer=base.settings["tokenizer"],
        max_trace_chars=base.settings["max_trace_chars"],
        in_flight=writer.in_flight if writer is not None else 1,
        retries=config.retries,
        chunked=config.content_defined_chunking,
        output=config.output or "",
        input_options=input_options,
        output_options=config.storage.output,
        annotations=config.annotations,
        annotations_options=source.output.store.options,
        writer=writer,
        rows_per_bundle=base.settings["rows_per_unit"],
        bytes_per_bundle=base.settings["bytes_per_unit"],
        job=record.fingerprint,
        row_seconds=config.row_seconds,
        stuck_s=stuck_after(config.stall_s),
        reject_slow=config.slow_rows == "reject",
    )
    return Prepared(
        config,
        held.output,
        held,
        record,
        plan,
        spec,
        pool_of(writer, config.worker, config.workers, config.min_workers),
        options=input_options,
        check_ids=base.settings["check_duplicate_ids"],
        available=complete_units(plan, source.output.units(source.output.objects(ENHANCED))) > 0,
    )
