"""Real Ray nodes on this machine that can be killed: a head for the driver, and two nodes for one judge each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class FaultCluster:
    """A head node, and two nodes with room for one judge each."""

    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        # `autoscaler` adds nodes in a thread, where Python cannot set a signal handler.
        ray._private.utils.set_sigterm_handler = lambda handler: None
        self._ray = ray
        self._killed: list[Any] = []
        # The kernel kills a node when the thread that started it ends, so one lasting thread starts them all.
        self._starter = ThreadPoolExecutor(1, "nodes")
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        self.nodes = [self.add_node(), self.add_node()]
        self.address = str(self._cluster.address)
        ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")

    def add_node(self) -> Any:
        """Add a node with room for one judge."""
        return self._starter.submit(self._cluster.add_node, num_cpus=2).result()

    def kill_node(self, node: Any) -> None:
        """Kill a node's raylet, as a power cut would; its workers then exit by themselves."""
        (raylet,) = node.all_processes["raylet"]
        raylet.process.kill()
        raylet.process.wait()
        self.nodes.remove(node)
        self._killed.append(node)

    def settle(self) -> None:
        """Wait until all CPUs are free and there are two nodes, so that all rounds start alike."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            for node in [node for node in self.nodes if node.dead_processes()]:
                self.nodes.remove(node)
                self._killed.append(node)
            while self._killed:
                self._cluster.remove_node(self._killed.pop(), allow_graceful=False)
            while len(self.nodes) < 2:
                self.nodes.append(self.add_node())
            total, free = self._ray.cluster_resources(), self._ray.available_resources()
            if total.get("CPU") == 5 and free.get("CPU") == 5:
                return
            time.sleep(0.2)
        raise RuntimeError(f"the cluster did not settle: {free} of {total} is free")

    def stop(self) -> None:
        """Stop all nodes."""
        self._ray.shutdown()
        self._cluster.shutdown()
        self._starter.shutdown()


@contextmanager
def autoscaler(cluster: FaultCluster, runs: bool) -> Iterator[None]:
    """Add a node for each one that is gone, as an autoscaler does, if `runs`."""
    stopped = threading.Event()

    def replace_nodes() -> None:
        while not stopped.wait(0.2):
            if len(cluster.nodes) < 2:
                cluster.nodes.append(cluster.add_node())

    keeper = threading.Thread(target=replace_nodes, daemon=True)
    if runs:
        keeper.start()
    try:
        yield
    finally:
        stopped.set()
        if runs:
            keeper.join()
