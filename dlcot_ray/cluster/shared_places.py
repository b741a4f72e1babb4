"""Whether the nodes of a cluster see the local places of a job: a path is another folder on each machine.

A shared file system cannot be told from a local one by its path. So every node is asked for files that the
driver sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlcot_ray.errors import JobError

_MOST_NODES = 32
"""Most nodes that are asked; the others are alike."""
_ANSWER_S = 60.0
"""How long the nodes may take to answer, all together (seconds)."""


def check_shared(places: Mapping[str, str]) -> None:
    """Check that all nodes of the attached cluster see the same local files.

    Nothing is asked on a single node. A node that does not answer in time is not judged.

    Args:
        places: path of a file that exists -> the place that it belongs to, for messages.

    Raises:
        JobError: a node does not see one of them.
    """
    import ray

    nodes = {str(node["NodeID"]): str(node["NodeName"]) for node in ray.nodes() if node["Alive"]}
    if len(nodes) < 2 or not places:
        return
    paths = list(places)
    asked = {_ask(node, paths): name for node, name in list(nodes.items())[:_MOST_NODES]}
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_S)
    for answer in answered:
        try:
            seen: Sequence[bool] = ray.get(answer)
        except ray.exceptions.RayError:
            # The node went away; the job goes on without it.
            continue
        check_seen(asked[answer], seen, places)


def check_seen(node: str, seen: Sequence[bool], places: Mapping[str, str]) -> None:
    """Refuse a place that a node does not see.

    Args:
        node: name of the node.
        seen: for each of `places`, in order, whether the node sees the file.
        places: as for `check_shared`.

    Raises:
        JobError: it does not see one.
    """
    for is_seen, place in zip(seen, places.values(), strict=True):
        if not is_seen:
            raise JobError(
                f"{place} is a local path that node {node} of the cluster does not see",
                "use object storage, or a file system that all nodes mount at this path",
            )


def look(paths: Sequence[str]) -> list[bool]:
    """Whether each of the paths is a file here."""
    return [Path(path).is_file() for path in paths]


def _ask(node: str, paths: Sequence[str]) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # No CPU, so that busy nodes answer too.
    task = ray.remote(num_cpus=0, max_retries=0)(look)
    here = NodeAffinitySchedulingStrategy(node, soft=False)
    return task.options(scheduling_strategy=here).remote(list(paths))
