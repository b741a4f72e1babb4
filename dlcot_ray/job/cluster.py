"""The Ray cluster: attach to one or start one, and how many judges its nodes have room for.

Judges are actors; reading and writing are tasks on the few hundredths of a CPU that the judges leave free,
because an actor pool that takes every CPU starves them and hangs without a word.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlcot_ray.job.faults import JobError

IO_CPUS = 0.05
"""What a reading or writing task asks for."""
_JUDGE_SHARE = 0.9
"""What a judge that wants a CPU asks for: the rest is for reading and writing on the same node."""

_STOP_S = 60.0
"""How long Ray may take to stop."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The pool of judges.

    Attributes:
        count: how many to run at most.
        ready: how many fit the cluster as it is now; the rest start when it grows.
        cpus, gpus: what each asks for.
    """

    count: int
    ready: int
    cpus: float
    gpus: float


def start_ray(address: str | None) -> bool:
    """Attach to a cluster, or start Ray on this machine; True if this call did so.

    A Ray that this process is attached to already is used as it is, and is its owner's to stop.

    Args:
        address: of a cluster, ``local`` to start one, or None: RAY_ADDRESS if set (as it is inside a
            submitted job), else start one.

    Raises:
        JobError: the cluster cannot be reached.
    """
    # Ray's native log would put warnings about its own internals on the user's terminal.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return False
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {}
    if where == "local":
        options["include_dashboard"] = False
        # Ray ends processes that idle for a second where more than one per CPU runs; reading and writing
        # then start a process anew for nearly every unit, a third of the job's CPU time.
        os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", "600000")
    stop = signal.getsignal(signal.SIGTERM)
    try:
        with _native_stderr_closed():
            ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise JobError(
            f"cannot reach Ray at {where} ({last_line(error)})", "check ray.address and RAY_ADDRESS"
        ) from error
    finally:
        # Ray installs a handler of its own, which exits with a stack dump instead of stopping cleanly.
        if stop is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)
    return True


def stop_ray() -> None:
    """Detach, and stop what `start_ray` started; a Ray that does not answer is left without a farewell."""
    import ray

    stopping = threading.Thread(target=ray.shutdown, name="dlcot-stop-ray", daemon=True)
    stopping.start()
    stopping.join(_STOP_S)
    if stopping.is_alive():
        # Ray's own handler at exit would wait for ever; this one is called before it.
        atexit.register(_leave)


def _leave() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def cluster_state() -> str:
    """What Ray says about its nodes and what is free, in a few words."""
    import ray

    nodes = ray.nodes()
    total, free = ray.cluster_resources(), ray.available_resources()
    figures = ", ".join(
        f"{free.get(name, 0.0):g} of {total[name]:g} {name}s" for name in ("CPU", "GPU") if total.get(name)
    )
    alive = sum(node["Alive"] for node in nodes)
    return f"Ray has {alive} of {len(nodes)} nodes, free are {figures or 'no CPUs'}"


def alive_nodes() -> set[str]:
    """Ids of the cluster's nodes as they are now."""
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def plan_workers(wanted: int | None, cpus: float, gpus: float, units: int) -> Workers:
    """How many judges to run, from what the cluster's nodes have.

    Args:
        wanted: as configured; None takes all the room there is.
        cpus, gpus: what one judge wants.
        units: there is no use in more judges than units.

    Raises:
        JobError: not one judge fits on any node: it would wait for ever.
    """
    import ray

    share = cpus * _JUDGE_SHARE
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(_room(node, cpus, gpus) for node in nodes)
    if not room:
        best = max(
            (f"{node.get('CPU', 0):g} CPUs, {node.get('GPU', 0):g} GPUs" for node in nodes), default="none"
        )
        raise JobError(
            f"a worker needs {cpus:g} CPUs and {gpus:g} GPUs, no node of the cluster has them (best: {best})",
            "choose another judge or a larger cluster",
        )
    count = max(1, min(wanted or room, units))
    return Workers(count, min(count, room), share, gpus)


def waiting_for(workers: Workers) -> str:
    """What a busy cluster has not got free for even one worker now, or an empty string."""
    import ray

    free = ray.available_resources()
    lacks = [
        f"{need:g} {name}"
        for name, need in (("CPU", workers.cpus + 2 * IO_CPUS), ("GPU", workers.gpus))
        if need and free.get(name, 0.0) < need
    ]
    return " and ".join(lacks)


def _room(node: dict[str, float], cpus: float, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0.0) / cpus) if cpus else 1 << 30
    return min(by_cpu, int(node.get("GPU", 0.0) / gpus)) if gpus else by_cpu


@contextmanager
def _native_stderr_closed() -> Iterator[None]:
    """Ray's native start-up writes to the terminal past Python; its failures are exceptions anyway."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def last_line(error: Exception) -> str:
    """What an error says in its last line: Ray puts the cause there, below its own stack."""
    lines = [line.strip() for line in str(getattr(error, "cause", None) or error).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)[:300]
