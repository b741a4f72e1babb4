"""The third step of a work unit: write its tables, and report the result to the driver.

No Ray here. A failure is returned, as in reading.
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
    """Write a processed unit; `made` is its tables, or why there are none."""
    if isinstance(made, str):
        return UnitResult(task.name, task.file, task.start, task.stop, error=made)
    try:
        size = output.put_unit(
            task.name,
            made,
            store_annotations=spec.annotations is None,
            retries=spec.retries,
            chunked=spec.chunked,
            job=spec.job,
        )
    except (OSError, JobError, pa.ArrowException) as error:
        message = f"cannot be written ({reason_of(error)})"
        refused = str(error) if isinstance(error, StoreRefused) else ""
        return UnitResult(task.name, task.file, task.start, task.stop, error=message, refused=refused)
    return UnitResult(task.name, task.file, task.start, task.stop, made.stats, size=size)
