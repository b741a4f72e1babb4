"""Ends a process in the middle of a put: `python catch_writer.py OUT SECONDS` prints its id and folder.

A program of its own with few imports, because a put takes milliseconds: it looks for a temporary file in a
tight loop that no other thread holds up. The file that stays behind proves that the put was not over.
"""

import os
import signal
import sys
import time

SUFFIX = ".dlcot-tmp"


def catch(out: str, seconds: float) -> str:
    """What was ended, or an empty string if no writer was met in time."""
    until = time.monotonic() + seconds
    # What writers ended before left behind.
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
