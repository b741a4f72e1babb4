"""Times that a Parquet file stores as INT96: a day, and nanoseconds within it.

Spark writes this type by default, old Hive and Impala too. Nanoseconds in 64 bits reach from 1677 to 2262
only, so Arrow corrupts other times without a word. Read as microseconds, which is the precision of Spark, all
times are right, but finer ones lose digits. No type of Arrow holds both. A file whose own Arrow schema says
nanoseconds has no other times.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dlcot_ray.errors import InputFault

_SCHEMA_KEY = b"ARROW:schema"
_BATCH_ROWS = 8192


def needs_microseconds(file: pq.ParquetFile) -> bool:
    """Whether a file has INT96 times that nanoseconds of 64 bits may not hold; from its footer."""
    schema = file.schema
    if not any(schema.column(leaf).physical_type == "INT96" for leaf in range(len(schema))):
        return False
    return _stored_units(file.metadata.metadata or {}) != {"ns"}


def check_microseconds(
    rounded: pq.ParquetFile,
    exact: pq.ParquetFile,
    groups: range | None,
    columns: Sequence[str] | None,
    label: str,
) -> None:
    """Check that INT96 times of some row groups lose nothing as microseconds.

    Args:
        rounded: the file, its INT96 times read as microseconds.
        exact: the same, read as nanoseconds, which overflow and have the right last digits all the same.
        groups: numbers of row groups; None means all.
        columns: top-level columns that are read; None means all.
        label: names the file in the fault.

    Raises:
        InputFault: a time has nanoseconds.
        pyarrow.ArrowException, OSError: the columns cannot be read.
    """
    pairs = zip(rounded.schema_arrow, exact.schema_arrow, strict=True)
    names = [one.name for one, other in pairs if one.type != other.type]
    names = [name for name in names if columns is None or name in columns]
    if not names:
        return
    footer = exact.metadata
    row = sum(footer.row_group(group).num_rows for group in range(groups.start if groups else 0))
    batches = (
        file.iter_batches(_BATCH_ROWS, row_groups=groups, columns=names, use_threads=False)
        for file in (exact, rounded)
    )
    for one, other in zip(*batches, strict=True):
        for name in names:
            at = _first_finer(one[name], other[name])
            if at is not None:
                raise InputFault(
                    label,
                    f"row {row + at}: column {name} has a time with nanoseconds in the old type INT96, which "
                    "cannot be kept beside times outside of 1677 to 2262",
                    "write the column again as TIMESTAMP",
                )
        row += one.num_rows


def _stored_units(metadata: dict[bytes, bytes]) -> set[str]:
    """The units of all times in the Arrow schema that a file's writer stored; empty if there is none."""
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata.get(_SCHEMA_KEY, b""))))
    except (ValueError, OSError, pa.ArrowException):
        return set()
    return {unit for field in schema for unit in _units(field.type)}


def _units(kind: pa.DataType) -> Iterator[str]:
    if pa.types.is_timestamp(kind):
        yield kind.unit
    for number in range(kind.num_fields):
        yield from _units(kind.field(number).type)


def _first_finer(exact: pa.Array, rounded: pa.Array) -> int | None:
    """The first row of a column that has a time with nanoseconds, or None."""
    if not _is_finer(exact, rounded):
        return None
    return next(row for row in range(len(exact)) if _is_finer(exact.slice(row, 1), rounded.slice(row, 1)))


def _is_finer(exact: pa.Array, rounded: pa.Array) -> bool:
    for one, other in zip(_times(exact), _times(rounded), strict=True):
        if one.type.unit == other.type.unit:
            continue
        # Both sides are right modulo 2**64, so the difference is right, however the nanoseconds overflow.
        rest = pc.subtract(one.cast(pa.int64()), pc.multiply(other.cast(pa.int64()), 1000))
        if pc.any(pc.not_equal(rest, 0)).as_py():
            return True
    return False


def _times(array: pa.Array) -> Iterator[pa.Array]:
    """All arrays of times in an array, at any depth."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        yield array
    elif pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _times(part)
    elif pa.types.is_map(kind):
        yield from _times(array.keys)
        yield from _times(array.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _times(array.flatten())
