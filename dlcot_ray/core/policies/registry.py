"""The policies by name, with a line of help each; an expression joins names with ``+``.

To add a policy, write its function in this package and add one entry to `POLICIES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from dlcot_ray.core.policies.base import (
    MIN_KEEP,
    CorrectedMode,
    ErrorMode,
    Policy,
    PolicyError,
    PolicyFunction,
    UnsolvedMode,
    options_choice,
    options_float,
)
from dlcot_ray.core.policies.baselines import HELP as BASELINE_HELP
from dlcot_ray.core.policies.baselines import baseline
from dlcot_ray.core.policies.by_score import HELP as SCORED_HELP
from dlcot_ray.core.policies.by_score import budget, ranked
from dlcot_ray.core.policies.parts import Checks, clean_local, drop_incorrect_branches, drop_verification
from dlcot_ray.core.policies.redundancy import delete_multi, keep_one_per_cluster
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.policies.trunk import earliest_correct_prefix, keep_first, keep_first_plus_check
from dlcot_ray.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """One policy: its function, and what it does in one line.

    Attributes:
        function: from an annotation to drops.
        help: the line.
        drops_loops: whether repetition loops go.
        reads_answer: whether the drops depend on where the right answer stands.
    """

    function: PolicyFunction
    help: str
    drops_loops: bool = False
    reads_answer: bool = True


DEFAULT_POLICY = "keep_one_per_cluster+keep_first_plus_check+as_readers"
"""Keeps the trunk without repeated methods, one check and the conclusion, as readers would cut."""

POLICIES: Mapping[str, PolicyEntry] = {
    "keep_one_per_cluster": PolicyEntry(
        keep_one_per_cluster,
        "keep one approach per method, and its first correct one; keep one check of the answer",
        drops_loops=True,
    ),
    "keep_first": PolicyEntry(
        keep_first, "keep everything up to the first correct approach, and the conclusion"
    ),
    "keep_first_plus_check": PolicyEntry(
        keep_first_plus_check, "keep what keep_first keeps, and the first check that affirms the answer"
    ),
    "earliest_correct_prefix": PolicyEntry(
        earliest_correct_prefix, "keep the shortest prefix that states the correct answer"
    ),
    "delete_multi_all": PolicyEntry(
        partial(delete_multi, last=None), "drop every redundant approach and check"
    ),
    "drop_verification": PolicyEntry(
        partial(drop_verification, which=Checks.ALL), "drop every check", reads_answer=False
    ),
    "drop_verification_redundant": PolicyEntry(
        partial(drop_verification, which=Checks.REDUNDANT),
        "drop checks whose method an earlier check used",
        reads_answer=False,
    ),
    "drop_verification_negating": PolicyEntry(
        partial(drop_verification, which=Checks.NEGATING), "drop checks that doubt a correct approach"
    ),
    "drop_incorrect_branches": PolicyEntry(
        drop_incorrect_branches,
        "after the first correct approach, drop wrong and unfinished approaches with their checks",
    ),
    "clean_local": PolicyEntry(
        clean_local,
        "drop repetition loops, and text after the conclusion",
        drops_loops=True,
        reads_answer=False,
    ),
}
PREFERENCE_PAIRS = "preference_pairs"
"""Drops nothing: adds an output of pairs (DPO), the original and the enhanced trace."""
LOSS_SPANS = "loss_spans"
"""Drops nothing: adds an output of whole traces, with the spans that the other policies keep."""
AS_READERS = "as_readers"
"""Moves the cut behind the answer to where careful readers would make it, by the judge's chances."""
_OUTPUTS = (PREFERENCE_PAIRS, LOSS_SPANS)
_NO_FUNCTIONS = (*_OUTPUTS, AS_READERS)

_DELETE_LAST = re.compile(r"delete_multi_([1-9]\d?)")
_OPTIONS = ("min_keep", "errors", "corrected", "unsolved")


def policy_help() -> dict[str, str]:
    """One line of help for each policy, by the name that users write."""
    return {
        **{name: entry.help for name, entry in POLICIES.items()},
        "delete_multi_N": "drop the last N redundant approaches and checks (N from 1 to 99)",
        **BASELINE_HELP,
        **SCORED_HELP,
        AS_READERS: "move the cut behind the answer to where careful readers would make it",
        PREFERENCE_PAIRS: "drop nothing; write original and enhanced as pairs to preferences/",
        LOSS_SPANS: "drop nothing; write whole traces with the spans to train on to masked/",
    }


def parse_policy(expression: str, options: Mapping[str, object] | None = None) -> Policy:
    """Parse e.g. ``keep_one_per_cluster`` or ``delete_multi_2+drop_incorrect_branches``.

    Args:
        expression: names joined with ``+``.
        options: `min_keep`, `errors`, `corrected`, `unsolved`; see `Policy`.

    Raises:
        PolicyError: unknown policy or option; the message names the nearest known one. Or a baseline is
            joined with another policy.
    """
    options = options or {}
    for key in options:
        if key not in _OPTIONS:
            raise PolicyError(f"unknown policy option {key!r}: {did_you_mean(key, _OPTIONS)}")
    names = [name.strip() for name in expression.split("+")]
    alone = next((name for name in names if baseline(name) or ranked(name)), None)
    if alone is not None and len([name for name in names if name not in _OUTPUTS]) > 1:
        raise PolicyError(f"{alone} is a baseline without gates: it cannot be joined with another policy")
    return Policy(
        expression,
        tuple(_function(name) for name in names if name not in _NO_FUNCTIONS),
        min_keep=options_float(options, "min_keep", MIN_KEEP),
        errors=options_choice(options, "errors", ErrorMode.KEEP),
        corrected=options_choice(options, "corrected", CorrectedMode.KEEP),
        unsolved=options_choice(options, "unsolved", UnsolvedMode.KEEP),
        drops_loops=any(name in POLICIES and POLICIES[name].drops_loops for name in names),
        preference_pairs=PREFERENCE_PAIRS in names,
        loss_spans=LOSS_SPANS in names,
        gated=alone is None,
        reads_answer=any(
            name not in POLICIES or POLICIES[name].reads_answer for name in names if name not in _OUTPUTS
        ),
        as_readers=AS_READERS in names,
        scores=reads_scores(expression),
    )


def reads_check_methods(expression: str) -> bool:
    """Whether a policy reads which checks use the same method."""
    names = [name.strip() for name in expression.split("+")]
    return any(name.startswith("delete_multi") or name == "drop_verification_redundant" for name in names)


def reads_scores(expression: str) -> Scores | None:
    """The scores of segments that a policy reads; None: none."""
    names = [name.strip() for name in expression.split("+")]
    read = {found[1] for name in names if (found := ranked(name)) is not None}
    if any(budget(name) for name in names):
        read.add(Scores.SURPRISAL)
    return Scores.ENTROPY if Scores.ENTROPY in read else next(iter(read), None)


def _function(name: str) -> PolicyFunction:
    if name in POLICIES:
        return POLICIES[name].function
    if match := _DELETE_LAST.fullmatch(name):
        return partial(delete_multi, last=int(match[1]))
    if (found := ranked(name)) is not None:
        return found[0]
    if (function := baseline(name) or budget(name)) is not None:
        return function
    raise PolicyError(f"unknown policy {name!r}: {did_you_mean(name, policy_help())}")
