"""Metrics of a run for Prometheus, on Ray's metrics endpoint. The driver updates them as units are finished.

The driver sees every unit exactly once, however often it is requeued. So the counters of a run end at the
totals of its manifest. They cost a few updates per unit. Without Ray's dashboard packages (`ray[default]`)
there is no endpoint, and the metrics are not exported.
"""

from __future__ import annotations

from collections import Counter as Counts
from typing import Any

from dlcot_ray.cluster.ledger.status import LedgerStatus
from dlcot_ray.cluster.ledger.unit_events import EventKind, Phase
from dlcot_ray.outputs.results import EngineUse, UnitResult

_TAGS = ("job",)
_SECONDS = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
"""Upper bounds of the buckets of unit seconds. A unit takes tenths of a second with the rules judge, and
minutes with a large model."""


class RunMetrics:
    """The metrics of one run. Ray has to be connected.

    Args:
        job: the job's fingerprint, a tag of every series.
    """

    def __init__(self, job: str) -> None:
        # Imported here, because commands that only read an output do not need Ray.
        from ray.util.metrics import Counter, Gauge, Histogram

        self._rows = Counter("dlcot_rows", "Rows of finished units, by status.", (*_TAGS, "status"))
        self._tokens = Counter("dlcot_tokens", "Tokens, by kind.", (*_TAGS, "kind"))
        self._gates = Counter(
            "dlcot_gate_stops", "First choices of the policy that a gate rejected, by gate.", (*_TAGS, "gate")
        )
        self._units = Counter("dlcot_units", "Work units, by outcome.", (*_TAGS, "outcome"))
        self._requeues = Counter(
            "dlcot_unit_requeues",
            "Units requeued after a worker crash or node loss, by phase.",
            (*_TAGS, "phase"),
        )
        self._seconds = Histogram(
            "dlcot_unit_seconds", "Seconds that a judge spent on a unit.", _SECONDS, _TAGS
        )
        self._in_flight = Gauge("dlcot_units_in_flight", "Units in flight, by phase.", (*_TAGS, "phase"))
        self._judges = Gauge("dlcot_judges", "Judges that run now.", _TAGS)
        self._engine = Counter(
            "dlcot_engine_seconds", "Seconds of model engines, by state: busy or elapsed.", (*_TAGS, "state")
        )
        self._busy = Gauge(
            "dlcot_engine_busy_share", "Busy share of the engines' seconds since the run began.", _TAGS
        )
        self._used = EngineUse()
        every = (self._rows, self._tokens, self._gates, self._units, self._requeues, self._seconds)
        for metric in (*every, self._in_flight, self._judges, self._engine, self._busy):
            metric.set_default_tags({"job": job})

    def add(self, result: UnitResult) -> None:
        """Count one finished or failed unit."""
        stats, used = result.stats, result.engine
        self._units.inc(1, {"outcome": "failed" if result.error else "finished"})
        for status in ("enhanced", "unchanged", "rejected"):
            self._inc(self._rows, getattr(stats, status), "status", status)
        for kind in ("tokens_before", "tokens_after", "prefill", "cached", "decode"):
            self._inc(self._tokens, getattr(stats, kind), "kind", kind.removeprefix("tokens_"))
        for gate, count in stats.by_gate:
            self._inc(self._gates, count, "gate", gate)
        if result.effort.seconds > 0:
            self._seconds.observe(result.effort.seconds)
        self._inc(self._engine, used.busy, "state", "busy")
        self._inc(self._engine, used.lasted, "state", "elapsed")
        self._used += used
        if self._used.lasted:
            self._busy.set(self._used.busy / self._used.lasted)

    def observe(self, status: LedgerStatus) -> None:
        """Set the gauges, and count the requeues among the events."""
        self._set(Counts(unit.phase for unit in status.in_flight), status.judges)
        for event in status.events:
            if event.kind is EventKind.UNIT_REQUEUED:
                self._requeues.inc(1, {"phase": event.phase.value})

    def end(self) -> None:
        """Set the gauges to zero, because a cluster that outlives the run keeps their last values."""
        self._set(Counts(), 0)

    def _set(self, in_flight: Counts[Phase], judges: int) -> None:
        for phase in Phase:
            self._in_flight.set(in_flight[phase], {"phase": phase.value})
        self._judges.set(judges)

    @staticmethod
    def _inc(counter: Any, count: float, tag: str, value: str) -> None:
        if count:
            counter.inc(count, {tag: value})
