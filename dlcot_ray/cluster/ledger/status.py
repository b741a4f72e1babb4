"""What the ledger reports to the driver: workers, units in flight, crashes and new events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.cluster.ledger.unit_events import Phase, UnitEvent


@dataclass(frozen=True, slots=True)
class UnitInFlight:
    """A unit that a worker has started and not finished.

    Attributes:
        unit: its name.
        node: id of the worker's node.
        seconds: time since it was started.
        rows: ids of the rows in flight, where the worker reports rows.
        phase: where in the graph it is.
    """

    unit: str
    node: str
    seconds: float
    rows: tuple[str, ...] = ()
    phase: Phase = Phase.JUDGING


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """The state of a run, as the ledger knows it.

    Attributes:
        judges: registered judges on nodes that are alive.
        lost_judges: registered judges whose node is gone and that have no successor yet.
        idle_s: seconds since any unit or row was started or finished.
        in_flight: units in flight on nodes that are alive, the longest first.
        crashes: worker crashes so far, without those of failed nodes.
        events: events that the driver has not acknowledged, in order.
        event_count: number of all events so far; the driver acknowledges with it.
    """

    judges: int
    lost_judges: int
    idle_s: float
    in_flight: tuple[UnitInFlight, ...] = ()
    crashes: int = 0
    events: tuple[UnitEvent, ...] = ()
    event_count: int = 0


def describe_in_flight(units: Sequence[UnitInFlight], shown: int = 3) -> str:
    """The first units on one line, with their seconds and rows; ``none`` if there are none."""
    parts = [
        f"{item.unit} for {item.seconds:,.0f} s" + (f" (row {', '.join(item.rows[:3])})" if item.rows else "")
        for item in units[:shown]
    ]
    more = f" and {len(units) - shown} more" if len(units) > shown else ""
    return ", ".join(parts) + more if parts else "none"
