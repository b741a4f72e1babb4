"""The settings of the quality floor, and the default floors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.fields import setting
from dlcot_ray.config.groups import DatasetSettings

GOLD_FLOORS: Mapping[str, float] = {
    "segmentation.kappa": 0.35,
    "sections.kappa": 0.35,
    "boundary.f1_within": 0.45,
    "label.accuracy": 0.5,
    "first_error.f1": 0.4,
    "arrival.within": 0.65,
    "equivalence.accuracy": 0.95,
}
"""Default floors for the set that comes with dlcot: slightly below the figures of the rules judge."""
_GOLD_FLOORS_SHOWN = ", ".join(f"{name} {floor:g}" for name, floor in GOLD_FLOORS.items())


@dataclass(frozen=True)
class QualityFloorConfig(DatasetSettings):
    """The quality floor of the judge; `floors` maps kind and figure to a minimum, nested."""

    set: Any = setting(
        None,
        "Labels, as in `dlcot evaluate`: gold for the set that comes with dlcot, or a file or directory. "
        "null: no quality floor.",
        places=True,
    )
    traces: Any = setting(None, "The traces, for labels that refer to traces by id.", places=True)
    floors: dict[str, Any] = setting(
        dict,
        "Minimum of a figure of `dlcot evaluate` (maximum, where lower is better), by kind and name, e.g. "
        f"quality_floor.floors.segmentation.kappa=0.3. Default for gold: {_GOLD_FLOORS_SHOWN}.",
    )
    limit: int | None = setting(
        50, "Maximum number of rows of each label file, a sample that is always the same.", above=0
    )
    max_seconds: float = setting(600.0, "Maximum duration of judging them, in seconds.", above=0)


@dataclass(frozen=True)
class QualityFloorSettings:
    """Quality floor."""

    quality_floor: QualityFloorConfig = setting(
        QualityFloorConfig,
        "The judge is scored on labelled traces before anything is written. The job stops if a figure is "
        "below its floor.",
    )


def flat_floors(floors: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Floors by dotted name, e.g. ``segmentation.kappa``."""
    for name, value in floors.items():
        if isinstance(value, Mapping):
            yield from flat_floors(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
