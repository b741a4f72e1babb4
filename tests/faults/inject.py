"""Runs a job and injects faults at seeded moments, then runs it again until it is complete."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.audit import FaultReport, audit, unit_starts
from tests.faults.faulty_outputs import BucketOutput, DiskOutput, complete_units
from tests.faults.testbed import SECONDS_PER_ROW, Testbed, run_here, run_until_complete
from tests.support import SUPPORT
from tests.support.fault_cluster import FaultCluster

FAULTS_PER_JOB = {"judge": 5, "node, replaced": 3, "writer in mid-put": 5, "driver": 5}
"""Faults of a kind that are injected into one job; one for any other kind."""
KILLS = ("judge", "node, replaced", "node, not replaced", "writer in mid-put", "driver")
STORES = ("S3 trouble", "S3 credentials revoked", "disk full")

Moment = tuple[int, float]
"""Units that have been started, and the seconds to wait after that."""


def run_with_kills(fault: str, seed: int, count: int, bed: Testbed) -> FaultReport:
    """Run one job with `count` kills, then again until it is complete, and audit it."""
    report = FaultReport(fault, seed)
    rng = random.Random(f"{fault} {seed}")
    moments = _moments(bed.units, count, rng)
    bed.cluster.settle()
    source, expected = bed.reference(padded=fault == "writer in mid-put")
    started = time.monotonic()
    with bed.fresh_output() as (out, log):
        command = bed.command(source, out, log)
        if fault == "driver":
            for moment in moments:
                _kill_driver(report, command, Injector(out, log, [moment], lambda: ""), bed.cluster)
        else:
            kill = _kill_of(fault, out, log, bed.cluster, rng)
            # What a lost node finished just before is known to the driver half a second later.
            injector = Injector(out, log, moments, kill, report_s=0.5 if "node" in fault else 0.0)
            run_injected(report, command, injector)
        if not report.injected:
            report.problems.append("no fault was injected in time")
        status, printed = run_until_complete(command, bed.cluster)
        if status != 0:
            report.problems.append(f"the runs after it ended with {status}: {printed[-300:]}")
        audit(report, source, out, log, expected)
    report.check()
    report.seconds = time.monotonic() - started
    return report


def run_with_store_faults(fault: str, seed: int, bed: Testbed) -> FaultReport:
    """Run one job whose output fails, then again (without the fault, if it stopped the job), and audit it."""
    report = FaultReport(fault, seed)
    rng = random.Random(f"{fault} {seed}")
    bed.cluster.settle()
    source, expected = bed.reference(padded=False)
    started = time.monotonic()
    with bed.fresh_output() as (out, log):
        kind = DiskOutput if fault == "disk full" else BucketOutput
        with kind(out, bed.units, bed.proxy) as output:
            command = bed.command(source, output.url, log, 0.02)
            output.start_fault(fault, rng)
            status, printed = run_here(command)
            # Only units that were judged and could not be written may be redone.
            report.in_flight = len(set(unit_starts(log)) - output.complete_units())
            report.injected.append(output.injected())
            if status not in ((0, 3) if fault == "S3 trouble" else (1, 3)):
                report.problems.append(f"the run with faults ended with {status}: {printed[-300:]}")
            if fault != "S3 trouble":
                output.end_fault()
            status, printed = run_until_complete(command, bed.cluster)
            if status != 0:
                report.problems.append(f"the runs after it ended with {status}: {printed[-300:]}")
            output.end_fault()
            output.download()
            audit(report, source, out, log, expected)
            report.leftovers += output.unfinished_uploads()
    report.check()
    report.seconds = time.monotonic() - started
    return report


def _moments(units: int, count: int, rng: random.Random) -> list[Moment]:
    """Seeded moments, spread over the job so that each fault meets other units."""
    span = (units - 8) / count
    return [
        (2 + int(span * (place + rng.random())), rng.uniform(0.0, 4 * SECONDS_PER_ROW))
        for place in range(count)
    ]


def _kill_of(
    fault: str, out: Path, log: Path, cluster: FaultCluster, rng: random.Random
) -> Callable[[], str]:
    """The function that injects a fault and returns it in words."""
    kills: dict[str, Callable[[], str]] = {
        "judge": lambda: kill_judge(log),
        "node, replaced": lambda: kill_node(cluster, rng),
        "node, not replaced": lambda: kill_node(cluster, rng),
        "writer in mid-put": lambda: kill_writer(out),
    }
    return kills[fault]


def run_injected(report: FaultReport, command: list[str], injector: Injector) -> None:
    """Run a job in this process while the injector waits for its moments."""
    injector.start()
    try:
        status, printed = run_here(command)
    finally:
        injector.stopped.set()
        injector.join()
    if status != 0:
        report.problems.append(f"the run with faults ended with {status}: {printed[-300:]}")
    report.injected, report.in_flight = injector.injected, injector.in_flight


def _kill_driver(report: FaultReport, command: list[str], injector: Injector, cluster: FaultCluster) -> None:
    """Run the job in its own process and kill that at the injector's moment; the next run resumes it."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "dlcot_ray.cli", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill() -> str:
        driver.kill()
        driver.wait()
        return f"driver process {driver.pid}"

    injector.kill = kill
    injector.start()
    try:
        driver.wait(timeout=300)
    finally:
        injector.stopped.set()
        injector.join()
        driver.kill()
    report.injected += injector.injected
    report.in_flight += injector.in_flight
    cluster.settle()


class Injector(threading.Thread):
    """Waits for each seeded moment, and kills.

    Args:
        out, log: output folder and judges' log of the job.
        moments: when to kill.
        kill: injects the fault; returns it in words, or an empty string to be called again.
        report_s: how long a finished unit may take to be known beyond its node, in seconds.
    """

    def __init__(
        self,
        out: Path,
        log: Path,
        moments: list[Moment],
        kill: Callable[[], str],
        report_s: float = 0.0,
    ) -> None:
        super().__init__(daemon=True)
        self._report_s = report_s
        self._out, self._log, self._moments, self.kill = out, log, moments, kill
        self.stopped = threading.Event()
        self.injected: list[str] = []
        self.in_flight = 0

    def run(self) -> None:
        for units, delay in self._moments:
            while len(unit_starts(self._log)) < units and not self.stopped.is_set():
                time.sleep(0.01)
            time.sleep(delay)
            injected = ""
            while not self.stopped.is_set() and not injected:
                complete = complete_units(self._out)
                time.sleep(self._report_s)
                injected = self.kill()
                # Complete before the kill, started after it: never fewer than were in flight at the kill.
                in_flight = len(set(unit_starts(self._log)) - complete)
            if injected:
                self.injected.append(injected)
                self.in_flight += in_flight


def kill_judge(log: Path) -> str:
    """Kill the process that started a trace last."""
    pid = int(log.read_text().splitlines()[-1].split()[1])
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        # It was killed before, and its successor has not started a trace yet.
        time.sleep(0.05)
        return ""
    return f"judge process {pid}"


def kill_node(cluster: FaultCluster, rng: random.Random) -> str:
    """Kill one of the two nodes with judges."""
    place = rng.randrange(len(cluster.nodes))
    cluster.kill_node(cluster.nodes[place])
    return f"node {place + 1}"


def kill_writer(out: Path) -> str:
    """Kill a process in the middle of a put."""
    command = [sys.executable, "-S", str(SUPPORT / "catch_writer.py"), str(out), "2"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
