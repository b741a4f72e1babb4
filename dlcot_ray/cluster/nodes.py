"""The Ray cluster: attach to one or start one, and compute how many judges fit on its nodes.

Judges are actors. Reading and writing are tasks on the few hundredths of a CPU that the judges leave free: an
actor pool that takes every CPU would leave none for these tasks, and the job would hang.
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
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from dlcot_ray.cluster.attaching import (
    check_address,
    hide_token,
    private_directory,
    remedy_for,
    said_while_waiting,
)
from dlcot_ray.config.pool import Pool
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.terminal import note

IO_CPUS = 0.05
"""CPUs that a reading or writing task requests."""
_JUDGE_SHARE = 0.9
"""Share of its CPUs that a judge requests; the rest is for reading and writing on the same node."""

_STOP_S = 20.0
"""How long Ray may take to stop, in seconds."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The pool of judges.

    Attributes:
        count: most judges that run at once.
        ready: judges to start with; the others start when there are units and room for them.
        cpus, gpus: what one judge requests of Ray.
        accelerator_type: type of the GPU, e.g. ``H100``; None for any.
    """

    count: int
    ready: int
    cpus: float
    gpus: float
    accelerator_type: str | None = None


def start_ray(address: str | None) -> bool:
    """Attach to a cluster, or start Ray on this machine.

    If this process is attached already, nothing happens: the code that attached it also stops Ray.

    Args:
        address: of a cluster; ``local`` starts Ray here; None takes RAY_ADDRESS if it is set (Ray sets it in
            a submitted job), else starts Ray here.

    Returns:
        Whether this call attached, so that the caller has to call `stop_ray`.

    Raises:
        JobError: the cluster cannot be reached.
    """
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    is_local = where == "local"
    # Without this, Ray's native log prints warnings about its internals on the user's terminal.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return False
    options: dict[str, Any] = {}
    if is_local:
        options |= {"include_dashboard": False, "_temp_dir": private_directory()}
        # Ray ends idle processes after a second where more than one per CPU runs. Reading and writing would
        # then start a process for nearly every unit, which takes a third of the job's CPU time.
        os.environ.setdefault("RAY_idle_worker_killing_time_threshold_ms", "600000")
    else:
        check_address(where)
    stop = signal.getsignal(signal.SIGTERM)
    try:
        with (
            _native_stderr_closed() as terminal,
            said_while_waiting(where, terminal),
            _on_loopback() if is_local or where.startswith("127.0.0.1:") else nullcontext(),
        ):
            ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, **options)
        # Ray would print a message about each dead process to stdout, among the results. The job reports
        # crashes itself, in one line.
        ray._private.worker._worker_logs_enabled = False
    except JobError:
        raise
    # Ray raises a bare Exception where a node does not start in time.
    except Exception as error:
        reason = ray_reason(error)
        what = "Ray cannot be started" if is_local else f"cannot reach Ray at {where}"
        raise JobError(f"{what} ({reason})", remedy_for(where, f"{reason} {error}")) from error
    finally:
        # Ray installs its own handler, which exits with a stack dump instead of stopping cleanly.
        if stop is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)
        if is_local:
            hide_token()
    return True


@contextmanager
def _on_loopback() -> Iterator[None]:
    """A Ray that is started inside listens on 127.0.0.1 only, and one that listens there can be joined.

    Ray replaces a loopback address by that of the network. It has this switch for systems whose firewall asks
    the user; there is no other.
    """
    from ray._private import ray_constants

    name, before = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, ray_constants.ENABLE_RAY_CLUSTER
    given = os.environ.get(name)
    if given is None:
        os.environ[name] = "0"
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        if given is None:
            os.environ.pop(name, None)


def stop_ray() -> None:
    """Detach, and stop what `start_ray` started; if Ray does not answer, its processes are killed at exit."""
    import ray

    stopping = threading.Thread(target=ray.shutdown, name="dlcot-stop-ray", daemon=True)
    stopping.start()
    stopping.join(_STOP_S)
    if stopping.is_alive():
        # Ray's own exit handler would wait for ever. This one runs before it, and ends the process.
        atexit.register(_kill_and_exit)


def _kill_and_exit() -> None:
    import ray

    node = ray._private.worker._global_node
    if node is not None:
        # These are the processes that this process started; there are none of a cluster elsewhere.
        with suppress(Exception):
            node.kill_all_processes(check_alive=False, allow_graceful=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def cluster_state() -> str:
    """The nodes and free resources that Ray reports, on one line."""
    import ray

    nodes = ray.nodes()
    total, free = ray.cluster_resources(), ray.available_resources()
    figures = ", ".join(
        f"{free.get(name, 0.0):g} of {total[name]:g} {name}s" for name in ("CPU", "GPU") if total.get(name)
    )
    alive = sum(node["Alive"] for node in nodes)
    return f"Ray has {alive} of {len(nodes)} nodes, free are {figures or 'no CPUs'}"


def alive_nodes() -> set[str]:
    """Ids of the nodes that are alive now."""
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def plan_workers(pool: Pool, units: int, wait_s: float = 0.0) -> Workers:
    """How many judges to run, given the resources of the cluster's nodes.

    Args:
        pool: as configured. If it sets `least`, this requests nodes for so many judges from the autoscaler,
            and waits for them.
        units: work units of the job; more judges than units are never planned.
        wait_s: longest time to wait for nodes, in seconds.

    Raises:
        JobError: the judges do not fit on the nodes, so they would never start.
    """
    least = min(pool.least or 1, units)
    room = _room_of(pool)
    if room < least and pool.least is not None and wait_s:
        room = _wait_for_room(pool, least, wait_s)
    if room < least:
        waited = f" after {wait_s:g} s of waiting" if pool.least is not None and wait_s else ""
        raise JobError(
            f"a worker needs {_request(pool)}, {_shortage(room, least)}{waited} (best: {_best(_alive())})",
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
    """Request nodes for `least` workers from the autoscaler, and wait; returns how many workers fit then."""
    from ray.autoscaler.sdk import request_resources

    note(f"waiting for nodes with room for {least} workers of {_request(pool)}")
    bundle: dict[str, float] = {"CPU": pool.cpus, "GPU": pool.gpus}
    if pool.accelerator_type:
        bundle[_accelerator(pool.accelerator_type)] = 0.001
    until = time.monotonic() + wait_s
    try:
        request_resources(bundles=[{name: size for name, size in bundle.items() if size}] * least)
        while (room := _room_of(pool)) < least and time.monotonic() < until:
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
    finally:
        # The request would keep the nodes after the job. From here on the job's actors keep them.
        request_resources(num_cpus=0)
    return room


def waiting_for(workers: Workers) -> str:
    """Resources that one worker needs and the cluster does not have free now; empty if there are enough."""
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
    """Ray's name for the resource of a node with this type of GPU."""
    return f"accelerator_type:{kind}"


