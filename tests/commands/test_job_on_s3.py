"""Whole jobs with input and output on a real S3 server, undisturbed and in trouble."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from dlcot_ray.cli import main
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX
from tests.support.faulty_proxy import Faults, FaultyProxy, faulty
from tests.support.seaweed import ADMIN, READER, STRANGER, S3Place, S3Server
from tests.support.shared_ray import SharedRay

ROUNDS = int(os.environ.get("DLCOT_S3_ROUNDS", "1"))
"""How often each sort of trouble is made, each time by another seed."""

SHARDS, ROWS = 4, 15
WORDS = ("rows_per_unit=5", "judge=rules", "ray.address=local", "progress_s=0", "workers=1")
UNITS = SHARDS * ROWS // 5


@pytest.fixture(scope="module")
def proxy(s3_server: S3Server, shared_ray: SharedRay) -> Iterator[FaultyProxy]:
    """The proxy, and a Ray whose workers have the environment that leads to it."""
    with faulty(s3_server) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.server.environment().items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        shared_ray.use(running.server.environment())
        yield running
        shared_ray.stop()
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def source(s3_server: S3Server) -> str:
    """Input shards; put there past the proxy."""
    client = s3_server.client()
    for shard in range(SHARDS):
        rows = []
        for row in range(ROWS):
            a, b = 11 + shard, 5 + row
            steps = [
                f"I need to add {a} and {b}.",
                f"Directly: {a} + {b} = {a + b}. So the answer is {a + b}.",
                f"Alternatively, count up from {a}, {b} times: {a} + {b} = {a + b}, so the answer is {a + b}.",
                f"Wait, let me check: {a + b} - {b} = {a}. Yes, that works.",
                f"So the final answer is \\boxed{{{a + b}}}.",
            ]
            reasoning, problem = "\n\n".join(steps), f"What is {a} + {b}?"
            rows.append(
                {"id": f"{shard}-{row}", "problem": problem, "reasoning": reasoning, "answer": str(a + b)}
            )
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        client.put_object(Bucket="dlcot", Key=f"job/in/deep/s-{shard}.parquet", Body=sink.getvalue())
    return "s3://dlcot/job/in"


def data(server: S3Server, output: str) -> dict[str, bytes]:
    """An output's data objects."""
    found = server.objects("dlcot", f"job/{output}/")
    return {name: content for name, content in found.items() if name.endswith(".parquet") and "/" in name}


def ids(objects: dict[str, bytes]) -> list[str]:
    tables = [pq.read_table(io.BytesIO(raw)) for name, raw in objects.items() if name.startswith("enhanced/")]
    return sorted(value for table in tables for value in table["id"].to_pylist())


def check_clean(server: S3Server, output: str) -> None:
    """No half-written object, no probe, no unfinished upload."""
    names = server.objects("dlcot", f"job/{output}/")
    assert not [name for name in names if name.endswith(TEMPORARY_SUFFIX)]
    assert server.unfinished_uploads("dlcot") == []


@pytest.fixture(scope="module")
def undisturbed(proxy: FaultyProxy, source: str) -> dict[str, bytes]:
    """What a job without any trouble makes."""
    proxy.inject(Faults())
    assert main(["enhance", f"input={source}", "output=s3://dlcot/job/undisturbed", *WORDS]) == 0
    made = data(proxy.server_behind, "undisturbed")
    assert len([name for name in made if name.startswith("enhanced/")]) == UNITS
    assert ids(made) == sorted(f"{shard}-{row}" for shard in range(SHARDS) for row in range(ROWS))
    check_clean(proxy.server_behind, "undisturbed")
    return made


