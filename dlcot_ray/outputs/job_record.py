"""The job that owns an output: its settings, its configuration and its inputs (`_job.json`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dlcot_ray.credentials import is_withheld
from dlcot_ray.errors import JobError

if TYPE_CHECKING:
    from dlcot_ray.inputs.files.shards import Shard

FORMAT = 1
"""Version of the layout. Increase it when outputs of earlier versions can no longer be resumed or read."""


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One planned input file: its label, the name of its outputs, and its rows, bytes and version."""

    file: str
    name: str
    rows: int
    size: int
    version: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """`_job.json`.

    Attributes:
        command: ``enhance`` or ``derive``.
        settings: everything that determines content, besides the inputs.
        config: the resolved configuration.
        inputs: the planned files, in plan order; an earlier order is never changed, only appended to.
        layouts: how each set of columns is read, as decided on samples (`inputs.layouts.deciding.Layout`).
    """

    command: str
    settings: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: tuple[InputRecord, ...] = ()
    layouts: tuple[Mapping[str, Any], ...] = ()

    @property
    def fingerprint(self) -> str:
        """Identity of the settings (16 hex digits)."""
        canonical = json.dumps([FORMAT, self.command, self.settings], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def options_of(self, side: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The storage options of the job for ``input`` or ``output``, with `given` over them.

        Raises:
            JobError: one of them was taken from the environment, so it is not stored.
        """
        options = {**((self.config.get("storage") or {}).get(side) or {}), **(given or {})}
        for name, value in options.items():
            if is_withheld(value):
                raise JobError(
                    f"storage.{side}.{name} of that job was {value}, whose value is not stored",
                    f"set storage.{side}.{name}= again",
                )
        return options

    def with_inputs(self, inputs: Iterable[InputRecord]) -> JobRecord:
        """The same job, with the files appended that it does not have yet."""
        known = {item.file for item in self.inputs}
        return replace(self, inputs=(*self.inputs, *(item for item in inputs if item.file not in known)))

    def to_json(self) -> bytes:
        """The bytes of `_job.json`."""
        content = {"format": FORMAT, "fingerprint": self.fingerprint, **asdict(self)}
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def check_inputs(record: JobRecord, shards: Sequence[Shard], output: str) -> None:
    """Check that no recorded input has changed or is missing.

    Args:
        record: the job, with its inputs.
        shards: the inputs now.
        output: URL of the output, for messages.

    Raises:
        JobError: an input has changed or is missing; it names the first one.
    """
    now = {shard.file: shard for shard in shards}
    for item in record.inputs:
        shard = now.get(item.file)
        if shard is None:
            what = f"{item.file} is no longer among the inputs"
        elif (shard.size, shard.version) != (item.size, item.version):
            what = f"{item.file} has changed"
        else:
            continue
        raise JobError(
            f"{what} since {output} was made from it",
            "restore it, choose another output, or set overwrite=true to start over",
        )


def first_difference(there: JobRecord, here: JobRecord) -> str:
    """The first setting in which two jobs differ, with both values, or an empty string."""
    if there.command != here.command:
        return f"command: {there.command} there, {here.command} here"
    for key in [*here.settings, *there.settings]:
        old, new = there.settings.get(key), here.settings.get(key)
        if old != new:
            return f"{key}: {_shown(old)} there, {_shown(new)} here"
    return ""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return text if len(text) <= 80 else f"{text[:80]}..."
