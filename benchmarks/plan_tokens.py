"""Estimate against use: `dlcot plan`, then the same job, and the judge's tokens of both.

    python benchmarks/plan_tokens.py FOLDER_OF_PARQUET OUTPUT [JUDGE] [key=value ...]

The judge is `tiny-cpu` unless named; an OUTPUT that holds the finished job is not judged again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from dlcot_ray.commands.plan.command import forecast
from dlcot_ray.config.loading import load_plan


def main(folder: str, output: str, *words: str) -> int:
    """Run both and print the table."""
    judge = next((word for word in words if "=" not in word), "tiny-cpu")
    settings = [f"input={folder}", f"judge={judge}", *(word for word in words if "=" in word)]
    told = forecast(load_plan(settings))["judge_tokens"]
    job = [
        sys.executable,
        "-m",
        "dlcot_ray.cli",
        "enhance",
        f"output={output}",
        "ray.address=local",
        *settings,
    ]
    if subprocess.run(job, check=False).returncode not in (0, 3):
        return 1
    used = json.loads((Path(output) / "manifest.json").read_text())["totals"]
    print("| judge tokens | planned | used | planned / used |\n|---|---:|---:|---:|")
    for kind in ("prefill", "cached", "decode"):
        print(f"| {kind} | {told[kind]:,} | {used[kind]:,} | {told[kind] / used[kind]:.3f} |")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__)
        raise SystemExit(2)
    raise SystemExit(main(*sys.argv[1:]))
