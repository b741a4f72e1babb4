"""`dlcot diff` shows every segment of a trace as what became of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from dlcot_ray.cli import main
from dlcot_ray.commands.viewing.diff import blocks, find, show
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support.records import write_record

UNITS = [
    "Okay, I need to add 17 and 25. Let me set it up with tens and ones, because that is how I learned it.",
    "17 is 10 + 7 and 25 is 20 + 5, so 10 + 20 = 30 and 7 + 5 = 12, and 30 + 12 = 42. So the answer is 42.",
    "Let me double-check that.",
    "Alternatively, I could count up: from 17, adding 20 gives 37, and adding 5 more gives 42. " * 3,
    "Wait, let me verify once more: 42 - 25 = 17, which is right. " * 4,
    "So the final answer is \\boxed{42}.",
]
CHAT = {"messages": [{"role": "user", "content": "What is 17 + 25?"}]}


def an_output(tmp_path: Path, dataset: str) -> Output:
    """An output with one changed trace `sum` and one unchanged trace `short`."""
    texts = {"sum": "\n\n".join(UNITS), "short": "So the answer is 42."}
    if dataset == "plain":
        table = pa.table(
            {
                "id": list(texts),
                "problem": ["What is 17 + 25?"] * 2,
                "reasoning": list(texts.values()),
                "ground_truth": ["42"] * 2,
                "status": ["theirs"] * 2,
            }
        )
    else:
        chats = [
            [*CHAT["messages"], {"role": "assistant", "content": f"<think>\n{text}\n</think>\n\n42"}]
            for text in texts.values()
        ]
        table = pa.table({"id": list(texts), "messages": chats})
    columns = resolve_columns(load_preset(dataset), table.schema, "in/a.parquet")
    judge = RulesJudge()
    unit = UnitInput.parse(table, columns, file="in/a.parquet", shard_name="a", first_row=0)
    made = asyncio.run(enhance_unit(unit, judge, UnitOptions(parse_policy("keep_first"), estimate_tokens)))
    judge.close()
    output = Output(Store(str(tmp_path / "out")))
    write_record(output, JobRecord("enhance", {"dataset": dataset}, {"dataset": dataset}))
    output.put_unit("a.r000000000-000000002", made)
    return output


@pytest.mark.parametrize("dataset", ["plain", "messages", "auto"])
def test_every_segment_is_shown_as_kept_dropped_or_replaced(tmp_path: Path, dataset: str) -> None:
    (shown,) = find(an_output(tmp_path, "plain" if dataset == "auto" else dataset), trace_id="sum")
    assert shown.trace.problem == "What is 17 + 25?"
    found = [(block.op, block.start, block.stop) for block in blocks(shown)]
    assert found[0] == (EditOp.KEEP, 0, 2)
    assert found[-1] == (EditOp.KEEP, 5, 6)
    assert [segment for _, start, stop in found for segment in range(start, stop)] == list(range(len(UNITS)))
    assert {op for op, start, _ in found if 2 <= start < 5} == {EditOp.DROP}
    texts = [text.strip() for block in blocks(shown) for text in block.texts]
    assert texts == [segment.strip() for segment in UNITS]


def test_the_terminal_shows_segments_reasons_and_figures(tmp_path: Path) -> None:
    (shown,) = find(an_output(tmp_path, "plain"), trace_id="sum")
    console = Console(width=100, record=True, file=(tmp_path / "log").open("w", encoding="utf-8"))
    show(shown, console, everything=True)
    told = console.export_text()
    assert "== sum:" in told
    assert "kept segments 0-1" in told
    assert "after the solution: check" in told
    assert "of approach 0" in told
    assert "    5 So the final answer is" in told


def test_a_sample_takes_changed_traces_first(tmp_path: Path) -> None:
    output = an_output(tmp_path, "plain")
    assert [shown.row["trace_id"] for shown in find(output, sample=5)] == ["sum"]
    assert [shown.row["trace_id"] for shown in find(output, trace_id="short")] == ["short"]


def test_the_command_prints_traces_and_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = an_output(tmp_path, "plain")
    assert main(["diff", output.display_url, "--id", "sum"]) == 0
    assert "dropped" in capsys.readouterr().out
    assert main(["diff", output.display_url, "--id", "nobody"]) == 1
    assert "holds no trace 'nobody'; it holds sum, short" in capsys.readouterr().err
    assert main(["diff", str(tmp_path)]) == 1
    assert "there is no job" in capsys.readouterr().err
    assert main(["diff"]) == 2
    assert "OUT; dlcot diff --help lists the options" in capsys.readouterr().err


def test_an_output_without_rows_is_an_error(tmp_path: Path) -> None:
    output = Output(Store(str(tmp_path / "out")))
    write_record(output, JobRecord("enhance", {}, {"dataset": "plain"}))
    with pytest.raises(JobError, match="holds no traces yet"):
        find(output)
