"""The Ray Data graph: read -> judge -> write, streamed, one row per work unit.

A unit travels as one row, tiny ones together (`wire.py`), and each row is a block of its own, so that units
reach the judges as they are read. Judges are actors; reading and writing are tasks beside them
(`cluster.py`). Ray starts every process that dies anew and gives it its work again, without end, because
nodes come and go; that a unit which kills does not do so for ever is up to the ledger (`ledger.py`), which
each step asks first.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import pickle
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast, overload

import pyarrow as pa

from dlcot_ray.cluster.ledger import Ledger, Order
from dlcot_ray.cluster.nodes import IO_CPUS, Workers, alive_nodes, last_line
from dlcot_ray.cluster.wire import bundle, bundled, effort_of, pack_unit, table_of, unbundle, unit_of, use_of
from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.results import Effort, UnitResult
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.work.process import UnitOutput
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.row_watch import Gate, RowWatch
from dlcot_ray.work.spec import ReadUnit, WorkSpec
from dlcot_ray.work.writing import write_unit

_CONCURRENT_UNITS = 2
"""Units that a judge with traces in flight has in work at once: one's tail overlaps the next one's start."""
_QUEUED = 2
"""Units at each judge by units in work: it never waits for the scheduler. Ray adds judges where this figure
is above 1.75."""
_DIED = 70
_BEAT_S = 5.0
"""How often a judge tells that rows go on."""
_LAST_WORDS_S = 5.0
_UNAVAILABLE = "judge unavailable: "
_MAX_BLOCKS = 2_000
"""Blocks of read tasks; each is an object that the driver puts before anything starts."""


def open_ledger(max_deaths: int) -> Any:
    """The run's ledger: an actor on the driver's node, because it is of no use without the driver."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Ledger)
    return actor.remote(max_deaths, alive_nodes)


