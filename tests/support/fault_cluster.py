"""Real Ray nodes on this machine that can be lost: a head for the driver, two nodes with room for one judge each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class FaultCluster:
    """A head node and two nodes that take one judge each."""

    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        # A node is also added from a thread of ours, where no signal handler can be set.
        ray._private.utils.set_sigterm_handler = lambda handler: None
        self._ray = ray
        self._lost: list[Any] = []
        # The kernel ends a node with the thread that started it: one that lasts starts them all.
        self._starter = ThreadPoolExecutor(1, "nodes")
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        self.nodes = [self.add_node(), self.add_node()]
        self.address = str(self._cluster.address)
        ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")

    def add_node(self) -> Any:
        """Another node with room for one judge."""
        return self._starter.submit(self._cluster.add_node, num_cpus=2).result()

    def lose(self, node: Any) -> None:
        """End a node's raylet, as a power cut would; its workers find themselves alone and end too."""
        (raylet,) = node.all_processes["raylet"]
        raylet.process.kill()
        raylet.process.wait()
        self.nodes.remove(node)
        self._lost.append(node)

    def settle(self) -> None:
        """Wait until all is free and two nodes are there, so that rounds start alike."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            for node in [node for node in self.nodes if node.dead_processes()]:
                self.nodes.remove(node)
                self._lost.append(node)
            while self._lost:
                self._cluster.remove_node(self._lost.pop(), allow_graceful=False)
            while len(self.nodes) < 2:
                self.nodes.append(self.add_node())
            total, free = self._ray.cluster_resources(), self._ray.available_resources()
            if total.get("CPU") == 5 and free.get("CPU") == 5:
                return
            time.sleep(0.2)
        raise RuntimeError(f"the cluster did not come to rest: {free} of {total}")

    def stop(self) -> None:
        """End every process of it."""
        self._ray.shutdown()
        self._cluster.shutdown()
        self._starter.shutdown()


@contextmanager
def autoscaler(cluster: FaultCluster, runs: bool) -> Iterator[None]:
    """What an autoscaler does, if it runs: a new node for each that is gone."""
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(0.2):
            if len(cluster.nodes) < 2:
                cluster.nodes.append(cluster.add_node())

    keeper = threading.Thread(target=watch, daemon=True)
    if runs:
        keeper.start()
    try:
        yield
    finally:
        stopped.set()
        if runs:
            keeper.join()
