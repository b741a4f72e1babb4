"""The third step of a work unit: put what was made of it, and tell the driver what became of it.

No Ray here. A failure is a value, as in reading.
"""

from __future__ import annotations

import pyarrow as pa

from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.results import UnitOutput, UnitResult
from dlcot_ray.plan.tasks import UnitTask
from dlcot_ray.storage.failures import StoreRefused
from dlcot_ray.work.spec import WorkSpec


def write_unit(task: UnitTask, made: UnitOutput | str, output: Output, spec: WorkSpec) -> UnitResult:
    """Write a processed unit, and tell what became of it."""
    if isinstance(made, str):
        return UnitResult(task.name, task.file, task.start, task.stop, error=made)
    try:
        size = output.put_unit(
            task.name,
            made.stats,
            made.enhanced,
            made.rejected,
            made.annotations if spec.annotations is None else None,
            made.preferences,
            made.facts,
            retries=spec.retries,
        )
    except (OSError, JobError, pa.ArrowException) as error:
        message = f"cannot be written ({reason_of(error)})"
        refused = str(error) if isinstance(error, StoreRefused) else ""
        return UnitResult(task.name, task.file, task.start, task.stop, error=message, refused=refused)
    return UnitResult(task.name, task.file, task.start, task.stop, made.stats, size=size)
