"""Guesses the roles of columns that no preset names, from what they hold and the words of their names.

The trace must be certain: tags around thinking, or cells that think aloud. The problem needs a name that says
so, or must be the only text left. What stays doubtful is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from dlcot_ray.inputs.cells import is_list, matched_names
from dlcot_ray.inputs.layouts.sample import Holding, Sample
from dlcot_ray.inputs.layouts.settling import tags_of
from dlcot_ray.inputs.layouts.texts import is_switch
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.replies.splitting import Delimiters
from dlcot_ray.inputs.words import (
    ANSWER,
    CORRECTNESS,
    DISPREFERRED,
    IDENTITY,
    NO_TRUTH,
    PROBLEM,
    REPLY,
    SURE_TRUTH,
    THINKING,
    TRUTH,
    words_of,
)

GUESSED = "by_content"
"""The name of a guessed preset."""
_MOST = 0.5
_NUMBER = re.compile(r"\d+")
_FEW = 6
"""With fewer cells nothing is known about how often values repeat."""
_OPTION = re.compile(r"\W*(?:[A-Ja-j]|yes|no|true|false)\W*", re.IGNORECASE)


def guessed_presets(auto: DatasetPreset, sample: Sample) -> list[DatasetPreset]:
    """Presets made from the sample itself: of a conversation, and of columns that hold trace and problem.

    Args:
        auto: its presets know the tags.
        sample: rows of one layout.
    """
    thinking = _all_pairs(item.thinking for item in auto.order)
    common = DatasetPreset(
        name=GUESSED,
        description="Guessed from what the columns hold.",
        thinking=thinking,
        solution=_all_pairs(item.solution for item in auto.order),
        choices=auto.choices,
    )
    held = [one for one in map(sample.holding, sample.places()) if one is not None and one.cells]
    found = (_conversation(common, held, sample), _columns(common, held, sample))
    return [preset for preset in found if preset is not None]


def guessed_truth(used: Collection[str], sample: Sample) -> str | None:
    """A column of values that its name calls a reference; None without one.

    Args:
        used: columns that serve as something else.
        sample: rows of one layout.
    """
    held = [one for one in map(sample.holding, sample.places()) if one is not None and one.cells]
    free = [one for one in held if one.path.partition(".")[0] not in used]
    found = _best(free, SURE_TRUTH | {"correct"}, _is_truth)
    return None if found is None else found.path


def _conversation(common: DatasetPreset, held: Sequence[Holding], sample: Sample) -> DatasetPreset | None:
    """A list of turns under any names, if the two sides can be told."""
    names = [name for name in sample.table.schema.names if DISPREFERRED.isdisjoint(words_of(name))]
    keys = next(filter(None, map(sample.conversation, names)), None)
    if keys is None:
        return None
    return replace(
        common,
        id=_path(_identity(held)),
        messages=keys,
        ground_truth=_path(_best(held, TRUTH, _is_truth)),
    )


def _columns(common: DatasetPreset, held: Sequence[Holding], sample: Sample) -> DatasetPreset | None:
    """Columns of their own for trace and problem; None where one of both cannot be told."""
    tags = tags_of(common)
    traces = _traces(held, tags)
    if not traces:
        return None
    rest = [one for one in held if one not in traces]
    problem = _problem(rest, tags)
    if problem is None:
        return None
    rest = [one for one in rest if one is not problem]
    truth = _best(rest, TRUTH, _is_truth)
    replies = [one for one in rest if one is not truth and _named(one, REPLY) and _is_reply(one, tags)]
    is_tagged = traces[0].tagged(tags) >= _MOST
    trace, reply = _paths(traces, sample), _paths(replies, sample)
    if "*" in "".join(trace) and "*" not in "".join(reply):
        # One reply cannot belong to several traces.
        reply = ()
    return replace(
        common,
        id=_path(_identity(rest)),
        problem=_path(problem),
        reasoning=() if is_tagged else trace,
        tagged=trace if is_tagged else (),
        ground_truth=_path(truth),
        response=() if is_tagged else reply,
        correctness=_correctness(sample),
    )


def _identity(held: Iterable[Holding]) -> Holding | None:
    return _best(held, IDENTITY, lambda one: one.distinct == len(one.cells) and one.filled >= 1)


def _traces(held: Iterable[Holding], tags: tuple[str, ...]) -> list[Holding]:
    """The columns of traces, best first: of thinking alone before whole replies, named so before others.

    The elements of a list may be the steps of one trace: only tags tell that each is a trace of its own.
    Texts that begin with a mark may have marks of an unknown kind around their thinking.
    """
    texts = [one for one in held if not one.is_flag and not _named(one, DISPREFERRED)]
    tagged = [one for one in texts if one.tagged(tags) >= _MOST]
    plain = [
        one
        for one in texts
        if one.thinks and one not in tagged and not one.path.endswith(".*") and not one.is_marked
    ]
    return sorted(plain or tagged, key=lambda one: (-_named(one, THINKING), -one.length))


def _paths(held: Sequence[Holding], sample: Sample) -> tuple[str, ...]:
    """A pattern of columns where all have one and it names no other column; else the first one's path."""
    paths = [one.path for one in held]
    first = paths[0] if len(paths) > 1 else ""
    for pattern in (_NUMBER.sub("*", first, count=1), "*" + first[first.find("_") :]):
        if first and pattern.count("*") == 1:
            matched = matched_names(sample.table.schema, pattern)
            if sorted(matched.values()) == sorted(paths):
                return (pattern,)
    return tuple(paths[:1])


