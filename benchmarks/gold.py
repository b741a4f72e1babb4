"""What a method does to traces that people read: the figures that it is held to, as Markdown.

    python benchmarks/gold.py TRACES [half=development] [judge=NAME] [policy=NAME] [rows=N] [skip=FILE]
        [answers=FILE]

TRACES is a folder of Parquet shards with the traces that tests/labels/gold/HALF.jsonl labels; without it
nothing is measured. The first table compares the judge (the default one without `judge`) with the readers,
beside the agreement of two readers where a second one labelled some of the traces. The second table has no
labels: it applies the policy to all traces of the folder (at most `rows`, evenly spaced; `skip` names a file
of ids to leave out, one a line). `answers` is a label set of pairs of answers. Traces to look at are named on
stderr.

A half without a file is skipped, and a line says so. A held-out half is opened for final figures only: what
has been looked at can no longer be an unopened half.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlcot_ray.cluster.judge_pool import Place, judge_traces
from dlcot_ray.commands.scoring import score_reader, score_sets
from dlcot_ray.config.groups import DEFAULT_JUDGE
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.annotation import Annotation, VerificationKind
from dlcot_ray.core.applying.affirming import with_evidence
from dlcot_ray.core.arrival import settle
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.evidence.answers import last_answer
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError
from dlcot_ray.evaluation.dropping import dropped_ranges
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.kinds.dropped import LOST_SHARE, Mask, mask
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.evaluation.scores import Metric
from dlcot_ray.inputs.label_files import read_sets, read_traces
from dlcot_ray.judging.equivalence import AnswerChecker

LABELS = Path(__file__).resolve().parents[1] / "tests" / "labels" / "gold"
HERE = Place("here")
TAIL = 6000
"""Characters at the end of a text that are searched for its last answer."""

BARS: Sequence[tuple[str, str, float | None]] = (
    ("sections, kappa of five kinds", "sections.kappa", 0.62),
    ("approach boundaries within 1, F1", "boundary.f1_within", 0.68),
    ("approach boundaries exact, F1", "boundary.f1", None),
    ("labels, accuracy", "label.accuracy", 0.85),
    ("labels of approaches that overlap, accuracy", "label.accuracy_covered", None),
    ("labels, share of incorrect ones found", "label.incorrect_found", 0.7),
    ("methods, F1 of pairs", "clusters.pair_f1", None),
    ("checks within 1, F1", "check.f1_within", 0.75),
    ("checks exact, F1", "check.f1", None),
    ("kind of check, accuracy", "check_kind.accuracy", 0.88),
    ("first correct segment within 1", "arrival.within", 0.93),
    ("dropped characters, mean F1 per trace", "dropped.mean_f1", 0.72),
    ("dropped characters, F1 over all", "dropped.f1", None),
    ("dropped characters, precision", "dropped.precision", None),
    ("dropped characters, recall", "dropped.recall", None),
    ("needed characters dropped", "dropped.harm", 0.0),
    ("affirming check kept, as readers see checks", "dropped.check_kept", None),
    ("cut of traces with text behind the answer", "dropped.cut", None),
    ("the same, by the readers", "dropped.cut_by_reader", None),
)
"""Label, name of the figure, and what it has to reach; harm may not exceed its bar."""

LEAST_CUT = 0.25


@dataclass(frozen=True)
class Outcome:
    """One trace, its annotation, what the policy made of it, and which characters it dropped."""

    trace: Trace
    annotation: Annotation
    made: Enhancement
    dropped: Mask

    @property
    def behind(self) -> bool:
        """Whether the trace is solved and has text behind its answer."""
        first = self.annotation.first_correct_segment
        if not self.made.solved or first is None:
            return False
        return bool(self.trace.reasoning[self.annotation.segment_offsets[first + 1] :].strip())

    def lost(self) -> list[float]:
        """Of each affirming check, the share of characters that is dropped."""
        offsets = self.annotation.segment_offsets
        checks = (v for v in self.annotation.verifications if v.kind is VerificationKind.AFFIRMATION)
        return [float(self.dropped[offsets[v.start] : offsets[v.stop]].mean()) for v in checks]


def metrics_of(scored: Sequence[SetScores]) -> dict[str, Metric]:
    return {
        f"{item.scores.kind}.{metric.name}": metric
        for item in scored
        for metric in item.scores.tables[0].rows[0].metrics
    }


def readings(half: str, traces: Mapping[str, Trace], judge: JudgeConfig, policy: Policy) -> Iterator[str]:
    """The judge against the readers, beside the agreement of two readers."""
    if not (LABELS / f"{half}.jsonl").exists():
        yield f"skipped {half}: there is no {LABELS / f'{half}.jsonl'}; the rest is measured without labels"
        return
    sets, left_out = read_sets([str(LABELS / f"{half}.jsonl")], traces, {}, None)
    options = Options(policy=policy)
    scored = score_sets(sets, judge, HERE, options)
    found = metrics_of(scored.scores)
    between: dict[str, Metric] = {}
    second = LABELS / f"{half}_second_reader.jsonl"
    if second.exists():
        others, _ = read_sets([str(second)], traces, {}, None)
        between = metrics_of(score_reader(sets, others, None, HERE, options).scores)
    yield f"`{scored.identity}`, `{policy.expression}`, {half}: {len(scored.judged.annotations)} traces\n"
    yield from head("figure", "the judge", "has to be", "holds", "two readers")
    for label, name, bar in BARS:
        if name in found:
            other = str(between[name]) if name in between else ""
            yield f"| {label} | {found[name]} | {held(found[name], bar)} | {other} |"
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    for item in scored.scores:
        if item.scores.kind == "dropped":
            print(*item.scores.notes, sep="\n", file=sys.stderr)


def held(metric: Metric, bar: float | None) -> str:
    """The bar, and whether the figure holds it."""
    if bar is None:
        return " | "
    sign = "at least" if metric.higher else "at most"
    holds = metric.value >= bar if metric.higher else metric.value <= bar
    return f"{sign} {bar:g} | {'yes' if holds else 'no'}"


def applied(traces: Sequence[Trace], judge: JudgeConfig, policy: Policy) -> list[Outcome]:
    judged = judge_traces(traces, judge, HERE)
    found = []
    for trace in traces:
        made = enhance(trace, judged.annotations[trace.trace_id], policy)
        # As policies see it: the kind of a check follows from the value on which it ends.
        annotation = with_evidence(trace, settle(trace, judged.annotations[trace.trace_id]))
        ranges = dropped_ranges(trace.reasoning, annotation.segment_offsets, made.script)
        found.append(Outcome(trace, annotation, made, mask(ranges, len(trace.reasoning))))
    return found


def without_labels(outcomes: Sequence[Outcome], checker: AnswerChecker) -> Iterator[str]:
    """What can be counted without a reader: cuts, checks that stay, answers that stay."""
    changed = [o for o in outcomes if o.made.status is Status.ENHANCED]
    behind = [o for o in outcomes if o.behind]
    checked = [o for o in changed if o.lost()]
    kept = [o for o in checked if min(o.lost()) <= LOST_SHARE]
    known = [o for o in changed if answer_is_true(o.trace, o.trace.reasoning, checker)]
    true = [o for o in known if answer_is_true(o.trace, o.made.reasoning, checker) or closes_alike(o)]
    stated = [o for o in changed if last_answer(o.trace.reasoning[-TAIL:]) is not None]
    same = [o for o in stated if answer_stays(o, checker)]
    cut = sum(float(o.dropped.mean()) for o in behind) / max(1, len(behind))
    yield f"\nAll {len(outcomes):,} traces, {len(changed):,} changed\n"
    yield from head("figure", "the judge", "has to be", "holds", "of")
    verdict = "yes" if cut >= LEAST_CUT else "no"
    yield (
        f"| mean cut of solved traces with text behind the answer, in characters | {cut:.1%} | "
        f"at least {LEAST_CUT:.0%} | {verdict} | {len(behind):,} |"
    )
    for label, part, whole in (
        ("changed traces with affirming checks that keep one", kept, checked),
        ("changed traces that ended on the ground truth and still do", true, known),
        ("changed traces whose last answer is the same, or the ground truth", same, stated),
    ):
        holds = "yes" if len(part) == len(whole) else "no"
        yield f"| {label} | {len(part):,} | all | {holds} | {len(whole):,} |"
        ids = {id(o) for o in part}
        for outcome in whole:
            if id(outcome) not in ids:
                print(f"not among {label}: {outcome.trace.trace_id}", file=sys.stderr)


def answer_is_true(trace: Trace, text: str, checker: AnswerChecker) -> bool:
    """Whether a text's last answer is the ground truth."""
    found = last_answer(text[-TAIL:]) if trace.ground_truth else None
    return (
        found is not None
        and trace.ground_truth is not None
        and checker.equivalent(found.text, trace.ground_truth) is True
    )


