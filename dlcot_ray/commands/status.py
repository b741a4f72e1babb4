"""`dlcot status`: the progress of a job, read from its output alone.

One LIST shows which rows are done and when: unit names contain the rows, and objects have a time. Rows by
status and tokens are in the footers of the units. Only a sample of the footers is read, because a hundred
thousand of them would take minutes; figures from a sample are scaled up and marked. Ray is not used, so the
command works from any machine, and after the cluster is gone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.watching import STARTING, failed_of, watch_line, watched, workers_told
from dlcot_ray.config.view_settings import StatusConfig
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.counts import UnitStats, add_up
from dlcot_ray.outputs.inventory import Inventory, ListedUnit, names_of, take_inventory
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import JOB_FILE, MANIFEST_FILE, Output
from dlcot_ray.outputs.manifest import read_manifest
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.console import duration, print_report
from dlcot_ray.telemetry.live import Live, read_live
from dlcot_ray.terminal import tell

_WINDOW_S = 900.0
"""The rate covers the last 15 minutes of writing: long enough to average over units, short enough to follow a
cluster that grew."""
_STALL_S = 300.0
_STALL_GAPS = 4.0
"""A job is stalled after five minutes without a unit, or after four times its longest recent pause."""
_SCALED = (
    "enhanced",
    "unchanged",
    "rejected",
    "tokens_before",
    "tokens_after",
    "prefill",
    "cached",
    "decode",
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast units are written.

    Attributes:
        rows_per_s: over the last `_WINDOW_S` of writing; None with fewer than two units there.
        last_write_s: seconds since the newest unit; None without one.
        longest_gap_s: longest pause between two units of that window, in seconds.
    """

    rows_per_s: float | None
    last_write_s: float | None
    longest_gap_s: float

    @property
    def stalled(self) -> bool:
        """Whether the last unit is older than the longest recent pause allows."""
        last = self.last_write_s
        return last is not None and last > max(_STALL_S, _STALL_GAPS * self.longest_gap_s)


def run_status(config: StatusConfig) -> Exit:
    """Run `dlcot status`.

    Raises:
        JobError: there is no job, or its output cannot be read.
    """
    output = Output(Store(absolute(config.output or ""), config.storage.output))
    figures = status_of(output, footers=config.footers)
    if config.watch:
        figures = _watch(output, config)
    print_report(figures, _lines(figures), config.json)
    faulty = figures["state"] == "stalled" or figures["failed_units"] or figures["untrue_manifest"]
    return Exit.WITH_FAULTS if faulty else Exit.OK


def _watch(output: Output, config: StatusConfig) -> dict[str, Any]:
    """Print a line after every look until the job ends, or the reader does; the last figures."""
    figures: dict[str, Any] = {}
    try:
        for found in watched(lambda: status_of(output, footers=config.footers), config.watch_s):
            figures = dict(found)
            tell(f"{time.strftime('%H:%M:%S')} {watch_line(figures)}", error=True)
    except KeyboardInterrupt:
        pass
    return figures or status_of(output, footers=config.footers)


