"""Ten refreshes of one root, checked against runs from scratch, the log of the judge, and a constant reader.

The scenario is the same for synthetic traces (in the suite) and for real ones (`make refreshes`). Only the
pool of rows that it draws from differs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tests.support import REPO, SUPPORT
from tests.support.snapshots import Place

Row = dict[str, Any]
_KILL_AFTER_S = 600.0
_READ_EVERY_S = 0.5


class Reader(threading.Thread):
    """Follows the pointer and reads whole snapshots until stopped.

    Attributes:
        seen: snapshot -> every set of ids that was read from it.
        faults: every error of a read.
        reads: how many snapshots were read.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        self._place = place
        self._over = threading.Event()
        self.seen: dict[str, set[frozenset[str]]] = {}
        self.faults: list[str] = []
        self.reads = 0

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._read()
            except FileNotFoundError as error:
                # There is no pointer before the first publication. Later, nothing may be missing.
                if self.seen or "latest.json" not in str(error):
                    self.faults.append(repr(error))
            except Exception as error:
                self.faults.append(repr(error))
            # Reading all the time would take the CPUs from what it watches.
            time.sleep(_READ_EVERY_S)

    def stop(self) -> None:
        self._over.set()
        self.join(60)

    def _read(self) -> None:
        pointer = self._place.json_of("out/latest.json")
        folder = f"out/{pointer['path']}"
        manifest = self._place.json_of(f"{folder}/manifest.json")
        ids = frozenset(ids_of(self._place, folder))
        if not manifest["complete"] or len(ids) != manifest["totals"]["rows"]:
            self.faults.append(f"{folder} has {len(ids)} of {manifest['totals']['rows']} rows")
        self.seen.setdefault(pointer["snapshot"], set()).add(ids)
        self.reads += 1


def ids_of(place: Place, folder: str) -> list[str]:
    """Ids of all rows of an output."""
    found: list[str] = []
    for name in ("enhanced", "rejected"):
        top = f"{place.root}/{folder}/{name}"
        for path in place.fs.find(top) if place.fs.exists(top) else []:
            found += pl.read_parquet(place.fs.cat_file(path), columns=["trace_id"])["trace_id"].to_list()
    return found


