"""The servers that tests start: several at once, and none that outlives its test."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support import REPO
from tests.support.seaweed import S3Server, seaweed


def test_two_servers_run_side_by_side(s3_server: S3Server, tmp_path: Path) -> None:
    with seaweed(tmp_path, buckets=("other",)) as second:
        second.client().put_object(Bucket="other", Key="x", Body=b"1")
        assert second.objects("other") == {"x": b"1"}
        names = [bucket["Name"] for bucket in s3_server.client().list_buckets()["Buckets"]]
        assert "dlcot" in names
        assert "other" not in names
    assert not psutil.pid_exists(second.pid)


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.support.seaweed import seaweed\n"
        "with seaweed(Path(sys.argv[1])) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(REPO)},
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    pid = int(killed.stdout)
    _, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert not alive
