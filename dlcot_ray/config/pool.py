"""The pool of judge workers as configured: how many, on what; checked before Ray starts.

A judge's file says what its engine needs, the job may say otherwise (`workers`, `min_workers`,
`worker.*`). GPUs follow from the engine's own settings, so that `tensor_parallel_size` is said once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.groups import WorkerConfig
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.errors import ConfigError

_SPREADS = ("tensor_parallel_size", "pipeline_parallel_size")
"""Settings of vLLM's engine, each of which multiplies the GPUs of one replica."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers wanted.

    Attributes:
        cpus, gpus: what each takes.
        accelerator_type: the GPU that it must be, as Ray names it, or None for any.
        most: how many at most; None takes all the room there is.
        least: how many the job insists on, waiting for their nodes; None takes what there is.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    accelerator_type: str | None = None
    most: int | None = None
    least: int | None = None


def pool_of(judge: JudgeConfig | None, worker: WorkerConfig, most: int | None, least: int | None) -> Pool:
    """The pool for a judge (None: nobody judges), with what the job says over what the judge's file says.

    Raises:
        ConfigError: it contradicts itself.
    """
    judge = judge or JudgeConfig()
    wanted = engine_gpus(judge.options)
    gpus = worker.gpus if worker.gpus is not None else judge.gpus
    if gpus is None:
        gpus = float(wanted)
    elif 0 < gpus < wanted and wanted > 1:
        raise ConfigError(
            f"a worker has {gpus:g} GPUs, but its engine spreads over {wanted}",
            "leave worker.gpus unset, or lower judge_options.engine.tensor_parallel_size",
        )
    most, least = most or judge.workers, least or judge.min_workers
    if most is not None and least is not None and least > most:
        raise ConfigError(
            f"min_workers is {least}, but workers is {most}", "give min_workers no more than workers"
        )
    if worker.accelerator_type is not None and not gpus:
        raise ConfigError(
            f"worker.accelerator_type is {worker.accelerator_type}, but a worker takes no GPU",
            "leave it unset, or set worker.gpus",
        )
    kind = worker.accelerator_type or (judge.accelerator_type if gpus else None)
    return Pool(judge.cpus if worker.cpus is None else worker.cpus, gpus, kind, most, least)


def engine_gpus(options: Mapping[str, Any]) -> int:
    """GPUs over which one engine with these judge options spreads.

    Raises:
        ConfigError: a size is no whole number above 0.
    """
    engine = options.get("engine") or {}
    product = 1
    for name in _SPREADS:
        size = engine.get(name, 1)
        if not isinstance(size, int) or size < 1:
            raise ConfigError(f"judge_options.engine.{name} cannot be {size!r}", "give 1 or more")
        product *= size
    return product
