"""Policy expressions and their settings; rules that hold for every policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.annotation import Label
from dlcot_ray.core.policies.base import MIN_KEEP, ErrorMode, PolicyError, UnsolvedMode
from dlcot_ray.core.policies.baselines import HELP
from dlcot_ray.core.policies.by_score import HELP as SCORED_HELP
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, POLICIES, parse_policy, policy_help
from tests.support.annotations import AFFIRMS, CORRECT, OPEN, WRONG, annotated, dropped

LINES = [f"line {i}" for i in range(8)]


def test_policies_combine_by_union() -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1), (4, 6, CORRECT, 0)]
    assert dropped("keep_one_per_cluster+keep_first", LINES, approaches, conclusion=6) == {2, 3, 4, 5}
    assert dropped("clean_local", LINES, approaches, conclusion=6) == set()
    assert dropped("keep_first + clean_local", LINES, approaches, conclusion=6) == {2, 3, 4, 5}


def test_the_default_keeps_the_trunk_without_repetition_and_one_check() -> None:
    approaches = [(0, 1, OPEN, 0), (1, 2, OPEN, 0), (2, 4, CORRECT, 1), (5, 6, CORRECT, 2)]
    checks = [(4, 5, 2, 0)]
    assert dropped(DEFAULT_POLICY, LINES, approaches, checks, kinds=(AFFIRMS,), conclusion=6) == {1, 5}


def test_a_typo_names_the_nearest_policy_option_or_choice() -> None:
    with pytest.raises(PolicyError, match="did you mean 'keep_first'"):
        parse_policy("keep_frist")
    with pytest.raises(PolicyError, match="did you mean 'min_keep'"):
        parse_policy("keep_first", {"min_kep": 0.1})
    with pytest.raises(PolicyError, match="errors must be one of keep, delete, repair, got 'fix'"):
        parse_policy("keep_first", {"errors": "fix"})
    with pytest.raises(PolicyError, match="from 0 to 1"):
        parse_policy("keep_first", {"min_keep": 2})


def test_settings_are_read() -> None:
    policy = parse_policy("keep_first+preference_pairs", {"errors": "delete", "unsolved": "flag"})
    assert (policy.errors, policy.unsolved) == (ErrorMode.DELETE, UnsolvedMode.FLAG)
    assert policy.preference_pairs
    assert not parse_policy("keep_first").preference_pairs


def test_every_policy_has_one_line_of_help_and_can_be_parsed() -> None:
    lines = policy_help()
    assert lines.keys() == {
        *POLICIES, *HELP, *SCORED_HELP, "delete_multi_N", "as_readers", "preference_pairs", "loss_spans",
    }  # fmt: skip
    assert all(line and "\n" not in line for line in lines.values())
    for name in [*POLICIES, "delete_multi_3", "as_readers", "preference_pairs"]:
        assert parse_policy(name).min_keep == MIN_KEEP


LABELS = st.sampled_from([CORRECT, WRONG, OPEN, Label.UNKNOWN])


@given(
    st.lists(st.tuples(LABELS, st.integers(0, 11), st.integers(0, 2)), max_size=12),
    st.sampled_from([*POLICIES, "delete_multi_1", "delete_multi_2", DEFAULT_POLICY]),
    st.booleans(),
)
def test_no_policy_ever_drops_the_only_correct_approach(
    parts: list[tuple[Label, int, int]], name: str, truncated: bool
) -> None:
    approaches, checks, at = [], [], 0
    for i, (label, cluster, checked) in enumerate(parts):
        approaches.append((at, at + 2, label, cluster))
        checks += [(at + 2 + n, at + 3 + n, i, n) for n in range(checked)]
        at += 2 + checked
    lines = [f"line {i}" for i in range(at + 1)]
    _, annotation = annotated(lines, approaches, checks, conclusion=at, truncated=truncated)
    drops = parse_policy(name).drops(annotation)
    assert set(drops) <= set(range(len(lines)))
    assert all(drops.values())
    correct = [a for a in annotation.approaches if a.label is CORRECT]
    if len(correct) == 1 and not name.startswith("delete_multi"):
        stop = correct[0].answer_segment
        assert stop is not None
        assert not set(drops) & set(range(correct[0].start, stop + 1))