def answer_stays(outcome: Outcome, checker: AnswerChecker) -> bool:
    """Whether the last answer is as before; of a solved trace it may be the ground truth instead."""
    before = last_answer(outcome.trace.reasoning[-TAIL:])
    after = last_answer(outcome.made.reasoning[-TAIL:])
    if closes_alike(outcome):
        return True
    if before is None or after is None:
        return before is after
    same = before.text == after.text or checker.equivalent(before.text, after.text) is True
    return same or answer_is_true(outcome.trace, outcome.made.reasoning, checker)


def closes_alike(outcome: Outcome) -> bool:
    """Whether the trace's own last segment, with a figure in it, still closes the text.

    Then it states what it stated. A shorter text may have a stronger statement of another value before it.
    """
    offsets, text = outcome.annotation.segment_offsets, outcome.trace.reasoning
    closing = text[offsets[-2] :].strip()
    figure = any(character.isdigit() for character in closing)
    return figure and outcome.made.reasoning.rstrip().endswith(closing)


def answers(path: str, judge: JudgeConfig) -> Iterator[str]:
    """Pairs of answers: accuracy, and the pairs that are wrong."""
    sets, _ = read_sets([path], {}, {}, None)
    for item in score_sets(sets, judge, HERE, Options()).scores:
        if item.scores.kind == "equivalence":
            found = metrics_of([item])
            accuracy, different, certain = (
                str(found[f"equivalence.{name}"])
                for name in ("accuracy", "accuracy_different", "certain_wrong")
            )
            yield (
                f"\nPairs of answers in {item.name}: {item.scores.cases:,}, accuracy {accuracy}, "
                f"of different ones {different}, wrong though certain {certain}."
            )
            for bad in item.scores.bad:
                print(f"wrong pair: {bad.case}: {bad.what}", file=sys.stderr)


