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
    is_statement,
    is_switch,
    reads_as_thinking,
)
from dlcot_ray.inputs.presets import MessageKeys
from dlcot_ray.inputs.readers.protocol import BAD_LINES
from dlcot_ray.inputs.replies.splitting import opens
from dlcot_ray.inputs.words import ASSISTANTS, USERS

_SCALARS = (CellKind.TEXT, CellKind.INTEGER, CellKind.NUMBER)
_MARK = re.compile(r"\W{0,8}(?:[<＜\[{]|&lt;|\*\*|#)")
"""A bracket, a heading or bold text at the start."""
_MOST_ROLES = 8
_FEW_ROWS = 5
"""With fewer rows nothing is known about how often values repeat."""


@dataclass(frozen=True)
class Holding:
    """What one place of the rows holds.

    Attributes:
        path: the place, as a preset names it.
        cells: its filled cells, as text; of a list, all elements.
        rows: number of rows of the sample.
    """

    path: str
    cells: tuple[str, ...]
    rows: int

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
        cells = [cell for parts in read_parts(self.table, found[0]) for cell in parts]
        texts = (cell for cell in cells if cell is not None and not isinstance(cell, BadCell))
        return Holding(path, tuple(text for text in texts if not is_blank(text)), self.rows)

    def places(self) -> list[str]:
        """Every place of text or numbers: columns, fields of structs, and elements of lists, as paths."""
        fields = (field for field in self.table.schema if field.name != BAD_LINES)
        return [path for field in fields for path in _places(field.name, field.type)]

    def conversation(self, column: str) -> MessageKeys | None:
        """How a column of turns is read whose fields have unknown names; None if it is none."""
        kind = self.table.schema.field(column).type
        if not (is_list(kind) and pa.types.is_struct(kind.value_type)):
            return None
        turns = [turn for row in self.table.column(column).to_pylist() for turn in row or () if turn]
        texts = [field.name for field in kind.value_type if kind_of(field.type) is CellKind.TEXT]
        values = {name: [str(turn[name]) for turn in turns if turn[name]] for name in texts}
        for role, names in values.items():
            users, assistants = (
                {name for name in names if name.lower() in side} for side in (USERS, ASSISTANTS)
            )
            rest = [name for name in texts if name != role and values[name]]
            if users and assistants and rest and len(set(names)) <= _MOST_ROLES:
                content = max(rest, key=lambda name: sum(map(len, values[name])))
                return MessageKeys(
                    (column,),
                    role=(role,),
                    content=(content,),
                    user=tuple(sorted(users)),
                    assistant=tuple(sorted(assistants)),
                )
        return None


def _places(name: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_struct(kind):
        return [path for field in kind for path in _places(f"{name}.{field.name}", field.type)]
    if is_list(kind) and kind_of(kind.value_type) in _SCALARS:
        return [f"{name}.*"]
    return [name] if kind_of(kind) in _SCALARS else []