def run_graph(pending: Pending, spec: WorkSpec, workers: Workers, ledger: Any) -> Iterator[UnitResult]:
    """Do the units of `pending`, in any order; yields one result each, as they are finished.

    Args:
        pending: what to read.
        spec: what the workers need to know.
        workers: the pool of judges.
        ledger: from `open_ledger`.

    Raises:
        JobError: Ray gave up, or no judge can be had.
    """
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    _quiet()
    context = ray.data.DataContext.get_current()
    # Ray Data counts blocks, and a block is a unit: rows are progress too, and supervise.py knows of them.
    context.execution_no_progress_timeout_s = -1
    # One row, one block: a smaller target than any row.
    context.target_max_block_size = 1
    io_tasks = TaskPoolStrategy(size=max(1, workers.count // 4))
    concurrent = _CONCURRENT_UNITS if spec.in_flight > 1 else 1
    judges = ActorPoolStrategy(
        min_size=workers.ready,
        max_size=workers.count,
        max_tasks_in_flight_per_actor=concurrent * _QUEUED,
        max_concurrent_calls_per_actor=concurrent,
    )
    graph = (
        ray.data.from_items(cast("list[Any]", _Blobs(pending)), override_num_blocks=_blocks(pending, spec))
        .map_batches(
            _read,
            fn_args=(spec, ledger),
            batch_size=1,
            batch_format="pyarrow",
            compute=io_tasks,
            num_cpus=IO_CPUS,
        )
        .map_batches(
            _Judge,
            fn_constructor_args=(spec, ledger),
            batch_size=1,
            batch_format="pyarrow",
            compute=judges,
            num_cpus=workers.cpus,
            num_gpus=workers.gpus or None,
            accelerator_type=workers.accelerator_type,
        )
        .map_batches(
            _write,
            fn_args=(spec, ledger),
            batch_size=1,
            batch_format="pyarrow",
            compute=io_tasks,
            num_cpus=IO_CPUS,
        )
    )
    failure: JobError | None = None
    try:
        for batch in graph.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for blob in batch.column("results").to_pylist():
                yield from cast("list[UnitResult]", pickle.loads(blob))
    except ray.exceptions.RayError as error:
        failure = _failure(error)
    if failure is not None:
        # A judge of a failed graph lives on, and holds its CPUs and GPUs, while anything refers to it; Ray's
        # error does, by its frames.
        gc.collect()
        raise failure


def _failure(error: Exception) -> JobError:
    unavailable = _unavailable(str(error))
    if unavailable:
        return JobError(unavailable)
    return JobError(f"Ray stopped the job ({last_line(error)})", "run again: what is finished is kept")


class _Blobs(Sequence[dict[str, bytes]]):
    """Packed tasks, made one by one: Ray puts a block of them away before it asks for the next."""

    def __init__(self, tasks: Sequence[ReadTask]) -> None:
        self._tasks = tasks

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, index: int) -> dict[str, bytes]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, bytes]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, bytes] | list[dict[str, bytes]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return {"task": pickle.dumps(self._tasks[index])}


def _blocks(pending: Pending, spec: WorkSpec) -> int:
    """Blocks of tasks: one each, fewer where the tasks are tiny or very many."""
    return min(len(pending), _MAX_BLOCKS, max(1, -(-pending.rows // spec.rows_per_bundle)))


def stop_graphs() -> None:
    """End the graphs of this process and their judges, wherever they are stuck; `run_graph` then returns."""
    # Ray Data has no handle for this: a graph is its executor's thread.
    from ray.data._internal.execution.streaming_executor import StreamingExecutor

    for thread in threading.enumerate():
        if isinstance(thread, StreamingExecutor):
            thread.shutdown(force=True)


def _read(batch: pa.Table, spec: WorkSpec, ledger: Any) -> Iterator[pa.Table]:
    return bundled(_units(batch, spec, ledger), spec.rows_per_bundle, spec.bytes_per_bundle)


def _units(batch: pa.Table, spec: WorkSpec, ledger: Any) -> Iterator[tuple[int, pa.Table]]:
    for blob in batch.column("task").to_pylist():
        task = pickle.loads(blob)
        reading = read_units(task, spec)
        given_up = ""
        for unit in task.units:
            entry = _Entry(ledger, f"reading {unit.name}")
            given_up = given_up or entry.begin()
            if given_up:
                # The rest of the sweep lies behind what kills.
                yield 0, pack_unit(unit, f"cannot be read ({given_up})", dict.fromkeys(_READ))
                continue
            read = next(reading)
            entry.end()
            tables = {name: getattr(read, name) for name in _READ}
            yield unit.stop - unit.start, pack_unit(read.task, read.error, tables)


class _Judge:
    """One actor: a processor, what the ledger wants to know, and the unpacking and packing around it."""

    def __init__(self, spec: WorkSpec, ledger: Any) -> None:
        import ray

        self._ledger = ledger
        self._me = secrets.token_hex(8)
        self._gate = Gate()
        self._beat = time.monotonic()
        context = ray.get_runtime_context()
        order = ray.get(ledger.enrol.remote(context.get_actor_id(), self._me, context.get_node_id()))
        # Raised by the first unit: Ray starts an actor whose constructor fails again and again.
        self._unavailable = order.hopeless
        if self._unavailable:
            return
        try:
            self._processor = Processor(spec)
            self._processor.start()
        except (JobError, JudgeUnavailable) as error:
            self._unavailable = str(error)

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        units = unbundle(batch)
        # Together, or a bundle of one-row units would leave an engine with one trace in flight.
        made = await asyncio.gather(*(self._made(units, index) for index in range(units.num_rows)))
        yield bundle(made)

    async def _made(self, units: pa.Table, index: int) -> pa.Table:
        task, error = unit_of(units, index)
        rows, stored = (table_of(units, index, name) for name in _READ)
        made: UnitOutput | str = error
        effort = Effort()
        if not error:
            made, effort = await self._judged(ReadUnit(task, rows, stored))
        if isinstance(made, str):
            return pack_unit(task, made, dict.fromkeys(_MADE), effort=effort)
        tables = {name: getattr(made, name) for name in _MADE}
        return pack_unit(task, "", tables, made.stats.to_json(), self._processor.engine_use(), effort)

    async def _judged(self, read: ReadUnit) -> tuple[UnitOutput | str, Effort]:
        async with self._gate.together():
            order = await self._begin(read.task.name)
            if not order.alone:
                return await self._timed(read, order)
        async with self._gate.alone():
            return await self._timed(read, await self._begin(read.task.name, alone=True))

    async def _timed(self, read: ReadUnit, order: Order) -> tuple[UnitOutput | str, Effort]:
        begin = time.monotonic()
        made = await self._processed(read, order)
        return made, Effort(time.monotonic() - begin, order.attempt)

    async def _begin(self, unit: str, *, alone: bool = False) -> Order:
        order = Order(hopeless=self._unavailable)
        if not self._unavailable:
            order = cast(Order, await self._ledger.begin.remote(unit, self._me, alone=alone))
        if order.hopeless:
            raise RuntimeError(f"{_UNAVAILABLE}{json.dumps([order.hopeless])}")
        return order

    async def _processed(self, read: ReadUnit, order: Order) -> UnitOutput | str:
        if order.give_up:
            return order.give_up
        unit = read.task.name
        watch = RowWatch(finished=self._going_on, condemned=dict(order.condemned), suspects=order.suspects)
        if order.alone:
            watch.tell = lambda row, begins: self._ledger.row.remote(unit, self._me, row, begins=begins)
        try:
            made = await self._processor(read, watch)
        except JudgeDied as error:
            # An engine cannot be revived in its process; a new process gets this unit again.
            with suppress(Exception):
                await asyncio.wait_for(self._ledger.note.remote(self._me, str(error)), _LAST_WORDS_S)
            os._exit(_DIED)
        except JudgeUnavailable as error:
            raise RuntimeError(f"{_UNAVAILABLE}{json.dumps([str(error)])}") from error
        self._ledger.end.remote(unit, self._me)
        return made

    def _going_on(self) -> None:
        now = time.monotonic()
        if now - self._beat >= _BEAT_S:
            self._beat = now
            self._ledger.beat.remote()

    def __del__(self) -> None:
        if hasattr(self, "_processor"):
            self._processor.close()


_READ = ("table", "annotations")
_MADE = ("annotations", "enhanced", "rejected", "preferences", "facts")


def _write(batch: pa.Table, spec: WorkSpec, ledger: Any) -> pa.Table:
    output, units = spec.open_output(), unbundle(batch)
    results = []
    for index in range(units.num_rows):
        task, error = unit_of(units, index)
        made: UnitOutput | str = error
        if not error:
            made = UnitOutput(
                annotations=table_of(units, index, "annotations"),
                enhanced=table_of(units, index, "enhanced"),
                rejected=table_of(units, index, "rejected"),
                preferences=table_of(units, index, "preferences"),
                facts=table_of(units, index, "facts"),
                stats=UnitStats.from_json(units.column("stats")[index].as_py()),
            )
        entry = _Entry(ledger, f"writing {task.name}")
        given_up = entry.begin()
        if given_up:
            made = f"cannot be written ({given_up})"
        results.append(
            replace(
                write_unit(task, made, output, spec),
                engine=use_of(units, index),
                effort=effort_of(units, index),
            )
        )
        entry.end()
    return pa.table({"results": pa.array([pickle.dumps(results)], pa.binary())})


class _Entry:
    """A piece of work of a reading or writing task in the ledger, so that one which kills its process ends.

    Args:
        ledger: from `open_ledger`.
        work: names it, the same in every attempt.
    """

    def __init__(self, ledger: Any, work: str) -> None:
        self._ledger, self._work = ledger, work

    def begin(self) -> str:
        """Enter it; returns why it had better be given up, or an empty string."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        order: Order = ray.get(self._ledger.enter.remote(self._work, secrets.token_hex(8), node))
        return order.give_up or order.hopeless

    def end(self) -> None:
        """It is done."""
        self._ledger.leave.remote(self._work)


def _quiet() -> None:
    """Switch off Ray Data's own bars and chatter: the job has one progress line of its own."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)


def _unavailable(text: str) -> str:
    """What a judge that could not start said, out of the many lines that Ray wraps around it."""
    _, found, rest = text.partition(_UNAVAILABLE)
    if not found:
        return ""
    (message,), _ = json.JSONDecoder().raw_decode(rest)
    return str(message)
