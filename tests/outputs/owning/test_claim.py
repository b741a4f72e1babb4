"""One output belongs to one job: also of two that start at once, and beside files of others."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from dlcot_ray.errors import Busy, JobError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import InputRecord, JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.manifest import write_card
from dlcot_ray.outputs.owning.claim import Claim, claim
from dlcot_ray.outputs.owning.lease import LEASE_FILE, Holder, Lease
from dlcot_ray.outputs.owning.marks import CARD_MARK
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.storage.store import Store
from tests.support import REPO
from tests.support.records import write_record

UNIT = "train.r000000000-000000002"
TABLE = pa.table({"n": [1, 2]})
MADE = UnitOutput(TABLE, TABLE, TABLE, UnitStats(rows=2, enhanced=2))
INPUT = InputRecord("/in/train.parquet", "train", 2, 10, "v1")
JOB = JobRecord("enhance", {"policy": "keep_first", "rows_per_unit": 2}, {}, (INPUT,))
START = replace(JOB, inputs=())
OTHER = replace(START, settings={"policy": "keep_one", "rows_per_unit": 2})


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(Store(str(tmp_path / "out")))


def files(output: Output) -> set[str]:
    return {info.relative for info in output.store.list()} - {LEASE_FILE}


def test_a_resumed_job_gets_its_inputs_and_its_new_configuration(output: Output) -> None:
    write_record(output, JOB)
    with claim(output, replace(START, config={"workers": 3})) as held:
        assert held.record == replace(JOB, config={"workers": 3})


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (OTHER, "policy: keep_first there, keep_one here"),
        (replace(START, settings={"policy": "keep_first"}), "rows_per_unit: 2 there, null here"),
        (replace(START, command="derive"), "command: enhance there, derive here"),
    ],
)
def test_another_job_is_refused_by_its_first_difference(output: Output, job: JobRecord, says: str) -> None:
    write_record(output, JOB)
    with pytest.raises(JobError, match="overwrite=true") as refused:
        claim(output, job)
    assert says in str(refused.value)
    with claim(output, START):
        pass


def test_of_two_jobs_with_different_settings_that_start_at_once_one_gets_the_output(output: Output) -> None:
    jobs = [replace(START, settings={"policy": str(number)}) for number in range(6)]
    start, over = threading.Barrier(len(jobs)), threading.Event()
    won: list[str] = []
    refused: list[Busy] = []

    def attempt(job: JobRecord) -> None:
        start.wait()
        try:
            with claim(output, job) as held:
                held.write(replace(job, inputs=(INPUT,)))
                won.append(job.fingerprint)
                over.wait(20)
        except Busy as busy:
            refused.append(busy)

    threads = [threading.Thread(target=attempt, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 20
    while len(refused) < len(jobs) - 1 and time.monotonic() < until:
        time.sleep(0.02)
    over.set()
    for thread in threads:
        thread.join(20)
    record = output.record()
    assert record is not None
    assert won == [record.fingerprint]
    assert all("wait until it ends" in str(busy) for busy in refused)


def test_jobs_of_the_same_settings_share_an_output(output: Output) -> None:
    with claim(output, START) as first, claim(output, START) as second:
        first.write(JOB)
        new = replace(INPUT, file="/in/new.parquet", name="new")
        second.write(replace(START, inputs=(INPUT, new)))
        record = output.record()
        assert record is not None
        assert record.inputs == (INPUT, new)
        with pytest.raises(Busy):
            claim(output, OTHER, overwrite=True)
        with pytest.raises(JobError, match=r"planned another /in/train\.parquet"):
            first.write(replace(JOB, inputs=(replace(INPUT, size=11),)))


def test_a_job_that_renews_beside_another_of_its_settings_keeps_the_output(output: Output) -> None:
    with claim(output, START, lease_s=0.6) as first, claim(output, START, lease_s=0.6) as second:
        first.write(JOB)
        time.sleep(1.5)
        first.check()
        second.check()
        with pytest.raises(Busy):
            claim(output, OTHER)


def test_a_job_whose_output_was_taken_stops(output: Output) -> None:
    with claim(output, START, lease_s=0.6) as held:
        taken = Holder("elsewhere", "enhance", time.time() + 60, OTHER.fingerprint)
        output.store.put(LEASE_FILE, json.dumps({**vars_of(taken)}).encode())
        time.sleep(0.5)
        with pytest.raises(JobError, match="this job lost its lease"):
            held.check()
        write_record(output, OTHER)
        with pytest.raises(JobError, match="another job took"):
            held.write(JOB)
    assert json.loads(output.store.read_bytes(LEASE_FILE))["owner"] == "elsewhere"


def vars_of(holder: Holder) -> dict[str, object]:
    return {name: getattr(holder, name) for name in Holder.__slots__}


def test_a_job_that_ends_before_it_writes_leaves_nothing(output: Output) -> None:
    with claim(output, START):
        assert files(output) == {"_job.json"}
    assert output.store.list() == []


def test_a_claim_without_inputs_is_replaced(output: Output) -> None:
    write_record(output, START)
    with claim(output, OTHER) as held:
        held.write(replace(OTHER, inputs=(INPUT,)))
    record = output.record()
    assert record is not None
    assert record.fingerprint == OTHER.fingerprint


def test_the_lease_of_a_killed_job_of_this_machine_ends_with_it(output: Output) -> None:
    code = f"""
