"""The calibration gate: a job's judge has to do well on labelled traces before the job writes anything.

A prompt that was edited, a model that was swapped or a broken quantisation shows here, at the price of a few
minutes, and not in a snapshot. It scores a bounded number of cases as `dlcot evaluate` does, and stops
the job where a figure is below its floor.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.scoring import score_sets
from dlcot_ray.config.settings import GateConfig, JudgeConfig, gate_floors
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.inputs.label_files import GOLD, read_sets, read_traces, resolve_places

GOLD_FLOORS: Mapping[str, float] = {
    "segmentation.kappa": 0.35,
    "label.accuracy": 0.5,
    "first_error.f1": 0.4,
    "arrival.within": 0.65,
    "equivalence.accuracy": 0.95,
}
"""For the set that comes with dlcot: somewhat below what the rules reach, as a model should not be worse."""


def run_gate(
    gate: GateConfig, judge: JudgeConfig, address: str | None, options: Mapping[str, object]
) -> dict[str, Any] | None:
    """Score the judge on the gate's set; None where there is no gate.

    Args:
        address: of Ray, for a judge that runs there.
        options: fsspec options of the set and its traces.

    Returns:
        What the manifest says of it.

    Raises:
        ConfigError: a floor names no figure of the set.
        JobError: a figure is below its floor, or the set cannot be scored in time.
    """
    if gate.set is None:
        return None
    floors = gate_floors(gate) or (dict(GOLD_FLOORS) if gate.set == GOLD else {})
    if not floors:
        raise ConfigError(
            "gate.set has no floors", "set gate.floors, e.g. gate.floors.segmentation.kappa=0.3"
        )
    places, trace_places = resolve_places(gate.set, gate.traces)
    traces = read_traces(trace_places, gate.dataset, options) if trace_places else {}
    sets, _ = read_sets(places, traces, options, gate.limit)
    place = Place(address=address, workers=1, max_seconds=gate.max_seconds)
    identity, judged, scored = score_sets(sets, judge, place, Options(rounds=0))
    figures: dict[str, float] = {}
    for item in scored:
        for name, value in item.scores.headline().items():
            # Of several sets with one kind of labels, the worst one counts; one that is not defined is worse.
            known = figures.get(name, math.inf)
            figures[name] = value if math.isnan(value) or value < known else known
    for name in sorted(set(floors) - set(figures)):
        close = difflib.get_close_matches(name, figures, n=1) or sorted(figures)
        raise ConfigError(f"gate.floors.{name} is no figure of gate.set", f"did you mean {', '.join(close)}?")
    below = [
        f"{name} is {figures[name]:.3f}, its floor {floor:g}"
        for name, floor in sorted(floors.items())
        if math.isnan(figures[name]) or figures[name] < floor
    ]
    if below:
        raise JobError(
            f"the judge {identity} does not pass the gate: {'; '.join(below)} "
            f"({len(judged.annotations)} traces of {gate.set}, {len(judged.failed)} failed)",
            "nothing was written; use another judge, or see dlcot evaluate for what went wrong",
        )
    return {
        "set": gate.set,
        "digests": {item.name: item.digest for item in sets},
        "judge": identity,
        "traces": len(judged.annotations),
        "failed": len(judged.failed),
        "seconds": round(judged.seconds, 1),
        "floors": floors,
        "figures": {name: round(figures[name], 6) for name in floors},
    }
