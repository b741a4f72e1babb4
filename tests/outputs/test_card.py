"""The dataset card: front matter that hub tools read, and sentences that follow from the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from dlcot_ray.outputs.card import card
from dlcot_ray.outputs.counts import length_class
from dlcot_ray.outputs.layout import FOLDERS
from dlcot_ray.storage.tables import to_parquet


def manifest(**totals: Any) -> dict[str, Any]:
    counts = {
        "files": 1, "rows": 10, "enhanced": 6, "unchanged": 3, "rejected": 1, "unfinished": 0, "tokens_before": 9000,
        "tokens_after": 6300, "prefill": 0, "cached": 0, "decode": 0, "unsolved": 0,
        "by_reason": {"nothing_to_cut": 3}, "by_cause": {"null_id": 1}, "by_label": {"correct": 9, "unknown": 2},
        "by_gate": {}, "by_gate_passed": {}, "gate_examples": {},
        "by_length": {"before:1024": 8, "before:2048": 1, "after:256": 2, "after:1024": 7},
    }  # fmt: skip
    return {
        "totals": counts | totals,
        "settings": {"policy": "keep_first", "judge": "rules/2", "tokenizer": None},
        "outputs": {folder: {"objects": 1, "bytes": 1} for folder in FOLDERS},
        "inputs": [
            {
                "file": "in/a|b.parquet",
                "preset": "plain",
                "rows": 10,
                "enhanced": 6,
                "unchanged": 3,
                "rejected": 1,
            }
        ],
        "unusable_inputs": [],
    }


def front_matter(told: dict[str, Any]) -> dict[str, Any]:
    """As the hub's own library reads it."""
    data: dict[str, Any] = DatasetCard(card(told)).data.to_dict()
    return data


def test_the_front_matter_can_be_read_by_hub_tools() -> None:
    told = manifest()
    told["outputs"]["preferences"]["objects"] = told["outputs"]["masked"]["objects"] = 0
    data = front_matter(told)
    assert data["task_categories"] == ["text-generation"]
    assert data["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in data["configs"]] == [
        "enhanced",
        "annotations",
        "rejected",
    ]
    assert data["configs"][0] == {
        "config_name": "enhanced",
        "data_files": "enhanced/**/*.parquet",
        "default": True,
    }


@pytest.mark.parametrize(
    ("rows", "category"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (2_500_000, "1M<n<10M"), (10**12, "n>1T")],
)
def test_size_categories_are_those_of_the_hub(rows: int, category: str) -> None:
    assert front_matter(manifest(rows=rows))["size_categories"] == [category]


def test_counts_tokens_and_sources() -> None:
    text = card(manifest())
    assert "| enhanced | 6 |" in text
    assert "| all | 9,000 | 6,300 (30.0% cut) |" in text
    assert "| mean per trace | 1,000 | 700 |" in text
    assert "| traces of 0 to 256 | 0 | 2 |" in text
    assert "| traces of 513 to 1,024 | 8 | 7 |" in text
    assert "| `in/a|b.parquet` | plain | 10 | 6 | 3 | 1 |" in text
    assert "Why rows were rejected: null_id 1." in text
    assert "| rows not finished | 0 |" in text
    assert "more files" not in text


def test_known_limits_depend_on_the_counts() -> None:
    text = card(manifest())
    assert "The judge is rule-based" in text
    assert "an estimate from the characters" in text
    assert "2 approaches have an answer and nothing to compare it with" in text
    assert "could not be judged" not in text
    told = manifest(by_reason={"judge_failed": 4}, unfinished=7, prefill=100, cached=60, decode=5, files=3)
    told["settings"] |= {"judge": "model/1", "tokenizer": "some/tokenizer"}
    told["unusable_inputs"] = [
        {"file": "in/c.parquet", "message": "the file is empty (0 bytes)", "remedy": ""}
    ]
    text = card(told)
    assert "a model's judgement" in text
    assert "a tokenizer (`some/tokenizer`)" in text
    assert "4 traces could not be judged" in text
    assert "7 rows are missing" in text
    assert "Missing: `in/c.parquet` (the file is empty (0 bytes))" in text
    assert "100 prompt tokens (60 cached) and 5 decoded" in text
    assert "2 more files are in the manifest" in text


def test_the_report_of_a_refresh_is_appended() -> None:
    text = card(manifest(), "# Snapshot one\n\n## By source\n")
    assert text.endswith("\n## Snapshot one\n\n### By source\n")


def test_an_output_without_rows() -> None:
    none = dict.fromkeys(("rows", "enhanced", "unchanged", "rejected", "tokens_before", "tokens_after"), 0)
    assert "| all | 0 | 0 (0.0% cut) |" in card(manifest(**none, by_length={}))


def test_classes_of_lengths() -> None:
    assert [length_class(tokens) for tokens in (0, 256, 257, 1024, 1025)] == [256, 256, 512, 1024, 2048]


def test_gates_are_listed_with_examples() -> None:
    told = manifest(
        by_gate={"cut_bounds": 2},
        by_gate_passed={"cut_bounds": 4, "answer_preserved": 6},
        gate_examples={"cut_bounds": [["a", "only 1% | left"], ["b", ""]]},
    )
    text = card(told)
    assert "| cut_bounds | 2 | 6 | `a`: only 1% \\| left; `b` |" in text
    assert "| answer_preserved | 0 | 6 |  |" in text
    assert "## Gates" not in card(manifest())


def test_files_of_different_columns_have_a_configuration_each(tmp_path: Path) -> None:
    tables = {
        "a[1]": pa.table({"trace_id": ["1"], "answer": ["6"]}),
        "b/c": pa.table({"trace_id": ["2"], "messages": [[{"role": "user"}]]}),
        "d": pa.table({"trace_id": ["3"], "answer": ["7"]}),
    }
    told = manifest()
    (source,) = told["inputs"]
    told["inputs"] = []
    for (name, table), schema in zip(tables.items(), (0, 1, 0), strict=True):
        file = tmp_path / "enhanced" / f"{name}.r000000000-000000001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(to_parquet(table))
        told["inputs"].append({**source, "name": name, "schema": schema, "units": 1})
    (tmp_path / "README.md").write_text(card(told))

    def ids(config: str) -> list[str]:
        data = load_dataset(str(tmp_path), config, split="train", cache_dir=str(tmp_path / "cache"))
        return sorted(data["trace_id"])

    assert (ids("enhanced-1"), ids("enhanced-2")) == (["1", "3"], ["2"])
    told["inputs"] = told["inputs"][:1]
    assert not [each for each in front_matter(told)["configs"] if "-" in each["config_name"]]
