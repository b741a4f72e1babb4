"""The answer gate against seeded corruptions: a lost, altered or unfounded answer never gets through."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.arrival import settle
from dlcot_ray.core.edits import Edit, EditOp, drop_script, keep_all, replace_segments
from dlcot_ray.core.evidence.answers import find_answers
from dlcot_ray.core.gates import evaluate_gates
from dlcot_ray.core.stating.stated import accepted_answers, states
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge
from tests.support import REPO

CORRUPTIONS = 200
EXAMPLES = REPO / "examples" / "shards"
Corrupted = tuple[str, Trace, Annotation, tuple[Edit, ...]]
Solved = list[tuple[Trace, Annotation]]


@pytest.fixture(scope="module")
def own() -> Solved:
    """The solved traces of the examples."""
    return solved(read(EXAMPLES, "response", 100))


def solved(traces: list[Trace]) -> Solved:
    """The traces that the rules judge finds solved, with their settled annotations."""
    judge = RulesJudge()
    try:
        pairs = [(trace, settle(trace, judge.annotate(trace))) for trace in traces]
    finally:
        judge.close()
    return [(t, a) for t, a in pairs if any(x.label is Label.CORRECT for x in a.approaches)]


def read(folder: Path, response: str, rows: int) -> list[Trace]:
    traces = []
    for path in sorted(folder.glob("*.parquet")):
        for row in pl.read_parquet(path).head(rows).iter_rows(named=True):
            if row["ground_truth"]:
                traces.append(
                    Trace(row["id"], row["problem"], row["reasoning"], row["ground_truth"], row[response])
                )
    return traces


def corruptions(pairs: Solved, seed: int) -> Iterator[Corrupted]:
    """Endless seeded corruptions, in turn: the answer removed, changed, a wrong approach kept."""
    rng = random.Random(seed)
    while True:
        for kind, corrupt in (("removed", removed), ("changed", changed), ("wrong kept", wrong_kept)):
            trace, annotation = rng.choice(pairs)
            script = corrupt(trace, annotation, rng)
            if script is not None:
                yield kind, trace, annotation, script


def removed(trace: Trace, annotation: Annotation, rng: random.Random) -> tuple[Edit, ...] | None:
    """Every segment that states the answer goes, and some others."""
    segments = texts(trace, annotation)
    accepted = accepted_answers(annotation)
    gone = {i for i, text in enumerate(segments) if states(text, accepted)}
    stated = {a.answer_segment for a in annotation.approaches if a.label is Label.CORRECT}
    gone |= {segment for segment in (*stated, annotation.first_correct_segment) if segment is not None}
    gone |= set(rng.sample(range(len(segments)), len(segments) // 10))
    return drop_script(dict.fromkeys(gone, "corrupted"), len(segments))


def changed(trace: Trace, annotation: Annotation, rng: random.Random) -> tuple[Edit, ...] | None:
    """A segment that states the answer states another one: the last such segment, or all of them."""
    segments, accepted = texts(trace, annotation), accepted_answers(annotation)
    places = [i for i, text in enumerate(segments) if states(text, accepted)]
    altered = {i: other_answer(segments[i], accepted) for i in places}
    altered = {i: text for i, text in altered.items() if not states(text, accepted)}
    if not altered:
        return None
    chosen = [rng.choice(sorted(altered))] if rng.random() < 0.5 else sorted(altered)
    return replace_segments(keep_all(len(segments)), {i: altered[i] for i in chosen}, "corrupted")


def other_answer(text: str, accepted: tuple[str, ...]) -> str:
    """The text with every statement of the answer altered in its figures."""
    for answer in sorted(find_answers(text), key=lambda found: -found.start):
        if any(answer.text == x or states(f"The answer is {answer.text}.", (x,)) for x in accepted):
            new = re.sub(r"\d", lambda m: str((int(m[0]) + 3) % 10), answer.text)
            new = new if new != answer.text else "987654"
            text = text[: answer.start] + new + text[answer.stop :]
    return text


def wrong_kept(trace: Trace, annotation: Annotation, rng: random.Random) -> tuple[Edit, ...] | None:
    """Every correct approach loses segments on its way to the answer, while the rest stays."""
    gone: set[int] = set()
    for approach in annotation.approaches:
        if approach.label is Label.CORRECT:
            stop = approach.stop if approach.answer_segment is None else approach.answer_segment + 1
            way = [u for u in range(approach.start, stop) if not looped(annotation, u)]
            if not way:
                return None
            gone |= set(rng.sample(way, max(1, len(way) // 2)))
    if (first := annotation.first_correct_segment) is not None:
        # A check may have found the answer before any approach is correct; then that check counts.
        gone.add(first)
    return drop_script(dict.fromkeys(gone, "corrupted"), len(annotation.segment_offsets) - 1)


def looped(annotation: Annotation, segment: int) -> bool:
    return any(start <= segment < stop for start, stop in annotation.loops)


def texts(trace: Trace, annotation: Annotation) -> list[str]:
    offsets = annotation.segment_offsets
    return [trace.reasoning[a:b] for a, b in itertools.pairwise(offsets)]


def caught(corrupted: Corrupted) -> bool:
    _, trace, annotation, script = corrupted
    gates = evaluate_gates(trace, annotation, script, 0.0)
    answer = ("answer_preserved", "correct_approach_left")
    return any(not gate.passed for gate in gates if gate.name in answer)


def check(pairs: Solved) -> None:
    source = corruptions(pairs, seed=7)
    drawn = [next(source) for _ in range(CORRUPTIONS)]
    missed = [(c[0], c[1].trace_id, c[3]) for c in drawn if not caught(c)]
    assert missed == []
    assert min(Counter(c[0] for c in drawn).values()) >= CORRUPTIONS // 5


def test_all_seeded_corruptions_of_our_own_traces_are_caught(own: Solved) -> None:
    check(own)


def test_all_seeded_corruptions_of_real_traces_are_caught(shared_data: Path) -> None:
    check(solved(read(shared_data / "traces", "answer_text", 40)))


def test_the_uncorrupted_traces_pass(own: Solved) -> None:
    for trace, annotation in own:
        gates = evaluate_gates(trace, annotation, keep_all(len(annotation.segment_offsets) - 1), 0.02)
        assert all(gate.passed for gate in gates), trace.trace_id


@pytest.mark.parametrize("text", ["So the answer is 987654.", "This gives \\boxed{987654}."])
def test_an_inserted_text_must_not_state_another_answer(text: str, own: Solved) -> None:
    trace, annotation = own[0]
    count = len(annotation.segment_offsets) - 1
    script = (*keep_all(count), Edit(EditOp.INSERT, count, count, text))
    gate = next(g for g in evaluate_gates(trace, annotation, script, 0.02) if g.name == "answer_preserved")
    assert not gate.passed
