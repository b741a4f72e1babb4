"""Spreads a function over chunks of a list: in this process, or in tasks on Ray.

For work without an engine, such as computing features. Results keep the order of the items. A task whose node
is lost runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dlcot_ray.cluster.nodes import ray_reason, start_ray, stop_ray
from dlcot_ray.errors import JobError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 64
"""Items of one task."""

MANY = 1000
"""Items from which starting Ray takes less time than it saves."""


def spread(
    function: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    where: str,
    address: str | None,
    progress: Callable[[int], None],
) -> list[Result]:
    """The results of `function` over all items.

    Args:
        function: gets a chunk and gives one result for each of its items; it can be pickled.
        where: ``here``, ``ray``, or ``auto``: on Ray from `MANY` items on.
        address: of the Ray cluster, as `start_ray` takes it.
        progress: gets the number of items that are done.

    Raises:
        JobError: the cluster cannot be reached, or stopped working.
    """
    chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]
    if where == "here" or (where == "auto" and len(items) < MANY):
        found: list[Result] = []
        for chunk in chunks:
            found += function(chunk)
            progress(len(found))
        return found
    return _on_ray(function, chunks, address, progress)


def _on_ray(
    function: Callable[[Sequence[Item]], list[Result]],
    chunks: Sequence[Sequence[Item]],
    address: str | None,
    progress: Callable[[int], None],
) -> list[Result]:
    import ray

    ours = start_ray(address)
    try:
        task: Any = ray.remote(function)
        found: list[Result] = []
        for reference in [task.remote(chunk) for chunk in chunks]:
            found += ray.get(reference)
            progress(len(found))
        return found
    except ray.exceptions.RayError as error:
        raise JobError(f"Ray stopped working ({ray_reason(error)})", "run again") from error
    finally:
        if ours:
            stop_ray()
