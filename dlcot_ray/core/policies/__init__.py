"""Policies: what to do with a judged trace. One registry; expressions combine names with ``+``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import partial

from dlcot_ray.core.policies.base import (
    CorrectedMode,
    Drops,
    ErrorMode,
    Policy,
    PolicyError,
    PolicyFunction,
    UnsolvedMode,
    options_choice,
    options_float,
)
from dlcot_ray.core.policies.parts import Checks, clean_local, drop_incorrect_branches, drop_verification
from dlcot_ray.core.policies.redundancy import delete_multi, keep_one_per_cluster
from dlcot_ray.core.policies.trunk import earliest_correct_prefix, keep_first, keep_first_plus_check

__all__ = [
    "DEFAULT_POLICY",
    "POLICIES",
    "PREFERENCE_PAIRS",
    "CorrectedMode",
    "Drops",
    "ErrorMode",
    "Policy",
    "PolicyError",
    "UnsolvedMode",
    "parse_policy",
]

DEFAULT_POLICY = "keep_one_per_cluster+keep_first_plus_check"
"""The trunk without its repetitions, one check, the conclusion."""

POLICIES: Mapping[str, PolicyFunction] = {
    "keep_one_per_cluster": keep_one_per_cluster,
    "delete_multi_all": partial(delete_multi, last=None),
    "keep_first": keep_first,
    "keep_first_plus_check": keep_first_plus_check,
    "earliest_correct_prefix": earliest_correct_prefix,
    "drop_verification": partial(drop_verification, which=Checks.ALL),
    "drop_verification_redundant": partial(drop_verification, which=Checks.REDUNDANT),
    "drop_verification_negating": partial(drop_verification, which=Checks.NEGATING),
    "drop_incorrect_branches": drop_incorrect_branches,
    "clean_local": clean_local,
}
PREFERENCE_PAIRS = "preference_pairs"
"""Drops nothing: asks for original and enhanced as pairs (DPO) beside the other outputs."""

_DELETE_LAST = re.compile(r"delete_multi_([1-9]\d?)")
_OPTIONS = ("min_keep", "errors", "corrected", "unsolved")


def parse_policy(expression: str, options: Mapping[str, object] | None = None) -> Policy:
    """Parse e.g. ``keep_one_per_cluster`` or ``delete_multi_2+drop_incorrect_branches``.

    Raises:
        PolicyError: unknown policy or option; the message names the nearest known one.
    """
    options = options or {}
    for key in options:
        if key not in _OPTIONS:
            near = difflib.get_close_matches(key, _OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise PolicyError(f"unknown policy option {key!r}{hint} (known: {', '.join(_OPTIONS)})")
    names = [name.strip() for name in expression.split("+")]
    return Policy(
        expression,
        tuple(_function(name) for name in names if name != PREFERENCE_PAIRS),
        min_keep=options_float(options, "min_keep", 0.02),
        errors=options_choice(options, "errors", ErrorMode.KEEP),
        corrected=options_choice(options, "corrected", CorrectedMode.KEEP),
        unsolved=options_choice(options, "unsolved", UnsolvedMode.KEEP),
        preference_pairs=PREFERENCE_PAIRS in names,
    )


def _function(name: str) -> PolicyFunction:
    if name in POLICIES:
        return POLICIES[name]
    if match := _DELETE_LAST.fullmatch(name):
        return partial(delete_multi, last=int(match[1]))
    known = [*POLICIES, "delete_multi_1", "delete_multi_2", PREFERENCE_PAIRS]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise PolicyError(f"unknown policy {name!r}{hint} (known: {', '.join(sorted(known))})")
