"""Kill parts of a running job at seeded moments on a cluster of three Ray nodes, and audit what comes out.

    python tests/faults/rounds.py --rounds 20 --seed 1

One cluster of real Ray nodes on this machine (a head for the driver, two nodes with one judge each) serves
all rounds. A job runs on empty ground and is struck some times on its way, each strike a round, at moments that
the seed decides; then it is run again to its end, and compared with an undisturbed run:

- lost, duplicated: rows by id, input against `enhanced/` and `rejected/`;
- differing: data objects that are not byte for byte those of the undisturbed run;
- strays: temporary files left behind after the last run;
- redone: units that judges began more than once (the judge notes each trace it begins, see faulty_judge.py);
- in flight: units begun whose object was not listed yet when a fault struck; where a node is lost, not listed
  half a second before, because what its writer had not reported yet is lost with it. Redone may not exceed it.

It prints one line a job to stderr, a Markdown table to stdout, and ends with status 1 where something failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
# Before Ray is imported anywhere: nodes, workers and drivers of one cluster have to agree.
os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_BACKEND_LOG_LEVEL="fatal",
    # A busy machine is no dead node.
    RAY_health_check_timeout_ms="30000",
    # As a job on a Ray of its own sets it: processes that idle are kept, so a round starts few.
    RAY_idle_worker_killing_time_threshold_ms="600000",
    PYTHONPATH=os.pathsep.join([str(HERE), str(HERE.parents[1])]),
)
sys.path[:0] = [str(HERE), str(HERE.parent / "services")]

from fault_cluster import FaultCluster, autoscaler  # noqa: E402
from faulty import FaultyProxy, faulty  # noqa: E402
from faulty_judge import begun  # noqa: E402
from places import BucketPlace, DiskPlace, listed  # noqa: E402
from seaweed import seaweed  # noqa: E402

from dlcot_ray.cli import main as dlcot  # noqa: E402
from dlcot_ray.job import supervise  # noqa: E402
from dlcot_ray.job.local_files import TEMPORARY_SUFFIX  # noqa: E402

SHARDS, ROWS_PER_SHARD, ROWS_PER_UNIT = 4, 48, 4
UNITS = SHARDS * ROWS_PER_SHARD // ROWS_PER_UNIT
SECONDS_PER_ROW = 0.06
PAD_BYTES = 500_000
"""A row's ballast where a writer is to be caught: a unit's put then takes some milliseconds."""


STRIKES = {"judge": 5, "node, replaced": 3, "writer in mid-put": 5, "driver": 5}
"""Rounds to a job, where not one."""


@dataclass
class Struck:
    """What one job came to; `notes` says what was struck."""

    fault: str
    seed: int
    notes: list[str] = field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    differing: int = 0
    strays: int = 0
    redone: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Put down what does not hold."""
        for name in ("lost", "duplicated", "differing", "strays"):
            if getattr(self, name):
                self.problems.append(f"{getattr(self, name)} {name}")
        if self.redone > self.in_flight:
            self.problems.append(f"{self.redone} units redone, {self.in_flight} were in flight")


class Ground:
    """Inputs, the undisturbed output to compare with, and a fresh place for each round."""

    def __init__(self, folder: Path, cluster: FaultCluster, proxy: FaultyProxy) -> None:
        self.cluster, self.proxy = cluster, proxy
        self._folder = folder
        self._plain: dict[bool, tuple[Path, dict[str, bytes]]] = {}

    def reference(self, padded: bool) -> tuple[Path, dict[str, bytes]]:
        """The input folder, and the data objects of an undisturbed run over it."""
        if padded not in self._plain:
            source = self._folder / ("padded" if padded else "plain")
            write_shards(source, PAD_BYTES if padded else 0)
            out = self._folder / f"{source.name}-undisturbed"
            status, said = run_here(self.words(source, out, self._folder / "none.log", 0.0))
            if status != 0:
                raise RuntimeError(f"the undisturbed run ended with {status}: {said}")
            self._plain[padded] = (source, objects(out))
        return self._plain[padded]

    def words(self, source: Path, out: Path | str, log: Path, seconds: float = SECONDS_PER_ROW) -> list[str]:
        """The command of a round."""
        return [
            "enhance",
            f"input={source}",
            f"output={out}",
            f"judge={HERE / 'faulty.yaml'}",
            f"judge_options.seconds={seconds}",
            f"judge_options.log={log}",
            f"rows_per_unit={ROWS_PER_UNIT}",
            f"ray.address={self.cluster.address}",
            # It is the strikes that kill here, not the units.
            "max_worker_deaths=20",
            "progress_s=1e9",
            "stall_s=120",
        ]

    @contextmanager
    def place(self) -> Iterator[tuple[Path, Path]]:
        """An output and a log that are gone afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            yield folder / "out", folder / "begun.log"
        finally:
            shutil.rmtree(folder)


def write_shards(folder: Path, pad: int) -> None:
    """Synthetic shards whose rows are alike in length; `pad` bytes of noise in each."""
    folder.mkdir(parents=True)
    noise = random.Random(3)
    for shard in range(SHARDS):
        rows = []
        for i in range(shard * ROWS_PER_SHARD, (shard + 1) * ROWS_PER_SHARD):
            a, b = 1000 + i, 2000 + 7 * i
            thought = (
                f"Okay, so I need to add {a} and {b}.\n\nLet me just add them. {a} + {b} = {a + b}. "
                f"So the answer is {a + b}.\n\nAlternatively, I could start from {b}. {b} + {a} = {a + b} "
                f"again, so the answer is {a + b}.\n\nSo the final answer is \\boxed{{{a + b}}}."
            )
            row = {
                "id": f"t{i:03d}",
                "problem": f"What is {a} + {b}?",
                "reasoning": thought,
                "answer": str(a + b),
            }
            rows.append({**row, "pad": noise.randbytes(pad)})
        pq.write_table(pa.Table.from_pylist(rows), folder / f"s{shard}.parquet", row_group_size=12)


def objects(out: Path) -> dict[str, bytes]:
    """All data objects of an output, by name."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