def _request(pool: Pool) -> str:
    kind = f" of type {pool.accelerator_type}" if pool.accelerator_type else ""
    return f"{pool.cpus:g} CPUs and {pool.gpus:g} GPUs{kind}"


def _shortage(room: int, least: int) -> str:
    if not room:
        return "no node of the cluster has them"
    return f"the cluster has room for {room} of the {least} that min_workers asks for"


def _remedy(pool: Pool) -> str:
    if pool.gpus and not any(node.get("GPU") for node in _alive()):
        return "set worker.gpus=0 for vLLM's CPU build, or give the cluster GPUs"
    if pool.least is not None:
        return "choose another judge, fewer min_workers, or a larger cluster"
    return "choose another judge or a larger cluster; min_workers=N waits for a cluster that grows"


def _best(nodes: Sequence[Mapping[str, float]]) -> str:
    def resources(node: Mapping[str, float]) -> str:
        kinds = [name.partition(":")[2] for name in node if name.startswith(_accelerator(""))]
        kind = f" ({', '.join(sorted(kinds))})" if kinds else ""
        return f"{node.get('CPU', 0):g} CPUs, {node.get('GPU', 0):g} GPUs{kind}"

    return max(map(resources, nodes), default="none")


@contextmanager
def _native_stderr_closed() -> Iterator[int]:
    """Discard what Ray's native code writes to stderr; its failures raise exceptions anyway.

    Yields:
        The file descriptor of the real stderr.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield saved
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def ray_reason(error: Exception) -> str:
    """The cause of an error raised by Ray, which puts it in the last line, below its own stack."""
    return reason_of(getattr(error, "cause", None) or error, line=-1)
