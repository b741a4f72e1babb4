"""What changed between two snapshots, counted from their facts: in all, and by the values of a column.

The counts depend on the facts alone (`outputs/facts.py`), so a snapshot that took three runs has the same
report as one that took a single run. A trace is identified by its id; its content is all that a judge sees.
Labels are compared only where the content is the same: there, a difference comes from the judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from dlcot_ray.core.annotation import Label
from dlcot_ray.errors import Cause
from dlcot_ray.outputs.facts import GROUP_PREFIX, REJECTED_STATUS
from dlcot_ray.work.judging import JUDGE_FAILED

NO_GROUP = "(none)"
"""The group of rows whose file lacks the column, or whose value is null."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a set of traces from the previous snapshot to the new one.

    Attributes:
        rows, rows_before: input rows of the new snapshot, and of the previous one.
        rejected, rejected_before: rows in `rejected/`.
        added, removed: ids that only the new, or only the previous snapshot has.
        changed: ids of both whose content differs.
        judged: rows that the judge was asked about for the new snapshot.
        judge_failed: those of `judged` without a usable judgement.
        tokens_in, tokens_out: reasoning tokens of the rows that were not rejected, before and after editing.
        tokens_in_before, tokens_out_before: the same of the previous snapshot.
        comparable: traces of unchanged content that were judged in both snapshots.
        flipped: those of `comparable` that have a correct approach in one snapshot only.
        relabelled: those of `comparable` in which the label of any approach differs.
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
        """Rejected rows per row of the new snapshot."""
        return share(self.rejected, self.rows)

    @property
    def rejected_share_before(self) -> float:
        """Rejected rows per row of the previous snapshot."""
        return share(self.rejected_before, self.rows_before)

    @property
    def cut(self) -> float:
        """Share of the tokens that editing removed in the new snapshot."""
        return share(self.tokens_in - self.tokens_out, self.tokens_in)

    @property
    def cut_before(self) -> float:
        """Share of the tokens that editing removed in the previous snapshot."""
        return share(self.tokens_in_before - self.tokens_out_before, self.tokens_in_before)

    def as_dict(self) -> dict[str, Any]:
        """Counts and shares, for `report.json`."""
        shares = ("rejected_share", "rejected_share_before", "cut", "cut_before")
        return {**asdict(self), **{name: round(getattr(self, name), 6) for name in shares}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Change:
        """Read back the result of `as_dict`.

        Raises:
            KeyError: a count is missing.
        """
        return cls(**{name: content[name] for name in asdict(cls())})


def share(part: float, whole: float) -> float:
    """`part / whole`, and 0 where there is nothing."""
    return part / whole if whole else 0.0


def count_changes(
    snapshot: str, new: pl.DataFrame, old: pl.DataFrame, by: Sequence[str]
) -> tuple[Change, dict[str, dict[str, Change]]]:
    """All changes together, and by the values of each column.

    Args:
        snapshot: name of the new snapshot.
        new, old: the facts of the new and of the previous snapshot.
        by: input columns to group by.

    Returns:
        The total, and column -> value -> changes, values sorted. A trace whose value changed counts under the
        new value.
    """
    columns = [GROUP_PREFIX + name for name in by]
    new, old = (_with_groups(frame, columns) for frame in (new, old))
    joined = _joined(new, old, columns)
    total = _summed(snapshot, new, old, joined, None)[""]
    return total, {name: _summed(snapshot, new, old, joined, GROUP_PREFIX + name) for name in by}


def _with_groups(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The frame with every group column; missing values become `NO_GROUP`."""
    present = set(frame.columns)
    return frame.with_columns(
        (pl.col(name) if name in present else pl.lit(None, pl.String)).fill_null(NO_GROUP).alias(name)
        for name in columns
    )


def _joined(new: pl.DataFrame, old: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """One row per id of either snapshot, with a flag per kind of change; groups are the new ones, if any."""
    keys = ["trace_id", "content", "fingerprint", "labels", *columns]

    def traces(frame: pl.DataFrame) -> pl.DataFrame:
        known = pl.col("trace_id").is_not_null() & (pl.col("reason") != Cause.DUPLICATE_ID.value)
        return frame.filter(known).select(keys).unique("trace_id", keep="first")

    both = traces(new).join(traces(old), on="trace_id", how="full", coalesce=True, suffix="_old")
    here, there = pl.col("content").is_not_null(), pl.col("content_old").is_not_null()
    same = here & there & (pl.col("content") == pl.col("content_old"))
    judged = same & (pl.col("fingerprint") != "") & (pl.col("fingerprint_old") != "")
    right, was_right = (_has_correct(pl.col(name)) for name in ("labels", "labels_old"))
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
    snapshot: str, new: pl.DataFrame, old: pl.DataFrame, joined: pl.DataFrame, column: str | None
) -> dict[str, Change]:
    """The changes by the values of a column, sorted; without a column, all of them under ""."""
    key = pl.lit("") if column is None else pl.col(column)
    rejected = pl.col("status") == REJECTED_STATUS
    # Facts of copied units name the snapshot that judged them, so these rows do not count as judged again.
    asked = pl.col("judged") & (pl.col("snapshot") == snapshot)
    now = new.group_by(value=key).agg(
        rows=pl.len(),
        rejected=rejected.sum(),
        judged=asked.sum(),
        judge_failed=(asked & (pl.col("reason") == JUDGE_FAILED)).sum(),
        tokens_in=pl.col("tokens_before").cast(pl.Int64).sum(),
        tokens_out=pl.col("tokens_after").cast(pl.Int64).sum(),
    )
    before = old.group_by(value=key).agg(
        rows_before=pl.len(),
        rejected_before=rejected.sum(),
        tokens_in_before=pl.col("tokens_before").cast(pl.Int64).sum(),
        tokens_out_before=pl.col("tokens_after").cast(pl.Int64).sum(),
    )
    flags = ("added", "removed", "changed", "comparable", "flipped", "relabelled")
    flagged = joined.group_by(value=key).agg(*(pl.col(flag).sum() for flag in flags))
    found: dict[str, dict[str, int]] = {"": {}} if column is None else {}
    for frame in (now, before, flagged):
        for row in frame.iter_rows(named=True):
            found.setdefault(row.pop("value"), {}).update(row)
    return {value: Change(**counts) for value, counts in sorted(found.items())}


def _has_correct(labels: pl.Expr) -> pl.Expr:
    return labels.str.split(" ").list.contains(Label.CORRECT.value)
