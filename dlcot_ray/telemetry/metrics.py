"""What Prometheus scrapes of a run from Ray's metrics endpoint, fed by the driver as units come in.

The driver sees every unit exactly once, however often workers retry it, so the counters of a run end at the
figures that its manifest adds up. They cost a few updates per unit. Without Ray's dashboard packages
(`ray[default]`) there is no endpoint, and they count for nobody.
"""

from __future__ import annotations

from collections import Counter as Counts
from typing import Any

from dlcot_ray.cluster.ledger import Snapshot
from dlcot_ray.cluster.unit_events import EventKind, Phase
from dlcot_ray.outputs.results import EngineUse, UnitResult

_TAGS = ("job",)
_SECONDS = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
"""Upper ends of the classes of unit seconds: units of the rules take tenths, of a large model minutes."""


class RunMetrics:
    """The metrics of one run; needs a Ray that is connected.

    Args:
        job: the job's fingerprint, a tag of every series.
    """

    def __init__(self, job: str) -> None:
        # Not imported at the top: commands that only look at an output need no Ray.
        from ray.util.metrics import Counter, Gauge, Histogram

        self._rows = Counter("dlcot_rows", "Rows that came out, by status.", (*_TAGS, "status"))
        self._tokens = Counter("dlcot_tokens", "Tokens, by kind.", (*_TAGS, "kind"))
        self._gates = Counter(
            "dlcot_gate_stops", "Policies' first choices that a gate stopped.", (*_TAGS, "gate")
        )
        self._units = Counter("dlcot_units", "Work units, by outcome.", (*_TAGS, "outcome"))
        self._retries = Counter(
            "dlcot_unit_retries", "Units taken up again after a death, by step.", (*_TAGS, "step")
        )
        self._seconds = Histogram(
            "dlcot_unit_seconds", "Seconds that a judge had a unit in work.", _SECONDS, _TAGS
        )
        self._in_flight = Gauge("dlcot_units_in_flight", "Units in work, by step.", (*_TAGS, "step"))
        self._judges = Gauge("dlcot_judges", "Judges that run.", _TAGS)
        self._engine = Counter(
            "dlcot_engine_seconds", "Seconds of model engines: with work, and in all.", (*_TAGS, "state")
        )
        self._busy = Gauge("dlcot_engine_busy_share", "Share of their seconds with work, so far.", _TAGS)
        self._used = EngineUse()
        every = (self._rows, self._tokens, self._gates, self._units, self._retries, self._seconds)
        for metric in (*every, self._in_flight, self._judges, self._engine, self._busy):
            metric.set_default_tags({"job": job})

    def add(self, result: UnitResult) -> None:
        """Count one unit."""
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

    def watch(self, snapshot: Snapshot) -> None:
        """Take what goes on right now, and what was done again since."""
        self._set(Counts(unit.step for unit in snapshot.open), snapshot.judges)
        for happening in snapshot.happened:
            if happening.kind is EventKind.UNIT_RETRIED:
                self._retries.inc(1, {"step": happening.step.value})

    def end(self) -> None:
        """Nothing goes on any more: on a cluster that lives on, gauges keep their last figure."""
        self._set(Counts(), 0)

    def _set(self, in_flight: Counts[Phase], judges: int) -> None:
        for step in Phase:
            self._in_flight.set(in_flight[step], {"step": step.value})
        self._judges.set(judges)

    @staticmethod
    def _inc(counter: Any, count: float, tag: str, value: str) -> None:
        if count:
            counter.inc(count, {tag: value})
