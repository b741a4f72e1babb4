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
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.pool import Pool
from dlcot_ray.errors import JobError

IO_CPUS = 0.05
"""What a reading or writing task asks for."""
_JUDGE_SHARE = 0.9
"""What a judge that wants a CPU asks for: the rest is for reading and writing on the same node."""

_STOP_S = 20.0
"""How long Ray may take to stop."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The pool of judges.

    Attributes:
        count: how many to run at most.
        ready: how many to start with; the rest start when there is work and room for them.
        cpus, gpus: what each asks for.
        accelerator_type: the GPU that it must be, or None.
    """

    count: int
    ready: int
    cpus: float
    gpus: float
    accelerator_type: str | None = None


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
        # What the cluster says of each dead process would stand among the results on stdout; the job tells
        # of them itself, in one line.
        ray._private.worker._worker_logs_enabled = False
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
    import ray

    node = ray._private.worker._global_node
    if node is not None:
        # Only what this process started; of a cluster elsewhere that is nothing.
        with suppress(Exception):
            node.kill_all_processes(check_alive=False, allow_graceful=False)
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


def plan_workers(pool: Pool, units: int, wait_s: float = 0.0) -> Workers:
    """How many judges to run, from what the cluster's nodes have.

    Args:
        pool: as configured. Where it insists on a number, an autoscaler is asked for their nodes, and a
            cluster that grows is waited for.
        units: there is no use in more judges than units.
        wait_s: how long to wait, in seconds.

    Raises:
        JobError: the workers do not fit: they would wait for ever.
    """
    least = min(pool.least or 1, units)
    room = _room_of(pool)
    if room < least and pool.least is not None and wait_s:
        room = _wait_for_room(pool, least, wait_s)
    if room < least:
        waited = f" after {wait_s:g} s of waiting" if pool.least is not None and wait_s else ""
        raise JobError(
            f"a worker needs {_wants(pool)}, {_has(room, least)}{waited} (best: {_best(_alive())})",
            _remedy(pool),
        )
    if max(node.get("CPU", 0.0) for node in _alive()) < 2 * IO_CPUS:
        raise JobError(
            "no node of the cluster has CPUs for reading and writing beside the judges",
            f"start Ray with at least {2 * IO_CPUS:g} CPUs on one node",
        )
    count = max(1, min(pool.most or max(room, least), units))
    ready = least if pool.least is not None else min(count, room)
    return Workers(count, ready, pool.cpus * _JUDGE_SHARE, pool.gpus, pool.accelerator_type)


def _wait_for_room(pool: Pool, least: int, wait_s: float) -> int:
    """Ask the autoscaler, if there is one, for the nodes of `least` workers; the room there is in the end."""
    from ray.autoscaler.sdk import request_resources

    print(
        f"dlcot: waiting for nodes with room for {least} workers of {_wants(pool)}",
        file=sys.stderr,
        flush=True,
    )
    bundle: dict[str, float] = {"CPU": pool.cpus, "GPU": pool.gpus}
    if pool.accelerator_type:
        bundle[_accelerator(pool.accelerator_type)] = 0.001
    until = time.monotonic() + wait_s
    try:
        request_resources(bundles=[{name: size for name, size in bundle.items() if size}] * least)
        while (room := _room_of(pool)) < least and time.monotonic() < until:
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
    finally:
        # The request would hold the nodes after the job; from here on its actors do.
        request_resources(num_cpus=0)
    return room


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


def _alive() -> list[dict[str, float]]:
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _room_of(pool: Pool) -> int:
    return sum(_room(node, pool) for node in _alive())


def _room(node: Mapping[str, float], pool: Pool) -> int:
    if pool.accelerator_type and _accelerator(pool.accelerator_type) not in node:
        return 0
    by_cpu = int(node.get("CPU", 0.0) / pool.cpus) if pool.cpus else 1 << 30
    return min(by_cpu, int(node.get("GPU", 0.0) / pool.gpus)) if pool.gpus else by_cpu


def _accelerator(kind: str) -> str:
    """Ray's name of the resource that a node with such a GPU has."""
    return f"accelerator_type:{kind}"


def _wants(pool: Pool) -> str:
    kind = f" of type {pool.accelerator_type}" if pool.accelerator_type else ""
    return f"{pool.cpus:g} CPUs and {pool.gpus:g} GPUs{kind}"


def _has(room: int, least: int) -> str:
    if not room:
        return "no node of the cluster has them"
    return f"the cluster has room for {room} of the {least} that min_workers wants"


def _remedy(pool: Pool) -> str:
    if pool.gpus and not any(node.get("GPU") for node in _alive()):
        return "set worker.gpus=0 for vLLM's CPU build, or give the cluster GPUs"
    if pool.least is not None:
        return "choose another judge, fewer min_workers, or a larger cluster"
    return "choose another judge or a larger cluster; min_workers=N waits for one that grows"


def _best(nodes: Sequence[Mapping[str, float]]) -> str:
    def said(node: Mapping[str, float]) -> str:
        kinds = [name.partition(":")[2] for name in node if name.startswith(_accelerator(""))]
        kind = f" ({', '.join(sorted(kinds))})" if kinds else ""
        return f"{node.get('CPU', 0):g} CPUs, {node.get('GPU', 0):g} GPUs{kind}"

    return max(map(said, nodes), default="none")


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
