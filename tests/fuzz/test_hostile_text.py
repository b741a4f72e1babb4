"""Whatever a trace holds, nothing raises, nothing is lost, time stays linear and memory bounded.

`DLCOT_FUZZ` is the number of examples of each test. Failing examples are kept in `.hypothesis` and tried first.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlcot_ray.core.edits import apply_script
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, POLICIES, parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import MAX_TRACE_CHARS, Trace
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.equivalence import Verdict
from dlcot_ray.judging.learned.judge import LearnedJudge
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support.growth import MOST, growth
from tests.support.hostile import FLOODS, REPEATED, solved

EXAMPLES = int(os.environ.get("DLCOT_FUZZ", "10"))
POLICY = parse_policy(DEFAULT_POLICY, {"errors": "delete"})
LONG = EXAMPLES > 10
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

PIECES = st.builds(
    lambda piece, times: piece * times, st.sampled_from(REPEATED), st.sampled_from((1, 1, 2, 7, 60))
)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
TEXTS = st.lists(st.one_of(PIECES, PIECES, ANY_TEXT), max_size=40).map("".join)
ANSWERS = st.lists(
    st.one_of(st.sampled_from(REPEATED), ANY_TEXT, st.from_regex(r"[0-9x^*/+!-]{1,9}", fullmatch=True)),
    max_size=6,
).map("".join)


@pytest.fixture(scope="module")
def judge() -> Iterator[LearnedJudge]:
    """The default judge; the evidence and the runs of the rules are part of it."""
    found = LearnedJudge(cas_timeout_seconds=0.5)
    yield found
    found.close()


def check(trace: Trace, judge: LearnedJudge, policy: str = DEFAULT_POLICY) -> None:
    """The annotation covers the text, and the edit replays from it and adds nothing."""
    annotation = judge.annotate(trace)
    assert annotation.segment_offsets[-1] == len(trace.reasoning)
    for errors in ("keep", "delete"):
        made = enhance(trace, annotation, parse_policy(policy, {"errors": errors}))
        assert made.reasoning == apply_script(trace.reasoning, annotation.segment_offsets, made.script)
        assert made.status is Status.ENHANCED or made.reasoning == trace.reasoning
        assert len(made.reasoning) <= len(trace.reasoning)


@given(
    text=TEXTS, problem=ANSWERS, truth=ANSWERS, policy=st.sampled_from([*sorted(POLICIES), DEFAULT_POLICY])
)
@fuzzed
def test_judge_policies_and_gates_take_any_text(
    text: str, problem: str, truth: str, policy: str, judge: LearnedJudge
) -> None:
    check(Trace("alone", problem, text, truth or None, problem or None), judge, policy)
    check(solved(text), judge, policy)


@given(answer=ANSWERS, reference=ANSWERS)
@fuzzed
def test_the_helper_of_the_cas_takes_any_two_answers(
    answer: str, reference: str, judge: LearnedJudge
) -> None:
    assert judge.checker.verdict(answer, reference) in Verdict
    assert judge.checker.verdict(answer, answer) is not Verdict.DIFFERENT


@given(texts=st.lists(TEXTS, min_size=1, max_size=4), problem=ANSWERS)
@fuzzed
def test_no_row_of_a_unit_is_lost(texts: list[str], problem: str, judge: LearnedJudge) -> None:
    rows = [
        {"id": f"t{i}", "problem": problem, "reasoning": text, "ground_truth": "42"}
        for i, text in enumerate(texts)
    ]
    table = pa.Table.from_pylist(rows)
    columns = resolve_columns(load_preset("plain"), table.schema, "x.parquet")
    unit = UnitInput.parse(table, columns, file="x.parquet", shard_name="x", first_row=0)
    made = asyncio.run(enhance_unit(unit, judge, UnitOptions(POLICY, estimate_tokens)))
    assert made.enhanced.num_rows + made.rejected.num_rows == len(rows)


@pytest.mark.timeout(7200)
def test_the_largest_row_takes_less_than_two_gigabytes(judge: LearnedJudge) -> None:
    for name in sorted(FLOODS)[:: 1 if LONG else 100]:
        trace = solved(FLOODS[name](MAX_TRACE_CHARS - 2000))
        enhance(trace, judge.annotate(trace), POLICY)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert peak < 2 << 20, f"{name}: {peak >> 10} MiB"


@pytest.mark.timeout(1200)
def test_judging_and_editing_are_linear_on_every_flood(judge: LearnedJudge) -> None:
    begin = time.thread_time()
    length, quick = (20_000, 0.4) if LONG else (1_200, 0.04)
    steep = []
    for name, flood in FLOODS.items():

        def alone(text: str) -> None:
            trace = Trace("alone", text[:1000], text, text[:100], text[:1000])
            enhance(trace, judge.annotate(trace), POLICY)

        def inside(text: str) -> None:
            trace = solved(text)
            enhance(trace, judge.annotate(trace), POLICY)

        for step in (alone, inside):
            found = growth(step, flood, length, quick=quick)
            if found.exponent > MOST:
                steep.append(f"{name} {step.__name__}: exponent {found.exponent:.2f}, {found.seconds:.2f} s")
    assert not steep, "\n".join(steep)
    assert LONG or time.thread_time() - begin < 60
