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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dlcot_ray.plan.plan import Plan, inputs_digest
from dlcot_ray.plan.repeated_texts import OTHER, SAME, UNKNOWN, Kinds, kinds_of
from dlcot_ray.plan.shared_ids import IdFile, Positions, repeated_among, shared_hashes
from dlcot_ray.plan.tasks import NOT_COMPARED, OTHER_TEXT
from dlcot_ray.storage.tables import read_arrow_file, to_arrow_file

_FILES_KEY = "dlcot.inputs"
ROWS_PER_PASS = 16_000_000

MOST_TEXT_BYTES = 16 << 30
"""Size of the files whose texts are compared; above it, rows of a repeated id are kept without comparing."""

_MARKS = {OTHER: OTHER_TEXT, UNKNOWN: NOT_COMPARED}


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
        candidates = shared_hashes(files, offsets, options, number, passes)
        found, first = repeated_among(files, offsets, options, candidates)
        rows.append(found)
        firsts.append(first)
    all_rows, all_firsts = np.concatenate(rows), np.concatenate(firsts)
    order = np.argsort(all_rows, kind="stable")
    labels = tuple(file.shard.file for file in files)
    repeats, originals = all_rows[order], all_firsts[order]
    kinds = np.zeros(len(repeats), np.int8)
    if compare_texts and len(repeats):
        kinds = kinds_of(files, offsets, options, repeats, originals, most_text_bytes)
    return Duplicates(labels, offsets, repeats, originals, kinds)
