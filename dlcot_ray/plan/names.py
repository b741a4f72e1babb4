"""Writes and parses the names of work units.

A unit's name consists of the name of its file's outputs and the range of its rows, for example
``math/train-00001.r000000000-000000256``. Its objects have this name in every folder, so a LIST of the output
shows which units are complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# At most 18 digits, because these always fit into 64 bits. The pattern works for Python's regular expressions
# and for Rust's (polars).
_NAME = r"(?s)(.+)\.r([0-9]{9,18})-([0-9]{9,18})"
_PYTHON_NAME = re.compile(_NAME)


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit's name in its parts: rows `[start, stop)` of the file whose outputs are called `shard`."""

    shard: str
    start: int
    stop: int

    def __str__(self) -> str:
        return unit_name(self.shard, self.start, self.stop)


def unit_name(shard: str, start: int, stop: int) -> str:
    """The name of the unit of rows `[start, stop)` of a file.

    Args:
        shard: the name of the file's outputs (`Shard.name`).
        start, stop: row numbers within the file.
    """
    return f"{shard}.r{start:09d}-{stop:09d}"


def parse_unit_name(name: str) -> UnitName | None:
    """The parts of a unit's name, or None for any other text."""
    found = _PYTHON_NAME.fullmatch(name)
    return UnitName(found[1], int(found[2]), int(found[3])) if found else None


def parse_unit_names(names: Iterable[str]) -> pl.DataFrame:
    """The parts of many names at once.

    Returns:
        One row per name, in order, with columns `shard` (String), `start` and `stop` (Int64). All three are
        null where the text is no unit's name.
    """
    # Imported here, because every worker imports this module, and only the driver parses many names.
    import polars as pl

    parts = pl.Series(list(names), dtype=pl.String).str.extract_groups(f"^{_NAME}$").struct
    start, stop = (parts.field(part).cast(pl.Int64) for part in ("2", "3"))
    return pl.DataFrame({"shard": parts.field("1"), "start": start, "stop": stop})
