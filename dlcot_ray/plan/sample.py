"""A sample of traces, spread over all inputs, with a limit on what is read.

Rows are taken at even distances over the whole job. If they are in too many row groups, fewer row groups are
read, and more rows are taken from each. Reading is limited to `_MOST_GROUPS` row groups, and to
`_MOST_BYTES` of each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import Shard, open_shard
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, FileMetadata, Reader
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.plan.plan import Plan
from dlcot_ray.storage.parallel import map_in_order

_MOST_GROUPS = 64
_MOST_BYTES = 256 << 20
_BATCH_ROWS = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """Traces of a job.

    Attributes:
        traces: what can be judged.
        rows: number of rows read.
        faults: what the job would reject.
    """

    traces: tuple[Trace, ...] = ()
    rows: int = 0
    faults: tuple[RowFault, ...] = ()

    @property
    def unusable(self) -> int:
        """How many would be rejected."""
        return len(self.faults)

    def by_cause(self) -> dict[str, dict[str, Any]]:
        """Cause -> how many would be rejected for it, the first of them, and what to do; the most first."""
        counts = Counter(fault.cause for fault in self.faults)
        first = {fault.cause: fault for fault in reversed(self.faults)}
        return {
            str(cause): {"count": count, "example": str(first[cause]), "remedy": first[cause].remedy}
            for cause, count in counts.most_common()
        }


@dataclass(frozen=True, slots=True)
class _File:
    """A file with the rows of it that are in the sample, ascending, and its metadata if it is known."""

    shard: Shard
    columns: ColumnMap
    rows: Sequence[int]
    metadata: FileMetadata | None


def take_sample(
    plan: Plan,
    count: int,
    options: Mapping[str, object] | None = None,
    metadata: MetadataCache | None = None,
) -> Sample:
    """About `count` traces; all of them if the job has no more.

    A file that cannot be read is left out: the job itself will report it.

    Args:
        plan: the plan of the job.
        count: number of rows to take.
        options: fsspec options of the inputs.
        metadata: known metadata of the files; that of other files is read.
    """
    known = metadata or MetadataCache()
    files = [
        _File(plan.shards[number], plan.columns[number], rows, known.get(plan.shards[number]))
        for number, rows in sorted(_rows_by_file(plan, min(count, plan.rows)).items())
    ]
    most = max(1, _MOST_GROUPS // max(len(files), 1))
    return _joined(list(map_in_order(lambda file: _read_file(file, most, options), files)))


def _rows_by_file(plan: Plan, count: int) -> dict[int, list[int]]:
    """Number of a file -> the rows of it that are in the sample, ascending; at most `_MOST_GROUPS` files."""
    total = plan.rows
    wanted = (np.arange(count) * total + total // 2) // max(count, 1) if count < total else np.arange(total)
    numbers = np.searchsorted(plan.file_rows, wanted, side="right") - 1
    found: dict[int, list[int]] = defaultdict(list)
    for number, position in zip(numbers.tolist(), wanted.tolist(), strict=True):
        found[number].append(position - int(plan.file_rows[number]))
    if len(found) <= _MOST_GROUPS:
        return found
    files = _evenly(sorted(found), _MOST_GROUPS)
    share = -(-count // len(files))
    file_rows = np.diff(plan.file_rows)
    return {number: _spread(int(file_rows[number]), share) for number in files}


def _read_file(file: _File, most: int, options: Mapping[str, object] | None) -> Sample:
    """The sampled rows of one file, from at most `most` row groups. Rows read before an error count."""
    parts: list[Sample] = []
    try:
        with closing(open_shard(file.shard, options, file.metadata)) as reader:
            found = file.metadata or reader.metadata()
            starts = np.cumsum([0, *found.group_rows])
            for group, rows in _rows_by_group(starts, file.rows, most).items():
                for part in _read_group(file, reader, group, int(starts[group]), rows):
                    parts.append(part)
    except READ_ERRORS:
        return _joined(parts)
    return _joined(parts)


def _rows_by_group(starts: npt.NDArray[np.int64], rows: Sequence[int], most: int) -> dict[int, list[int]]:
    """Number of a row group -> the rows of it to take. Too many groups: an equal share of `most` of them."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        found[int(np.searchsorted(starts, row, side="right")) - 1].append(row)
    if len(found) <= most:
        return found
    share = -(-len(rows) // most)
    return {
        group: [int(starts[group]) + row for row in _spread(int(starts[group + 1] - starts[group]), share)]
        for group in _evenly(sorted(found), most)
    }


def _read_group(file: _File, reader: Reader, group: int, at: int, wanted: list[int]) -> Iterator[Sample]:
    """The wanted rows of one row group, whose first row is number `at` of the file."""
    read_bytes = 0
    for batch in reader.batches(range(group, group + 1), max_rows=_BATCH_ROWS):
        inside = [row - at for row in wanted if at <= row < at + batch.num_rows]
        if inside:
            table = pa.Table.from_batches([batch.slice(row, 1) for row in inside])
            found = traces_of(
                table, file.columns, file=file.shard.file, first_row=at, shard_name=file.shard.name
            )
            traces = tuple(item.found for item in found if isinstance(item.found, Trace))
            # They count the rows of the table; the sample's rows are some of the file's.
            faults = tuple(
                replace(item.found, row=at + inside[item.found.row - at])
                for item in found
                if isinstance(item.found, RowFault)
            )
            yield Sample(traces, table.num_rows, faults)
        at, read_bytes = at + batch.num_rows, read_bytes + batch.nbytes
        if read_bytes > _MOST_BYTES or at > wanted[-1]:
            return


def _joined(parts: Sequence[Sample]) -> Sample:
    return Sample(
        tuple(trace for part in parts for trace in part.traces),
        sum(part.rows for part in parts),
        tuple(fault for part in parts for fault in part.faults),
    )


def _spread(rows: int, count: int) -> list[int]:
    """`count` numbers below `rows`, at even distances; all of them if there are fewer."""
    count = min(rows, count)
    return [place * rows // count for place in range(count)]


def _evenly(items: Sequence[int], count: int) -> list[int]:
    """`count` of the items, at even distances."""
    return [items[place * len(items) // count] for place in range(count)]
