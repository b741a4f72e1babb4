"""How rows that no preset was made for are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.report import report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset


def read_as(*rows: Mapping[str, Any], **choices: str) -> Choice:
    """The layout of rows that no preset was made for."""
    table = pa.Table.from_pylist([dict(row) for row in rows])
    return choose_layout(load_preset("auto", Choices.of(choices)), Sample(table), "in/x")


def roles_of(choice: Choice) -> object:
    assert not choice.refusal
    return report_of(choice, pa.schema([]), named=False)["roles"]
