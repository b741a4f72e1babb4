"""A small output, made by the steps of a work unit without Ray, for what looks at outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support.records import write_record
from tests.support.sums import sum_thought

SETTINGS = {"dataset": "plain", "policy": "keep_first", "judge": "rules", "tokenizer": None}


def row(trace_id: str, reasoning: str | None, **others: Any) -> dict[str, Any]:
    """An input row with all columns."""
    known = {
        "problem": "What is 17 + 25?",
        "ground_truth": "42",
        "response": "42",
        "source": "sums",
        "teacher": "r1",
    }
    return {"id": trace_id, "reasoning": reasoning, **{**known, **others}}


def sum_row(number: int, **others: Any) -> dict[str, Any]:
    """A row whose trace has two approaches to a sum, a check and a conclusion."""
    a, b = 17 + number, 25
    problem = f"What is {a} + {b}?"
    return row(f"sum-{number}", sum_thought(a, b, a + b), problem=problem, ground_truth=str(a + b), **others)


def make_output(
    place: Path,
    units: Sequence[Sequence[dict[str, Any]]],
    policy: str = "keep_first",
    names: Sequence[str] = (),
) -> Output:
    """An output with one unit per list of rows; there is no manifest, as of a job that has not ended.

    Units are called `part0`, ... with their rows, or by `names`.
    """
    output = Output(Store(str(place)))
    judge = RulesJudge()
    for number, rows in enumerate(units):
        table = pa.Table.from_pylist(list(rows))
        name = f"part{number}"
        columns = resolve_columns(load_preset("plain"), table.schema, f"in/{name}.parquet")
        unit = UnitInput.parse(table, columns, file=f"in/{name}.parquet", shard_name=name, first_row=0)
        options = UnitOptions(parse_policy(policy), estimate_tokens)
        made = asyncio.run(enhance_unit(unit, judge, options))
        output.put_unit(names[number] if names else f"{name}.r000000000-{len(rows):09d}", made)
    judge.close()
    write_record(output, JobRecord("enhance", SETTINGS, {"dataset": "plain"}))
    return output