def status_of(output: Output, *, footers: int | None = 1000, now: float | None = None) -> dict[str, Any]:
    """The figures of a job as plain JSON types.

    Args:
        output: the output of the job.
        footers: number of units whose footers are read at most; None reads all.
        now: current time, in seconds since 1970; None takes the clock.

    Raises:
        JobError: there is no job, or its output cannot be read.
    """
    record = output.record()
    if record is None:
        raise JobError(
            f"there is no job in {output.display_url}", "give an output of dlcot enhance or dlcot derive"
        )
    inventory = take_inventory(output.store.list(), names_of(record))
    units = [unit for group in inventory.units.values() for unit in group if unit.complete]
    rows = sum(item.rows for item in record.inputs)
    done = sum(unit.stop - unit.start for unit in units)
    info = output.store.info(JOB_FILE)
    started = info.modified if info is not None else None
    written = [(unit.written, unit.stop - unit.start) for unit in units]
    # Before the first unit, the time of the record stands for the last write.
    now = time.time() if now is None else now
    pace = pace_of(written or [(started, 0)], now)
    manifest = read_manifest(output)
    live = read_live(output, now) if manifest is None else None
    sampled = _spread(units, footers)
    stats = add_up(map_in_order(output.stats, (unit.name for unit in sampled)))
    left = rows - done
    return {
        "output": output.display_url,
        "command": record.command,
        "fingerprint": record.fingerprint,
        "judge": record.settings.get("judge"),
        "policy": record.settings.get("policy"),
        "state": _state(record, manifest, left, pace, live),
        "started": started,
        "files": len(record.inputs),
        "rows": rows,
        "rows_done": done,
        "rows_left": left,
        "units_done": len(units),
        "units_left": _units_left(record, inventory),
        "rows_per_s": pace.rows_per_s,
        "eta_s": left / pace.rows_per_s if left and pace.rows_per_s else None,
        "last_write_s": pace.last_write_s,
        "longest_gap_s": pace.longest_gap_s,
        "footers_read": len(sampled),
        **_scaled(stats, done),
        "failed_units": _failed(manifest, live),
        "engine_busy_share": _engine_busy(manifest, live),
        "live": None if live is None else _workers(live),
        "unusable_inputs": (manifest or {}).get("unusable_inputs", []),
        "manifest": manifest is not None,
        "untrue_manifest": _untrue(manifest, record, inventory, done) if manifest is not None else "",
    }


def pace_of(units: Iterable[tuple[float | None, int]], now: float) -> Pace:
    """The pace of units, given for each when it was written (seconds since 1970, or None) and its rows."""
    timed = sorted((at, rows) for at, rows in units if at is not None)
    if not timed:
        return Pace(None, None, 0.0)
    newest = timed[-1][0]
    recent = [item for item in timed if item[0] >= newest - _WINDOW_S]
    gap = max((other[0] - one[0] for one, other in pairwise(recent)), default=0.0)
    span = newest - recent[0][0]
    # Work on the first unit began before the window, so its rows do not count.
    rate = sum(rows for _, rows in recent[1:]) / span if span > 0 else None
    return Pace(rate, max(0.0, now - newest), gap)


def _state(
    record: JobRecord, manifest: Mapping[str, Any] | None, left: int, pace: Pace, live: Live | None
) -> str:
    if manifest is not None:
        return "complete" if manifest.get("complete") else "ended with rows left"
    if not record.inputs:
        return STARTING
    # A unit of a large model may take longer than every pause before; its rows tell that work goes on.
    if pace.stalled and (live is None or live.idle_s > _STALL_S):
        return "stalled"
    return "running" if left else "finishing"


def _failed(manifest: Mapping[str, Any] | None, live: Live | None) -> list[dict[str, Any]]:
    if manifest is not None:
        return list(manifest.get("failed_units", []))
    return [] if live is None else list(live.failed_units)


def _engine_busy(manifest: Mapping[str, Any] | None, live: Live | None) -> float | None:
    """Busy share of the engines' seconds in the last run, or in this one; None without an engine."""
    if manifest is not None:
        share = manifest.get("run", {}).get("engine_busy_share")
        return None if share is None else float(share)
    return None if live is None else live.engine_busy_share


def _workers(live: Live) -> dict[str, Any]:
    names = ("judges", "in_flight", "idle_s", "requeued", "failed")
    return {name: getattr(live, name) for name in names}


def _units_left(record: JobRecord, inventory: Inventory) -> int | None:
    """An estimate of the units left, from the mean size of the finished ones; None before the first."""
    left = units = rows = 0
    for item in record.inputs:
        done = [unit for unit in inventory.units.get(item.name, ()) if unit.complete]
        covered = sum(unit.stop - unit.start for unit in done)
        left += item.rows - covered
        units, rows = units + len(done), rows + covered
    if not left:
        return 0
    return max(1, round(left * units / rows)) if rows else None


