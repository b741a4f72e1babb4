"""Checks everything that a job needs and plans it, before Ray starts and before anything is written.

Whatever can be wrong with a command (settings, places, other jobs' results, changed inputs) is one clear
error here, within seconds; what comes out can simply be executed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dlcot_ray import __version__
from dlcot_ray.core.policies import ErrorMode, PolicyError, parse_policy
from dlcot_ray.job.commit import FOLDERS, FOOTERS_FILE, JobRecord, Output, check_inputs
from dlcot_ray.job.config import as_dict, load_judge, load_policy_options
from dlcot_ray.job.datasets import DatasetPreset, load_preset
from dlcot_ray.job.factories import make_judge, token_counter, writer_of
from dlcot_ray.job.faults import ConfigError, JobError
from dlcot_ray.job.footers import Footers
from dlcot_ray.job.gate import run_gate
from dlcot_ray.job.pending import Mask
from dlcot_ray.job.plan import Plan, assign_names, make_plan
from dlcot_ray.job.pool import Pool, pool_of
from dlcot_ray.job.settings import Config, EnhanceConfig, JudgeConfig
from dlcot_ray.job.storage import Store, find_shards
from dlcot_ray.job.storage_errors import without_credentials
from dlcot_ray.job.store import absolute
from dlcot_ray.job.tasks import ReadTask, WorkSpec


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to run.

    Attributes:
        config: as given.
        record: what `_job.json` will say.
        plan: all units.
        spec: what the workers need.
        pool: the workers wanted.
        options: fsspec options of the inputs.
        check_ids: look for duplicate ids.
        available: which units of the plan can be done at all; None means every one.
        gate: scores the judge before anything is written; None where there is no gate.
        carry: takes over what another output holds already, of the tasks that it is given.
        footers: to be recorded with the output; None where they are already.
    """

    config: Config
    output: Output
    record: JobRecord
    plan: Plan
    spec: WorkSpec
    pool: Pool
    options: Mapping[str, Any] = field(default_factory=dict)
    check_ids: bool = True
    available: Mask | None = None
    gate: Callable[[], dict[str, Any] | None] | None = None
    carry: Callable[[Sequence[ReadTask]], object] | None = None
    footers: bytes | None = None


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
    preset = _preset(config.dataset)
    judge = load_judge(config.judge, config.judge_options)
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
        "judge": identity,
        "judge_options": judge.options,
        "policy": config.policy,
        "policy_options": policy_options,
        "rows_per_unit": config.rows_per_unit,
        "bytes_per_unit": config.bytes_per_unit,
        "max_trace_chars": config.max_trace_chars,
        "check_duplicate_ids": config.check_duplicate_ids,
        "tokenizer": config.tokenizer,
        "dlcot_version": __version__,
        **written_by,
    }
    return Resolved(config, preset, judge, settings, pool)


def prepare_enhance(config: EnhanceConfig) -> Prepared:
    """Check everything that `dlcot enhance` needs, take the output, and plan.

    Raises:
        JobError: something is not as it must be.
    """
    resolved = resolve_enhance(config)
    config, preset, judge = resolved.config, resolved.preset, resolved.judge
    output = open_output(config.output or "", config.storage.output, config.input)
    shards = find_shards(config.input, config.storage.input)
    gate = partial(run_gate, config.gate, judge, config.ray.address, config.storage.input)
    if config.overwrite:
        # Before an earlier job's results are removed; what it found serves the job, too.
        gate = partial(lambda found: found, gate())
    record = output.claim(JobRecord("enhance", resolved.settings, stored(config)), overwrite=config.overwrite)
    check_inputs(record, shards, output.label)
    footers = Footers(output.read_state(FOOTERS_FILE))
    plan = make_plan(
        assign_names(shards, {item.label: item.name for item in record.inputs}),
        preset,
        rows_per_unit=config.rows_per_unit,
        bytes_per_unit=config.bytes_per_unit,
        options=config.storage.input,
        footers=footers,
    )
    spec = WorkSpec(
        preset=preset,
        policy=config.policy,
        policy_options=resolved.settings["policy_options"],
        judge=judge,
        tokenizer=config.tokenizer,
        max_trace_chars=config.max_trace_chars,
        in_flight=config.in_flight or judge.in_flight,
        retries=config.retries,
        output=config.output or "",
        input_options=config.storage.input,
        output_options=config.storage.output,
        rows_per_bundle=config.rows_per_unit,
        bytes_per_bundle=config.bytes_per_unit,
    )
    return Prepared(
        config,
        output,
        record,
        plan,
        spec,
        resolved.pool,
        options=config.storage.input,
        check_ids=config.check_duplicate_ids,
        gate=gate,
        footers=footers.to_bytes() if footers.changed else None,
    )


def open_output(url: str, options: Mapping[str, Any], inputs: Sequence[str]) -> Output:
    """The output, proven writable and apart from the inputs.

    Raises:
        JobError: it is not.
    """
    output = Output(Store(url, options))
    place = output.label.rstrip("/") + "/"
    for source in inputs:
        folder = Store(source).label.rstrip("/") + "/"
        if place.startswith(folder):
            raise JobError(
                f"the output {output.label} lies inside the input {folder.rstrip('/')}",
                "choose an output elsewhere: the next run would take it for input",
            )
        if folder.startswith(tuple(f"{place}{name}/" for name in FOLDERS)):
            raise JobError(f"the input {source} lies inside the output", "choose an output elsewhere")
    output.store.check_writable()
    return output


def checked_policy(config: Config) -> dict[str, Any]:
    """The policy's settings with the packaged ones beneath, after a trial parse.

    Raises:
        ConfigError: no such policy, option or choice.
    """
    choices = {"errors": config.errors, "corrected": config.corrected, "unsolved": config.unsolved}
    try:
        merged = load_policy_options(config.policy, {**choices, **config.policy_options})
        parse_policy(config.policy, merged)
    except PolicyError as error:
        raise ConfigError(str(error), "check policy=, errors=, corrected=, unsolved=") from error
    return merged


def checked_writer(errors: str, judge: JudgeConfig | None) -> dict[str, Any]:
    """What an output records about who writes for it; nothing where nobody does.

    Raises:
        ConfigError: repairs are asked for, and nobody can write.
    """
    identity = None
    if judge is not None:
        probe = make_judge(judge)
        writer = writer_of(probe)
        identity = writer.identity if writer is not None else None
        probe.close()
    if identity is None and errors == ErrorMode.REPAIR:
        raise ConfigError(
            "errors=repair needs somebody who writes, and the rules do not",
            "choose a judge with a model (enhance: judge=, derive: writer=), or errors=delete",
        )
    return {} if identity is None else {"writer": identity}


def _preset(name: str) -> DatasetPreset:
    try:
        return load_preset(name)
    except JobError as error:
        raise ConfigError(error.message, error.remedy) from error


def definition_of(preset: DatasetPreset) -> str:
    """Identity of a preset's content (16 hex digits)."""
    content = json.dumps(dataclasses.asdict(preset), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def stored(config: Config) -> dict[str, Any]:
    """The configuration as it is stored: without credentials in its URLs."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return without_credentials(value)
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return value

    cleaned: dict[str, Any] = clean(as_dict(config))
    return cleaned
