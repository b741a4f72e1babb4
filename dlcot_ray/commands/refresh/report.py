"""One night against the last: what moved, in all and by source and teacher, and which bounds it breaks.

Everything is computed from the facts of the two nights (`job/facts.py`), so the report of a night that took
three attempts is that of one that took one. A trace is one id; its content is all that a judge sees of it.
Labels are compared only where the content stayed the same: there a difference is the judge's doing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from dlcot_ray.config.settings import RefreshBounds
from dlcot_ray.core.annotation import Label
from dlcot_ray.errors import Cause
from dlcot_ray.outputs.facts import GROUP_PREFIX, REJECTED_STATUS
from dlcot_ray.work.process import JUDGE_FAILED

REPORT_FORMAT = 1
NO_GROUP = "(none)"


@dataclass(frozen=True, slots=True)
class Change:
    """What moved in a set of traces from the last night to this one.

    Attributes:
        rows: of the input tonight, and `rows_before` the last night; the counts below are of rows.
        rejected, rejected_before: rows in `rejected/`.
        added, removed: ids that are new, or gone.
        changed: ids whose content is another one.
        judged: rows that the judge was asked about tonight; `judge_failed` of them in vain.
        tokens_in, tokens_out: of the reasoning of rows that were not rejected, before and after editing.
        tokens_in_before, tokens_out_before: the same of the last night.
        comparable: traces of unchanged content that were judged on both nights.
        flipped: of these, traces that have a correct approach on one night only.
        relabelled: of these, traces of which any approach's label changed.
    """

    rows: int = 0
    rows_before: int = 0
    rejected: int = 0
    rejected_before: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    judged: int = 0
    judge_failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_in_before: int = 0
    tokens_out_before: int = 0
    comparable: int = 0
    flipped: int = 0
    relabelled: int = 0

    @property
    def rejected_share(self) -> float:
        """Of tonight's rows."""
        return _share(self.rejected, self.rows)

    @property
    def rejected_share_before(self) -> float:
        """Of the last night's rows."""
        return _share(self.rejected_before, self.rows_before)

    @property
    def cut(self) -> float:
        """Share of the tokens that were cut tonight."""
        return _share(self.tokens_in - self.tokens_out, self.tokens_in)

    @property
    def cut_before(self) -> float:
        """Share of the tokens that were cut the last night."""
        return _share(self.tokens_in_before - self.tokens_out_before, self.tokens_in_before)

    def as_dict(self) -> dict[str, Any]:
        """Counts and shares, for `report.json`."""
        shares = ("rejected_share", "rejected_share_before", "cut", "cut_before")
        return {**asdict(self), **{name: round(getattr(self, name), 6) for name in shares}}


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit of the configuration, and what tonight came to."""

    name: str
    limit: float
    value: float

    @property
    def broken(self) -> bool:
        """Whether tonight is beyond it."""
        return self.value > self.limit


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """`report.json`.

    Attributes:
        night: tonight's snapshot.
        previous: the one it is compared with; None for the first.
        unusable: inputs that could not be read.
        total: of all traces.
        groups: column -> value -> its traces; one that moved to another value is counted under tonight's.
    """

    night: str
    previous: str | None
    unusable: int
    total: Change
    groups: Mapping[str, Mapping[str, Change]]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "format": REPORT_FORMAT,
            "snapshot": self.night,
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
        """What `as_dict` gave.

        Raises:
            KeyError: it is something else.
        """
        groups = {
            column: {value: _change(change) for value, change in values.items()}
            for column, values in content["groups"].items()
        }
        return cls(
            content["snapshot"],
            content["previous"],
            content["unusable_inputs"],
            _change(content["total"]),
            groups,
        )


def compare(
    night: str,
    now: pl.DataFrame,
    previous: str | None,
    before: pl.DataFrame | None,
    by: Sequence[str],
    unusable: int = 0,
) -> SnapshotReport:
    """The report of a night.

    Args:
        night: its name.
        now: its facts.
        previous, before: the same of the snapshot it is compared with.
        by: group columns, as far as the facts have them.
        unusable: inputs that could not be read.
    """
    old = now.clear() if before is None else before
    columns = [GROUP_PREFIX + name for name in by]
    now, old = (_with_groups(frame, columns) for frame in (now, old))
    joined = _joined(now, old, columns)
    total = _summed(night, now, old, joined, None)[""]
    groups = {name: _summed(night, now, old, joined, GROUP_PREFIX + name) for name in by}
    return SnapshotReport(night, previous, unusable, total, groups)


def bounds_of(report: SnapshotReport, bounds: RefreshBounds, max_rejected_share: float) -> list[Bound]:
    """What the configuration limits, with tonight's values; the first night is compared with nothing."""
    total = report.total
    moved = {
        "max_rejected_share_change": abs(total.rejected_share - total.rejected_share_before),
        "max_cut_change": abs(total.cut - total.cut_before),
        "max_label_flips": _share(total.flipped, total.comparable),
        "max_removed_share": _share(total.removed, total.rows_before),
    }
    fixed = {"max_unusable_inputs": float(report.unusable)}
    values = fixed if report.previous is None else {**moved, **fixed}
    limits: dict[str, float | None] = asdict(bounds)
    found = [Bound("max_rejected_share", max_rejected_share, total.rejected_share)]
    return found + [
        Bound(f"bounds.{name}", float(limit), round(value, 6))
        for name, value in values.items()
        if (limit := limits[name]) is not None
    ]


