"""Writes requirements-cuda.lock: what the image of the CUDA build is installed from.

    python scripts/lock_cuda.py > requirements-cuda.lock

pip resolves dlcot-ray[cuda] and Ray's cluster parts without installing anything; what decides content or
formats is held at the version of requirements.lock. The CUDA wheels need not be usable on the machine that
this runs on; they are downloaded (4 GB) for their metadata.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
HELD = (
    "ray",
    "pyarrow",
    "polars",
    "fsspec",
    "s3fs",
    "omegaconf",
    "math-verify",
    "transformers",
    "huggingface-hub",
)
"""Packages that decide content or formats, or that the engine's versions hang on."""

HEAD = """\
# The CUDA build, Python 3.11 on Linux x86_64: what scripts/install.sh cuda installs, and the image has.
# Written by scripts/lock_cuda.py.
"""


def pins(lock: Path) -> dict[str, str]:
    """Name -> version of a lock file."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))


def resolve() -> dict[str, str]:
    """Every package of the CUDA build.

    Raises:
        subprocess.CalledProcessError: there is no set of versions that fits.
    """
    known = pins(REPO / "requirements.lock")
    wanted = [
        f"{REPO}[cuda]",
        f"ray[data,default]=={known['ray']}",
        *(f"{name}=={known[name]}" for name in HELD),
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *options, *wanted], check=True, stdout=sys.stderr
        )
        content = json.loads(report.read_text(encoding="utf-8"))
    found = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in content["install"]}
    found.pop("dlcot-ray", None)
    return found


def main() -> None:
    """Resolve and print."""
    lines = sorted(f"{name}=={version}" for name, version in resolve().items())
    print(HEAD + "\n".join(lines))


if __name__ == "__main__":
    main()
