"""Kills a process in the middle of a put: `python catch_writer.py OUT SECONDS` prints its id and folder.

A put takes milliseconds. So this is a separate program with few imports, which looks for a temporary file in a
tight loop that no other thread delays. The temporary file that is left proves that the put was not finished.
"""

import os
import signal
import sys
import time

SUFFIX = ".dlcot-tmp"


def catch(out: str, seconds: float) -> str:
    """Kill a writer; returns it in words, or an empty string if there was none in time."""
    until = time.monotonic() + seconds
    # Left by writers that were killed before.
    old = {name for _, _, names in os.walk(out) for name in names if name.endswith(SUFFIX)}
    while time.monotonic() < until:
        for folder in ("enhanced", "annotations"):
            try:
                names = os.listdir(f"{out}/{folder}")  # noqa: PTH208
            except FileNotFoundError:
                continue
            for name in names:
                if name.endswith(SUFFIX) and name not in old:
                    pid = int(name.removesuffix(SUFFIX).rsplit(".", 1)[1].split("-")[0])
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                    time.sleep(0.02)
                    if os.path.exists(f"{out}/{folder}/{name}"):  # noqa: PTH110
                        return f"writer process {pid} at {folder}/"
    return ""


if __name__ == "__main__":
    print(catch(sys.argv[1], float(sys.argv[2])))
