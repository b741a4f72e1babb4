"""What each group of the rules judge's cues is worth: quality with it switched off.

    python benchmarks/rules_ablation.py LABELS [TRACES]

LABELS is a label set or a directory of them, TRACES the traces that some of them refer to by id. One row per
group: the headline figure of every set where that group finds nothing. Differences to the first row are what
the group earns; confidence intervals are those of docs/quality.md and wider than most of them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.job.config import load_judge
from dlcot_ray.job.judge_pool import Place
from dlcot_ray.job.labelled import read_sets, read_traces, resolve_places
from dlcot_ray.job.scoring import score_sets
from dlcot_ray.judging.rules import clusters, cues, first_correct

NEVER = re.compile(r"(?!)")
ALWAYS = re.compile("")

GROUPS: dict[str, tuple[tuple[ModuleType, str, object], ...]] = {
    "all rules": (),
    "no openings (OPENING)": ((cues, "OPENING", NEVER),),
    "no checks (VERIFY)": ((cues, "VERIFY", NEVER),),
    "no second looks (RECONSIDER)": ((cues, "RECONSIDER", NEVER),),
    "every second look is a check (QUESTIONING)": ((cues, "QUESTIONING", ALWAYS),),
    "no conclusions (CONCLUDE)": ((cues, "CONCLUDE", NEVER),),
    "no closing sentence (ENDING)": ((cues, "ENDING", NEVER),),
    "no alternatives (ALTERNATIVELY)": ((cues, "ALTERNATIVELY", NEVER),),
    "no announcements (NEW_APPROACH)": ((cues, "NEW_APPROACH", NEVER),),
    "nothing looks back (LOOKS_BACK)": ((cues, "LOOKS_BACK", NEVER),),
    "any mention is an arrival": ((first_correct, "_arrives", lambda *_, **__: True),),
    "everyday words count as terms": ((clusters, "_COMMON", frozenset()),),
}


@contextmanager
def switched_off(changes: tuple[tuple[ModuleType, str, object], ...]) -> Iterator[None]:
    saved = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in saved:
            setattr(module, name, value)


def headline(item: SetScores) -> tuple[str, float]:
    metrics = {metric.name: metric.value for metric in item.scores.tables[0].rows[0].metrics}
    for name in ("kappa", "f1", "within", "accuracy"):
        if metrics.get(name, float("nan")) == metrics.get(name):
            return f"{item.name} {name}", metrics[name]
    first = item.scores.tables[0].rows[0].metrics[0]
    return f"{item.name} {first.name}", first.value


def main(labels: str, traces: str | None = None) -> None:
    places, trace_places = resolve_places([labels], traces)
    found = read_traces(trace_places, "auto", {}) if trace_places else {}
    sets = read_sets(places, found, {}, None)[0]
    for number, (name, changes) in enumerate(GROUPS.items()):
        with switched_off(changes):
            scored = score_sets(sets, load_judge("rules", {}), Place("here"), Options(rounds=0))[2]
        figures = [headline(item) for item in scored]
        if number == 0:
            print("| switched off | " + " | ".join(column for column, _ in figures) + " |")
            print("|---|" + "---:|" * len(figures))
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for _, value in figures) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
