"""The contribution of each group of rules of the rules judge: quality with the group switched off.

    python benchmarks/rules_ablation.py LABELS [TRACES]

LABELS is a label set or a directory of them, TRACES the traces that some of them refer to by id. One row per
group: the main figures of every set where that group finds nothing, or keeps nothing back. Differences to the
first row are what the group contributes. Confidence intervals are those of
docs/reference/measured-quality.md; they are wider than most differences. Prints the table of
docs/reference/measured-rules.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.scoring import score_sets
from dlcot_ray.config.loading import load_judge
from dlcot_ray.core.arithmetic import finding as arithmetic
from dlcot_ray.core.evidence.answers import AnswerForm
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.inputs.label_files import read_sets, read_traces, resolve_places
from dlcot_ray.judging.rules import approaches, checks, clusters, cues, first_correct, head, judge, labels

NEVER = re.compile(r"(?!)")

GROUPS: dict[str, tuple[tuple[ModuleType, str, object], ...]] = {
    "all rules": (),
    "no openings (OPENING)": ((cues, "OPENING", NEVER),),
    "no checks (VERIFY)": ((cues, "VERIFY", NEVER),),
    "no second looks (RECONSIDER)": ((cues, "RECONSIDER", NEVER),),
    "no conclusions (CONCLUDE)": ((cues, "CONCLUDE", NEVER),),
    "no alternatives (ALTERNATIVELY)": ((cues, "ALTERNATIVELY", NEVER),),
    "no announcements (NEW_APPROACH)": ((cues, "NEW_APPROACH", NEVER),),
    "nothing looks back (LOOKS_BACK)": ((cues, "LOOKS_BACK", NEVER),),
    "no formula begins the work (shows_work)": ((head, "shows_work", lambda *_: False),),
    "nothing restates (_restates)": ((head, "_restates", lambda *_, **__: False),),
    "no approach gives up (_GIVES_UP)": ((approaches, "_GIVES_UP", NEVER),),
    "no second way to an answer (opens_again)": ((approaches, "opens_again", lambda *_, **__: False),),
    "every look is a check (settles)": ((checks, "settles", lambda *_, **__: True),),
    "doubts open no check (DOUBT)": ((checks, "DOUBT", NEVER),),
    "a last approach stays without its check's answer (_complete_last)": (
        (judge, "_complete_last", lambda runs, answers: (runs, 0)),
    ),
    "an answer needs no evidence in its words (STRONG)": ((labels, "STRONG", frozenset(AnswerForm)),),
    "alarms in hedged claims (hedged)": ((arithmetic, "hedged", lambda *_: False),),
    "alarms on other readings (other_reading)": ((arithmetic, "other_reading", lambda *_: False),),
    "alarms beside attachments (free_before, free_after)": (
        (arithmetic, "free_before", lambda *_: True),
        (arithmetic, "free_after", lambda *_: True),
    ),
    "terms of the problem count in full": (
        (clusters, "terms_of", lambda text: frozenset()),
        (judge, "terms_of", lambda text: frozenset()),
    ),
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


FIGURES = {
    "segmentation": ("kappa",),
    "label": ("accuracy",),
    "first_error": ("f1", "alarm_precision_recomputed", "alarms"),
    "clusters": ("pair_f1",),
    "methods": ("apart", "merged"),
    "equivalence": ("accuracy",),
    "arrival": ("within",),
}


def figures_of(item: SetScores) -> Iterator[tuple[str, float]]:
    metrics = {metric.name: metric.value for metric in item.scores.tables[0].rows[0].metrics}
    for name in FIGURES[item.scores.kind]:
        yield f"{item.name} {name}", metrics.get(name, float("nan"))


def main(sets_at: str, traces: str | None = None) -> None:
    places, trace_places = resolve_places([sets_at], traces)
    found = read_traces(trace_places, "auto", {}) if trace_places else {}
    sets = read_sets(places, found, {}, None)[0]
    for number, (name, changes) in enumerate(GROUPS.items()):
        with switched_off(changes):
            scored = score_sets(sets, load_judge("rules", {}), Place("here"), Options(rounds=0)).scores
        figures = [figure for item in scored for figure in figures_of(item)]
        if number == 0:
            print("| switched off | " + " | ".join(column for column, _ in figures) + " |")
            print("|---|" + "---:|" * len(figures))
        cells = (f"{value:.0f}" if "alarms" in column else f"{value:.3f}" for column, value in figures)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
