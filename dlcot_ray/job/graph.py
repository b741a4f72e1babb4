"""The Ray Data graph: read -> judge -> write, streamed, one row per work unit.

A unit travels as one row whose tables are single Arrow IPC cells, so nothing that Ray Data does to
blocks (split, merge, coalesce) can tear a unit apart; the price is one copy of its bytes per step, which
is noise beside judging. Each row is a block of its own, so that units reach the judges as they are read.
Judges are actors; reading and writing are tasks on the few hundredths of a CPU that the actors leave
free, because an actor pool that takes every CPU starves them and hangs without a word.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa

from dlcot_ray.job.faults import JobError
from dlcot_ray.job.process import UnitOutput
from dlcot_ray.job.stats import UnitStats
from dlcot_ray.job.work import (
    Processor,
    ReadTask,
    ReadUnit,
    UnitResult,
    UnitTask,
    WorkSpec,
    read_units,
    write_unit,
)
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable

_IO_CPUS = 0.05
"""What a reading or writing task asks for."""
_JUDGE_SHARE = 0.9
"""What a judge that wants a CPU asks for: the rest is for reading and writing on the same node."""
_QUEUED_UNITS = 2
"""Units that wait at each judge, so that it never waits for the scheduler."""
_RESTARTS = 5
"""How often a judge that died is started anew, and its units tried again, before the job stops: a unit that
kills every judge must not do so for ever."""
_DIED = 70
_UNAVAILABLE = "judge unavailable: "
_MAX_BLOCKS = 2_000
"""Blocks of read tasks; each is an object that the driver puts before anything starts."""


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
            f"cannot reach Ray at {where} ({_cause(error)})", "check ray.address and RAY_ADDRESS"
        ) from error
    finally:
        # Ray installs a handler of its own, which exits with a stack dump instead of stopping cleanly.
        if stop is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)
    return True


def stop_ray() -> None:
    """Detach, and stop what `start_ray` started."""
    import ray

    ray.shutdown()


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
        for name, need in (("CPU", workers.cpus + 2 * _IO_CPUS), ("GPU", workers.gpus))
        if need and free.get(name, 0.0) < need
    ]
    return " and ".join(lacks)


def _room(node: dict[str, float], cpus: float, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0.0) / cpus) if cpus else 1 << 30
    return min(by_cpu, int(node.get("GPU", 0.0) / gpus)) if gpus else by_cpu


def run_graph(tasks: Iterable[ReadTask], spec: WorkSpec, workers: Workers) -> Iterator[UnitResult]:
    """Do the units of `tasks`, in any order; yields one result each, as they are finished.

    Raises:
        JobError: Ray gave up.
    """
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    _quiet()
    blobs = [{"task": pickle.dumps(task)} for task in tasks]
    context = ray.data.DataContext.get_current()
    # One row, one block: a smaller target than any row.
    context.target_max_block_size = 1
    io_tasks = TaskPoolStrategy(size=max(1, workers.count // 4))
    concurrent = 2 if spec.in_flight > 1 else 1
    judges = ActorPoolStrategy(
        min_size=workers.ready,
        max_size=workers.count,
        max_tasks_in_flight_per_actor=concurrent + _QUEUED_UNITS - 1,
        max_concurrent_calls_per_actor=concurrent,
    )
    with warnings.catch_warnings():
        # The pinned Ray has no other way to bound an actor's restarts, and warns of this one.
        warnings.simplefilter("ignore", ray.util.annotations.RayDeprecationWarning)
        graph = (
            ray.data.from_items(blobs, override_num_blocks=min(len(blobs), _MAX_BLOCKS))
            .map_batches(
                _read,
                fn_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=io_tasks,
                num_cpus=_IO_CPUS,
            )
            .map_batches(
                _Judge,
                fn_constructor_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=judges,
                num_cpus=workers.cpus,
                num_gpus=workers.gpus or None,
                max_restarts=_RESTARTS,
                max_task_retries=_RESTARTS,
            )
            .map_batches(
                _write,
                fn_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=io_tasks,
                num_cpus=_IO_CPUS,
            )
        )
    try:
        for batch in graph.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for blob in batch.column("result").to_pylist():
                yield cast(UnitResult, pickle.loads(blob))
    except ray.exceptions.RayError as error:
        unavailable = _unavailable(str(error))
        if unavailable:
            raise JobError(unavailable) from error
        raise JobError(
            f"Ray stopped the job ({_cause(error)})", "run again: what is finished is kept"
        ) from error


def _read(batch: pa.Table, spec: WorkSpec) -> Iterator[pa.Table]:
    for blob in batch.column("task").to_pylist():
        for unit in read_units(pickle.loads(blob), spec):
            yield _row(unit.task, unit.error, {"table": unit.table, "annotations": unit.annotations})


class _Judge:
    """One actor: a processor, and the unpacking and packing around it."""

    def __init__(self, spec: WorkSpec) -> None:
        self._processor = Processor(spec)
        self._unavailable: JudgeUnavailable | None = None
        try:
            self._processor.start()
        except JudgeUnavailable as error:
            # Raised by the first unit: Ray starts an actor whose constructor fails again and again.
            self._unavailable = error

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        if self._unavailable is not None:
            raise RuntimeError(f"{_UNAVAILABLE}{json.dumps([*self._unavailable.args])}")
        for index in range(batch.num_rows):
            task, error = _head(batch, index)
            read = ReadUnit(task, _table(batch, index, "table"), _table(batch, index, "annotations"), error)
            try:
                made = await self._processor(read)
            except JudgeDied:
                # An engine cannot be revived in its process; a new process gets this unit again.
                os._exit(_DIED)
            if isinstance(made, str):
                yield _row(task, made, dict.fromkeys(_MADE), "")
            else:
                tables = {name: getattr(made, name) for name in _MADE}
                yield _row(task, "", tables, made.stats.to_json())

    def __del__(self) -> None:
        if hasattr(self, "_processor"):
            self._processor.close()


_MADE = ("annotations", "enhanced", "rejected", "preferences")


def _write(batch: pa.Table, spec: WorkSpec) -> pa.Table:
    output = spec.open_output()
    results = []
    for index in range(batch.num_rows):
        task, error = _head(batch, index)
        made: UnitOutput | str = error
        if not error:
            made = UnitOutput(
                annotations=_table(batch, index, "annotations"),
                enhanced=_table(batch, index, "enhanced"),
                rejected=_table(batch, index, "rejected"),
                preferences=_table(batch, index, "preferences"),
                stats=UnitStats.from_json(batch.column("stats")[index].as_py()),
            )
        results.append(pickle.dumps(write_unit(task, made, output, spec)))
    return pa.table({"result": pa.array(results, pa.binary())})


def _row(task: UnitTask, error: str, tables: dict[str, pa.Table | None], stats: str = "") -> pa.Table:
    """One unit as one row."""
    columns: dict[str, pa.Array] = {
        "unit": pa.array([pickle.dumps(task)], pa.binary()),
        "error": pa.array([error], pa.string()),
        "stats": pa.array([stats], pa.string()),
    }
    for name, table in tables.items():
        columns[name] = pa.nulls(1, pa.large_binary()) if table is None else _packed(table)
    return pa.table(columns)


def _packed(table: pa.Table) -> pa.Array:
    """A table as the one cell of a binary array, copied once."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    offsets = pa.array([0, data.size], pa.int64()).buffers()[1]
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, data])


def _head(batch: pa.Table, index: int) -> tuple[UnitTask, str]:
    return pickle.loads(batch.column("unit")[index].as_py()), batch.column("error")[index].as_py()


def _table(batch: pa.Table, index: int, name: str) -> pa.Table | None:
    cell = batch.column(name)[index]
    return pa.ipc.open_stream(cell.as_buffer()).read_all() if cell.is_valid else None


def _quiet() -> None:
    """Switch off Ray Data's own bars and chatter: the job has one progress line of its own."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)


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


def _unavailable(text: str) -> str:
    """What a judge that could not start said, out of the many lines that Ray wraps around it."""
    _, found, rest = text.partition(_UNAVAILABLE)
    if not found:
        return ""
    (message,), _ = json.JSONDecoder().raw_decode(rest)
    return str(message)


def _cause(error: Exception) -> str:
    lines = [line.strip() for line in str(getattr(error, "cause", None) or error).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)[:300]
