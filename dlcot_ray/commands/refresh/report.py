"""The report of a snapshot against the previous one, and the bounds that it exceeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from dlcot_ray.commands.refresh.changes import Change, count_changes, share
from dlcot_ray.config.settings import RefreshBounds

REPORT_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit from the settings, and the value that a snapshot has."""

    name: str
    limit: float
    value: float

    @property
    def exceeded(self) -> bool:
        """Whether the value is above the limit."""
        return self.value > self.limit


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """`report.json`.

    Attributes:
        snapshot: name of the new snapshot.
        previous: name of the snapshot that it is compared with; None for the first one.
        unusable: number of inputs that could not be read.
        total: the changes of all traces.
        groups: column -> value -> changes of its traces, which count under their new value.
    """

    snapshot: str
    previous: str | None
    unusable: int
    total: Change
    groups: Mapping[str, Mapping[str, Change]]

    def as_dict(self) -> dict[str, Any]:
        """The report in plain JSON types."""
        return {
            "format": REPORT_FORMAT,
            "snapshot": self.snapshot,
            "previous": self.previous,
            "unusable_inputs": self.unusable,
            "total": self.total.as_dict(),
            "groups": {
                column: {value: change.as_dict() for value, change in values.items()}
                for column, values in self.groups.items()
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> SnapshotReport:
        """Read back the result of `as_dict`.

        Raises:
            KeyError: it is something else.
        """
        groups = {
            column: {value: Change.from_dict(change) for value, change in values.items()}
            for column, values in content["groups"].items()
        }
        return cls(
            content["snapshot"],
            content["previous"],
            content["unusable_inputs"],
            Change.from_dict(content["total"]),
            groups,
        )


def compare(
    snapshot: str,
    new: pl.DataFrame,
    previous: str | None,
    old: pl.DataFrame | None,
    by: Sequence[str],
    unusable: int = 0,
) -> SnapshotReport:
    """Compare a snapshot with the previous one.

    Args:
        snapshot, new: name and facts of the new snapshot.
        previous, old: name and facts of the previous one; None for the first snapshot.
        by: input columns to group by, as far as the facts have them.
        unusable: number of inputs that could not be read.
    """
    total, groups = count_changes(snapshot, new, new.clear() if old is None else old, by)
    return SnapshotReport(snapshot, previous, unusable, total, groups)


def bounds_of(report: SnapshotReport, bounds: RefreshBounds, max_rejected_share: float) -> list[Bound]:
    """Every limit of the settings that is switched on, with the value of this snapshot.

    The first snapshot has no value for limits of changes.
    """
    total = report.total
    changes = {
        "max_rejected_share_change": abs(total.rejected_share - total.rejected_share_before),
        "max_cut_change": abs(total.cut - total.cut_before),
        "max_label_flips": share(total.flipped, total.comparable),
        "max_removed_share": share(total.removed, total.rows_before),
    }
    fixed = {"max_unusable_inputs": float(report.unusable)}
    values = fixed if report.previous is None else {**changes, **fixed}
    limits: dict[str, float | None] = asdict(bounds)
    found = [Bound("max_rejected_share", max_rejected_share, total.rejected_share)]
    return found + [
        Bound(f"bounds.{name}", float(limit), round(value, 6))
        for name, value in values.items()
        if (limit := limits[name]) is not None
    ]
