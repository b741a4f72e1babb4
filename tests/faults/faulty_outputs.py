"""Outputs that fail on request: a bucket behind a faulty proxy, and a disk that gets full."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.support.faulty_proxy import Faults, FaultyProxy

S3_TROUBLE = Faults(
    slow_down=0.1, reset_before=0.03, reset_after=0.03, truncate=0.05, stall=0.02, stall_s=5.0
)


def complete_units(out: Path) -> set[str]:
    """Names of the complete units of a local output."""
    return {path.stem for path in (out / "enhanced").glob("*.parquet")}


class DiskOutput:
    """An output on its own file system, which can be made too small."""

    def __init__(self, out: Path, units: int, proxy: FaultyProxy) -> None:
        self._out = out
        self.url = str(out)

    def __enter__(self) -> DiskOutput:
        self._out.mkdir()
        self._mount("size=64m")
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["umount", str(self._out)], check=True)

    def start_fault(self, fault: str, rng: random.Random) -> None:
        """Shrink the file system."""
        self._size = rng.randint(100, 500)
        self._mount(f"remount,size={self._size}k")

    def injected(self) -> str:
        """The fault in words."""
        return f"{self._size} KiB"

    def end_fault(self) -> None:
        """Give the file system enough room."""
        self._mount("remount,size=64m")

    def complete_units(self) -> set[str]:
        """Names of the complete units."""
        return complete_units(self._out)

    def download(self) -> None:
        """Nothing: the output is local."""

    def unfinished_uploads(self) -> int:
        """None on a disk."""
        return 0

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._out)], check=True)


class BucketOutput:
    """An output in a bucket behind a proxy that injects faults."""

    def __init__(self, out: Path, units: int, proxy: FaultyProxy) -> None:
        self._out, self._units, self._proxy = out, units, proxy
        self._prefix = f"{out.parent.name}/out"
        self.url = f"s3://dlcot/{self._prefix}"

    def __enter__(self) -> BucketOutput:
        return self

    def __exit__(self, *error: object) -> None:
        self.end_fault()

    def start_fault(self, fault: str, rng: random.Random) -> None:
        """Inject faults from now on."""
        revoked = Faults(refuse="InvalidAccessKeyId", refuse_after_puts=rng.randint(5, self._units))
        self._proxy.inject(S3_TROUBLE if fault == "S3 trouble" else revoked, rng.randrange(1 << 30))

    def injected(self) -> str:
        """The faults in words."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self._proxy.injected.items()))

    def end_fault(self) -> None:
        """Pass every request on."""
        self._proxy.faults = Faults()

    def complete_units(self) -> set[str]:
        """Names of the complete units."""
        names = self._proxy.server_behind.objects("dlcot", f"{self._prefix}/enhanced/")
        return {name.removesuffix(".parquet") for name in names}

    def download(self) -> None:
        """Copy the objects to the local folder that is audited."""
        for name, data in self._proxy.server_behind.objects("dlcot", f"{self._prefix}/").items():
            path = self._out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def unfinished_uploads(self) -> int:
        """Multipart uploads that were neither completed nor aborted."""
        keys = self._proxy.server_behind.unfinished_uploads("dlcot")
        return sum(key.startswith(self._prefix) for key in keys)
