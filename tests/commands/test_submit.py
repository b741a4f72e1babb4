"""`ray job submit` against a real head with its job server: exit statuses, the job's one line, a small upload."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import REPO
from tests.support.finished_job import sum_trace

LOCAL_FOLDERS = (".venv", ".git", "models", "out")
ROWS = 5
TOKEN = secrets.token_hex(32)
_RAY = (sys.executable, "-m", "ray.scripts.scripts")


@dataclass(frozen=True, slots=True)
class Head:
    """A running head.

    Attributes:
        address: of its job server.
        folder: its session directory.
    """

    address: str
    folder: Path


def environment() -> dict[str, str]:
    """That of a node on which `python` is the one that has the packages, and of no other cluster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    return {**kept, "PATH": path, **own}


def free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    # Ray's sockets lie in this folder, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="dlcot-"))
    gcs, server, agent, client = free_ports(4)
    options = [
        f"--port={gcs}",
        f"--dashboard-port={server}",
        f"--dashboard-agent-listen-port={agent}",
        f"--ray-client-server-port={client}",
        f"--temp-dir={folder}",
        "--node-ip-address=127.0.0.1",
        "--dashboard-host=127.0.0.1",
        "--num-cpus=2",
        "--object-store-memory=100000000",
    ]
    said = folder / "start.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*_RAY, "start", "--head", "--block", *options],
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{server}"
        until = time.monotonic() + 120
        while not answers(address):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.2)
        yield Head(address, folder)
    finally:
        left = end(process)
        shutil.rmtree(folder, ignore_errors=True)
    assert not left


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/version", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        # It demands the token, so it is the server.
        return True
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """End a head with all of its processes; returns those that would not."""
    family = [psutil.Process(process.pid)] if process.poll() is None else []
    family += [child for parent in family for child in parent.children(recursive=True)]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait(timeout=30)
    return [member for member in psutil.wait_procs(family, timeout=30)[1] if member.is_running()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with what a user's copy has beside it: 4 MB in each folder that stays at home."""
    copy = tmp_path_factory.mktemp("checkout") / "dlcot"
    results = REPO / "benchmarks" / "results"

    def left_out(folder: str, names: list[str]) -> list[str]:
        caches = [name for name in names if name.endswith("_cache") or name == "__pycache__"]
        here = Path(folder)
        return caches + [n for n in names if (here == REPO and n in LOCAL_FOLDERS) or here / n == results]

    shutil.copytree(REPO, copy, ignore=left_out)
    for name in LOCAL_FOLDERS:
        (copy / name).mkdir()
        (copy / name / "large").write_bytes(os.urandom(4_000_000))
    return copy


def submit(head: Head, checkout: Path, *words: str) -> tuple[int, str]:
    """Submit as the documentation says; returns the exit status and what was printed."""
    command = [*_RAY, "job", "submit", "--address", head.address, "--working-dir", ".", "--"]
    done = subprocess.run(
        [*command, "python", "jobs/enhance.py", *words],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_good_job_ends_well_and_uploads_little(head: Head, checkout: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    pq.write_table(pa.Table.from_pylist([sum_trace(number) for number in range(ROWS)]), source / "a.parquet")
    status, said = submit(head, checkout, f"input={source}", f"output={out}", "workers=1")
    assert status == 0, said
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["complete"]
    assert manifest["totals"]["rows"] == ROWS
    assert sum(pq.read_metadata(path).num_rows for path in (out / "enhanced").glob("*.parquet")) == ROWS
    (uploaded,) = head.folder.glob("session_2*/runtime_resources/working_dir_files/_ray_pkg_*/")
    names = {path.name for path in uploaded.iterdir()}
    assert {"jobs", "conf", "dlcot_ray"} <= names
    assert not names.intersection((*LOCAL_FOLDERS, "tests", "docs", "benchmarks"))
    # Of the 9 MB, 5 are the learned judge; any local folder would add 4. The job itself compiles modules
    # in this folder; what was uploaded are the other files.
    sent = [path for path in uploaded.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    assert sum(path.stat().st_size for path in sent) < 10_000_000


def test_bad_input_is_one_line_and_another_status(head: Head, checkout: Path, tmp_path: Path) -> None:
    status, said = submit(head, checkout, f"input={tmp_path / 'nowhere'}", f"output={tmp_path / 'out'}")
    assert status != 0
    # Ray repeats the end of the log in its message that the job failed.
    (line,) = {line for line in said.splitlines() if line.startswith("dlcot: ")}
    assert str(tmp_path / "nowhere") in line
    assert "Traceback" not in said
    assert not list((tmp_path / "out").rglob("*.parquet"))
