"""Policies: what to do with a judged trace. One registry; expressions combine names with ``+``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import partial

from dlcot_ray.core.policies.base import Drops, Policy, PolicyError, PolicyFunction, options_float
from dlcot_ray.core.policies.redundancy import (
    delete_multi,
    earliest_correct_prefix,
    keep_first,
    keep_one_per_cluster,
)

__all__ = ["POLICIES", "Drops", "Policy", "PolicyError", "parse_policy"]

POLICIES: Mapping[str, PolicyFunction] = {
    "keep_one_per_cluster": keep_one_per_cluster,
    "delete_multi_all": partial(delete_multi, last=None),
    "keep_first": keep_first,
    "earliest_correct_prefix": earliest_correct_prefix,
}
_DELETE_LAST = re.compile(r"delete_multi_([1-9]\d?)")
_OPTIONS = ("min_keep",)


def parse_policy(expression: str, options: Mapping[str, object] | None = None) -> Policy:
    """Parse e.g. ``keep_one_per_cluster`` or ``delete_multi_2+earliest_correct_prefix``.

    Raises:
        PolicyError: unknown policy or option; the message names the nearest known one.
    """
    options = options or {}
    for key in options:
        if key not in _OPTIONS:
            raise PolicyError(f"unknown policy option {key!r}; known: {', '.join(_OPTIONS)}")
    parts = tuple(_function(name.strip()) for name in expression.split("+"))
    return Policy(expression, parts, options_float(options, "min_keep", 0.02))


def _function(name: str) -> PolicyFunction:
    if name in POLICIES:
        return POLICIES[name]
    if match := _DELETE_LAST.fullmatch(name):
        return partial(delete_multi, last=int(match[1]))
    known = [*POLICIES, "delete_multi_1", "delete_multi_2"]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise PolicyError(f"unknown policy {name!r}{hint} (known: {', '.join(sorted(known))})")
