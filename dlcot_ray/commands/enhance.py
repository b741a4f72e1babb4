"""`dlcot enhance`: checks its settings, takes the output, plans, and runs the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dlcot_ray import __version__
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import (
    Floor,
    Prepared,
    checked_policy,
    checked_writer,
    definition_of,
    open_output,
    released_on_error,
    storable_settings,
    stored,
    warn_if_unpinned,
)
from dlcot_ray.commands.quality_floor import check_quality_floor
from dlcot_ray.commands.run import execute
from dlcot_ray.config.judges import asking_for, make_judge, token_counter
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.pool import Pool, pool_of
from dlcot_ray.config.settings import EnhanceConfig, JudgeConfig
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import Found, find_inputs
from dlcot_ray.inputs.layouts.deciding import LayoutDecider
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.outputs.job_record import JobRecord, check_inputs
from dlcot_ray.outputs.layout import INPUT_METADATA_FILE
from dlcot_ray.outputs.owning.claim import Claim, claim
from dlcot_ray.outputs.schemas import OUTPUT_COLUMNS
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.tracking import check_tracker
from dlcot_ray.work.spec import WorkSpec, stuck_after


def run_enhance(config: EnhanceConfig) -> Exit:
    """Run `dlcot enhance`.

    Raises:
        JobError: it cannot start.
    """
    return execute(prepare_enhance(config))


@dataclass(frozen=True, slots=True)
class Resolved:
    """Settings of `dlcot enhance` that were found to be in order.

    Attributes:
        config: with absolute paths.
        settings: everything that determines content, besides the inputs.
        pool: the workers wanted, which determine nothing of it.
    """

    config: EnhanceConfig
    preset: DatasetPreset
    judge: JudgeConfig
    settings: Mapping[str, Any]
    pool: Pool


def resolve_enhance(config: EnhanceConfig) -> Resolved:
    """Check the settings of `dlcot enhance`; touches no storage but what they name themselves.

    Raises:
        JobError: one of them cannot be used.
    """
    config = replace(
        config,
        input=[absolute(url) for url in ([config.input] if isinstance(config.input, str) else config.input)],
        output=absolute(config.output or ""),
    )
    choices = Choices.of(vars(config))
    preset = _preset(config.dataset, choices)
    judge = load_judge(config.judge, config.judge_options, allow_code=config.allow_code)
    judge = asking_for(judge, config.policy, config.errors)
    pool = pool_of(judge, config.worker, config.workers, config.min_workers)
    judge = replace(judge, cpus=pool.cpus, gpus=pool.gpus, accelerator_type=pool.accelerator_type)
    policy_options = checked_policy(config)
    token_counter(config.tokenizer)
    written_by = checked_writer(config.errors, judge)
    probe = make_judge(judge)
    identity = probe.identity
    probe.close()
    settings: dict[str, Any] = {
        "dataset": config.dataset,
        "dataset_definition": definition_of(preset),
        **choices.as_settings(),
        "judge": identity,
        "judge_options": judge.options,
        "policy": config.policy,
        "policy_options": policy_options,
        "rows_per_unit": config.rows_per_unit,
        "bytes_per_unit": config.bytes_per_unit,
        "max_trace_chars": config.max_trace_chars,
        "slow_rows": config.slow_rows,
        "check_duplicate_ids": config.check_duplicate_ids,
        "tokenizer": config.tokenizer,
        "dlcot_version": __version__,
        **written_by,
    }
    return Resolved(config, preset, judge, storable_settings(settings), pool)


def prepare_enhance(config: EnhanceConfig) -> Prepared:
    """Check everything that `dlcot enhance` needs, take the output, and plan.

    Raises:
        JobError: something is not as it must be.
    """
    check_tracker(config.tracker)
    resolved = resolve_enhance(config)
    config, judge = resolved.config, resolved.judge
    warn_if_unpinned(str(resolved.settings["judge"]))
    output = open_output(config.output or "", config.storage.output, config.input)
    found = find_inputs(config.input, config.storage.input)
    floor = partial(
        check_quality_floor,
        config.quality_floor,
        judge,
        config.ray.address,
        config.storage.input,
        parse_policy(config.policy, resolved.settings["policy_options"]),
    )
    if config.overwrite:
        # Checked before the results of an earlier job are removed; the job reuses what was found.
        floor = partial(lambda found: found, floor())
    job = JobRecord("enhance", resolved.settings, stored(config))
    held = claim(output, job, overwrite=config.overwrite, lease_s=config.lease_s)
    with released_on_error(held):
        return _planned(resolved, held, found, floor)


def _planned(resolved: Resolved, held: Claim, found: Found, floor: Floor) -> Prepared:
    """Plan the job in the output that it holds."""
    config, preset, judge = resolved.config, resolved.preset, resolved.judge
    output, record = held.output, held.record
    check_inputs(record, found.shards, output.display_url)
    metadata = MetadataCache(output.read_state(INPUT_METADATA_FILE))
    decider = LayoutDecider(preset, found.shards, config.storage.input, record.layouts)
    plan = make_plan(
        assign_names(found.shards, {item.file: item.name for item in record.inputs}, OUTPUT_COLUMNS),
        preset,
        rows_per_unit=config.rows_per_unit,
        bytes_per_unit=config.bytes_per_unit,
        options=config.storage.input,
        metadata=metadata,
        decider=decider,
        beside=found,
    )
    record = replace(record, layouts=decider.recorded())
    spec = WorkSpec(
        preset=decider.preset,
        policy=config.policy,
        policy_options=resolved.settings["policy_options"],
        judge=judge,
        tokenizer=config.tokenizer,
        max_trace_chars=config.max_trace_chars,
        in_flight=config.in_flight or judge.in_flight,
        retries=config.retries,
        chunked=config.content_defined_chunking,
        output=config.output or "",
        input_options=config.storage.input,
        output_options=config.storage.output,
        rows_per_bundle=config.rows_per_unit,
        bytes_per_bundle=config.bytes_per_unit,
        job=record.fingerprint,
        row_seconds=config.row_seconds,
        stuck_s=stuck_after(config.stall_s),
        reject_slow=config.slow_rows == "reject",
    )
    return Prepared(
        config,
        output,
        held,
        record,
        plan,
        spec,
        resolved.pool,
        options=config.storage.input,
        check_ids=config.check_duplicate_ids,
        quality_floor=floor,
        input_metadata=metadata.to_bytes() if metadata.changed else None,
    )


def _preset(name: str, choices: Choices) -> DatasetPreset:
    try:
        return load_preset(name, choices)
    except JobError as error:
        raise ConfigError(error.message, error.remedy) from error