def unit_of(trace_id: str) -> str:
    """The unit that a trace belongs to."""
    shard, row = divmod(int(trace_id[1:]), ROWS_PER_SHARD)
    start = row - row % ROWS_PER_UNIT
    return f"s{shard}.r{start:09d}-{start + ROWS_PER_UNIT:09d}"


def starts(log: Path) -> Counter[str]:
    """How often each unit was begun: as often as that row of it which was begun most."""
    found: Counter[str] = Counter()
    for trace_id, count in begun(log).items():
        unit = unit_of(trace_id)
        found[unit] = max(found[unit], count)
    return found


def run_here(words: list[str]) -> tuple[int, str]:
    """Run the command in this process, which is attached to the cluster already."""
    said = StringIO()
    with redirect_stdout(said):
        status = dlcot(words)
    return status, said.getvalue()


def run_to_the_end(words: list[str], cluster: FaultCluster) -> tuple[int, str]:
    """Run the command again until it ends well, as a user would: a busy machine loses nodes of its own."""
    for _ in range(3):
        status, said = run_here(words)
        if status == 0:
            break
        cluster.settle()
    return status, said


def audit(found: Struck, source: Path, out: Path, log: Path, plain: dict[str, bytes]) -> None:
    """Compare an output with its input and with that of the undisturbed run."""
    ids = [row for path in sorted(source.glob("*.parquet")) for row in pq.read_table(path)["id"].to_pylist()]
    came: Counter[str] = Counter()
    for folder in ("enhanced", "rejected"):
        for path in (out / folder).rglob("*.parquet"):
            came.update(pq.read_table(path, columns=["trace_id"])["trace_id"].to_pylist())
    found.lost = sum(name not in came for name in ids)
    found.duplicated = sum(count - 1 for count in came.values()) + sum(name not in set(ids) for name in came)
    mine = objects(out)
    found.differing = sum(mine.get(name) != plain.get(name) for name in mine.keys() | plain.keys())
    found.strays = sum(TEMPORARY_SUFFIX in path.name for path in out.rglob("*"))
    found.redone = sum(count - 1 for count in starts(log).values())


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
        self._out, self._log, self._moments, self._strike = out, log, moments, strike
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
                note = self._strike()
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
    command = [sys.executable, "-S", str(HERE / "catch_writer.py"), str(out), "2"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


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

    striker._strike = end
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


KILLS = ("judge", "node, replaced", "node, not replaced", "writer in mid-put", "driver")
STORES = ("S3 trouble", "S3 credentials revoked", "disk full")
FAULTS = (*KILLS, *STORES)


def table(jobs: list[Struck]) -> str:
    """The jobs by fault, as Markdown."""
    lines = [
        "| fault | rounds | rows lost | rows doubled | objects that differ | stray files | units redone "
        "| in flight | failed jobs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = ("lost", "duplicated", "differing", "strays", "redone", "in_flight")
    for fault in FAULTS:
        mine = [item for item in jobs if item.fault == fault]
        if mine:
            rounds = sum(len(item.notes) for item in mine)
            figures = [sum(getattr(item, name) for item in mine) for name in names]
            failed = sum(bool(item.problems) for item in mine)
            lines.append(f"| {fault} | {rounds} | " + " | ".join(map(str, [*figures, failed])) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="of each fault, at least")
    parser.add_argument("--seed", type=int, default=1, help="of the first job; the next ones count on")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one (repeatable)")
    parser.add_argument("--json", type=Path, help="also write every job here")
    chosen = parser.parse_args()
    # Nothing else waits on this machine: a judge without a node need not be waited for so long.
    supervise._STRANDED_S = 5.0
    folder = Path(tempfile.mkdtemp(prefix="dlcot-faults-"))
    jobs: list[Struck] = []
    left = dict.fromkeys(chosen.fault or FAULTS, chosen.rounds)
    seed = chosen.seed
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        proxy = stack.enter_context(faulty(stack.enter_context(seaweed(folder / "s3"))))
        # Where the nodes, started next, and the drivers find the bucket.
        os.environ.update(proxy.server.environment())
        cluster = FaultCluster()
        stack.callback(cluster.stop)
        ground = Ground(folder, cluster, proxy)
        while any(count > 0 for count in left.values()):
            for fault in [fault for fault, count in left.items() if count > 0]:
                if fault in STORES:
                    found = play_store(fault, seed, ground)
                else:
                    with autoscaler(cluster, fault == "node, replaced"):
                        found = play(fault, seed, min(left[fault], STRIKES.get(fault, 1)), ground)
                jobs.append(found)
                left[fault] -= max(1, len(found.notes))
                verdict = "; ".join(found.problems) or "ok"
                print(
                    f"{fault} {seed}: {', '.join(found.notes)}: {found.redone} redone of {found.in_flight} "
                    f"in flight, {found.seconds:.1f} s: {verdict}",
                    file=sys.stderr,
                    flush=True,
                )
                if chosen.json:
                    chosen.json.write_text(json.dumps([vars(item) for item in jobs]))
            seed += 1
    print(table(jobs))
    return 1 if any(item.problems for item in jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
