"""`dlcot doctor` finds what would stop a job, says what to do, and changes nothing."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.doctor.machine import package_checks, python_check, room_check, shared_memory
from dlcot_ray.commands.doctor.places import clock_check
from dlcot_ray.commands.doctor.result import Verdict
from tests.support import REPO

SHARDS = REPO / "examples" / "shards"


def test_a_sound_machine_has_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", f"input={SHARDS}", f"output={tmp_path / 'out'}", "--json"]) == 0
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert found["output"]["verdict"] == found["claims"]["verdict"] == found["clock"]["verdict"] == "ok"
    assert found["judge"]["found"].startswith("learned/")
    assert "files" in found["input"]["found"]
    assert {"python", "cpus", "gpus", "memory", "shm", "disk", "ray", "space"} <= found.keys()
    assert all(check["remedy"] for check in found.values() if check["verdict"] != "ok")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_every_fault_has_a_remedy_and_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "file").write_text("x")
    words = [
        f"ray.address={address}",
        "judge=vllm",
        "judge_options.model=/no/model",
        f"input={tmp_path / 'none'}",
    ]
    assert main(["doctor", *words, f"output={tmp_path / 'file' / 'out'}"]) == 3
    lines = capsys.readouterr().out.splitlines()
    faults = {line.split()[1]: line for line in lines if line.startswith("fault")}
    assert set(faults) == {"ray", "judge", "input", "output"}
    assert "check ray.address" in faults["ray"]
    assert "scripts/get_model.py" in faults["judge"]
    assert lines[-1].startswith("4 faults")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [((3, 10, 4), "fault"), ((3, 11, 2), "warning"), ((3, 11, 9), "ok"), ((3, 12, 0), "ok")],
)
def test_interpreters(found: tuple[int, ...], verdict: str) -> None:
    assert python_check(found).verdict == verdict


def test_packages_are_compared_with_the_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=99", "no-such-package==1", "pyarrow>=1", 'scipy>=99; extra == "train"', "x ~ y"]
    monkeypatch.setattr("dlcot_ray.commands.doctor.machine.requires", lambda name: wanted)
    found = {check.name: check for check in package_checks()}
    assert found["numpy"].verdict is Verdict.WARNING
    assert found["numpy"].remedy == "run pip install 'numpy>=99'"
    assert found["no-such-package"].verdict is Verdict.FAULT
    assert "pyarrow" not in found
    assert "scipy" not in found


def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dlcot_ray.commands.doctor.machine._LEAST_DISK", 1 << 60)
    monkeypatch.setattr("dlcot_ray.commands.doctor.machine._LEAST_SHARED", 1 << 60)
    assert room_check("disk", tmp_path / "not" / "yet").verdict is Verdict.WARNING
    assert "--shm-size" in shared_memory(tmp_path).remedy


@pytest.mark.parametrize(
    ("written", "verdict"),
    [(1000.0, "ok"), (1001.5, "ok"), (990.0, "ok"), (900.0, "warning"), (1100.0, "warning")],
)
def test_a_clock_that_is_wrong_is_a_warning(written: float, verdict: str) -> None:
    assert clock_check(written, 1000.5, 1001.0).verdict == verdict
