"""What `dlcot select` says about a selection: its dataset card and its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from dlcot_ray.telemetry.cleaned_console import terminal

FOLDER = "selected"
REPORT_FILE = "selection.json"


def card_of(report: Mapping[str, Any]) -> str:
    """`README.md` of a selection; hub tools read its front matter."""
    counts = report["counts"]
    front = {
        "pretty_name": "Selected chain-of-thought traces",
        "task_categories": ["text-generation"],
        "tags": ["chain-of-thought", "distillation", "dlcot"],
        "configs": [
            {"config_name": FOLDER, "data_files": f"{FOLDER}/**/*.parquet", "default": True},
        ],
    }
    each = f"up to {report['k']} that differ" if "k" in report else "the shortest"
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip(),
            "---",
            "# Selected chain-of-thought traces",
            "",
            f"{counts['selected']:,} of {counts['traces']:,} traces, edited by the policy "
            f"`{report['policy']}`: of each problem {each} among those that reach the ground truth "
            f"(`select={report['select']}`).",
            "",
            f"- {counts['problems']:,} problems; {counts['problems_without']:,} have no trace that is known "
            "to be right, and are left out.",
            f"- {counts['wrong']:,} traces miss their ground truth; {counts['unknown']:,} have none, or were "
            "not judged.",
            f"- `{FOLDER}/` has the columns of `enhanced/`; `{REPORT_FILE}` names source and settings.",
            "",
        ]
    )


def print_selection(report: Mapping[str, Any], place: str) -> None:
    """Say what was taken and what was left out."""
    counts = report["counts"]
    console = terminal(highlight=False, soft_wrap=True)
    console.print(
        f"{counts['selected']:,} of {counts['traces']:,} traces selected, for "
        f"{counts['problems'] - counts['problems_without']:,} of {counts['problems']:,} problems"
    )
    console.print(
        f"left out: {counts['problems_without']:,} problems without a trace that is known to be right; "
        f"{counts['wrong']:,} traces miss their ground truth, {counts['unknown']:,} have none or were not "
        "judged"
    )
    console.print(f"next: train on {place}", markup=False)
