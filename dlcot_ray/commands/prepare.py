"""Checks everything that a job needs and plans it, before Ray starts and before anything is written.

Whatever can be wrong with a command (settings, places, other jobs' results, changed inputs) is one clear
error here, within seconds; what comes out can simply be executed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.config.judges import make_judge, writer_of
from dlcot_ray.config.loading import as_dict
from dlcot_ray.config.pool import Pool
from dlcot_ray.config.settings import Config, JudgeConfig
from dlcot_ray.core.policies.base import ErrorMode, PolicyError
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.outputs.layout import FOLDERS, JobRecord, Output
from dlcot_ray.plan.pending import Mask
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.storage.failures import without_credentials
from dlcot_ray.storage.store import Store
from dlcot_ray.work.spec import WorkSpec


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
        quality_floor: scores the judge before anything is written; None where no floor is set.
        carry: takes over what another output holds already, of the tasks that it is given.
        input_metadata: what to record of the input files; None if it is recorded already.
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
    quality_floor: Callable[[], dict[str, Any] | None] | None = None
    carry: Callable[[Sequence[ReadTask]], object] | None = None
    input_metadata: bytes | None = None


def open_output(url: str, options: Mapping[str, Any], inputs: Sequence[str]) -> Output:
    """The output, proven writable and apart from the inputs.

    Raises:
        JobError: it is not.
    """
    output = Output(Store(url, options))
    place = output.display_url.rstrip("/") + "/"
    for source in inputs:
        folder = Store(source).display_url.rstrip("/") + "/"
        if place.startswith(folder):
            raise JobError(
                f"the output {output.display_url} lies inside the input {folder.rstrip('/')}",
                "choose an output elsewhere: the next run would take it for input",
            )
        if folder.startswith(tuple(f"{place}{name}/" for name in FOLDERS)):
            raise JobError(f"the input {source} lies inside the output", "choose an output elsewhere")
    output.store.check_writable()
    return output


def checked_policy(config: Config) -> dict[str, Any]:
    """The options of the policy, after a trial parse.

    Raises:
        ConfigError: no such policy or choice.
    """
    options = {
        "min_keep": config.policy_options.min_keep,
        "errors": config.errors,
        "corrected": config.corrected,
        "unsolved": config.unsolved,
    }
    try:
        parse_policy(config.policy, options)
    except PolicyError as error:
        raise ConfigError(
            str(error), "check policy=, errors=, corrected=, unsolved=; --help lists the policies"
        ) from error
    return options


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
