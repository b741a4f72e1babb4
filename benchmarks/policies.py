"""What every policy does to real traces: the table of docs/reference/measured-policies.md, as Markdown.

    python benchmarks/policies.py FOLDER_OF_PARQUET [ROWS]

Judges with the rules once, then applies every policy. "Answer preserved" does not ask the gates: the last
answer that a text states is compared with the ground truth (math-verify included), before and after. Only
traces with a ground truth that stated it before are counted. Cuts are of estimated tokens; the mean is per
trace, over traces with a ground truth, so that a few enormous loops do not make the figure.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.evidence.answers import last_answer
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.schemas import annotations_to_table
from dlcot_ray.work.process import derive_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions

RUNS: Sequence[tuple[str, dict[str, object]]] = [
    (DEFAULT_POLICY, {}),
    ("keep_one_per_cluster", {}),
    ("keep_one_per_cluster+drop_incorrect_branches", {}),
    ("delete_multi_1", {}),
    ("delete_multi_2", {}),
    ("delete_multi_all", {}),
    ("keep_first", {}),
    ("keep_first_plus_check", {}),
    ("earliest_correct_prefix", {}),
    ("drop_verification", {}),
    ("drop_verification_redundant", {}),
    ("drop_verification_negating", {}),
    ("drop_incorrect_branches", {}),
    ("clean_local", {}),
    (DEFAULT_POLICY, {"errors": "delete"}),
    (DEFAULT_POLICY, {"errors": "delete", "corrected": "treat"}),
]
POLICY_COLUMNS = (
    "changed", "cut, mean", "cut, solved", "cut, of all tokens", "answer preserved", "less cut", "not cut",
    "traces/s",
)  # fmt: skip
TEACHER_COLUMNS = (
    "traces", "tokens before", "after", "changed", "cut, mean", "cut, solved", "answer preserved",
    "stopped by gates",
)  # fmt: skip
ROWS_PER_UNIT = 256
SMALL_TEACHER = 15
"""Teachers with fewer traces are shown together."""


@dataclass(frozen=True, slots=True)
class Case:
    """A trace, who wrote it, what the judge found, and whether it stated the ground truth last."""

    trace: Trace
    teacher: str
    annotation: Annotation
    tokens: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One policy's result on one trace; `cut` is the share of tokens removed."""

    case: Case
    enhancement: Enhancement
    cut: float
    answered: bool