def _spread(units: Sequence[ListedUnit], most: int | None) -> list[ListedUnit]:
    """At most `most` units, at even distances."""
    if most is None or len(units) <= most:
        return list(units)
    return [units[number * len(units) // most] for number in range(most)]


def _scaled(stats: UnitStats, done: int) -> dict[str, Any]:
    """Counts over all `done` rows, scaled up from the footers that were read."""
    factor = done / stats.rows if stats.rows else 0.0
    exact = stats.rows == done
    counts = json.loads(stats.to_json())
    made: dict[str, Any] = {name: counts[name] if exact else round(counts[name] * factor) for name in _SCALED}
    made["estimated"] = not exact
    for name in ("by_cause", "by_reason", "by_gate"):
        made[name] = {word: n if exact else round(n * factor) for word, n in counts[name].items()}
    return made


def _untrue(manifest: Mapping[str, Any], record: JobRecord, inventory: Inventory, done: int) -> str:
    """The first disagreement between manifest and LIST; empty if there is none. See also `dlcot verify`."""
    totals = manifest.get("totals", {})
    if manifest.get("fingerprint") != record.fingerprint:
        return "it has another fingerprint than _job.json"
    if totals.get("rows", 0) - totals.get("unfinished", 0) != done:
        counted = totals.get("rows", 0) - totals.get("unfinished", 0)
        return f"it counts {counted:,} finished rows, there are {done:,}"
    for folder, (count, size) in inventory.folders.items():
        recorded = manifest.get("outputs", {}).get(folder)
        if recorded != {"objects": count, "bytes": size}:
            return f"{folder}/ holds {count:,} objects of {size:,} bytes, the manifest records {recorded}"
    return ""


def _lines(figures: Mapping[str, Any]) -> list[str]:
    about = "about " if figures["estimated"] else ""
    share = figures["rows_done"] / figures["rows"] if figures["rows"] else 0.0
    lines = [
        f"{figures['output']}: {figures['state']} ({figures['command']}, judge "
        f"{str(figures['judge']).partition(' ')[0]}, policy {figures['policy']}, "
        f"fingerprint {figures['fingerprint']})",
        f"rows       {figures['rows_done']:,} of {figures['rows']:,} done ({share:.1%}), "
        f"{figures['rows_left']:,} left, {figures['files']:,} files",
        f"units      {figures['units_done']:,} done" + _units_told(figures["units_left"]),
        f"by status  {about}{figures['enhanced']:,} enhanced, {figures['unchanged']:,} unchanged, "
        f"{figures['rejected']:,} rejected",
        f"tokens     {about}{figures['tokens_before']:,} before, {figures['tokens_after']:,} after",
    ]
    if figures["prefill"] or figures["decode"]:
        lines.append(
            f"judge      {about}{figures['prefill']:,} prefilled, {figures['cached']:,} cached, "
            f"{figures['decode']:,} decoded"
        )
    if figures["live"] is not None or figures["engine_busy_share"] is not None:
        lines.append(f"workers    {workers_told(figures)}")
    if figures["estimated"]:
        lines.append(f"           (from the footers of {figures['footers_read']:,} units)")
    if figures["rows_per_s"] and figures["rows_left"]:
        lines.append(f"pace       {figures['rows_per_s']:,.1f} rows/s, {duration(figures['eta_s'])} left")
    if figures["last_write_s"] is not None:
        lines.append(f"last unit  {duration(figures['last_write_s'])} ago")
    if figures["state"] == "stalled":
        lines.append(
            f"no unit finished for {duration(figures['last_write_s'])} (longest pause before: "
            f"{duration(figures['longest_gap_s'])}): the job may be dead; to resume it, run its command again"
        )
    for unit in figures["failed_units"][:10]:
        first, stop = unit["rows"]
        lines.append(f"failed     {unit['file']}, rows {first}-{stop - 1}: {unit['error']}")
    if failed_of(figures) > 10:
        lines.append(f"           and {failed_of(figures) - 10:,} more failed units, see the manifest")
    lines += [f"unusable   {fault['file']}: {fault['message']}" for fault in figures["unusable_inputs"][:10]]
    if figures["untrue_manifest"]:
        lines.append(f"manifest   wrong: {figures['untrue_manifest']}; dlcot verify shows details")
    else:
        lines.append(f"manifest   {'there' if figures['manifest'] else f'no {MANIFEST_FILE} yet'}")
    return lines


def _units_told(left: int | None) -> str:
    return "" if left is None else f", about {left:,} left" if left else ", none left"
