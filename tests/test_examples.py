"""The sample traces: the committed shards match the texts, the set is varied, malformed texts are refused."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support import REPO

EXAMPLES = REPO / "examples"
sys.path.insert(0, str(EXAMPLES))  # a folder of scripts, not a package
make_shards = importlib.import_module("make_shards")
TRACES = make_shards.load_traces(EXAMPLES / "traces")
BY_ID = {trace.trace_id: trace for trace in TRACES}


# --- the Parquet files -------------------------------------------------------------------------------


def test_committed_shards_are_what_the_texts_give(tmp_path: Path) -> None:
    make_shards.write_tables(make_shards.build_tables(TRACES), tmp_path)
    fresh = {p.relative_to(tmp_path): p for p in tmp_path.rglob("*.parquet")}
    committed = {p.relative_to(EXAMPLES): p for p in EXAMPLES.rglob("*.parquet")}
    assert sorted(fresh) == sorted(committed)
    for relative, path in fresh.items():
        message = f"{relative} is out of date: run `python examples/make_shards.py`"
        assert pq.read_table(path).equals(pq.read_table(committed[relative])), message


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make_shards.main(["--out", str(tmp_path / name)]) == 0
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) >= 3
    for relative in files:
        assert (tmp_path / "one" / relative).read_bytes() == (tmp_path / "two" / relative).read_bytes()


def test_every_trace_is_in_the_shards_exactly_once() -> None:
    tables = [pq.read_table(path) for path in sorted((EXAMPLES / "shards").glob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    assert [row["id"] for row in rows] == [trace.trace_id for trace in TRACES]
    for row in rows:
        trace = BY_ID[row["id"]]
        assert row["reasoning"] == trace.reasoning
        assert row["ground_truth"] == trace.ground_truth
        assert row["response"] == trace.response


def test_chat_rows_hold_reasoning_and_response() -> None:
    rows = pq.read_table(EXAMPLES / "chat" / "sample-chat-00000.parquet").to_pylist()
    assert len(rows) >= 3
    for row in rows:
        trace = BY_ID[row["id"]]
        user, assistant = row["messages"]
        assert user == {"role": "user", "content": trace.problem}
        assert assistant["role"] == "assistant"
        thinking, _, answer = assistant["content"].removeprefix("<think>\n").partition("\n</think>\n\n")
        assert (thinking, answer) == (trace.reasoning, trace.response)


def test_stale_shards_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / "shards" / "sample-00099.parquet"
    stale.parent.mkdir()
    stale.write_bytes(b"old")
    make_shards.write_tables(make_shards.build_tables(TRACES), tmp_path)
    assert not stale.exists()


def test_readme_describes_every_trace() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path, trace in zip(sorted((EXAMPLES / "traces").glob("*.md")), TRACES, strict=True):
        truth = "" if trace.ground_truth is None else f"`{trace.ground_truth}`"
        row = f"| [{trace.trace_id}](traces/{path.name}) | {trace.teacher} | {truth} | {trace.outcome} |"
        assert row in readme, f"examples/README.md lacks or misstates the row of {trace.trace_id}"
        assert f"{row} {trace.shows} |" in readme


# --- the variety that the samples promise ------------------------------------------------------------


def test_the_set_covers_teachers_outcomes_and_forms() -> None:
    assert len(TRACES) >= 16
    assert {trace.teacher for trace in TRACES} == make_shards.TEACHERS
    assert {trace.outcome for trace in TRACES} == make_shards.OUTCOMES
    assert sum(len(trace.reasoning.split()) >= 600 for trace in TRACES) >= len(TRACES) // 2
    assert any("```" in trace.reasoning for trace in TRACES)
    assert any("\n\\[\n" in trace.reasoning for trace in TRACES)
    cut_off = [t for t in TRACES if t.response is None and not t.reasoning.rstrip().endswith((".", "]", "}"))]
    assert cut_off


def test_one_trace_ends_in_a_repetition_loop() -> None:
    tail = BY_ID["doubling-sequence"].reasoning.split("\n\n")
    assert tail[-3:-1] * 5 == tail[-11:-1]


# --- errors ------------------------------------------------------------------------------------------

GOOD = (
    '+++\nid = "t"\nteacher = "r1-style"\nground_truth = "4"\noutcome = "correct"\nfinal = "4"\nshows = "s"\n'
    "+++\n<!-- problem -->\n2 + 2?\n\n<!-- reasoning -->\nIt is 4.\n\n<!-- response -->\n4\n"
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("+++\nid", "id", "two lines"),
        ('id = "t"', "id = ", "not TOML"),
        ('id = "t"', 'name = "t"', "unknown field 'name'"),
        ('shows = "s"\n', "", "'shows' is missing"),
        ('ground_truth = "4"', "ground_truth = 4", "must be a string"),
        ('ground_truth = "4"\n', "", "ground_truth must be given"),
        ("r1-style", "r2-style", "teacher 'r2-style'"),
        ('outcome = "correct"', 'outcome = "good"', "outcome 'good'"),
        ('final = "4"', 'final = "5"', "final '5' is not in"),
        ('final = "4"\n', "", "final must be given"),
        ("\n<!-- response -->\n4\n", "", "needs a response"),
        ('shows = "s"', 'shows = "s"\nslips = ["2 + 2 = 5"]', "must occur exactly once"),
        ("<!-- reasoning -->", "<!-- thoughts -->", "'<!-- reasoning -->' is missing"),
        ("It is 4.", "", "the reasoning is empty"),
        ("<!-- problem -->", "Hello\n<!-- problem -->", "belongs to no part"),
        ("It is 4.", "</think> It is 4.", "think tag"),
        ("It is 4.", "Cafe\u0301: 4.", "normal form C"),
        ("It is 4.", "It\tis 4.", "tab"),
    ],
)
def test_malformed_texts_are_refused_by_name(old: str, new: str, message: str) -> None:
    assert make_shards.parse_trace(GOOD, "x.md").final == "4"
    assert old in GOOD
    with pytest.raises(make_shards.SampleError, match=rf"^x\.md: .*{re.escape(message)}"):
        make_shards.parse_trace(GOOD.replace(old, new, 1), "x.md")


def test_a_repeated_id_and_an_empty_folder_are_one_line_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_shards.main(["--traces", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "no *.md files" in capsys.readouterr().err
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    assert make_shards.main(["--traces", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: b.md: id 't' is already used by a.md\n"