def _correctness(sample: Sample) -> tuple[str, ...]:
    """Lists of truth values whose names say that they grade generations."""
    return tuple(
        field.name
        for field in sample.table.schema
        if is_list(field.type)
        and pa.types.is_boolean(field.type.value_type)
        and not CORRECTNESS.isdisjoint(words_of(field.name))
    )


def _problem(held: Iterable[Holding], tags: tuple[str, ...]) -> Holding | None:
    texts = [one for one in held if not one.is_flag and one.filled >= _MOST and one.tagged(tags) < _MOST]
    named = [one for one in texts if _named(one, PROBLEM)]
    if named:
        return max(named, key=lambda one: (_named(one, PROBLEM), one.distinct))
    texts = [one for one in texts if not _named(one, REPLY)]
    asking = [one for one in texts if one.share(lambda text: "?" in text[-200:]) >= _MOST]
    found = asking or texts
    return found[0] if len(found) == 1 else None


def _is_truth(one: Holding) -> bool:
    if one.is_code or one.states or _named(one, NO_TRUTH) or _is_category(one):
        return False
    if one.share(is_switch) == 1 and not _named(one, SURE_TRUTH):
        # A flag such as `is_correct`.
        return bool(_named(one, ANSWER))
    # A bare value under a name such as `final` or `answer`, or under one that only references have.
    return one.length <= 200


def _is_category(one: Holding) -> bool:
    """Whether a few values repeat that are no options and no yes or no, such as the class of a row."""
    if len(one.cells) < _FEW or one.distinct * 3 > len(one.cells):
        return False
    return one.share(lambda text: _OPTION.fullmatch(text) is not None) < 1


def _is_reply(one: Holding, tags: tuple[str, ...]) -> bool:
    return one.states and one.tagged(tags) < _MOST and not _named(one, SURE_TRUTH)


def _best(held: Iterable[Holding], words: frozenset[str], test: Callable[[Holding], bool]) -> Holding | None:
    """The first column of those whose names have most of the words and that pass the test."""
    found = [one for one in held if _named(one, words) and test(one)]
    return max(found, key=lambda one: (_named(one, SURE_TRUTH), _named(one, words)), default=None)


def _named(one: Holding, words: frozenset[str]) -> int:
    return len(words.intersection(words_of(one.path)))


def _path(one: Holding | None) -> tuple[str, ...]:
    return () if one is None else (one.path,)


def _all_pairs(groups: Iterable[tuple[Delimiters, ...]]) -> tuple[Delimiters, ...]:
    return tuple(dict.fromkeys(pair for group in groups for pair in group))
