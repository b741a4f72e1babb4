"""A few rows of one layout, and what each of their columns holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from dlcot_ray.inputs.cells import BadCell, CellKind, find_path, is_list, kind_of, read_parts
from dlcot_ray.inputs.layouts.texts import (
    could_be_trace,
    is_blank,
    is_code,
    is_conversation,
    is_listing,
    is_statement,
    is_switch,
    reads_as_thinking,
)
from dlcot_ray.inputs.layouts.turn_columns import TurnColumn, names_role, turn_columns
from dlcot_ray.inputs.readers.protocol import BAD_LINES
from dlcot_ray.inputs.replies.splitting import opens

_SCALARS = (CellKind.TEXT, CellKind.INTEGER, CellKind.NUMBER)
_MARK = re.compile(r"\W{0,8}(?:[<＜\[{]|&lt;|\*\*|#)")
"""A bracket, a heading or bold text at the start."""
_FEW_ROWS = 5
"""With fewer rows nothing is known about how often values repeat."""


@dataclass(frozen=True)
class Holding:
    """What one place of the rows holds.

    Attributes:
        path: the place, as a preset names it.
        cells: its filled cells, as text; of a list, all elements.
        rows: number of rows of the sample.
        most: the most cells of one row.
    """

    path: str
    cells: tuple[str, ...]
    rows: int
    most: int = 1

    @property
    def is_many(self) -> bool:
        """Whether it is a list, of which a row may have several elements."""
        return ".*" in self.path

    def share(self, test: Callable[[str], bool]) -> float:
        """Share of the filled cells that pass a test; 0 if there are none."""
        return sum(map(test, self.cells)) / len(self.cells) if self.cells else 0.0

    @property
    def filled(self) -> float:
        """Filled cells per row."""
        return len(self.cells) / self.rows if self.rows else 0.0

    @cached_property
    def length(self) -> int:
        """Median number of characters."""
        lengths = sorted(map(len, self.cells))
        return lengths[len(lengths) // 2] if lengths else 0

    @cached_property
    def distinct(self) -> int:
        """Number of different cells."""
        return len(set(self.cells))

    @cached_property
    def is_flag(self) -> bool:
        """Whether it holds a few short words, such as on and off, and so cannot be a trace."""
        if self.share(is_switch) == 1:
            return True
        if len(self.cells) < _FEW_ROWS:
            return False
        return self.share(could_be_trace) < 0.5 or (self.distinct <= 2 and self.length < 60)

    @cached_property
    def thinks(self) -> bool:
        """Whether most of its cells think aloud."""
        return self.share(reads_as_thinking) >= 0.5

    @cached_property
    def is_marked(self) -> bool:
        """Whether most of its cells begin with a mark, and not with a word or a formula."""
        return self.share(lambda text: _MARK.match(text) is not None) >= 0.5

    @cached_property
    def states(self) -> bool:
        """Whether most of its cells state something in words, and are no bare values."""
        return self.share(is_statement) >= 0.5

    @cached_property
    def is_code(self) -> bool:
        """Whether most of its cells are programs."""
        return self.share(is_code) >= 0.5

    @cached_property
    def is_listing(self) -> bool:
        """Whether most of its cells are lists or objects as text: nothing that a student should read."""
        return self.share(is_listing) >= 0.5

    @cached_property
    def is_conversation(self) -> bool:
        """Whether most of its cells are lists of turns as text."""
        return self.share(is_conversation) >= 0.5

    def tagged(self, tags: Sequence[str]) -> float:
        """Share of the cells with one of the tags, or with a block of thinking."""
        return self.share(lambda text: any(map(text.__contains__, tags)) or opens(text))


class Sample:
    """Rows of files that share one layout.

    Args:
        table: the rows, without schema metadata.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._known: dict[str, Holding | None] = {}

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    def holding(self, path: str) -> Holding | None:
        """What a place holds; None if there is no such place, or if it is no text and no number."""
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]

    def _read(self, path: str) -> Holding | None:
        found = find_path(self.table.schema, path)
        if found is not None and is_list(found[1]):
            found = find_path(self.table.schema, f"{path}.*")
        if found is None or kind_of(found[1]) not in _SCALARS:
            return None
        rows = read_parts(self.table, found[0])
        texts = (cell for row in rows for cell in row if cell is not None and not isinstance(cell, BadCell))
        filled = tuple(text for text in texts if not is_blank(text))
        return Holding(path, filled, self.rows, max(map(len, rows), default=0))

    def places(self) -> list[str]:
        """Every place of text or numbers: columns, fields of structs, and elements of lists, as paths."""
        fields = (field for field in self.table.schema if field.name != BAD_LINES)
        found = [path for field in fields for path in _places(field.name, field.type)]
        turns = tuple(f"{column.path}.*" for column in self.turns)
        return [path for path in found if not path.startswith(turns)]

    def flags(self) -> list[str]:
        """Every list of truth values: columns, as a preset names them, and fields of lists of structs."""
        found = []
        for field in self.table.schema:
            inside = field.type.value_type if is_list(field.type) else None
            if inside is not None and pa.types.is_boolean(inside):
                found.append(field.name)
            elif inside is not None and pa.types.is_struct(inside):
                flags = (item.name for item in inside if pa.types.is_boolean(item.type))
                found += [f"{field.name}.*.{name}" for name in flags]
        return found

    @cached_property
    def turns(self) -> list[TurnColumn]:
        """Its columns of turns, under any names."""
        return turn_columns(self.table)


def _places(name: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_struct(kind):
        return [path for field in kind for path in _places(f"{name}.{field.name}", field.type)]
    if is_list(kind) and kind_of(kind.value_type) in _SCALARS:
        return [f"{name}.*"]
    if is_list(kind) and pa.types.is_struct(kind.value_type) and not names_role(kind.value_type):
        inside = [path for field in kind.value_type for path in _places(field.name, field.type)]
        return [f"{name}.*.{path}" for path in inside if "*" not in path]
    return [name] if kind_of(kind) in _SCALARS else []
