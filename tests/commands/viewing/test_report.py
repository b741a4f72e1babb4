"""A job ends with a report of what it made, beside its units."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dlcot_ray.commands.run import some_units
from dlcot_ray.plan.names import parse_unit_name
from dlcot_ray.report.sampling import MOST_UNITS
from dlcot_ray.report.writing import write_report
from tests.support.finished_job import FinishedJob
from tests.support.made_output import make_output, sum_row
from tests.support.plans import plan_of


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


def test_units_are_drawn_from_the_plan_without_a_list() -> None:
    plan = plan_of([[(300, 1)], [(7, 1)], [(1000, 1)]])
    names = some_units(plan)
    assert len(set(names)) == len(names) == MOST_UNITS
    parsed = [parse_unit_name(name) for name in names]
    rows = {"f0": 300, "f1": 7, "f2": 1000}
    assert {name.shard for name in parsed if name} <= rows.keys()
    for name in parsed:
        assert name is not None
        assert 0 <= name.start < name.stop <= rows[name.shard]
        assert name.start % 4 == 0
    assert some_units(plan_of([[(3, 1)]])) == ["f0.r000000000-000000003"]


def test_the_units_of_the_plan_are_those_of_the_output(tmp_path: Path) -> None:
    plan = plan_of([[(4, 1)], [(4, 1), (2, 1)]])
    units = some_units(plan)
    assert len(units) == 3
    rows = [[sum_row(number) for number in range(4)]]
    output = make_output(tmp_path / "out", [*rows, *rows, [sum_row(8), sum_row(9)]], names=units)
    assert write_report(output, units) == f"report: {tmp_path / 'out' / 'report.html'}"
    assert write_report(output, ["f9.r000000000-000000004"]).startswith("report: not written")
