"""Write the lock files with hashes that images and full environments are installed from.

    pip install uv
    python scripts/lock_hashes.py

Reads `requirements.lock` and `requirements-cuda.lock`; writes `requirements.hashes.lock` and
`requirements-cuda.hashes.lock` beside them: the same pins, each with the SHA-256 of every file that PyPI has
of that version. `scripts/install.sh` installs them with `--require-hashes`.

The two kinds of file are separate because pip checks hashes in constraint files too, and then refuses
`pip install -e .`: a checkout has no hash.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent

LOCKS = {
    "requirements.lock": "requirements.hashes.lock",
    "requirements-cuda.lock": "requirements-cuda.hashes.lock",
}
"""Lock file -> the same with hashes."""

TORCH_CPU = "torch=="
"""Left out of the CPU file: its CPU build lies on an index of its own (TORCH_INDEX of scripts/install.sh)."""

HEAD = """\
# The pins of {source} with the hashes of their files on PyPI, for pip's --require-hashes.
# Written by scripts/lock_hashes.py.{note}
"""
NOTE = "\n# Without torch: its CPU build comes from an index of its own (scripts/install.sh)."

UV = ["pip", "compile", "-", "--quiet", "--no-config", "--no-deps", "--generate-hashes", "--no-annotate"]
TARGET = ["--no-header", "--python-version", "3.11", "--python-platform", "x86_64-unknown-linux-gnu"]
INDEX = ["--index-url", "https://pypi.org/simple"]


def pins_of(source: Path) -> tuple[list[str], bool]:
    """The pins of a lock file, and whether torch was left out."""
    pins = [
        line for line in source.read_text(encoding="utf-8").splitlines() if "==" in line and line[0] != "#"
    ]
    kept = [line for line in pins if not (line.startswith(TORCH_CPU) and "+cpu" in line)]
    return kept, len(kept) < len(pins)


def hashed(pins: list[str]) -> str:
    """The pins with all hashes, as uv writes them.

    Raises:
        subprocess.CalledProcessError: uv is missing or a pin is not on PyPI.
    """
    command = [sys.executable, "-m", "uv", *UV, *TARGET, *INDEX]
    done = subprocess.run(command, input="\n".join(pins), text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout


def main() -> None:
    """Write both files."""
    for source, target in LOCKS.items():
        pins, without_torch = pins_of(REPO / source)
        head = HEAD.format(source=source, note=NOTE if without_torch else "")
        (REPO / target).write_text(head + hashed(pins), encoding="utf-8")


if __name__ == "__main__":
    main()
