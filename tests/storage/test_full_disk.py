"""A local output on a full disk: a real file system of 1 MiB."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.storage.failures import StoreRefused
from dlcot_ray.storage.store import Store

SIZE = 1 << 20
WORDS = ("rows_per_unit=10", "progress_s=0", "workers=1")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB; the test is skipped if it cannot be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes=200", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted ({done.stderr.strip()})")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def files(root: Path, pattern: str = "*") -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob(pattern) if path.is_file()}


def test_a_put_on_a_full_disk_keeps_the_old_object(disk: Path) -> None:
    store = Store(str(disk / "out"))
    store.put("unit", b"old")
    for verb in (store.put, store.put_if_absent):
        with pytest.raises(StoreRefused, match=r"cannot write .*/out/.*: no space left; free some space"):
            verb("unit" if verb == store.put else "other", bytes(2 * SIZE))
    assert files(disk) == {"out/unit": b"old"}
    version = store.read_versioned("unit")
    assert version is not None
    with pytest.raises(StoreRefused, match="no space left"):
        store.compare_and_swap("unit", bytes(2 * SIZE), version.version)
    assert files(disk) == {"out/unit": b"old"}


@pytest.mark.usefixtures("ray_session")
def test_a_job_on_a_full_disk_ends_with_one_line_and_resumes(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "id": str(row),
            "problem": f"What is {row} + 5?",
            # Random text, which cannot be compressed, fills the disk.
            "reasoning": f"Directly: {row} + 5 = {row + 5}. So the answer is {row + 5}.\n\n{os.urandom(600).hex()}",
            "answer": str(row + 5),
        }
        for row in range(160)
    ]
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    filler = disk / "filler"
    filler.write_bytes(bytes(SIZE * 6 // 10))

    def run(output: Path) -> int:
        return main(["enhance", f"input={tmp_path / 'in'}", f"output={output}", *WORDS])

    assert run(disk / "out") == 1
    told = capsys.readouterr().err
    line = told.splitlines()[-1]
    assert line.startswith(f"dlcot: cannot write {disk / 'out'}/")
    assert "no space left; " in line
    assert "Traceback" not in told
    for path in (disk / "out").rglob("*.parquet"):
        pq.read_table(path)
    assert not list(disk.rglob("*.dlcot-tmp"))
    assert len(list(disk.glob("out/enhanced/*"))) < 16
    filler.unlink()
    subprocess.run(["mount", "-o", f"remount,size={8 * SIZE}", str(disk)], check=True)
    assert run(disk / "out") == 0
    assert run(tmp_path / "roomy") == 0
    assert files(disk / "out", "*.parquet") == files(tmp_path / "roomy", "*.parquet")
