"""A sample of traces, spread over all inputs, with bounded reading.

Rows are taken at even distances over the whole job. Where that would open too many row groups, fewer of them
are opened and more rows taken of each: reading is bounded by `_MOST_GROUPS` groups and `_MOST_BYTES` of each,
whatever the size of the job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.footers import open_parquet
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.plan.plan import Plan
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.store import Store

_MOST_GROUPS = 64
_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Traces of a job; `rows` were read for them, `unusable` of which are no traces."""

    traces: tuple[Trace, ...]
    rows: int
    unusable: int


def take_sample(plan: Plan, count: int, options: Mapping[str, object] | None = None) -> Sample:
    """About `count` traces; all of them where the job has no more.

    Files that cannot be read are passed over: the job itself will name them.
    """
    total = plan.rows
    count = min(count, total)
    wanted = (np.arange(count) * total + total // 2) // max(count, 1) if count < total else np.arange(total)
    by_file: dict[int, list[int]] = defaultdict(list)
    numbers = np.searchsorted(plan.file_rows, wanted, side="right") - 1
    for number, position in zip(numbers.tolist(), wanted.tolist(), strict=True):
        by_file[number].append(position - int(plan.file_rows[number]))
    files = sorted(by_file)
    if len(files) > _MOST_GROUPS:
        step = len(files) / _MOST_GROUPS
        files = [files[int(place * step)] for place in range(_MOST_GROUPS)]
        share = -(-count // len(files))
        by_file = {number: _spread(int(np.diff(plan.file_rows)[number]), share) for number in files}
    most = max(1, _MOST_GROUPS // max(len(files), 1))

    def read(number: int) -> Sample:
        return _read_rows(plan, number, by_file[number], most, options)

    parts = list(map_in_order(read, files))
    return Sample(
        tuple(trace for part in parts for trace in part.traces),
        sum(part.rows for part in parts),
        sum(part.unusable for part in parts),
    )


def _spread(rows: int, count: int) -> list[int]:
    count = min(rows, count)
    return [place * rows // count for place in range(count)]


def _read_rows(
    plan: Plan, number: int, rows: list[int], most: int, options: Mapping[str, object] | None
) -> Sample:
    shard, columns = plan.shards[number], plan.columns[number]
    traces: list[Trace] = []
    seen = unusable = 0
    try:
        with open_parquet(Store(shard.store_url, options), shard.relative, shard.file) as file:
            footer = file.metadata
            starts = np.cumsum([0, *(footer.row_group(g).num_rows for g in range(footer.num_row_groups))])
            groups = sorted({int(np.searchsorted(starts, row, side="right")) - 1 for row in rows})
            if len(groups) > most:
                chosen = [groups[place * len(groups) // most] for place in range(most)]
                share = -(-len(rows) // most)
                rows = [
                    int(starts[group]) + row
                    for group in chosen
                    for row in _spread(int(starts[group + 1] - starts[group]), share)
                ]
                groups = chosen
            for group in groups:
                mine = [row for row in rows if starts[group] <= row < starts[group + 1]]
                at, read = int(starts[group]), 0
                for batch in file.iter_batches(256, row_groups=[group], use_threads=False):
                    inside = [row - at for row in mine if at <= row < at + batch.num_rows]
                    if inside:
                        whole = pa.Table.from_batches([batch])
                        table = pa.concat_tables([whole.slice(row, 1) for row in inside])
                        found = traces_of(
                            table, columns, file=shard.file, first_row=at, shard_name=shard.name
                        )
                        seen += len(found)
                        traces += [item for item in found if isinstance(item, Trace)]
                        unusable += sum(not isinstance(item, Trace) for item in found)
                    at, read = at + batch.num_rows, read + batch.nbytes
                    if read > _MOST_BYTES or at > mine[-1]:
                        break
    except (pa.ArrowException, OSError, InputFault, JobError):
        return Sample(tuple(traces), seen, unusable)
    return Sample(tuple(traces), seen, unusable)
