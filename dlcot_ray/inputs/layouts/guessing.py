"""Guesses the roles of columns that no preset names, from what they hold and the words of their names.

The trace must be certain: tags around thinking, or cells that think aloud. The problem needs a name that says
so, or must be the only text left. What stays doubtful is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dlcot_ray.inputs.layouts.sample import Holding, Sample
from dlcot_ray.inputs.layouts.words import (
    IDENTITY,
    NO_TRUTH,
    PROBLEM,
    REPLY,
    SURE_TRUTH,
    THINKING,
    TRUTH,
    words_of,
)
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.thinking import Delimiters

GUESSED = "by_content"
"""The name of a guessed preset."""
_MOST = 0.5


def guessed_preset(auto: DatasetPreset, sample: Sample) -> DatasetPreset | None:
    """A preset made from the sample itself; None where trace or problem cannot be told.

    Args:
        auto: its presets know the tags.
        sample: rows of one layout.
    """
    thinking = _all_pairs(item.thinking for item in auto.order)
    solution = _all_pairs(item.solution for item in auto.order)
    held = [one for one in map(sample.holding, sample.places()) if one is not None and one.cells]
    tags = tuple(tag for pair in thinking for tag in pair)
    trace = _trace(held, tags)
    if trace is None:
        return None
    rest = [one for one in held if one is not trace]
    problem = _problem(rest, tags)
    if problem is None:
        return None
    rest = [one for one in rest if one is not problem]
    truth = _best(rest, TRUTH, _is_truth)
    reply = _best(rest, REPLY, lambda one: one is not truth and _is_reply(one, tags))
    identity = _best(rest, IDENTITY, lambda one: one.distinct == len(one.cells) and one.filled >= 1)
    is_tagged = trace.tagged(tags) >= _MOST
    return DatasetPreset(
        name=GUESSED,
        description="Guessed from what the columns hold.",
        id=_path(identity),
        problem=_path(problem),
        reasoning=() if is_tagged else _path(trace),
        tagged=_path(trace) if is_tagged else (),
        ground_truth=_path(truth),
        response=() if is_tagged else _path(reply),
        correctness=tuple(dict.fromkeys(path for item in auto.order for path in item.correctness)),
        thinking=thinking,
        solution=solution,
        choices=auto.choices,
    )


def _trace(held: Iterable[Holding], tags: tuple[str, ...]) -> Holding | None:
    """The column of the trace: one of thinking alone before one of whole replies; the longest of several."""
    texts = [one for one in held if not one.is_flag]
    tagged = [one for one in texts if one.tagged(tags) >= _MOST]
    plain = [one for one in texts if one.thinks and one not in tagged]
    found = plain or tagged
    return max(found, key=lambda one: (_named(one, THINKING), one.length), default=None)


def _problem(held: Iterable[Holding], tags: tuple[str, ...]) -> Holding | None:
    texts = [one for one in held if not one.is_flag and one.filled >= _MOST and one.tagged(tags) < _MOST]
    named = [one for one in texts if _named(one, PROBLEM)]
    if named:
        return max(named, key=lambda one: (_named(one, PROBLEM), one.distinct))
    asking = [one for one in texts if one.share(lambda text: "?" in text[-200:]) >= _MOST]
    found = asking or texts
    return found[0] if len(found) == 1 else None


def _is_truth(one: Holding) -> bool:
    if one.is_code or one.states or _named(one, NO_TRUTH):
        return False
    # A bare value under a name such as `final` or `answer`, or under one that only references have.
    return one.length <= 200


def _is_reply(one: Holding, tags: tuple[str, ...]) -> bool:
    return one.states and one.tagged(tags) < _MOST and not _named(one, SURE_TRUTH)


def _best(held: Iterable[Holding], words: frozenset[str], test: Callable[[Holding], bool]) -> Holding | None:
    """The first column of those whose names have most of the words and that pass the test."""
    found = [one for one in held if _named(one, words) and test(one)]
    return max(found, key=lambda one: _named(one, words), default=None)


def _named(one: Holding, words: frozenset[str]) -> int:
    return len(words.intersection(words_of(one.path)))


def _path(one: Holding | None) -> tuple[str, ...]:
    return () if one is None else (one.path,)


def _all_pairs(groups: Iterable[tuple[Delimiters, ...]]) -> tuple[Delimiters, ...]:
    return tuple(dict.fromkeys(pair for group in groups for pair in group))