TROUBLE = {
    "slow_down": Faults(slow_down=0.1),
    "resets": Faults(reset_before=0.05, reset_after=0.05),
    "truncated": Faults(truncate=0.2),
    "stalls": Faults(stall=0.03, stall_s=5.0),
}


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("fault", TROUBLE)
def test_a_job_in_trouble_makes_what_one_without_makes(
    fault: str, seed: int, proxy: FaultyProxy, source: str, undisturbed: dict[str, bytes]
) -> None:
    proxy.inject(TROUBLE[fault], seed)
    output = f"{fault}-{seed}"
    status = main(["enhance", f"input={source}", f"output=s3://dlcot/job/{output}", *WORDS])
    made = dict(proxy.injected)
    proxy.inject(Faults())
    assert status == 0
    assert sum(made.values()) > 0, made
    assert data(proxy.server_behind, output) == undisturbed
    manifest = json.loads(proxy.server_behind.objects("dlcot", f"job/{output}/manifest.json")[""])
    assert manifest["totals"]["rows"] == SHARDS * ROWS
    assert manifest["failed_units"] == []
    check_clean(proxy.server_behind, output)


@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied"])
def test_credentials_that_are_revoked_end_the_job_with_one_line_and_it_resumes(
    code: str,
    proxy: FaultyProxy,
    source: str,
    undisturbed: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["enhance", f"input={source}", f"output=s3://dlcot/job/{code}", *WORDS]
    proxy.inject(Faults(refuse=code, refuse_after_puts=UNITS + 4))
    begin = time.monotonic()
    assert main(words) == 1
    assert time.monotonic() - begin < 60
    told = capsys.readouterr().err.splitlines()
    (line,) = [line for line in told if code in line]
    assert line.startswith("dlcot: cannot write s3://dlcot/job/")
    assert "run the same command again" in line or "run again" in line
    assert line == told[-1]
    assert ADMIN.secret_key not in line
    proxy.inject(Faults())
    before = data(proxy.server_behind, code)
    assert 0 < len(before) < len(undisturbed)
    assert main(words) == 0
    assert data(proxy.server_behind, code) == undisturbed
    check_clean(proxy.server_behind, code)


CLOSED = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
BLANK = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
UNKNOWN = {"AWS_ACCESS_KEY_ID": STRANGER.access_key, "AWS_SECRET_ACCESS_KEY": STRANGER.secret_key}
WRONG_SECRET = {"AWS_SECRET_ACCESS_KEY": STRANGER.secret_key}
READ_ONLY = {"AWS_ACCESS_KEY_ID": READER.access_key, "AWS_SECRET_ACCESS_KEY": READER.secret_key}


@pytest.mark.parametrize(
    ("changed", "side", "where", "told"),
    [
        ({}, "input", "s3://no-such-bucket/in", "NoSuchBucket"),
        ({}, "output", "s3://no-such-bucket/out", "NoSuchBucket"),
        (CLOSED, "input", "", "check the network and the endpoint"),
        (CLOSED, "output", "", "check the network and the endpoint"),
        (BLANK, "input", "", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (BLANK, "output", "", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (UNKNOWN, "input", "", "InvalidAccessKeyId"),
        (WRONG_SECRET, "output", "", "SignatureDoesNotMatch"),
        (READ_ONLY, "output", "", "cannot write to the output"),
    ],
)
def test_what_is_wrong_with_a_place_is_one_line_in_time(
    changed: dict[str, str],
    side: str,
    where: str,
    told: str,
    s3: S3Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"input": "examples/shards", "output": str(tmp_path / "out"), side: where or s3.url(side)}
    for name, value in changed.items():
        # An empty variable would count as set.
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    begin = time.monotonic()
    assert main(["enhance", *(f"{key}={value}" for key, value in places.items()), *WORDS]) == 1
    assert time.monotonic() - begin < 17, "start-up takes up to three seconds more"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dlcot: ")
    assert told in line
    assert places[side] in line
    assert STRANGER.secret_key not in line
    assert not list(tmp_path.glob("out/enhanced/*"))


@pytest.mark.parametrize("side", ["input", "output"])
def test_expired_credentials_are_one_line(
    side: str, s3: S3Place, s3_server: S3Server, tmp_path: Path
) -> None:
    places = {"input": "examples/shards", "output": str(tmp_path / "out"), side: s3.url(side)}
    with faulty(s3_server) as expired:
        expired.inject(Faults(refuse="ExpiredToken"))
        done = subprocess.run(
            [sys.executable, "-m", "dlcot_ray.cli", "enhance", *(f"{k}={v}" for k, v in places.items())],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, **expired.server.environment()},
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ExpiredToken" in line
    assert "renew them" in line
