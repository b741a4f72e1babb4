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
    """The objects of all units of an output by name, as Arrow streams without the fingerprint of their job.

    Outputs of two jobs with other settings differ in that fingerprint alone where their rows are the same.
    """
    found = {}
    for path in sorted(output.rglob("*.parquet")):
        name = path.relative_to(output).as_posix()
        if not name.startswith("before_after/"):
            table = pq.read_table(path)
            metadata = {
                key: value for key, value in (table.schema.metadata or {}).items() if key != b"dlcot.job"
            }
            found[name] = to_stream(table.replace_schema_metadata(metadata))
    return found


def to_stream(table: pa.Table) -> bytes:
    """An Arrow stream of a table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
