"""Where a struck job writes to, with the trouble that the place makes: a bucket behind a proxy, a disk that is full."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.support.faulty_proxy import Faults, FaultyProxy

TROUBLE = Faults(slow_down=0.1, reset_before=0.03, reset_after=0.03, truncate=0.05, stall=0.02, stall_s=5.0)


def listed(out: Path) -> set[str]:
    """Names of the complete units."""
    return {path.stem for path in (out / "enhanced").glob("*.parquet")}


class DiskPlace:
    """An output on a file system of its own that is too small, until it is mended."""

    def __init__(self, out: Path, proxy: FaultyProxy) -> None:
        self._out = out
        self.url = str(out)

    def __enter__(self) -> DiskPlace:
        self._out.mkdir()
        self._mount("size=64m")
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["umount", str(self._out)], check=True)

    def trouble(self, fault: str, dice: random.Random) -> None:
        """Little room from now on."""
        self._size = dice.randint(100, 500)
        self._mount(f"remount,size={self._size}k")

    def made(self) -> str:
        """What the trouble was."""
        return f"{self._size} KiB"

    def mend(self) -> None:
        """Room again."""
        self._mount("remount,size=64m")

    def listed(self) -> set[str]:
        """Names of the complete units."""
        return listed(self._out)

    def fetch(self) -> None:
        """Nothing: it is here."""

    def unfinished(self) -> int:
        """Nothing beyond the files that are here."""
        return 0

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._out)], check=True)


class BucketPlace:
    """An output in a bucket behind the proxy that makes trouble."""

    def __init__(self, out: Path, proxy: FaultyProxy) -> None:
        self._out, self._proxy = out, proxy
        self._prefix = f"{out.parent.name}/out"
        self.url = f"s3://dlcot/{self._prefix}"

    def __enter__(self) -> BucketPlace:
        return self

    def __exit__(self, *error: object) -> None:
        self.mend()

    def trouble(self, fault: str, dice: random.Random) -> None:
        """From now on."""
        revoked = Faults(refuse="InvalidAccessKeyId", refuse_after_puts=dice.randint(5, 60))
        self._proxy.begin(TROUBLE if fault == "S3 trouble" else revoked, dice.randrange(1 << 30))

    def made(self) -> str:
        """What the trouble was."""
        return ", ".join(f"{count} {name}" for name, count in sorted(self._proxy.made.items()))

    def mend(self) -> None:
        """No more trouble."""
        self._proxy.faults = Faults()

    def listed(self) -> set[str]:
        """Names of the complete units."""
        names = self._proxy.behind.objects("dlcot", f"{self._prefix}/enhanced/")
        return {name.removesuffix(".parquet") for name in names}

    def fetch(self) -> None:
        """Copy what is there to where it is audited."""
        for name, data in self._proxy.behind.objects("dlcot", f"{self._prefix}/").items():
            path = self._out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def unfinished(self) -> int:
        """Uploads that were begun and neither completed nor aborted."""
        keys = self._proxy.behind.unfinished_uploads("dlcot")
        return sum(key.startswith(self._prefix) for key in keys)
