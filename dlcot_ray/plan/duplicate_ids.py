"""Finds rows that repeat the id of an earlier row, over all inputs, in bounded memory.

Ids restart in every file of some data sets, and several replies have the id of one problem in others. So rows
of one id are compared by what their traces hold: only a row whose text repeats too is a duplicate.

Only the id columns are read. Each id becomes an 8-byte hash. A row whose hash is unique has a unique id; all
other rows are compared by the text of their ids, so a hash collision does not change the result. Above
`ROWS_PER_PASS` rows the hashes are split into ranges, and the columns are read once per range, so that memory
does not grow with the job. A row of a pass takes up to about 150 bytes (4 million rows took 600 MB, the
process itself included).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.cells import ColumnPath, read_texts
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.files.shards import Shard, open_shard
from dlcot_ray.inputs.items import content_of
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, FileMetadata
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.plan.plan import Plan, inputs_digest
from dlcot_ray.plan.tasks import NOT_COMPARED, OTHER_TEXT
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.tables import read_arrow_file, to_arrow_file

_FILES_KEY = "dlcot.inputs"
ROWS_PER_PASS = 16_000_000
_THREADS = 8
_BATCH_ROWS = 256

MOST_TEXT_BYTES = 16 << 30
"""Size of the files whose texts are compared; above it, rows of a repeated id are kept without comparing."""

Positions = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.int8]
SAME, OTHER, UNKNOWN = 0, 1, 2
_MARKS = {OTHER: OTHER_TEXT, UNKNOWN: NOT_COMPARED}


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


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that repeat an id, as positions among the consecutively numbered rows of all planned files.

    Attributes:
        labels: labels of the files, in plan order.
        offsets: position of each file's first row, then the number of rows; shape (files + 1,).
        rows: positions of the repeating rows, ascending.
        firsts: for each of `rows`, the position of the first row with the same id.
        kinds: for each of `rows`, whether its text repeats too (`SAME`, `OTHER`, `UNKNOWN`).
    """

    labels: tuple[str, ...]
    offsets: Positions
    rows: Positions
    firsts: Positions
    kinds: Kinds

    def to_bytes(self, plan: Plan) -> bytes:
        """Serialise, with the digest of the plan's input files."""
        table = pa.table(
            {"row": self.rows, "first": self.firsts, "kind": self.kinds}
        ).replace_schema_metadata({_FILES_KEY: inputs_digest(plan)})
        return to_arrow_file(table, compression=None)

    @classmethod
    def from_bytes(cls, recorded: bytes | None, plan: Plan) -> Duplicates | None:
        """Read the result of `to_bytes`; None if it is missing, damaged or of other input files."""
        if recorded is None:
            return None
        try:
            table = read_arrow_file(recorded)
            if (table.schema.metadata or {}).get(_FILES_KEY.encode()) != inputs_digest(plan).encode():
                return None
            rows, firsts, kinds = (table[name].to_numpy() for name in ("row", "first", "kind"))
        except (pa.ArrowException, KeyError, ValueError):
            return None
        return cls(tuple(shard.file for shard in plan.shards), plan.file_rows, rows, firsts, kinds)

    def within(self, file: int, start: int, stop: int) -> dict[int, str]:
        """The repeating rows in `[start, stop)` of a file.

        Returns:
            Row -> label and row of the first with its id and text; `OTHER_TEXT` or `NOT_COMPARED` where only
            the id repeats.
        """
        base = int(self.offsets[file])
        low, high = np.searchsorted(self.rows, [base + start, base + stop])
        return {
            int(row) - base: self._place(int(first)) if kind == SAME else _MARKS[int(kind)]
            for row, first, kind in zip(
                self.rows[low:high], self.firsts[low:high], self.kinds[low:high], strict=True
            )
        }

    def _place(self, position: int) -> str:
        file = int(np.searchsorted(self.offsets, position, side="right")) - 1
        return f"{self.labels[file]}, row {position - int(self.offsets[file])}"


def find_duplicates(
    files: Sequence[IdFile],
    options: Mapping[str, object] | None = None,
    *,
    rows_per_pass: int = ROWS_PER_PASS,
    compare_texts: bool = True,
    most_text_bytes: int = MOST_TEXT_BYTES,
) -> Duplicates:
    """Find every row that repeats the id of an earlier row, in plan order.

    Rows without an id and files without an id column have no duplicates.

    Args:
        files: the files, in plan order.
        options: fsspec options of the inputs.
        rows_per_pass: most rows whose hashes are in memory at once.
        compare_texts: whether rows of one id with different texts are told apart; else all are `SAME`.
        most_text_bytes: most bytes of files whose texts are compared.

    Raises:
        InputFault: an id column cannot be read; the job must be planned without that file.
    """
    offsets = np.cumsum([0, *(file.rows for file in files)], dtype=np.int64)
    passes = max(1, -(-int(offsets[-1]) // rows_per_pass))
    rows: list[Positions] = []
    firsts: list[Positions] = []
    for number in range(passes):
        candidates = _shared_hashes(files, offsets, options, number, passes)
        found, first = _repeats(files, offsets, options, candidates)
        rows.append(found)
        firsts.append(first)
    all_rows, all_firsts = np.concatenate(rows), np.concatenate(firsts)
    order = np.argsort(all_rows, kind="stable")
    labels = tuple(file.shard.file for file in files)
    repeats, originals = all_rows[order], all_firsts[order]
    kinds = np.zeros(len(repeats), np.int8)
    if compare_texts and len(repeats):
        kinds = _kinds(files, offsets, options, repeats, originals, most_text_bytes)
    return Duplicates(labels, offsets, repeats, originals, kinds)


def _kinds(
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

    for found in map_in_order(of_file, numbers, _THREADS):
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


def _shared_hashes(
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
    found = list(map_in_order(of_file, zip(files, offsets[:-1].tolist(), strict=True), _THREADS))
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


def _repeats(
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
