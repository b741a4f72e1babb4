"""A job ends with a report of what it made, beside its units."""

from __future__ import annotations

import json
import re

from tests.support.finished_job import FinishedJob


def test_a_job_leaves_its_report(finished_job: FinishedJob) -> None:
    made = (finished_job.output / "report.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', made, re.DOTALL)
    assert found is not None
    content = json.loads(found.group(1))
    assert content["totals"]["enhanced"] == 17
    assert content["unitsCounted"] is None
    assert content["about"]["complete"]
    assert {cause for cause, *_ in content["causes"]} == {"null_reasoning", "unsolved"}
    assert len(content["rejected"]) == 2
