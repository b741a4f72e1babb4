"""Counters that Prometheus scrapes from Ray's metrics endpoint, fed by the driver as units come in.

The driver sees every unit exactly once, however often workers retry it, so the counters of a run end at the
figures that its manifest adds up. They cost a few updates per unit. Without Ray's dashboard packages
(`ray[default]`) there is no endpoint, and they count for nobody.
"""

from __future__ import annotations

from typing import Any

from dlcot_ray.job.stats import UnitStats

_TAGS = ("job",)


class RunMetrics:
    """The counters of one run; needs a Ray that is connected.

    Args:
        job: the job's fingerprint, a tag of every series.
    """

    def __init__(self, job: str) -> None:
        # Not imported at the top: commands that only look at an output need no Ray.
        from ray.util.metrics import Counter

        tags = {"job": job}
        self._rows = Counter("dlcot_rows", "Rows that came out, by status.", (*_TAGS, "status"))
        self._tokens = Counter("dlcot_tokens", "Tokens, by kind.", (*_TAGS, "kind"))
        self._gates = Counter(
            "dlcot_gate_stops", "Policies' first choices that a gate stopped.", (*_TAGS, "gate")
        )
        self._units = Counter("dlcot_units", "Work units, by outcome.", (*_TAGS, "outcome"))
        for counter in (self._rows, self._tokens, self._gates, self._units):
            counter.set_default_tags(tags)

    def add(self, stats: UnitStats, *, failed: bool) -> None:
        """Count one unit."""
        self._units.inc(1, {"outcome": "failed" if failed else "finished"})
        for status in ("enhanced", "unchanged", "rejected"):
            self._inc(self._rows, getattr(stats, status), "status", status)
        for kind in ("tokens_before", "tokens_after", "prefill", "cached", "decode"):
            self._inc(self._tokens, getattr(stats, kind), "kind", kind.removeprefix("tokens_"))
        for gate, count in stats.by_gate:
            self._inc(self._gates, count, "gate", gate)

    @staticmethod
    def _inc(counter: Any, count: int, tag: str, value: str) -> None:
        if count:
            counter.inc(count, {tag: value})
