"""Tells apart rows of one id by what their traces hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.files.shards import open_shard
from dlcot_ray.inputs.items import content_of
from dlcot_ray.inputs.readers.protocol import READ_ERRORS
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.plan.shared_ids import THREADS, IdFile, Positions
from dlcot_ray.storage.parallel import map_in_order

_BATCH_ROWS = 256
Kinds = npt.NDArray[np.int8]
SAME, OTHER, UNKNOWN = 0, 1, 2


def kinds_of(
    files: Sequence[IdFile],
    offsets: Positions,
    options: Mapping[str, object] | None,
    rows: Positions,
    firsts: Positions,
    most_bytes: int,
) -> Kinds:
    """Whether the text of each row occurred before under its id."""
    wanted = np.union1d(rows, firsts)
    numbers = np.unique(np.searchsorted(offsets, wanted, side="right") - 1).tolist()
    if sum(files[number].shard.size for number in numbers) > most_bytes:
        return np.full(len(rows), UNKNOWN, np.int8)
    contents: dict[int, str] = {}

    def of_file(number: int) -> dict[int, str]:
        base = int(offsets[number])
        low, high = np.searchsorted(wanted, [base, int(offsets[number + 1])])
        mine = (wanted[low:high] - base).tolist()
        return {base + row: content for row, content in _contents(files[number], mine, options)}

    for found in map_in_order(of_file, numbers, THREADS):
        contents.update(found)
    frame = pl.DataFrame({"row": np.concatenate([rows, np.unique(firsts)])}).with_columns(
        first=pl.Series(np.concatenate([firsts, np.unique(firsts)])),
        content=pl.col("row").replace_strict(contents, default=None, return_dtype=pl.String),
    )
    seen = frame.sort("row").with_columns(again=~pl.struct("first", "content").is_first_distinct())
    again = seen.filter(pl.col("again") & pl.col("content").is_not_null())["row"].to_numpy()
    return np.where(np.isin(rows, again), SAME, OTHER).astype(np.int8)


def _contents(
    file: IdFile, wanted: Sequence[int], options: Mapping[str, object] | None
) -> Iterator[tuple[int, str]]:
    """Row -> hash of what its traces hold, for the wanted rows that have any."""
    waiting = np.array(wanted, np.int64)
    with closing(open_shard(file.shard, options, file.known)) as reader:
        try:
            at = 0
            for batch in reader.batches(max_rows=_BATCH_ROWS):
                low, high = np.searchsorted(waiting, [at, at + batch.num_rows])
                for row in waiting[low:high].tolist():
                    table = pa.Table.from_batches([batch.slice(row - at, 1)])
                    name = file.shard.name
                    items = traces_of(table, file.columns, file=name, first_row=row, shard_name=name)
                    content = content_of(items)
                    if content is not None:
                        yield row, content
                at += batch.num_rows
        except READ_ERRORS as error:
            raise InputFault(
                file.shard.file, f"its texts cannot be read ({reason_of(error)})", "write the file again"
            ) from error
