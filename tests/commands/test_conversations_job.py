"""Conversations through a real job: every thinking edited, masks, a selection, ids that repeat."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from tests.support.public_layouts import answer, chat, problem, reply, thought
from tests.support.shared_ray import SharedRay

SHARDS = 2
EACH = 4


def row(shard: int, n: int) -> dict[str, object]:
    """A reply that thinks twice, under an id that restarts in every shard."""
    said = (
        f"<think>\nI look first.\n</think>\n\nI look.\n\n<think>\n{thought(n, shard)}\n</think>\n\n{reply(n)}"
    )
    turns = chat(("system", "You may look."), ("user", problem(n)), ("assistant", said))
    return {"id": n, "messages": turns, "ground_truth": answer(n)}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, shared_ray: SharedRay) -> Path:
    folder = tmp_path_factory.mktemp("conversations")
    (folder / "in").mkdir()
    for shard in range(SHARDS):
        table = pa.Table.from_pylist([row(shard, n) for n in range(EACH)])
        pq.write_table(table, folder / "in" / f"{shard}.parquet")
    words = ("policy=drop_verification+loss_spans", "turns=all", f"ray.address={shared_ray.use()}")
    assert main(["enhance", f"input={folder / 'in'}", f"output={folder / 'out'}", *words]) == 0
    return folder / "out"


def read(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])


def test_every_thinking_is_a_trace_and_every_conversation_is_there_once(output: Path) -> None:
    rows = read(output / "enhanced")
    assert rows.height == 2 * SHARDS * EACH
    assert rows["trace_id"].n_unique() == rows.height
    whole = rows.filter(pl.col("messages").is_not_null())
    assert whole.height == SHARDS * EACH
    for found in whole.iter_rows(named=True):
        old, new = found["source_messages"], found["messages"]
        assert new[:-1] == old[:-1]
        assert new[-1]["content"].count("<think>") == 2
        assert new[-1]["content"].endswith(old[-1]["content"].rpartition("</think>")[2])


def test_masks_leave_out_what_the_policy_drops(output: Path) -> None:
    masked = read(output / "masked")
    assert masked.height == SHARDS * EACH
    for found in masked.iter_rows(named=True):
        said = found["messages"][-1]["content"]
        learnt = "".join(said[span["start"] : span["stop"]] for span in found["loss_spans"])
        assert "I look first." in learnt
        assert "Wait, let me check" in said
        assert "Wait, let me check" not in learnt


def test_the_output_is_sound_and_gives_a_selection(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(output)]) == 0
    assert main(["select", f"input={output}", f"output={tmp_path / 'best'}", "select=shortest_correct"]) == 0
    best = read(next((tmp_path / "best").rglob("*.parquet")).parent)
    assert best["solved"].all()
    assert best.height == EACH
    capsys.readouterr()


def test_a_trace_is_found_by_its_id(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repeated = [name for name in read(output / "enhanced")["trace_id"] if "~" in name]
    assert len(repeated) == 2 * EACH
    assert main(["diff", str(output), "--id", repeated[0]]) == 0
    assert repeated[0] in capsys.readouterr().out
