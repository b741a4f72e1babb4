"""Fits a preset to what the columns of a sample hold.

A preset lists candidates by name. Names promise more than columns hold: `reasoning` may be an on/off flag,
`answer` may be a value or the whole visible reply, `response` may be the reply with its thinking. So a
candidate stays only where its cells can serve. A user's own list with one name is held to the same rules, but
for one: what a user names as the only column of traces need not think aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dlcot_ray.core.markup import families_with
from dlcot_ray.inputs.layouts.sample import Holding, Sample
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.words import SURE_TRUTH, names_thinking, words_of

_REFERENCES = SURE_TRUTH | {"solution"}


def settle(preset: DatasetPreset, sample: Sample, *, named: bool = False) -> DatasetPreset:
    """The preset with those candidates that can serve, the better ones first.

    A column that is listed as ground truth and as response is the ground truth where it holds values, and the
    response where it holds statements. One that is listed as reasoning and as tagged is what its tags say.

    Args:
        preset: with one or several candidates for each field.
        sample: rows of the file.
        named: the user named the preset. The only column that it has for traces need not think aloud.
    """
    tags = tags_of(preset)
    only = preset.reasoning if named and len({*preset.reasoning, *preset.tagged}) == 1 else ()
    both = frozenset(preset.ground_truth) & frozenset(preset.response)
    replies = frozenset(preset.tagged)
    return replace(
        preset,
        id=_kept(preset.id, sample, lambda held: held.share(_is_truth_value) < 1),
        problem=_kept(preset.problem, sample, lambda held: not held.is_conversation),
        context=_kept(preset.context, sample, lambda held: True),
        reasoning=_kept(
            preset.reasoning,
            sample,
            lambda held: (
                _can_be_reasoning(held, is_sure=held.path in only)
                and not held.is_listing
                and not (held.path in replies and held.tagged(tags) >= 0.5)
            ),
        ),
        tagged=_kept(preset.tagged, sample, lambda held: held.tagged(tags) > 0 and not held.is_listing),
        ground_truth=_values_first(
            _kept(preset.ground_truth, sample, lambda held: _can_be_truth(held, held.path in both)), sample
        ),
        response=_kept(
            preset.response,
            sample,
            lambda held: _can_be_reply(held, tags, held.path in both),
        ),
    )


def why_unused(path: str, preset: DatasetPreset, settled: DatasetPreset, sample: Sample) -> str:
    """Why `settle` left out a candidate; empty if it did not."""
    fields = ("problem", "reasoning", "tagged", "ground_truth", "response")
    left_out = [
        name for name in fields if path in getattr(preset, name) and path not in getattr(settled, name)
    ]
    held = sample.holding(path)
    if not left_out or held is None:
        return ""
    if not held.cells:
        return "empty"
    if held.is_listing and "ground_truth" not in left_out:
        return "lists or objects as text"
    if "reasoning" in left_out:
        return "a few short words, no trace" if held.is_flag else "does not think aloud"
    if "tagged" in left_out:
        return "no thinking tags"
    if held.is_code:
        return "code"
    if held.tagged(tags_of(preset)) >= 0.5:
        return "whole replies with their thinking"
    return "statements, no values" if held.states else "values, no reply"


def tags_of(preset: DatasetPreset) -> tuple[str, ...]:
    """All tags around thinking that the preset or every preset knows, but for plain words."""
    known = [
        (family.opening, family.closing) for family in families_with(preset.thinking) if not family.leads
    ]
    return tuple(tag for pair in known for tag in pair)


def _kept(paths: Sequence[str], sample: Sample, test: Callable[[Holding], bool]) -> tuple[str, ...]:
    """The paths whose filled cells pass a test; a path that is no text stays, for its own error message."""
    found = []
    for path in paths:
        held = sample.holding(path)
        if held is None or (held.cells and test(held)):
            found.append(path)
    return tuple(found)


def _is_truth_value(text: str) -> bool:
    return text in ("True", "False")


def _can_be_reasoning(held: Holding, *, is_sure: bool) -> bool:
    """A column that is called after thinking may think in any words; another one must think aloud."""
    return not held.is_flag and (is_sure or names_thinking(held.path) or held.thinks)


def _can_be_truth(held: Holding, is_reply_too: bool) -> bool:
    """A statement is no value to compare with, unless the column's name says that it is the reference."""
    is_named = not _REFERENCES.isdisjoint(words_of(held.path)) and not is_reply_too
    return not held.is_code and (is_named or not held.states)


def _can_be_reply(held: Holding, tags: Sequence[str], is_truth_too: bool) -> bool:
    return held.tagged(tags) < 0.5 and not held.is_conversation and (not is_truth_too or held.states)


def _values_first(paths: Sequence[str], sample: Sample) -> tuple[str, ...]:
    """Bare values are compared with more certainty than worked solutions."""

    def states(path: str) -> bool:
        held = sample.holding(path)
        return held is not None and held.states

    return tuple(sorted(paths, key=states))
