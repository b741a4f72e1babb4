"""Chooses the layout of a sample, or refuses to guess.

Every preset of `auto` is settled on the sample and reads it. The preset that makes traces of most rows wins;
among equals the first of the order does. Where none fits, the columns are guessed from what they hold. A
guess that does not fit half of the rows is refused with the two nearest layouts, because the job would reject
the other rows one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlcot_ray.core.markup import find_control_word
from dlcot_ray.errors import REMEDIES
from dlcot_ray.inputs.cells import describe
from dlcot_ray.inputs.columns import NoFlags, used_columns
from dlcot_ray.inputs.layouts.fitting import ANOTHER_TRACE, Fit, fit
from dlcot_ray.inputs.layouts.guessing import guessed_presets, guessed_reply, guessed_truth
from dlcot_ray.inputs.layouts.sample import Holding, Sample
from dlcot_ray.inputs.layouts.unread import unread_columns
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.readers.protocol import without_bad_lines

LEAST_SHARE = 0.5
"""Share of the sampled rows that a guessed layout must make traces of."""
_WRONG_TYPE = ", expected "
"""Part of the message of a column that has the wrong type."""
_EXAMPLE = 'thinking: [["**Thinking:**", "**Answer:**"]]'
_EQUAL = 0.1
"""A layout of a higher place in the order wins if it fits nearly as many rows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The layout of a sample.

    Attributes:
        fit: of the layout that was chosen, or of the nearest one.
        near: the next ones that fit at all, best first.
        refusal: why no layout was chosen; empty if one was.
        remedy: what the user can do about a refusal.
    """

    fit: Fit
    near: tuple[Fit, ...] = ()
    refusal: str = ""
    remedy: str = ""


def choose_layout(preset: DatasetPreset, sample: Sample, label: str) -> Choice:
    """The layout of a sample.

    Args:
        preset: `auto`, or a preset that the user named. That one is settled and never refused for its share.
        sample: rows of one layout.
        label: names the file in messages.
    """
    try:
        return _chosen(preset, sample, label)
    except NoFlags as fault:
        unread = Fit(preset, None, rows=sample.rows, problem=fault.message)
        return Choice(unread, (), fault.message, fault.remedy)


def _chosen(preset: DatasetPreset, sample: Sample, label: str) -> Choice:
    if not preset.order:
        return Choice(fit(preset, sample, label, named=True))
    fits = [fit(item, sample, label) for item in preset.order if item.is_detected(sample.table.schema)]
    best = _best_share(fits)
    if best < LEAST_SHARE:
        fits += [fit(guess, sample, label) for guess in guessed_presets(preset, sample)]
        best = _best_share(fits)
    ranked = sorted(
        (item for item in fits if item.columns is not None), key=lambda item: item.share < best - _EQUAL
    )
    if best >= LEAST_SHARE:
        chosen = _with_replies(ranked)
        others = (item for item in ranked if item is not chosen and item.share >= LEAST_SHARE)
        return Choice(_with_reply(_with_truth(chosen, sample, label), sample, label), tuple(others)[:2])
    nearest = sorted(ranked, key=lambda item: -item.share)[:2]
    unread = Fit(preset, None, rows=sample.rows, problem="no preset has its columns")
    return Choice(
        nearest[0] if nearest else unread,
        tuple(nearest[1:]),
        _refusal(nearest, fits, sample),
        _remedy(nearest, fits, sample),
    )


def _with_replies(ranked: Sequence[Fit]) -> Fit:
    """The first layout; one that reads as many rows, and finds the visible replies that the first lacks."""
    first = ranked[0]
    if any(trace.response for trace in first.traces):
        return first
    problems = [trace.problem for trace in first.traces]
    for item in ranked[1:]:
        replies = sum(bool(trace.response) for trace in item.traces)
        if replies * 2 > len(problems) and [trace.problem for trace in item.traces] == problems:
            return item
    return first


def _remedy(nearest: Sequence[Fit], fits: Sequence[Fit], sample: Sample) -> str:
    """What helps against the commonest fault of the nearest layout, or a preset that names the columns."""
    own = "set dataset= to a preset, or to a YAML file that names the columns (docs: Bring your data)"
    turns = (item.columns.messages for item in nearest if item.columns is not None)
    if odd := unread_columns(sample, {column.path.column for column in turns if column is not None}):
        return f"{odd}; or {own}"
    faults = nearest[0].faults if nearest else {}
    cause = max(faults, key=lambda cause: faults[cause], default="")
    if cause in REMEDIES:
        return f"{REMEDIES[cause]}; or {own}"
    if nearest:
        return own
    if any(_WRONG_TYPE in item.problem for item in fits):
        return f"convert the column; or {own}"
    if _is_rendered(sample):
        return "turn the rendered conversations into lists of messages (role, content): no preset reads them"
    if any(one.thinks and one.is_marked for one in _held(sample)):
        return f"list the marks around the thinking as thinking: in a YAML file ({_EXAMPLE}), and {own}"
    return own


def _held(sample: Sample) -> list[Holding]:
    return [one for one in map(sample.holding, sample.places()) if one is not None]


def _is_rendered(sample: Sample) -> bool:
    """Whether the only long text of the rows is a conversation that a chat template has rendered."""
    held = [one for one in _held(sample) if one.length > 100]
    return len(held) == 1 and held[0].share(lambda text: find_control_word(text) is not None) >= LEAST_SHARE


def _with_truth(chosen: Fit, sample: Sample, label: str) -> Fit:
    """A layout without a reference also takes one under a name that it does not list."""
    columns, preset = chosen.columns, chosen.preset
    if columns is None or columns.ground_truth is not None:
        return chosen
    truth = guessed_truth(used_columns(columns), sample)
    return chosen if truth is None else fit(replace(preset, ground_truth=(truth,)), sample, label)


def _with_reply(chosen: Fit, sample: Sample, label: str) -> Fit:
    """A layout of thinking without a reply also takes the only one under a name that it does not list."""
    columns, preset = chosen.columns, chosen.preset
    if columns is None or columns.reasoning is None or columns.response is not None or columns.is_many:
        return chosen
    if any(trace.response for trace in chosen.traces) or ANOTHER_TRACE in chosen.left_out.values():
        return chosen
    reply = guessed_reply(used_columns(columns), sample)
    return chosen if reply is None else fit(replace(preset, response=(reply,)), sample, label)


def _best_share(fits: Sequence[Fit]) -> float:
    return max((item.share for item in fits), default=0.0)


def _refusal(nearest: list[Fit], fits: list[Fit], sample: Sample) -> str:
    has = f"it has {describe(without_bad_lines(sample.table).schema)}"
    if not nearest:
        tried = "; ".join(f"{item.preset.name}: {item.problem}" for item in fits[:2])
        return f"no layout fits its columns ({tried or 'none has these names'}); {has}"
    shown = " and ".join(_told(item) for item in nearest)
    return f"no layout fits half of {sample.rows} sampled rows; the nearest: {shown}; {has}"


def _told(item: Fit) -> str:
    why = max(item.messages, key=lambda cause: item.faults[cause], default="")
    reason = f", else {item.messages[why]}" if why else ""
    return f"{item.preset.name} ({item.fitting} rows{reason})"
