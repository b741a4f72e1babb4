"""How each fault is made, and a job with it: struck at seeded moments, then run again to its end."""

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

from tests.faults.ground import SECONDS_PER_ROW, UNITS, Ground, run_here, run_to_the_end
from tests.faults.places import BucketPlace, DiskPlace, listed
from tests.faults.struck import Struck, audit, starts
from tests.support import SUPPORT
from tests.support.fault_cluster import FaultCluster

STRIKES = {"judge": 5, "node, replaced": 3, "writer in mid-put": 5, "driver": 5}
"""Rounds to a job, where not one."""
KILLS = ("judge", "node, replaced", "node, not replaced", "writer in mid-put", "driver")
STORES = ("S3 trouble", "S3 credentials revoked", "disk full")
FAULTS = (*KILLS, *STORES)


def play(fault: str, seed: int, strikes: int, ground: Ground) -> Struck:
    """One job, struck so many times."""
    found = Struck(fault, seed)
    dice = random.Random(f"{fault} {seed}")
    # Spread over the job, so that each strike meets other units.
    span = (UNITS - 8) / strikes
    moments = [
        (2 + int(span * (place + dice.random())), dice.uniform(0.0, 4 * SECONDS_PER_ROW))
        for place in range(strikes)
    ]
    cluster = ground.cluster
    cluster.settle()
    source, plain = ground.reference(padded=fault == "writer in mid-put")
    began = time.monotonic()
    with ground.place() as (out, log):
        words = ground.words(source, out, log)
        if fault == "driver":
            for moment in moments:
                _strike_driver(found, words, Striker(out, log, [moment], lambda: ""), cluster)
        else:
            hits: dict[str, Callable[[], str]] = {
                "judge": lambda: strike_judge(log),
                "node, replaced": lambda: strike_node(cluster, dice),
                "node, not replaced": lambda: strike_node(cluster, dice),
                "writer in mid-put": lambda: strike_writer(out),
            }
            striker = Striker(out, log, moments, hits[fault], 0.5 if "node" in fault else 0.0)
            striker.start()
            try:
                status, said = run_here(words)
            finally:
                striker.stopped.set()
                striker.join()
            if status != 0:
                found.problems.append(f"the struck run ended with {status}: {said[-300:]}")
            found.notes, found.in_flight = striker.notes, striker.in_flight
        if not found.notes:
            found.problems.append("no fault struck in time")
        status, said = run_to_the_end(words, cluster)
        if status != 0:
            found.problems.append(f"the runs after it ended with {status}: {said[-300:]}")
        audit(found, source, out, log, plain)
    found.check()
    found.seconds = time.monotonic() - began
    return found


def play_store(fault: str, seed: int, ground: Ground) -> Struck:
    """One job whose store makes trouble; it is run again, with the trouble mended where that ended it."""
    found = Struck(fault, seed)
    dice = random.Random(f"{fault} {seed}")
    ground.cluster.settle()
    source, plain = ground.reference(padded=False)
    began = time.monotonic()
    with ground.place() as (out, log):
        kind = DiskPlace if fault == "disk full" else BucketPlace
        with kind(out, ground.proxy) as place:
            words = ground.words(source, place.url, log, 0.02)
            place.trouble(fault, dice)
            status, said = run_here(words)
            # What was judged and could not be put is all that may be done again.
            found.in_flight = len(set(starts(log)) - place.listed())
            found.notes.append(place.made())
            if status not in ((0, 3) if fault == "S3 trouble" else (1, 3)):
                found.problems.append(f"the run in trouble ended with {status}: {said[-300:]}")
            if fault != "S3 trouble":
                place.mend()
            status, said = run_here(words)
            if status != 0:
                found.problems.append(f"the run after it ended with {status}: {said[-300:]}")
            place.mend()
            place.fetch()
            audit(found, source, out, log, plain)
            found.strays += place.unfinished()
    found.check()
    found.seconds = time.monotonic() - began
    return found


def _strike_driver(found: Struck, words: list[str], striker: Striker, cluster: FaultCluster) -> None:
    """Run the job in a process of its own and end that at the striker's moment; the next one resumes."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "dlcot_ray.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def end() -> str:
        driver.kill()
        driver.wait()
        return f"driver process {driver.pid}"

    striker.strike = end
    striker.start()
    try:
        driver.wait(timeout=300)
    finally:
        striker.stopped.set()
        striker.join()
        driver.kill()
    found.notes += striker.notes
    found.in_flight += striker.in_flight
    cluster.settle()


class Striker(threading.Thread):
    """Waits for each seeded moment with units in progress, and strikes.

    Args:
        out, log: the job's.
        moments: at how many units begun to strike, and how many seconds later.
        strike: does it; returns what was struck, or an empty string to try again.
        report_s: how long a finished unit may take to be known beyond its node.
    """

    def __init__(
        self,
        out: Path,
        log: Path,
        moments: list[tuple[int, float]],
        strike: Callable[[], str],
        report_s: float = 0.0,
    ) -> None:
        super().__init__(daemon=True)
        self._report_s = report_s
        self._out, self._log, self._moments, self.strike = out, log, moments, strike
        self.stopped = threading.Event()
        self.notes: list[str] = []
        self.in_flight = 0

    def run(self) -> None:
        for units, delay in self._moments:
            while len(starts(self._log)) < units and not self.stopped.is_set():
                time.sleep(0.01)
            time.sleep(delay)
            note = ""
            while not self.stopped.is_set() and not note:
                done = listed(self._out)
                time.sleep(self._report_s)
                note = self.strike()
                # Listed before and begun after the strike: never fewer than were in flight at it.
                in_flight = len(set(starts(self._log)) - done)
            if note:
                self.notes.append(note)
                self.in_flight += in_flight


def strike_judge(log: Path) -> str:
    """End the process that began a trace last."""
    pid = int(log.read_text().splitlines()[-1].split()[1])
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        # The last strike's; its successor has not begun yet.
        time.sleep(0.05)
        return ""
    return f"judge process {pid}"


def strike_node(cluster: FaultCluster, dice: random.Random) -> str:
    """Lose one of the two nodes with judges."""
    place = dice.randrange(len(cluster.nodes))
    cluster.lose(cluster.nodes[place])
    return f"node {place + 1}"


def strike_writer(out: Path) -> str:
    """End a process in the middle of a put."""
    command = [sys.executable, "-S", str(SUPPORT / "catch_writer.py"), str(out), "2"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
