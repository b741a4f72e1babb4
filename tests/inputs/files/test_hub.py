"""Data sets on the Hugging Face hub: read at one commit, written by commits, refused in one line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import find_inputs, open_shard
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import read_table
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.storage.store import Store
from tests.support.fake_hub import FakeHub, running

pytest.importorskip("huggingface_hub")

REPO = "ann/traces"
PLACE = f"hf://datasets/{REPO}"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with running(FakeHub()) as made:
        yield made


def options(hub: FakeHub) -> dict[str, object]:
    return {"endpoint": hub.endpoint}


def parquet(*ids: str) -> bytes:
    sink = io.BytesIO()
    columns = {"id": list(ids), "problem": ["1 + 1?"] * len(ids), "reasoning": ["So 2."] * len(ids)}
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def lines(*ids: str) -> bytes:
    rows = ({"id": name, "problem": "1 + 1?", "reasoning": "So 2."} for name in ids)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_data_set_is_read_at_the_commit_it_had_when_it_was_listed(hub: FakeHub) -> None:
    files = {"README.md": b"# Card", "data/a.parquet": parquet("a", "b"), "b.jsonl": lines("c")}
    commit = hub.commit(REPO, files)
    found = find_inputs(PLACE, options(hub))
    assert found.commits == {PLACE: commit}
    assert [shard.file for shard in found.shards] == [f"{PLACE}/b.jsonl", f"{PLACE}/data/a.parquet"]
    assert [item.file for item in found.skipped] == [f"{PLACE}/README.md"]

    hub.commit(REPO, {"data/a.parquet": parquet("other"), "b.jsonl": lines("other")})
    hub.asked.clear()
    plan = make_plan(
        found.shards, load_preset("auto"), rows_per_unit=9, bytes_per_unit=1 << 20, options=options(hub),
        beside=found,
    )  # fmt: skip
    assert (plan.rows, plan.faults, plan.commits) == (3, (), {PLACE: commit})
    ids = [read_table(open_shard(shard, options(hub)), ["id"])["id"].to_pylist() for shard in plan.shards]
    assert ids == [["c"], ["a", "b"]]
    assert hub.asked == {commit}


def test_a_file_that_a_commit_leaves_alone_keeps_its_name_and_version(hub: FakeHub) -> None:
    first = hub.commit(REPO, {"a.parquet": parquet("a"), "b.parquet": parquet("b")})
    before = find_inputs(PLACE, options(hub)).shards
    hub.commit(REPO, {"a.parquet": parquet("a"), "b.parquet": parquet("changed")})
    after = find_inputs(PLACE, options(hub)).shards
    assert [shard.file for shard in before] == [shard.file for shard in after]
    assert (before[0].version == after[0].version, before[1].version == after[1].version) == (True, False)
    pinned = find_inputs(f"{PLACE}@{first}", options(hub)).shards
    assert [shard.version for shard in pinned] == [shard.version for shard in before]
    assert pinned[0].file == f"{PLACE}@{first}/a.parquet"


def test_files_folders_and_globs_of_a_data_set(hub: FakeHub) -> None:
    files = {"data/a.parquet": parquet("a"), "data/b.jsonl": lines("b"), "c.csv": b"id\n1\n"}
    hub.commit(REPO, files)
    for place, names in (
        ("data", ["a", "b"]),
        ("data/a.parquet", ["a"]),
        ("data/*.jsonl", ["b"]),
        ("*/a.*", ["data/a"]),
        ("c.csv", ["c"]),
    ):
        found = find_inputs(f"{PLACE}/{place}", options(hub))
        assert [shard.name for shard in found.shards] == names
        assert all(shard.file in {f"{PLACE}/{name}" for name in files} for shard in found.shards)
        assert list(found.commits) == [PLACE]


def test_a_repository_that_is_not_there_or_needs_a_token_is_one_line(hub: FakeHub) -> None:
    with pytest.raises(JobError, match=r"repository not found.*set HF_TOKEN if it is private") as missing:
        find_inputs("hf://datasets/ann/nothing", options(hub))
    assert "\n" not in str(missing.value)
    hub.commit(REPO, {"a.parquet": parquet("a")})
    with pytest.raises(JobError, match="revision not found"):
        find_inputs(f"{PLACE}@nothing", options(hub))
    hub.token = "hf_secret"
    with pytest.raises(JobError, match="set HF_TOKEN if it is private or gated"):
        find_inputs(PLACE, options(hub))


def test_the_token_comes_from_the_environment(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commit(REPO, {"a.parquet": parquet("a")})
    hub.token = "hf_secret"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert len(find_inputs(PLACE, options(hub)).shards) == 1


def test_an_output_on_the_hub_is_written_by_commits(hub: FakeHub) -> None:
    hub.commit(REPO, {"README.md": b"# Card"})
    store = Store(f"{PLACE}/out", options(hub))
    store.check_writable()
    store.put("enhanced/a.parquet", b"1")
    store.put("enhanced/a.parquet", b"22")
    assert store.read_bytes("enhanced/a.parquet") == b"22"
    assert [(info.relative, info.size) for info in store.list()] == [("enhanced/a.parquet", 2)]
    store.delete("enhanced/a.parquet")
    store.delete("enhanced/a.parquet")
    assert store.list() == []
    assert hub.commits[REPO][-1][1] == {"README.md": b"# Card"}