def head(*columns: str) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|---|---:|---:|{'---|' * (len(columns) - 3)}"


def main(folder: str = "", *words: str) -> None:
    given = dict(word.split("=", 1) for word in words)
    half = given.get("half", "development")
    policy = parse_policy(given.get("policy", DEFAULT_POLICY))
    judge = load_judge(given.get("judge", DEFAULT_JUDGE), {})
    try:
        traces = read_traces([folder], "auto", {}) if Path(folder or "?").is_dir() else {}
    except JobError as error:
        print(f"skipped: {error}")
        return
    if not traces:
        print(f"skipped: there are no traces in {folder or 'TRACES'}; name a folder of Parquet shards")
        return
    try:
        print(*readings(half, traces, judge, policy), sep="\n")
    except JobError as error:
        print(f"skipped {half}: {error}")
    skipped = set(Path(given["skip"]).read_text("utf-8").split()) if "skip" in given else set()
    chosen = [trace for name, trace in traces.items() if name not in skipped]
    if "rows" in given:
        chosen = chosen[:: max(1, len(chosen) // int(given["rows"]))]
    with AnswerChecker() as checker:
        print(*without_labels(applied(chosen, judge, policy), checker), sep="\n")
    if "answers" in given:
        print(*answers(given["answers"], judge), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
