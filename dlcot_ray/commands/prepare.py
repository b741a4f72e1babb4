"""Checks that are common to jobs, before Ray starts and before anything is written.

Wrong settings and places, results of another job and changed inputs end the command here with one error,
within seconds. The result, `Prepared`, can be executed without further checks.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.config.judges import make_judge, writer_of
from dlcot_ray.config.loading import as_dict
from dlcot_ray.config.pool import Pool
from dlcot_ray.config.settings import Config, JudgeConfig
from dlcot_ray.core.policies.base import ErrorMode, PolicyError
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.credentials import storable
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.inputs.files.shards import reads_below
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import FOLDERS, Output
from dlcot_ray.outputs.owning.claim import Claim
from dlcot_ray.plan.pending import Mask
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.storage.failures import without_credentials
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import is_local, normal_form
from dlcot_ray.terminal import note
from dlcot_ray.work.spec import WorkSpec

Floor = Callable[[], dict[str, Any] | None]
"""Scores the judge; returns the manifest's entry."""

_UNPINNED = re.compile(r"([\w.-]{1,96}/[\w.-]{1,96})@main\b")
"""A model of the hub without a revision, in the identity of a judge."""
_RAY_PACKAGE = "/_ray_pkg_"
"""Part of the path of a folder into which Ray unpacks the working directory of a submitted job."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to run.

    Attributes:
        config: the settings of the command.
        output: where the job writes.
        claim: holds the output; `commands.run.complete` releases it.
        record: the content of `_job.json`.
        plan: all units, the finished ones included.
        spec: what the workers need.
        pool: how many workers to run, and the resources of each.
        options: fsspec options of the inputs.
        check_ids: whether to look for duplicate ids.
        available: for each unit of the plan, whether it can be done now; None means all can.
        quality_floor: scores the judge before anything is written; None if no floor is set.
        carry: copies units of the given tasks from another output; None if there is no such output.
        input_metadata: content of `_input_metadata.arrow`; None if that is up to date.
    """

    config: Config
    output: Output
    claim: Claim
    record: JobRecord
    plan: Plan
    spec: WorkSpec
    pool: Pool
    options: Mapping[str, Any] = field(default_factory=dict)
    check_ids: bool = True
    available: Mask | None = None
    quality_floor: Floor | None = None
    carry: Callable[[Sequence[ReadTask]], object] | None = None
    input_metadata: bytes | None = None


def open_output(url: str, options: Mapping[str, Any], inputs: Sequence[str]) -> Output:
    """Open the output, and check that it is writable and does not overlap with the inputs.

    Args:
        url: path or URL of the output.
        options: fsspec options of its store.
        inputs: paths or URLs of the inputs.

    Raises:
        JobError: it overlaps with an input, lies where Ray will delete it, or cannot be written.
    """
    output = Output(Store(url, options))
    place = normal_form(url)
    if is_local(url) and _RAY_PACKAGE in place:
        raise JobError(
            f"the output {output.display_url} lies in the copy of the working directory that Ray made for "
            "this job and deletes afterwards",
            "give an absolute path or a URL",
        )
    for source in inputs:
        if reads_below(source, place, FOLDERS):
            raise JobError(
                f"the output {output.display_url} lies inside the input {without_credentials(source)}",
                "choose an output outside: the next run would read it as input",
            )
        if f"{normal_form(source)}/".startswith(tuple(f"{place.rstrip('/')}/{name}/" for name in FOLDERS)):
            raise JobError(
                f"the input {without_credentials(source)} lies inside the output", "choose another output"
            )
    output.store.check_writable()
    return output


@contextmanager
def released_on_error(claim: Claim) -> Iterator[None]:
    """Release an output again if the job cannot start."""
    try:
        yield
    except BaseException:
        claim.close()
        raise


def check_usable(plan: Plan) -> None:
    """Check that there is anything to do.

    Raises:
        JobError: no input can be used, or none has rows.
    """
    if plan.shards:
        return
    if plan.faults:
        raise JobError(f"none of the {len(plan.faults)} inputs can be used: {plan.faults[0]}")
    raise JobError("the inputs have no rows", "check input=")


def warn_if_unpinned(identity: str) -> None:
    """Say that the hub may serve other weights under the same name tomorrow.

    Args:
        identity: of the judge; a model of the hub without a revision is ``owner/name@main`` in it.
    """
    for model in _UNPINNED.findall(identity):
        note(
            f"{model} has no revision, so the hub may serve another model under that name later; "
            "pin it by judge_options.revision=COMMIT"
        )


def checked_policy(config: Config) -> dict[str, Any]:
    """The options of the policy, after a trial parse.

    Raises:
        ConfigError: there is no such policy, or an option has no such value.
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
    """The identity of the writing model, as recorded in the settings of an output; empty without a writer.

    Args:
        errors: the error mode; `repair` needs a writer.
        judge: the judge that writes; None for no writer.

    Raises:
        ConfigError: the error mode is `repair`, and there is no judge that can write.
    """
    identity = None
    if judge is not None:
        probe = make_judge(judge)
        writer = writer_of(probe)
        identity = writer.identity if writer is not None else None
        probe.close()
    if identity is None and errors == ErrorMode.REPAIR:
        raise ConfigError(
            "errors=repair needs a model that writes, and the rules judge has none",
            "choose a judge with a model (enhance: judge=, derive: writer=), or errors=delete",
        )
    return {} if identity is None else {"writer": identity}


def definition_of(preset: DatasetPreset) -> str:
    """Hash of a preset's content (16 hex digits)."""
    content = json.dumps(dataclasses.asdict(preset), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def stored(config: Config) -> dict[str, Any]:
    """The configuration as it is stored: without credentials, options of storage and judge as written."""
    cleaned: dict[str, Any] = storable(as_dict(config))
    return cleaned


def storable_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that determine the content as they are stored; a digest stands for what is withheld."""
    cleaned: dict[str, Any] = storable(settings)
    content = json.dumps(settings, sort_keys=True)
    if json.dumps(cleaned, sort_keys=True) != content:
        cleaned["withheld"] = hashlib.sha256(content.encode()).hexdigest()[:16]
    return cleaned
