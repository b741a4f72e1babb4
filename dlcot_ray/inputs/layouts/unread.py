"""Columns whose form no preset can read, and how to convert them."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from dlcot_ray.inputs.cells import is_list
from dlcot_ray.inputs.layouts.sample import Holding, Sample
from dlcot_ray.inputs.layouts.turn_columns import names_role

_MOST = 0.5


def unread_columns(sample: Sample, read: Collection[str]) -> str:
    """What to convert before a layout can be chosen; empty where no column has such a form.

    Lists and objects as text, lists in lists, and structs of lists in the place of lists of structs, as the
    `datasets` library makes them of a sequence of dictionaries.

    Args:
        sample: rows of one layout.
        read: columns of conversations, which may be JSON text.
    """
    if sample.rows == 1 and any(_holds_several(sample, field) for field in sample.table.schema):
        return "if the file holds one object with all rows in it, write its rows as JSON lines or as a list"
    for field in sample.table.schema:
        if field.name in read:
            continue
        held = sample.holding(field.name)
        if held is not None and held.is_listing and _may_hold_traces(held):
            return f"turn the text of column {field.name} into lists and structs, as JSON lines have them"
        if is_list(field.type) and is_list(field.type.value_type):
            return f"give each inner list of column {field.name} a row of its own, or make each a struct"
        if _is_sequence(field.type):
            return f"turn column {field.name}, a struct of lists, into a list of structs"
    return ""


def _is_sequence(kind: pa.DataType) -> bool:
    """Whether it is what the `datasets` library makes of a sequence of turns."""
    return pa.types.is_struct(kind) and names_role(kind) and all(is_list(field.type) for field in kind)


def _holds_several(sample: Sample, field: pa.Field) -> bool:
    held, kind = sample.holding(field.name), field.type
    if held is not None and not is_list(kind):
        return held.is_listing
    return is_list(kind) or (pa.types.is_struct(kind) and len(kind) > 1)


def _may_hold_traces(held: Holding) -> bool:
    return held.is_conversation or held.thinks or held.tagged(()) >= _MOST
