"""The gates refuse every kind of harm, with a true reason, and let harmless cuts through."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    Section,
    SectionKind,
    Source,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.edits import EditScript, drop_script
from dlcot_ray.core.gates import evaluate_gates
from dlcot_ray.core.seams.closing import close_seams
from dlcot_ray.core.stating.stated import accepted_answers, states
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge
from tests.core.gating.hall import SeededCut
from tests.core.gating.harm import HARMFUL
from tests.core.gating.harmless import HARMLESS
from tests.support import REPO

SEEDS = 12
HARMLESS_SEEDS = 20
GOLD = REPO / "tests" / "labels" / "gold" / "development.jsonl"


def refusals(cut: SeededCut) -> dict[str, str]:
    return {gate.name: gate.detail for gate in evaluate_gates(*cut.script(), 0.0) if not gate.passed}


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("kind", HARMFUL, ids=lambda kind: kind.__name__)
def test_every_harmful_cut_is_refused_with_a_true_reason(
    kind: Callable[[random.Random], SeededCut], seed: int
) -> None:
    cut = kind(random.Random(f"{kind.__name__}{seed}"))
    found = refusals(cut)
    assert cut.gate in found, (found, cut.lines)
    assert cut.named.lower() in found[cut.gate].lower()


@pytest.mark.parametrize("seed", range(HARMLESS_SEEDS))
@pytest.mark.parametrize("kind", HARMLESS, ids=lambda kind: kind.__name__)
def test_harmless_cuts_pass(kind: Callable[[random.Random], SeededCut], seed: int) -> None:
    assert refusals(kind(random.Random(f"{kind.__name__}{seed}"))) == {}


def test_there_are_enough_of_both() -> None:
    assert len(HARMFUL) * SEEDS >= 300
    assert len(HARMLESS) * HARMLESS_SEEDS >= 100


Read = tuple[Trace, Annotation, dict[str, list[dict[str, int]]]]


@pytest.fixture(scope="module")
def read_by_hand(shared_data: Path) -> list[Read]:
    """The traces of the development labels with the structure that a reader gave them."""
    labels = {row["id"]: row for row in map(json.loads, GOLD.read_text().splitlines())}
    judge = RulesJudge()
    made: list[Read] = []
    for path in sorted((shared_data / "traces").glob("*.parquet")):
        for row in pl.read_parquet(path).filter(pl.col("id").is_in(list(labels))).iter_rows(named=True):
            given = row["ground_truth"] or None, row["answer_text"] or None
            trace = Trace(row["id"], row["problem"], row["reasoning"], *given)
            made.append(
                (trace, as_read(judge.annotate(trace), labels[trace.trace_id]), labels[trace.trace_id])
            )
    judge.close()
    return made


def as_read(annotation: Annotation, label: dict) -> Annotation:  # type: ignore[type-arg]
    """The annotation with a reader's sections, approaches and checks."""
    first = label["first_correct_segment"]
    return replace(
        annotation,
        sections=tuple(Section(SectionKind(s["kind"]), s["start"], s["stop"]) for s in label["sections"]),
        approaches=tuple(_approach(annotation, item, first) for item in label["approaches"]),
        verifications=tuple(
            Verification(v["start"], v["stop"], VerificationKind(v["kind"]), v["approach"], i)
            for i, v in enumerate(label["verifications"])
        ),
        first_correct_segment=first,
    )


def _approach(annotation: Annotation, item: dict, first: int | None) -> Approach:  # type: ignore[type-arg]
    label = Label(item["label"]) if item["label"] else Label.UNKNOWN
    start, stop = item["start"], item["stop"]
    segment = None
    if label is Label.CORRECT:
        segment = first if first is not None and start <= first < stop else stop - 1
    answer = annotation.reference if label is Label.CORRECT else None
    return Approach(start, stop, label, Source.EVIDENCE, answer, segment, item["method"])


def cuts(read: list[Read], field: str) -> Iterator[tuple[Trace, Annotation, list[int]]]:
    for trace, annotation, label in read:
        for part in label[field]:
            yield trace, annotation, list(range(part["start"], part["stop"]))


def refused_by(trace: Trace, annotation: Annotation, gone: list[int]) -> str:
    script = drop_script(dict.fromkeys(gone, "seeded"), len(annotation.segment_offsets) - 1)
    return refusal(trace, annotation, script)


def refusal(trace: Trace, annotation: Annotation, script: EditScript) -> str:
    gates = evaluate_gates(trace, annotation, script, 0.02)
    return next((gate.name for gate in gates if not gate.passed), "")


def refused_with_seams_closed(trace: Trace, annotation: Annotation, gone: list[int]) -> str:
    """As `refused_by`, with the loose ends taken out that rules can take out, as an edit does."""
    script = drop_script(dict.fromkeys(gone, "seeded"), len(annotation.segment_offsets) - 1)
    accepted = accepted_answers(annotation)
    refused = ""
    for must_stay in (lambda text: False, lambda text: states(text, accepted)):
        closed = close_seams(trace.reasoning, annotation, script, must_stay)
        refused = "seam" if closed.needs else refusal(trace, annotation, closed.script)
        if not refused:
            break
    return refused


def test_what_a_reader_marked_as_needed_cannot_be_dropped(read_by_hand: list[Read]) -> None:
    found = Counter(refused_by(*cut) for cut in cuts(read_by_hand, "needed"))
    assert found.total() >= 100
    assert 1 - found[""] / found.total() >= 0.9, found


def test_what_a_reader_dropped_may_be_dropped(read_by_hand: list[Read]) -> None:
    dropped = []
    for trace, annotation, label in read_by_hand:
        gone = [segment for part in label["drop"] for segment in range(part["start"], part["stop"])]
        if gone:
            dropped.append(refused_with_seams_closed(trace, annotation, gone))
    assert len(dropped) >= 50
    assert dropped.count("") / len(dropped) >= 0.8, Counter(dropped)