def read(folder: Path, rows: int | None) -> list[tuple[Trace, str]]:
    found = []
    for path in sorted(folder.glob("**/*.parquet")):
        frame = pl.read_parquet(path)
        response = next((c for c in ("answer_text", "response") if c in frame.columns), None)
        for row in frame.iter_rows(named=True):
            answer = row[response] if response else None
            trace = Trace(row["id"], row["problem"] or "", row["reasoning"], row["ground_truth"], answer)
            found.append((trace, f"{row.get('teacher') or path.stem}"))
    return found if rows is None else found[:: max(1, len(found) // rows)]


def states_last(text: str, truth: str | None, checker: AnswerChecker) -> bool:
    found = last_answer(text[-6000:]) if truth else None
    return found is not None and truth is not None and checker.equivalent(found.text, truth)


def run(
    cases: Sequence[Case], name: str, options: dict[str, object], checker: AnswerChecker
) -> tuple[list[Outcome], float]:
    policy = parse_policy(name, options)
    start = time.process_time()
    made = [enhance(case.trace, case.annotation, policy) for case in cases]
    seconds = time.process_time() - start
    outcomes = []
    for case, enhancement in zip(cases, made, strict=True):
        same = enhancement.reasoning == case.trace.reasoning
        left = case.tokens if same else estimate_tokens(enhancement.reasoning)
        answered = case.answered and (
            same or states_last(enhancement.reasoning, case.trace.ground_truth, checker)
        )
        outcomes.append(Outcome(case, enhancement, 1 - left / max(1, case.tokens), answered))
    return outcomes, len(cases) / seconds


def title(name: str, options: dict[str, object]) -> str:
    return " ".join([f"`{name}`", *(f"`{key}={value}`" for key, value in options.items())])


def policy_row(name: str, options: dict[str, object], outcomes: Sequence[Outcome], speed: float) -> str:
    count = len(outcomes)
    known = [o for o in outcomes if o.case.trace.ground_truth]
    solved = [o for o in known if o.enhancement.solved]
    before = sum(o.case.tokens for o in outcomes)
    after = sum(o.case.tokens * (1 - o.cut) for o in outcomes)
    had = [o for o in outcomes if o.case.answered]
    changed = sum(o.enhancement.status is Status.ENHANCED for o in outcomes)
    fallbacks = sum(o.enhancement.reason.startswith("fallback:") for o in outcomes)
    stopped = sum(o.enhancement.reason.startswith("gate:") for o in outcomes)
    return (
        f"| {title(name, options)} | {changed / count:.0%} | {mean(known):.1%} | {mean(solved):.1%} | "
        f"{1 - after / before:.1%} | {sum(o.answered for o in had)} / {len(had)} | {fallbacks} | {stopped} | "
        f"{speed:,.0f} |"
    )


def mean(outcomes: Sequence[Outcome]) -> float:
    return sum(o.cut for o in outcomes) / max(1, len(outcomes))


def teacher_rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    sizes = Counter(o.case.teacher for o in outcomes)
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        teacher = outcome.case.teacher
        groups[teacher if sizes[teacher] >= SMALL_TEACHER else "others"].append(outcome)
    for teacher, group in sorted(groups.items(), key=lambda item: (item[0] == "others", item[0])):
        known = [o for o in group if o.case.trace.ground_truth]
        solved = [o for o in known if o.enhancement.solved]
        before = sum(o.case.tokens for o in group)
        after = sum(o.case.tokens * (1 - o.cut) for o in group)
        changed = sum(o.enhancement.status is Status.ENHANCED for o in group)
        had = [o for o in group if o.case.answered]
        stopped = sum(o.enhancement.reason.startswith(("gate:", "fallback:")) for o in group)
        cuts = [f"{mean(part):.1%}" if part else "" for part in (known, solved)]
        yield (
            f"| {teacher} | {len(group)} | {before:,} | {after:,.0f} | {changed / len(group):.0%} | "
            f"{cuts[0]} | {cuts[1]} | {sum(o.answered for o in had)} / {len(had)} | {stopped} |"
        )


def derive_speeds(cases: Sequence[Case]) -> list[float]:
    """Traces per second of CPU time through what `dlcot derive` does to units of 256 rows, five times.

    Annotations out of their table, the policy with seams and gates, token counts, the output's tables;
    no reading, no writing.
    """
    units = [_unit(cases[start : start + ROWS_PER_UNIT]) for start in range(0, len(cases), ROWS_PER_UNIT)]
    columns = resolve_columns(load_preset("plain"), units[0][0].schema, "memory")
    options = UnitOptions(parse_policy(DEFAULT_POLICY), estimate_tokens)
    speeds = []
    for _ in range(5):
        start = time.process_time()
        for table, judged in units:
            unit = UnitInput.parse(table, columns, file="memory", shard_name="memory", first_row=0)
            asyncio.run(derive_unit(unit, judged, options))
        speeds.append(len(cases) / (time.process_time() - start))
    return sorted(speeds)


def _unit(cases: Sequence[Case]) -> tuple[pa.Table, pa.Table]:
    """Rows and annotations of one work unit."""
    table = pa.table(
        {
            "id": [case.trace.trace_id for case in cases],
            "problem": [case.trace.problem for case in cases],
            "reasoning": pa.array([case.trace.reasoning for case in cases], pa.large_string()),
            "ground_truth": pa.array([case.trace.ground_truth for case in cases], pa.string()),
            "response": pa.array([case.trace.response for case in cases], pa.string()),
        }
    )
    return table, annotations_to_table([case.annotation for case in cases])


def header(first: str, columns: Sequence[str]) -> None:
    print(f"| {' | '.join([first, *columns])} |")
    print("|---|" + "---:|" * len(columns))


def main(folder: str = "examples/shards", rows: str = "") -> None:
    read_traces = read(Path(folder), int(rows) if rows else None)
    judge, checker = RulesJudge(), AnswerChecker()
    cases = [
        Case(
            trace,
            teacher,
            judge.annotate(trace),
            estimate_tokens(trace.reasoning),
            states_last(trace.reasoning, trace.ground_truth, checker),
        )
        for trace, teacher in read_traces
    ]
    judge.close()
    header("policy", POLICY_COLUMNS)
    default: list[Outcome] = []
    for name, options in RUNS:
        outcomes, speed = run(cases, name, options, checker)
        default = default or outcomes
        print(policy_row(name, options, outcomes, speed), flush=True)
    print()
    header(f"teacher (`{DEFAULT_POLICY}`)", TEACHER_COLUMNS)
    for line in teacher_rows(default):
        print(line)
    seams = Counter(f"{s.kind}:{s.closed}" for o in default for s in o.enhancement.seams)
    errors = Counter(str(e) for o in default for e in o.enhancement.errors)
    print(f"\nLoose ends: {dict(seams.most_common())}. Errors in what is kept: {dict(errors.most_common())}.")
    speeds = derive_speeds(cases)
    print(f"Derive: {speeds[0]:,.0f} to {speeds[-1]:,.0f} traces/s in five runs, median {speeds[2]:,.0f}.")
    for outcome in default:
        if outcome.case.answered and not outcome.answered:
            print(f"answer not preserved: {outcome.case.trace.trace_id}", file=sys.stderr)
    checker.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
