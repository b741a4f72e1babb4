"""Guesses the roles of columns that no preset names, from what they hold and the words of their names.

The trace must be certain: tags around thinking, or cells that think aloud. The problem needs a name that says
so, or must be the only text left. What stays doubtful is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from dlcot_ray.inputs.cells import matched_names
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
    free = [one for one in _free(used, sample) if not one.is_many or one.most == 1 or _lists_truths(one)]
    named = [one for one in free if _named(one, SURE_TRUTH | {"correct"}) or _named(one, TRUTH) > 1]
    found = _best(named, TRUTH, _is_truth)
    return None if found is None else found.path


def guessed_reply(used: Collection[str], sample: Sample) -> str | None:
    """The only column of statements that its name calls a reply and nothing else; None without one.

    A name with another word may say that the reply is that of another model; a `solution` may be a person's.

    Args:
        used: columns that serve as something else.
        sample: rows of one layout.
    """
    named = [one for one in _free(used, sample) if REPLY.issuperset(words_of(one.path) or ("",))]
    replies = [one for one in named if _is_reply(one, ())]
    return replies[0].path if len(replies) == 1 and not replies[0].is_many else None


def _lists_truths(one: Holding) -> bool:
    """Whether each element of a list may be the reference: no labels of options, and no field of structs."""
    return one.path.count(".") == 1 and _named(one, SURE_TRUTH - {"label"}) > 0


def _free(used: Collection[str], sample: Sample) -> list[Holding]:
    held = [one for one in map(sample.holding, sample.places()) if one is not None and one.cells]
    return [one for one in held if one.path.partition(".")[0] not in used]


def _conversation(common: DatasetPreset, held: Sequence[Holding], sample: Sample) -> DatasetPreset | None:
    """Turns under any names, if the two sides can be told: in one column, or each in one of its own."""
    turns = [column for column in sample.turns if DISPREFERRED.isdisjoint(words_of(column.path))]
    whole = next((column for column in turns if column.users and column.assistants), None)
    found = whole or next((column for column in turns if column.assistants), None)
    if found is None:
        return None
    before = () if whole else tuple(column.path for column in turns if column.users)[:1]
    asked = None if whole or before else _problem(held, tags_of(common))
    if not (whole or before or asked):
        return None
    return replace(
        common,
        id=_path(_identity(held)),
        problem=before or _path(asked),
        messages=found.keys(prompt=before),
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
    asked = next((column.path for column in sample.turns if column.users and not column.assistants), None)
    if problem is None and asked is None:
        return None
    rest = [one for one in rest if problem is None or _single(one) != problem]
    truth = _best(rest, TRUTH, _is_truth)
    replies = [one for one in rest if one is not truth and _named(one, REPLY) and _is_reply(one, tags)]
    is_tagged = traces[0].tagged(tags) >= _MOST
    pattern = _paths(traces, sample)
    # The first is read; the others are named as not used.
    trace = pattern if "*" in pattern[0] else tuple(one.path for one in traces)
    return replace(
        common,
        id=_path(_identity(rest)),
        problem=_path(problem) or (asked or "",),
        reasoning=() if is_tagged else trace,
        tagged=trace if is_tagged else (),
        ground_truth=_path(truth),
        response=() if is_tagged else _replies(replies, traces, trace, sample),
        correctness=_correctness(sample),
    )


def _replies(
    replies: Sequence[Holding], traces: Sequence[Holding], trace: Sequence[str], sample: Sample
) -> tuple[str, ...]:
    """The reply to the trace that is read: of several traces only one that stands nearest to its own."""
    if "*" in trace[0]:
        found = _paths(replies, sample)
        # One reply cannot belong to several traces.
        return found if "*" in "".join(found) else ()
    read, others = traces[0], traces[1:]
    single = [one for one in replies if not one.is_many]
    mine = [one for one in single if all(_nearness(one, read) > _nearness(one, other) for other in others)]
    return tuple(one.path for one in sorted(mine, key=lambda one: -_nearness(one, read)))[:1]


def _nearness(one: Holding, other: Holding) -> int:
    """How many words two paths begin with alike."""
    pairs = zip(words_of(one.path), words_of(other.path), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _identity(held: Iterable[Holding]) -> Holding | None:
    return _best(
        held, IDENTITY, lambda one: one.distinct == len(one.cells) and one.filled >= 1 and not one.is_many
    )


def _traces(held: Iterable[Holding], tags: tuple[str, ...]) -> list[Holding]:
    """The columns of traces, best first: of thinking alone before whole replies, named so before others.

    The elements of a list may be the steps of one trace: only tags tell that each is a trace of its own.
    Texts that begin with a mark may have marks of an unknown kind around their thinking.
    """
    texts = [one for one in held if not (one.is_flag or one.is_listing or _named(one, DISPREFERRED))]
    tagged = [one for one in texts if one.tagged(tags) >= _MOST]
    plain = [
        one for one in texts if one.thinks and one not in tagged and not one.is_many and not one.is_marked
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
    return tuple(path for path in sample.flags() if not CORRECTNESS.isdisjoint(words_of(path)))


def _problem(held: Iterable[Holding], tags: tuple[str, ...]) -> Holding | None:
    single = [_single(one) for one in held if not one.is_conversation and (not one.is_many or one.most == 1)]
    texts = [one for one in single if not one.is_flag and one.filled >= _MOST and one.tagged(tags) < _MOST]
    named = [one for one in texts if _named(one, PROBLEM)]
    if named:
        best = max(named, key=lambda one: (_named(one, PROBLEM), one.distinct))
        alike = [one for one in named if one is not best and _are_alike(one, best)]
        return None if alike else best
    texts = [one for one in texts if not _named(one, REPLY)]
    asking = [one for one in texts if one.share(lambda text: "?" in text[-200:]) >= _MOST]
    found = asking or texts
    return found[0] if len(found) == 1 else None


def _are_alike(one: Holding, other: Holding) -> bool:
    """Whether two places differ only in a number, or in the struct around them: it may hold several rows."""
    plain = [_NUMBER.sub("", held.path) for held in (one, other)]
    leaves = [path.rpartition(".")[2] for path in plain]
    return plain[0] == plain[1] or ("." in plain[0] and "." in plain[1] and leaves[0] == leaves[1])


def _single(one: Holding) -> Holding:
    """A list of one element as that element."""
    return replace(one, path=one.path.replace(".*", ".0")) if one.is_many else one


def _is_truth(one: Holding) -> bool:
    name = one.path.removeprefix("reward_model.")
    if (
        one.is_code
        or one.states
        or not NO_TRUTH.isdisjoint(words_of(name))
        or _is_category(one)
        or ".*." in one.path
    ):
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
