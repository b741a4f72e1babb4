"""Turn raw long chain-of-thought traces into better distillation data, at any scale.

    import dlcot_ray as dlcot

    trace = dlcot.Trace("1", problem, reasoning, ground_truth="42")
    annotation = dlcot.annotate(trace)
    result = dlcot.enhance(trace, annotation, "keep_first")
    print(result.reasoning)
    print(dlcot.diff(trace, result))

The names are imported when they are first used, so that ``import dlcot_ray`` costs nothing in a worker
that needs only a part of the package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dlcot_ray.api import Enhanced, Session, annotate, annotate_many, diff, enhance
    from dlcot_ray.core.annotation import Annotation
    from dlcot_ray.core.diff import Diff
    from dlcot_ray.core.trace import Trace
    from dlcot_ray.inputs.conversations.channels import thinking_to_field
    from dlcot_ray.inputs.conversations.rendered import masked_ranges

__all__ = [
    "Annotation",
    "Diff",
    "Enhanced",
    "Session",
    "Trace",
    "__version__",
    "annotate",
    "annotate_many",
    "diff",
    "enhance",
    "masked_ranges",
    "thinking_to_field",
]

_HOMES = {
    "Annotation": "core.annotation",
    "Diff": "core.diff",
    "Trace": "core.trace",
    "masked_ranges": "inputs.conversations.rendered",
    "thinking_to_field": "inputs.conversations.channels",
}


if not TYPE_CHECKING:
    # Hidden from type checkers, which would otherwise accept any name of the module.
    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