def _joined(now: pl.DataFrame, old: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """One row per id of either night, with what moved; the later night's groups where it has the id."""
    keys = ["trace_id", "content", "fingerprint", "labels", *columns]

    def traces(frame: pl.DataFrame) -> pl.DataFrame:
        known = pl.col("trace_id").is_not_null() & (pl.col("reason") != Cause.DUPLICATE_ID.value)
        return frame.filter(known).select(keys).unique("trace_id", keep="first")

    both = traces(now).join(traces(old), on="trace_id", how="full", coalesce=True, suffix="_old")
    here, there = pl.col("content").is_not_null(), pl.col("content_old").is_not_null()
    same = here & there & (pl.col("content") == pl.col("content_old"))
    judged = same & (pl.col("fingerprint") != "") & (pl.col("fingerprint_old") != "")
    right, was_right = (_correct(pl.col(name)) for name in ("labels", "labels_old"))
    return both.select(
        *(pl.coalesce(column, f"{column}_old").alias(column) for column in columns),
        added=here & ~there,
        removed=there & ~here,
        changed=here & there & (pl.col("content") != pl.col("content_old")),
        comparable=judged,
        flipped=judged & (right != was_right),
        relabelled=judged & (pl.col("labels") != pl.col("labels_old")),
    )


def _summed(
    night: str, now: pl.DataFrame, old: pl.DataFrame, joined: pl.DataFrame, column: str | None
) -> dict[str, Change]:
    """The changes by the values of a column, sorted; of all traces (under "") without one."""
    key = pl.lit("") if column is None else pl.col(column)
    rejected = pl.col("status") == REJECTED_STATUS
    asked = pl.col("judged") & (pl.col("night") == night)
    tonight = now.group_by(value=key).agg(
        rows=pl.len(),
        rejected=rejected.sum(),
        judged=asked.sum(),
        judge_failed=(asked & (pl.col("reason") == JUDGE_FAILED)).sum(),
        tokens_in=pl.col("tokens_before").cast(pl.Int64).sum(),
        tokens_out=pl.col("tokens_after").cast(pl.Int64).sum(),
    )
    last = old.group_by(value=key).agg(
        rows_before=pl.len(),
        rejected_before=rejected.sum(),
        tokens_in_before=pl.col("tokens_before").cast(pl.Int64).sum(),
        tokens_out_before=pl.col("tokens_after").cast(pl.Int64).sum(),
    )
    flags = ("added", "removed", "changed", "comparable", "flipped", "relabelled")
    moved = joined.group_by(value=key).agg(*(pl.col(flag).sum() for flag in flags))
    found: dict[str, dict[str, int]] = {"": {}} if column is None else {}
    for frame in (tonight, last, moved):
        for row in frame.iter_rows(named=True):
            found.setdefault(row.pop("value"), {}).update(row)
    return {value: Change(**figures) for value, figures in sorted(found.items())}


def _with_groups(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """With every group column, absent values named."""
    have = set(frame.columns)
    return frame.with_columns(
        (pl.col(name) if name in have else pl.lit(None, pl.String)).fill_null(NO_GROUP).alias(name)
        for name in columns
    )


def _correct(labels: pl.Expr) -> pl.Expr:
    return labels.str.split(" ").list.contains(Label.CORRECT.value)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _change(content: Mapping[str, Any]) -> Change:
    return Change(**{name: content[name] for name in _counted()})


def _counted() -> Iterator[str]:
    yield from asdict(Change())
