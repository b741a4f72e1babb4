"""Recorded answers of skilled readers: the program gives back what they read, and loses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.dry_run import EstimatedTokenizer
from dlcot_ray.judging.model.judge import ModelJudge
from tests.support.readers import ReaderEngine, is_whole, read_back

GOLD = Path(__file__).parents[2] / "labels" / "gold" / "development.jsonl"

FILMS = [
    "I need the length of three films.",
    "Each lasts 95 minutes, so I multiply.",
    "3 * 95 = 275, so 275 minutes.",
    "Check: 3 * 100 = 300, less 15 is 285. That is not 275.",
    "Again: 3 * 90 = 270 and 3 * 5 = 15, so two hundred and eighty-five, 285 min.",
    "285 / 3 = 95, good.",
    "They last 285 minutes.",
]
FILM_LABELS: dict[str, Any] = {
    "sections": [
        {"kind": "question_repeat", "start": 0, "stop": 1},
        {"kind": "problem_understand", "start": 1, "stop": 2},
        {"kind": "solution_explore", "start": 2, "stop": 3},
        {"kind": "verify", "start": 3, "stop": 4},
        {"kind": "solution_explore", "start": 4, "stop": 5},
        {"kind": "verify", "start": 5, "stop": 6},
        {"kind": "conclusion", "start": 6, "stop": 7},
    ],
    "approaches": [
        {"start": 2, "stop": 3, "label": "incorrect", "method": 1},
        {"start": 4, "stop": 5, "label": "correct", "method": 1},
    ],
    "verifications": [
        {"start": 3, "stop": 4, "kind": "negation", "approach": 0},
        {"start": 5, "stop": 6, "kind": "affirmation", "approach": 1},
    ],
    "first_correct_segment": 4,
}
PAIRS = [
    "Pair the ends: 1 + 20 = 21, 2 + 19 = 21.",
    "Ten pairs, so 210.",
    "Let me verify with n(n + 1)/2.",
    "20 * 21 / 2 = 210.",
    "And the pairs for four numbers: 2 * 5 = 10, and 1 + 2 + 3 + 4 = 10. Fine.",
    "The sum is 210.",
]
PAIR_LABELS: dict[str, Any] = {
    "sections": [
        {"kind": "solution_explore", "start": 0, "stop": 4},
        {"kind": "verify", "start": 4, "stop": 5},
        {"kind": "conclusion", "start": 5, "stop": 6},
    ],
    "approaches": [
        {"start": 0, "stop": 2, "label": "correct", "method": 1},
        {"start": 2, "stop": 4, "label": "correct", "method": 2},
    ],
    "verifications": [{"start": 4, "stop": 5, "kind": "affirmation", "approach": 0}],
    "first_correct_segment": 1,
}
OWN = [
    (
        Trace("films", "How many minutes do three films of 95 minutes last?", "\n\n".join(FILMS), "285"),
        FILM_LABELS,
    ),
    (Trace("pairs", "Add the numbers from 1 to 20.", "\n\n".join(PAIRS), "210"), PAIR_LABELS),
]


def judged(engine: ReaderEngine, judge: ModelJudge, trace: Trace, row: dict[str, Any]) -> Annotation:
    engine.row = row
    return asyncio.run(judge.judge(trace))


@pytest.fixture(scope="module")
def reader() -> Iterator[tuple[ReaderEngine, ModelJudge]]:
    engine = ReaderEngine(EstimatedTokenizer())
    judge = ModelJudge(engine, "reader", ask=[])
    judge.start()
    yield engine, judge
    judge.close()


def expected(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "sections": row["sections"],
        "approaches": [(a["start"], a["stop"]) for a in row["approaches"]],
        "verifications": row["verifications"],
    }


@pytest.mark.parametrize(("trace", "row"), OWN, ids=[trace.trace_id for trace, _ in OWN])
def test_the_examples_of_the_prompt_are_read_back(
    reader: tuple[ReaderEngine, ModelJudge], trace: Trace, row: dict[str, Any]
) -> None:
    annotation = judged(*reader, trace, row)
    assert read_back(annotation) == expected(row)
    assert [a.label.value for a in annotation.approaches] == [a["label"] for a in row["approaches"]]
    assert annotation.first_correct_segment == row["first_correct_segment"]
    assert [a.cluster + 1 for a in annotation.approaches] == [a["method"] for a in row["approaches"]]


def test_all_readings_of_the_development_set_are_given_back(
    reader: tuple[ReaderEngine, ModelJudge], shared_data: Path
) -> None:
    rows = {row["id"]: row for row in map(json.loads, GOLD.read_text(encoding="utf-8").splitlines())}
    engine, judge = reader
    read, labels, kept, decode = 0, 0, 0, 0
    for trace in _traces(shared_data, rows):
        row = rows[trace.trace_id]
        if not is_whole(row):
            continue
        annotation = judged(engine, judge, trace, row)
        assert read_back(annotation) == expected(row), trace.trace_id
        assert not any(status.reasked for status in annotation.steps), trace.trace_id
        read += 1
        decode += annotation.tokens.decode
        for said, made in zip(row["approaches"], annotation.approaches, strict=True):
            labels += said["label"] is not None
            kept += said["label"] == made.label.value
    if not read:
        pytest.skip("no development trace is here")
    assert engine.strayed == []
    # Evidence overrules a reader where it is certain.
    assert kept >= 0.95 * labels
    assert decode <= 60 * read


def _traces(folder: Path, rows: dict[str, Any]) -> Iterator[Trace]:
    columns = ["id", "problem", "reasoning", "ground_truth", "answer_text"]
    for file in sorted((folder / "traces").glob("*.parquet")):
        table = pq.read_table(file)
        for row in table.select([name for name in columns if name in table.column_names]).to_pylist():
            if row["id"] in rows and row["reasoning"]:
                yield Trace(
                    row["id"],
                    row["problem"] or "",
                    row["reasoning"],
                    row.get("ground_truth") or None,
                    row.get("answer_text") or None,
                )


def test_a_label_that_evidence_refutes_is_not_taken(reader: tuple[ReaderEngine, ModelJudge]) -> None:
    lines = [
        *FILMS[:3],
        "Now the seats. There are 40 in each row, so I count the rows.",
        "They last some time.",
    ]
    trace = Trace("open", OWN[0][0].problem, "\n\n".join(lines), "285")
    row = FILM_LABELS | {
        "sections": [*FILM_LABELS["sections"][:2], {"kind": "solution_explore", "start": 2, "stop": 5}],
        "approaches": [
            {"start": 2, "stop": 3, "label": "incorrect", "method": 1},
            {"start": 3, "stop": 5, "label": "correct", "method": 2},
        ],
        "verifications": [],
        "first_correct_segment": 3,
    }
    annotation = judged(*reader, trace, row)
    assert [a.label for a in annotation.approaches] == [Label.INCORRECT, Label.INCOMPLETE]
    assert annotation.first_correct_segment is None
