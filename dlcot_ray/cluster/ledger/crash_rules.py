"""Rules that find the unit or row that crashes its workers, as pure functions.

Ray reports that a process is gone, but not why. So the rules work on what was in flight at each crash:

1. The first crash may be chance, or the fault of another unit in the same process. The unit runs again with
   no other unit beside it, and its worker reports each row.
2. The rows that were in flight at the next crash run one at a time.
3. A row that was alone at the last crash is a poison row, and the unit runs without it.

A unit that crashes its workers outside its rows, or too often in all, is quarantined. A node failure does
not count against the units it was running, until the same unit has been on ten failed nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

MAX_NODE_LOSSES = 10
"""Failed nodes that one unit may have been on; beyond it the unit counts as the cause."""
_UNIT_CRASH_FACTOR = 3
"""Times `max_crashes`: crashes of one unit in all, while its rows are tested one at a time."""
_JOB_CRASH_FACTOR = 4
"""Times `max_crashes`, plus one for each judge: crashes without a finished unit that stop the job."""


@dataclass(frozen=True, slots=True)
class WorkerCrash:
    """A worker process that crashed while a unit was in flight.

    Attributes:
        node: id of the node that it ran on.
        rows: ids of the rows in flight; empty where the worker did not report rows.
        message: last message of the worker, if it sent one.
    """

    node: str
    rows: frozenset[str] = frozenset()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """How a worker has to process a unit.

    Attributes:
        quarantine: reason to skip the unit; empty to process it.
        exclusive: run no other unit beside it, and report each row to the ledger.
        suspect_rows: ids of rows to process one at a time.
        poison_rows: (id, reason) of the rows to reject without judging them.
        stop_job: reason to stop the whole job, or empty.
        attempt: number of this attempt at the unit, from 1; for logs only.
    """

    quarantine: str = ""
    exclusive: bool = False
    suspect_rows: frozenset[str] = frozenset()
    poison_rows: tuple[tuple[str, str], ...] = ()
    stop_job: str = ""
    attempt: int = field(default=0, compare=False)


def directive_for(
    crashes: Sequence[WorkerCrash], cleared: Collection[str], alive: Collection[str], max_crashes: int
) -> Directive:
    """How to process a unit after these crashes.

    Args:
        crashes: all crashes with the unit in flight, oldest first.
        cleared: ids of rows that ran alone to their end.
        alive: ids of the nodes that are alive; a crash on another node is a node failure.
        max_crashes: crashes that one unit may cause.
    """
    counted = [crash for crash in crashes if crash.node in alive]
    failed_nodes = len(crashes) - len(counted)
    if failed_nodes >= MAX_NODE_LOSSES:
        return Directive(quarantine=f"it was in progress on {failed_nodes} nodes when they were lost")
    if not counted:
        return Directive()
    message = _last_message(counted)
    without_rows = sum(not crash.rows for crash in counted)
    if without_rows >= max_crashes or len(counted) >= _UNIT_CRASH_FACTOR * max_crashes:
        return Directive(quarantine=f"it killed its worker {len(counted)} times{message}")
    seen = Counter(row for crash in counted for row in crash.rows)
    poison = _poison_rows(counted, seen, max_crashes)
    return Directive(
        exclusive=True,
        suspect_rows=frozenset(set(seen) - poison - set(cleared)),
        poison_rows=tuple(
            # The row may also have caused the crashes for which no rows were reported.
            (row, f"it killed its judge {min(seen[row] + without_rows, len(counted))} times{message}")
            for row in sorted(poison)
        ),
    )


def _poison_rows(crashes: Sequence[WorkerCrash], seen: Counter[str], max_crashes: int) -> set[str]:
    """Rows that were alone at a crash and in flight at nearly all of the crashes that a unit may cause."""
    if len(crashes) < max_crashes:
        return set()
    alone = {row for crash in crashes if len(crash.rows) == 1 for row in crash.rows}
    # One less than the limit, because no rows are reported at the first crash.
    return {row for row in alone if seen[row] >= max(1, max_crashes - 1)}


def stop_reason(
    without_unit: Sequence[WorkerCrash],
    since_finish: Sequence[WorkerCrash],
    judges: int,
    max_crashes: int,
) -> str:
    """Why the job has to stop because its units cannot be the cause of the crashes; empty to go on.

    Args:
        without_unit: crashes of workers that had no unit in flight, since a unit was last finished.
        since_finish: crashes with a unit in flight, since a unit was last finished.
        judges: registered judges.
        max_crashes: crashes that one unit may cause.
    """
    if len(without_unit) >= max_crashes + judges:
        return _stopped(without_unit, "before they took a unit or between units")
    if len(since_finish) >= _JOB_CRASH_FACTOR * max_crashes + judges:
        return _stopped(since_finish, "and no unit was finished in between")
    return ""


def _stopped(crashes: Sequence[WorkerCrash], when: str) -> str:
    return f"{len(crashes)} worker processes crashed {when}{_last_message(crashes)}"


def _last_message(crashes: Sequence[WorkerCrash]) -> str:
    """The newest message in parentheses, or an empty string."""
    return next((f" ({crash.message})" for crash in reversed(crashes) if crash.message), "")
