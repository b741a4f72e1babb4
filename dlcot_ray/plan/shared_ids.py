"""Reads the id columns of files, and finds rows that share an id with an earlier row.

Each id becomes an 8-byte hash. Rows whose hash occurs once are done; the others are compared by the text of
their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.cells import ColumnPath, read_texts
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.files.shards import Shard, open_shard
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, FileMetadata
from dlcot_ray.storage.parallel import map_in_order

THREADS = 8
Positions = npt.NDArray[np.int64]


class IdFile(Protocol):
    """What the search needs of a file. `PlannedFile` is an implementation."""

    @property
    def shard(self) -> Shard:
        """The file."""
        ...

    @property
    def rows(self) -> int:
        """Its number of rows."""
        ...

    @property
    def columns(self) -> ColumnMap:
        """Its columns; only the id column is used."""
        ...

    @property
    def known(self) -> FileMetadata | None:
        """Its metadata, if readers should be told."""
        ...


def shared_hashes(
    files: Sequence[IdFile],
    offsets: Positions,
    options: Mapping[str, object] | None,
    number: int,
    passes: int,
) -> Positions:
    """Ascending positions of the rows whose hash belongs to this pass and occurs in another row too."""

    def of_file(item: tuple[IdFile, int]) -> tuple[npt.NDArray[np.uint64], Positions]:
        file, start = item
        hashes = [np.empty(0, np.uint64)]
        positions = [np.empty(0, np.int64)]
        for base, ids in _ids([file], np.array([start, start + file.rows]), options):
            values = ids.hash().to_numpy()
            mine = ids.is_not_null().to_numpy()
            if passes > 1:
                mine = mine & (values % np.uint64(passes) == number)
            kept = np.flatnonzero(mine)
            hashes.append(values[kept])
            positions.append(base + kept)
        return np.concatenate(hashes), np.concatenate(positions)

    # Several files at once, because most of the time goes into waiting for the store.
    found = list(map_in_order(of_file, zip(files, offsets[:-1].tolist(), strict=True), THREADS))
    if not found:
        return np.empty(0, np.int64)
    every, where = (np.concatenate(parts) for parts in zip(*found, strict=True))
    del found
    order = np.argsort(every, kind="stable")
    same = every[order[1:]] == every[order[:-1]]
    shared = np.zeros(len(every), bool)
    shared[order[1:][same]] = True
    shared[order[:-1][same]] = True
    repeated: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = where[shared]
    return repeated


def repeated_among(
    files: Sequence[IdFile],
    offsets: Positions,
    options: Mapping[str, object] | None,
    candidates: Positions,
) -> tuple[Positions, Positions]:
    """Among the candidate rows, those that repeat an id, and where it occurred first."""
    if not len(candidates):
        return candidates, candidates
    frames: list[pl.DataFrame] = []
    for base, ids in _ids(files, offsets, options, candidates):
        low, high = np.searchsorted(candidates, [base, base + len(ids)])
        local = candidates[low:high] - base
        frames.append(pl.DataFrame({"id": ids.gather(local), "row": candidates[low:high]}))
    found = (
        pl.concat(frames)
        .with_columns(first=pl.col("row").min().over("id"))
        .filter(pl.col("row") != pl.col("first"))
        .sort("row")
    )
    return found["row"].to_numpy(), found["first"].to_numpy()


def _ids(
    files: Sequence[IdFile],
    offsets: Positions,
    options: Mapping[str, object] | None,
    wanted: Positions | None = None,
) -> Iterator[tuple[int, pl.Series]]:
    """Batches of ids (null where a row has none) with the position of their first row.

    With `wanted`, only files and batches that hold one of these positions.
    """
    for file, start in zip(files, offsets[:-1].tolist(), strict=True):
        path = file.columns.id
        if path is None or not _any_in(wanted, start, start + file.rows):
            continue
        base = start
        for texts in _texts(file, path, options):
            if _any_in(wanted, base, base + len(texts)):
                yield base, pl.Series("id", texts, dtype=pl.String)
            base += len(texts)


def _any_in(wanted: Positions | None, low: int, high: int) -> bool:
    return wanted is None or bool(np.searchsorted(wanted, low) < np.searchsorted(wanted, high))


def _texts(
    file: IdFile, path: ColumnPath, options: Mapping[str, object] | None
) -> Iterator[list[str | None]]:
    with closing(open_shard(file.shard, options, file.known)) as reader:
        try:
            for batch in reader.batches(columns=[path.column]):
                cells = read_texts(pa.Table.from_batches([batch]), path)
                yield [cell if isinstance(cell, str) and cell.strip() else None for cell in cells]
        except READ_ERRORS as error:
            raise InputFault(
                file.shard.file,
                f"its id column {path.text} cannot be read ({reason_of(error)})",
                "write the file again",
            ) from error