import os, signal
from dlcot_ray.outputs.owning.lease import Lease
from dlcot_ray.storage.store import Store
Lease(Store({output.store.given_url!r}), "enhance", 300, job="x").__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=False, timeout=60)
    if not json.loads(output.store.read_bytes(LEASE_FILE))["machine"]:
        pytest.skip("this system does not tell one machine from another")
    with claim(output, START):
        pass


def test_the_lease_of_another_machine_is_waited_for(output: Output) -> None:
    there = Holder("far", "enhance", time.time() + 60, "other", "another kernel", 2**22 + 1)
    output.store.put(LEASE_FILE, json.dumps(vars_of(there)).encode())
    with pytest.raises(Busy, match="far"):
        claim(output, START)


def test_overwrite_removes_only_objects_of_dlcot(output: Output) -> None:
    write_record(output, JOB)
    output.put_unit(UNIT, MADE)
    mine = {
        "notes.txt": b"x",
        "enhanced/mine.parquet": b"x",
        "README.md": b"my own card",
        "_counts/mine.arrow": b"x",
    }
    theirs = {
        "manifest.json": b'{"format": 1, "command": "enhance", "fingerprint": "0"}',
        "inputs.jsonl": b'{"file": "a", "name": "a", "rows": 1}\n',
        "_counts/20260101T000000-abcdef-000001.arrow": b"x",
        "_duplicates.arrow": b"x",
    }
    for name, data in (mine | theirs).items():
        output.store.put(name, data)
    with claim(output, OTHER, overwrite=True) as held:
        assert held.record == OTHER
        assert files(output) == {*mine, "_job.json"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["README.md", "manifest.json", "inputs.jsonl", "report.html"])
def test_a_directory_with_files_of_others_under_our_names_is_refused(
    output: Output, name: str, overwrite: bool
) -> None:
    output.store.put(name, b'{"name": "my-web-app"}')
    with pytest.raises(JobError, match=rf"holds {name}, which dlcot did not write; choose another output"):
        claim(output, START, overwrite=overwrite)
    assert files(output) == {name}


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_programs_output_is_left_alone(output: Output, overwrite: bool) -> None:
    output.store.put("enhanced/part-0.parquet", b"x")
    with pytest.raises(JobError, match="another program"):
        claim(output, JOB, overwrite=overwrite)
    assert files(output) == {"enhanced/part-0.parquet"}


MANIFEST = {
    "totals": {**json.loads(UnitStats(rows=2, enhanced=2).to_json()), "files": 1, "rows": 2, "unfinished": 0},
    "settings": {"policy": "keep_first", "judge": "rules/6"},
    "inputs": [],
    "outputs": {f: {"objects": 0} for f in ("enhanced", "annotations", "rejected", "preferences", "masked")},
    "versions": {},
    "unusable_inputs": [],
    "failed_units": [],
}


def test_a_card_is_replaced_until_somebody_makes_it_his_own(output: Output) -> None:
    assert write_card(output, MANIFEST)
    first = output.store.read_bytes("README.md").decode()
    assert write_card(output, MANIFEST, "# Report")
    edited = first.replace(CARD_MARK, "Edited by hand.")
    output.store.put("README.md", edited.encode())
    assert not write_card(output, MANIFEST)
    assert output.store.read_bytes("README.md").decode() == edited
    write_record(output, JOB)
    held: Claim
    with claim(output, START) as held:
        held.check()


def test_a_lease_of_a_refresh_and_one_of_a_job_do_not_share(output: Output) -> None:
    with Lease(output.store, "refresh", 60), pytest.raises(Busy), Lease(output.store, "x", 60, job="x"):
        pass
