"""The Ray Data graph: read -> judge -> write, streamed, with one row per work unit.

A unit travels as one row, tiny ones bundled (`wire.py`). Each row is a block of its own, so that units reach
the judges as they are read. Judges are actors (`judge_actor.py`); reading and writing are tasks beside them
(`io_tasks.py`). Ray restarts every process that is gone and gives it its work again, without end, because
nodes come and go. So each phase asks the ledger (`ledger.py`) before it starts a unit: it quarantines units
that crash their workers.
"""

from __future__ import annotations

import gc
import logging
import pickle
import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast, overload

from dlcot_ray.cluster.hosted_judge import unavailable_judge
from dlcot_ray.cluster.io_tasks import read_bundles, write_bundle
from dlcot_ray.cluster.judge_actor import JudgeActor
from dlcot_ray.cluster.ledger.ledger import Ledger
from dlcot_ray.cluster.nodes import IO_CPUS, Workers, alive_nodes, ray_reason
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.results import UnitResult
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.work.spec import WorkSpec

_CONCURRENT_UNITS = 2
"""Units that a judge processes at once where it has traces in flight: the end of one overlaps the start of
the next."""
_QUEUED = 2
"""Units at each judge by units in work, so that it never waits for the scheduler. Ray adds judges where this
figure is above 1.75."""
_MAX_BLOCKS = 2_000
"""Blocks of read tasks; each is an object that the driver stores before anything starts."""


def open_ledger(max_crashes: int) -> Any:
    """The run's ledger: an actor on the driver's node, because without the driver it is of no use."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Ledger)
    return actor.remote(max_crashes, alive_nodes)


def run_graph(pending: Pending, spec: WorkSpec, workers: Workers, ledger: Any) -> Iterator[UnitResult]:
    """Process the units of `pending`; yields one result each as they are finished, in any order.

    Args:
        pending: units to process.
        spec: the job's settings for workers.
        workers: size of the pool of judges.
        ledger: from `open_ledger`.

    Raises:
        JobError: Ray gave up, or the judge is unavailable.
    """
    import ray

    _configure_ray_data()
    failure: JobError | None = None
    try:
        graph = _graph(pending, spec, workers, ledger)
        for batch in graph.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for blob in batch.column("results").to_pylist():
                yield from cast("list[UnitResult]", pickle.loads(blob))
    except ray.exceptions.RayError as error:
        failure = unavailable_judge(error) or JobError(
            f"Ray stopped the job ({ray_reason(error)})", "run again: what is finished is kept"
        )
    if failure is not None:
        # A judge of a failed graph lives on, and holds its CPUs and GPUs, while anything refers to it. The
        # frames of Ray's error do, so the failure is raised outside the `except` block.
        gc.collect()
        raise failure


def stop_graphs() -> None:
    """Stop the graphs of this process and their judges, wherever they hang; `run_graph` then returns."""
    # Ray Data has no handle for this: a graph is its executor's thread.
    from ray.data._internal.execution.streaming_executor import StreamingExecutor

    for thread in threading.enumerate():
        if isinstance(thread, StreamingExecutor):
            thread.shutdown(force=True)


def _graph(pending: Pending, spec: WorkSpec, workers: Workers, ledger: Any) -> Any:
    """The lazy data set of results."""
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    concurrent = _CONCURRENT_UNITS if spec.in_flight > 1 else 1
    judges = ActorPoolStrategy(
        min_size=workers.ready,
        max_size=workers.count,
        max_tasks_in_flight_per_actor=concurrent * _QUEUED,
        max_concurrent_calls_per_actor=concurrent,
    )
    whole_rows = {"batch_size": 1, "batch_format": "pyarrow"}
    io_tasks: dict[str, Any] = {
        **whole_rows,
        "fn_args": (spec, ledger),
        "compute": TaskPoolStrategy(size=max(1, workers.count // 4)),
        "num_cpus": IO_CPUS,
    }
    tasks = ray.data.from_items(
        cast("list[Any]", _PackedTasks(pending)), override_num_blocks=_block_count(pending, spec)
    )
    judged = tasks.map_batches(read_bundles, **io_tasks).map_batches(
        JudgeActor,
        **whole_rows,
        fn_constructor_args=(spec, ledger),
        compute=judges,
        num_cpus=workers.cpus,
        num_gpus=workers.gpus or None,
        accelerator_type=workers.accelerator_type,
    )
    return judged.map_batches(write_bundle, **io_tasks)


class _PackedTasks(Sequence[dict[str, bytes]]):
    """Pickled tasks, made one by one: Ray stores one block of them before it asks for the next."""

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


def _block_count(pending: Pending, spec: WorkSpec) -> int:
    """Blocks of tasks: one for each task, fewer where the tasks are tiny or very many."""
    return min(len(pending), _MAX_BLOCKS, max(1, -(-pending.rows // spec.rows_per_bundle)))


def _configure_ray_data() -> None:
    """One block per row; no progress bars, log lines or deadline of Ray Data's own."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)
    # Ray Data counts blocks, and a block is a unit. Finished rows are progress too: see supervision.py.
    context.execution_no_progress_timeout_s = -1
    # Smaller than any row, so that each row becomes a block.
    context.target_max_block_size = 1
