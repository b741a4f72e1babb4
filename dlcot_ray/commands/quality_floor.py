"""The quality floor: the judge is scored on labelled traces before the job writes anything.

An edited prompt, another model or a broken quantisation is found within minutes, before it spoils the
output. A bounded number of cases is scored as `dlcot evaluate` does; the job stops if a figure is below its
floor.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.labelled import labelled_traces
from dlcot_ray.commands.scoring import score_sets
from dlcot_ray.config.floors import GOLD_FLOORS, QualityFloorConfig, flat_floors
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.errors import ConfigError, JobError, did_you_mean
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.inputs.label_files import GOLD, read_sets, resolve_places


def check_quality_floor(
    wanted: QualityFloorConfig,
    judge: JudgeConfig,
    address: str | None,
    options: Mapping[str, object],
    policy: Policy | None = None,
) -> dict[str, Any] | None:
    """Score the judge on labelled traces; None if no quality floor is set.

    Args:
        wanted: the label set and the floors.
        judge: of the job.
        address: address of Ray, for a judge that runs there.
        options: fsspec options of the label set and its traces.
        policy: of the job, whose dropped text is scored; None for the default policy.

    Returns:
        The manifest's entry: the set, the figures and the floors, as plain JSON types.

    Raises:
        ConfigError: a floor names no figure of the set.
        JobError: a figure is below its floor, or the set cannot be scored in time.
    """
    if wanted.set is None:
        return None
    floors = dict(flat_floors(wanted.floors)) or (dict(GOLD_FLOORS) if wanted.set == GOLD else {})
    if not floors:
        raise ConfigError(
            "quality_floor.set has no floors",
            "set quality_floor.floors, e.g. quality_floor.floors.segmentation.kappa=0.3",
        )
    places, trace_places = resolve_places(wanted.set, wanted.traces)
    traces = labelled_traces(trace_places, wanted.dataset, options)
    sets, _ = read_sets(places, traces, options, wanted.limit, "quality_floor.set")
    place = Place(address=address, workers=1, max_seconds=wanted.max_seconds)
    how = Options(rounds=0) if policy is None else Options(rounds=0, policy=policy)
    scored = score_sets(sets, judge, place, how)
    judged = scored.judged
    figures, lower = _worst_figures(scored.scores)
    for name in sorted(set(floors) - set(figures)):
        raise ConfigError(
            f"quality_floor.floors.{name} is no figure of quality_floor.set", did_you_mean(name, figures)
        )
    if below := _below(figures, floors, lower):
        raise JobError(
            f"the judge {scored.identity} is below the quality floor: {'; '.join(below)} "
            f"({len(judged.annotations)} traces of {wanted.set}, {len(judged.failed)} failed)",
            "nothing was written; use another judge, or find the cause with dlcot evaluate",
        )
    return {
        "set": wanted.set,
        "digests": {item.name: item.digest for item in sets},
        "judge": scored.identity,
        "traces": len(judged.annotations),
        "failed": len(judged.failed),
        "seconds": round(judged.seconds, 1),
        "floors": floors,
        "figures": {name: round(figures[name], 6) for name in floors},
    }


def _worst_figures(scored: Sequence[SetScores]) -> tuple[dict[str, float], set[str]]:
    """Each figure by dotted name, and the names of those where lower is better.

    Of several sets with one kind of labels the worst figure counts; NaN if one is NaN.
    """
    figures: dict[str, float] = {}
    lower: set[str] = set()
    for item in scored:
        for metric in item.scores.tables[0].rows[0].metrics:
            name, value = f"{item.scores.kind}.{metric.name}", metric.value
            if not metric.higher:
                lower.add(name)
            known = figures.get(name, math.inf if metric.higher else -math.inf)
            worse = value < known if metric.higher else value > known
            figures[name] = value if math.isnan(value) or worse else known
    return figures, lower


def _below(figures: Mapping[str, float], floors: Mapping[str, float], lower: Collection[str]) -> list[str]:
    """A sentence for each figure below its floor or, where lower is better, above its limit."""
    return [
        f"{name} is {figures[name]:.3f}, its {'limit' if name in lower else 'floor'} {floor:g}"
        for name, floor in sorted(floors.items())
        if math.isnan(figures[name]) or (figures[name] > floor if name in lower else figures[name] < floor)
    ]
