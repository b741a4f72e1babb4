"""Synthetic traces in shards, and helpers that read the root of a refresh, for tests of snapshots."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.cli import main
from tests.support.plain_run import run_without_ray
from tests.support.records import without_job
from tests.support.sums import sum_thought
from tests.support.words import later_wins

FOLDERS = ("enhanced", "annotations", "rejected", "preferences")
SMALL = ("rows_per_unit=5", "retries=0", "workers=1", "gc=none", "bounds.max_removed_share=1")


def trace(number: int, edition: int = 0) -> dict[str, Any]:
    """A short trace with two approaches to one sum, a check and a conclusion; `edition` edits its text."""
    a, b = 17 + number, 5 + number % 7
    total = a + b
    return {
        "id": f"sum-{number}",
        "problem": f"What is {a} + {b}?",
        "reasoning": sum_thought(a, b, total, " Let me see." * edition),
        "answer": str(total),
        "source": "sums" if number % 2 else "additions",
        "teacher": f"teacher-{number % 3}",
    }


class Place:
    """The inputs and outputs of a test: a local directory, or a prefix on an S3 server."""

    def __init__(self, url: str, words: Sequence[str] = SMALL) -> None:
        self.words = words
        self.url = url.rstrip("/")
        self.fs, self.root = fsspec.core.url_to_fs(url, use_listings_cache=False)

    def write(self, name: str, rows: Iterable[Mapping[str, Any]], rows_per_group: int = 100) -> None:
        """Write a shard below `in/`."""
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(list(rows)), sink, row_group_size=rows_per_group)
        path = f"{self.root}/in/{name}"
        self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.fs.pipe_file(path, sink.getvalue().to_pybytes())

    def remove(self, name: str) -> None:
        """Remove a shard below `in/`."""
        self.fs.rm_file(f"{self.root}/in/{name}")

    def refresh(self, *words: str) -> int:
        """Run `dlcot refresh` with the output `out/`; returns its exit status."""
        places = (f"input={self.url}/in", f"output={self.url}/out")
        return main(["refresh", *later_wins(*places, *self.words, *words)])

    def scratch(self, name: str, *words: str) -> None:
        """Write the output of `dlcot enhance` for the same inputs, without Ray."""
        own = [word for word in self.words if not word.startswith(("gc", "bounds"))]
        run_without_ray(later_wins(f"input={self.url}/in", f"output={self.url}/{name}", *own, *words))

    def bytes_of(self, name: str) -> bytes:
        self.fs.invalidate_cache()
        data: bytes = self.fs.cat_file(f"{self.root}/{name}")
        return data

    def json_of(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.bytes_of(name))
        return content

    def latest(self) -> str:
        """The name of the published snapshot."""
        return str(self.json_of("out/latest.json")["snapshot"])

    def report(self, snapshot: str | None = None) -> dict[str, Any]:
        """The total of a snapshot's report."""
        total: dict[str, Any] = self.json_of(f"out/snapshots/{snapshot or self.latest()}/report.json")[
            "total"
        ]
        return total

    def objects(self, output: str) -> dict[str, bytes]:
        """Every data object of an output, without the fingerprint of its job."""
        self.fs.invalidate_cache()
        found: dict[str, bytes] = {}
        for folder in FOLDERS:
            top = f"{self.root}/{output}/{folder}"
            for path in self.fs.find(top) if self.fs.exists(top) else []:
                found[path.split(f"{output}/", 1)[1]] = without_job(self.fs.cat_file(path))
        return found

    def snapshot(self, snapshot: str | None = None) -> dict[str, bytes]:
        """Every data object of a snapshot."""
        return self.objects(f"out/snapshots/{snapshot or self.latest()}")

    def facts(self, snapshot: str | None = None) -> pl.DataFrame:
        """The facts of a snapshot."""
        self.fs.invalidate_cache()
        top = f"{self.root}/out/snapshots/{snapshot or self.latest()}/_facts"
        return pl.concat(pl.read_parquet(self.fs.cat_file(path)) for path in sorted(self.fs.find(top)))

    def judged(self, snapshot: str | None = None) -> set[str]:
        """Ids that the judge was asked about for a snapshot."""
        name = snapshot or self.latest()
        facts = self.facts(name).filter(pl.col("judged") & (pl.col("snapshot") == name))
        return set(facts["trace_id"])


def local(path: Path) -> Place:
    return Place(str(path))
