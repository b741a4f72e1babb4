"""Records of jobs that are not run, and the units of jobs that are compared."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import JOB_FILE, Output


def write_record(output: Output, record: JobRecord) -> None:
    """Give an output to a job, as if that had run there earlier."""
    output.store.put(JOB_FILE, record.to_json())


def units_of(output: Path) -> dict[str, bytes]:
    """The objects of all units of an output by name, each `without_job`."""
    paths = (path for path in sorted(output.rglob("*.parquet")) if path.parent.name != "before_after")
    return {path.relative_to(output).as_posix(): without_job(path.read_bytes()) for path in paths}


def without_job(data: bytes) -> bytes:
    """A Parquet object as an Arrow stream without the fingerprint of its job.

    Where two jobs with other settings write the same rows, their objects differ in that fingerprint alone.
    """
    table = pq.read_table(pa.BufferReader(data))
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"dlcot.job"}
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.with_metadata(metadata)) as writer:
        writer.write_table(table.replace_schema_metadata(metadata))
    return bytes(sink.getvalue())
