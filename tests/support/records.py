"""Outputs of jobs that are not run."""

from __future__ import annotations

from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import JOB_FILE, Output


def write_record(output: Output, record: JobRecord) -> None:
    """Give an output to a job, as if that had run there earlier."""
    output.store.put(JOB_FILE, record.to_json())