class Scenario:
    """The state of the inputs, and the checks after each refresh.

    Args:
        place: where inputs and outputs are.
        pool: rows to draw from, each once; ids must be unique.
        edit: gives a row another text under the same id.
        log: the file in which the judge logs the ids.
        shard: rows per shard.
    """

    def __init__(
        self, place: Place, pool: Sequence[Row], edit: Callable[[Row], Row], log: Path, shard: int = 8
    ) -> None:
        self.place, self.log, self._shard = place, log, shard
        self._pool, self._edit = iter(pool), edit
        self.shards: dict[str, list[Row]] = {}
        self._words = (f"judge={SUPPORT / 'counting.yaml'}", "allow_code=true", "bounds.max_cut_change=1")
        self._edition, self._policy = 1, "policy=keep_first_plus_check"
        self.lines: list[str] = []
        self._number = 0

    def draw(self, count: int) -> list[Row]:
        return [next(self._pool) for _ in range(count)]

    def write(self, *names: str) -> None:
        for name in names:
            self.place.write(name, self.shards[name], rows_per_group=8)

    @property
    def settings(self) -> tuple[str, ...]:
        return (
            *self._words,
            self._policy,
            f"judge_options.log={self.log}",
            f"judge_options.edition={self._edition}",
        )

    def asked(self) -> list[str]:
        """The ids that the judge was asked about since the last call."""
        found = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return sorted(found)

    def refresh(self, title: str, expected: Sequence[Row], *, makes: bool = True) -> None:
        """One undisturbed refresh; `makes` says whether it publishes a snapshot of its own."""
        self._number += 1
        name = f"snapshot-{self._number:02d}"
        self.asked()
        begun = time.monotonic()
        assert self.place.refresh(f"name={name}", *self.settings) == 0, title
        seconds = time.monotonic() - begun
        asked = self.asked()
        assert asked == sorted(row["id"] for row in expected), title
        assert (self.place.latest() == name) == makes, title
        self.check(title)
        self.lines.append(f"| {self._number} | {title} | {self.rows} | {len(asked)} | {seconds:.1f} |")

    def check(self, title: str) -> None:
        """Check that the latest snapshot equals a run from scratch on the same inputs, byte for byte."""
        scratch = f"scratch-{self._number:02d}"
        words = [word for word in self.settings if not word.startswith(("bounds", "judge_options.log"))]
        self.place.scratch(scratch, *words)
        assert self.place.snapshot() == self.place.objects(scratch), title
        assert len(self.place.objects(scratch)) > 0

    @property
    def rows(self) -> int:
        return sum(map(len, self.shards.values()))

    def ten_refreshes(self) -> Reader:
        """Run the whole scenario; returns the reader, which read snapshots during all of it."""
        reader = Reader(self.place)
        reader.start()
        try:
            self._run(self._shard)
        finally:
            reader.stop()
        assert reader.faults == []
        assert reader.reads > 10
        for name, reads in reader.seen.items():
            assert reads == {frozenset(ids_of(self.place, f"out/snapshots/{name}"))}, name
        return reader

    def _run(self, size: int) -> None:
        shards = self.shards
        for name in ("a.parquet", "b.parquet", "sub/c.parquet"):
            shards[name] = self.draw(size)
        self.write(*shards)
        self.refresh("first", [row for rows in shards.values() for row in rows])

        self.refresh("nothing changed", [], makes=False)

        shards["d.parquet"] = self.draw(size)
        self.write("d.parquet")
        self.refresh("a shard added", shards["d.parquet"])

        edited = [self._edit(row) for row in shards["b.parquet"][2:4]]
        shards["b.parquet"][2:4] = edited
        self.write("b.parquet")
        self.refresh("traces edited", edited)

        moved = [shards["a.parquet"].pop(), shards["a.parquet"].pop(0)]
        shards["sub/c.parquet"] = [*moved, *reversed(shards["sub/c.parquet"])]
        self.write("a.parquet", "sub/c.parquet")
        self.refresh("traces moved within and between shards", [])

        del shards["d.parquet"]
        self.place.remove("d.parquet")
        shards["a.parquet"].pop()
        self.write("a.parquet")
        self.refresh("a shard and a trace removed", [])

        self._policy = "policy=keep_one_per_cluster"
        self.refresh("another policy", [])

        self._edition = 2
        self.refresh("another judge", [row for rows in shards.values() for row in rows])

        new = [self._edit(row) for row in shards["b.parquet"][:2]]
        shards["b.parquet"][:2] = new
        shards["e.parquet"] = self.draw(2 * size)
        self.write("b.parquet", "e.parquet")
        self.crash_and_concurrent([*new, *shards["e.parquet"]])

        # Everything at once.
        fresh, changed = self.draw(1), self._edit(shards["e.parquet"][5])
        shards["e.parquet"] = [*fresh, *shards["e.parquet"][:5], changed, *shards["e.parquet"][6:-1]]
        del shards["sub/c.parquet"]
        self.place.remove("sub/c.parquet")
        self._policy = "policy=keep_first"
        self.write("e.parquet")
        self.refresh("additions, edits, removals and another policy at once", [*fresh, changed])

    def crash_and_concurrent(self, expected: Sequence[Row]) -> None:
        """A refresh that is killed half-way, others at the same time, and the one that resumes it."""
        self._number += 1
        # Long enough that a busy machine does not lose it; that of a killed process ends at once here.
        name, words = f"snapshot-{self._number:02d}", (*self.settings, "lease_s=30")
        before = self.place.latest()
        self.asked()
        slow, held = Path(f"{self.log}.slow"), Path(f"{self.log}.held")
        slow.touch()
        with killed_when(self.place, name, words, lambda: self._units_done(name) >= 1):
            # However slow the machine is: what is asked meanwhile finds the first one at work.
            held.touch()
            # While it runs, another refresh ends at once, whatever its action.
            assert self.place.refresh("name=concurrent", *words) == 5
            assert self.place.refresh("action=publish", f"snapshot={before}") == 5
        held.unlink()
        slow.unlink()
        before_kill = self.asked()
        assert 0 < len(set(before_kill)) < len(expected)
        assert self.place.latest() == before
        begun = time.monotonic()
        while (status := self.place.refresh("name=never", *words)) == 5:
            assert time.monotonic() - begun < 60
            time.sleep(0.2)
        assert status == 0
        seconds = time.monotonic() - begun
        # It resumed the killed snapshot instead of starting its own.
        assert self.place.latest() == name
        after = self.asked()
        assert {*before_kill, *after} == {row["id"] for row in expected}
        # Only traces of units that were unfinished at the kill may be judged twice.
        assert len(set(after)) < len(expected)
        self.check("a crash")
        counted = f"{len(set(before_kill))} + {len(after)}"
        title = "killed half-way with concurrent refreshes, then resumed"
        self.lines.append(f"| {self._number} | {title} | {self.rows} | {counted} | {seconds:.1f} |")

    def _units_done(self, name: str) -> int:
        """Complete units of a snapshot of which every trace was judged: those of the new shard."""
        top = f"{self.place.root}/out/snapshots/{name}/enhanced"
        self.place.fs.invalidate_cache()
        found = self.place.fs.find(top) if self.place.fs.exists(top) else []
        return sum(path.rpartition("/")[2].startswith("e.r") for path in found)


@contextlib.contextmanager
def killed_when(place: Place, name: str, words: Sequence[str], ready: Callable[[], bool]) -> Iterator[None]:
    """A refresh in a process group of its own; the body runs when it is `ready`, then it is killed."""
    command = [sys.executable, "-m", "dlcot_ray.cli", "refresh", f"input={place.url}/in"]
    command += [f"output={place.url}/out", *place.words, *words, f"name={name}", "ray.address=local"]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    with subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            deadline = time.monotonic() + _KILL_AFTER_S
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise AssertionError(process.stdout.read().decode() if process.stdout else "")
                time.sleep(0.1)
            yield
            assert process.poll() is None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
