"""Whether all cases of a series stay, all entries of a numbered list, and all questions of the task.

In: a text, the offsets of its segments and what an edit takes out. Out: what is dropped though its neighbours
stay, in words that name segment and thing, or an empty string. Linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.gating.wholeness import Cut

_HEAD = re.compile(
    r"^[^\w\n]{0,8}(?:(?:now|next|then|finally|so|and|for|in|consider|first|second|third|lastly|sub)[\s,:-]+){0,3}"
    r"\b(?P<noun>case|subcase|scenario|possibility|situation|option|choice|part)\s+"
    r"[*(\[$\\]{0,4}(?P<label>\d{1,2}|[ivxIVX]{1,4}|[A-Ha-h])\b(?!['’])",
    re.IGNORECASE | re.MULTILINE,
)
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


@dataclass(frozen=True, slots=True)
class CaseHead:
    """The beginning of one case: how it is called, its number from 1, and its segment."""

    name: str
    number: int
    segment: int


@lru_cache(maxsize=8)
def _heads(text: str) -> tuple[tuple[int, str, str], ...]:
    """The beginnings of cases at the start of a line: place, noun and label."""
    return tuple((m.start("noun"), m["noun"].lower(), m["label"]) for m in _HEAD.finditer(text))


def case_heads(text: str, offsets: Sequence[int]) -> Iterator[tuple[str, CaseHead]]:
    """The beginnings of cases, with the noun that numbers them."""
    for start, noun, label in _heads(text):
        yield noun, CaseHead(f"{noun} {label}", _number(label), bisect_right(offsets, start) - 1)


def _number(label: str) -> int:
    if label.isdigit():
        return int(label)
    low = label.lower()
    return _ROMAN.index(low) + 1 if low in _ROMAN else ord(low[0]) - ord("a") + 1


def incomplete_cases(text: str, offsets: Sequence[int], cut: Cut) -> str:
    """Which case is dropped while others of the same series stay, or an empty string.

    A series counts upwards from its first number without a step over two; a lower number starts a new one.
    """
    if not cut.gone:
        return ""
    for start, words in _task_parts(text):
        if (segment := bisect_right(offsets, start) - 1) in cut.gone:
            return f"{words} of the task (segment {segment}) is dropped"
    if fault := _broken_list(text, offsets, cut) or _lost_sign(text, offsets, cut):
        return fault
    series: dict[str, list[CaseHead]] = {}
    for noun, head in case_heads(text, offsets):
        before = series.get(noun, [])
        if before and head.number == before[-1].number:
            continue
        if not before or head.number < before[-1].number or head.number > before[-1].number + 2:
            series[noun] = [head]
            continue
        before.append(head)
        if (before[-2].segment in cut.gone) != (head.segment in cut.gone):
            lost, left = (before[-2], head) if before[-2].segment in cut.gone else (head, before[-2])
            return (
                f"{lost.name} (segment {lost.segment}) is dropped, {left.name} (segment {left.segment}) stays"
            )
    return ""


_ENTRY = re.compile(r"^[ \t]*[*_]{0,2}(?P<number>\d{1,2})[.)][ \t]+(?=\S)", re.MULTILINE)
_LEAST_ENTRIES = 3
"""Entries of a numbered list that stay before one that may not go; two may be steps of another list."""


@lru_cache(maxsize=8)
def _entries(text: str) -> tuple[tuple[int, int], ...]:
    """The entries of numbered lists: place and number."""
    return tuple((match.start("number"), int(match["number"])) for match in _ENTRY.finditer(text))


def _broken_list(text: str, offsets: Sequence[int], cut: Cut) -> str:
    """Which entry of a numbered list is dropped though the entries before it stay, or an empty string."""
    before, kept = 0, 0
    for start, number in _entries(text):
        segment = bisect_right(offsets, start) - 1
        if number != before + 1:
            before, kept = (number, 0) if number == 1 else (0, 0)
            if number != 1:
                continue
        gone = segment in cut.gone
        if gone and kept >= _LEAST_ENTRIES:
            return f"entry {number} of a list (segment {segment}) is dropped, entry {number - 1} stays"
        before, kept = number, 0 if gone else kept + 1
    return ""


_TASK_PART = re.compile(
    r"^[^\w\n]{0,8}(?P<words>(?:sub-?problem|sub-?question|question) (?:[2-9]|[b-hB-H]))\W{0,4}[:.]",
    re.IGNORECASE | re.MULTILINE,
)
"""The heading of a further question of the task."""


@lru_cache(maxsize=8)
def _task_parts(text: str) -> tuple[tuple[int, str], ...]:
    return tuple((match.start("words"), match["words"]) for match in _TASK_PART.finditer(text))


_BOTH_SIGNS = re.compile(
    r"(?<![\w\\])(?P<name>[a-zA-Z](?:_\w)?)\s?=\s?(?:±|\\pm)\s?(?P<value>\d{1,6}|\\sqrt\{?\d{1,6}\}?|√\d{1,6})(?!\d|\.\d|[\^/*])"
)
"""A quantity that has a value with both signs."""
_MOST_SIGNS = 20


def _lost_sign(text: str, offsets: Sequence[int], cut: Cut) -> str:
    """Which sign of a quantity that has two values is dropped though the other one stays, or an empty string.

    "d = ±4; take d = 4 first" announces the case d = -4.
    """
    found = {(m["name"], m["value"]): m.start() for m in _BOTH_SIGNS.finditer(text)}
    for (name, value), start in list(found.items())[:_MOST_SIGNS]:
        if bisect_right(offsets, start) - 1 in cut.gone:
            continue
        plus, minus = (_segments_with(text, offsets, start, name, f"{sign}{value}") for sign in ("", "-"))
        for lost, left, sign in ((minus, plus, "-"), (plus, minus, "")):
            if lost and lost <= cut.gone and not left <= cut.gone:
                return f"{name} = {sign}{value} (segment {min(lost)}) is dropped, the other sign stays"
    return ""


def _segments_with(text: str, offsets: Sequence[int], start: int, name: str, value: str) -> set[int]:
    """The segments from place `start` on that give a quantity a value."""
    number = re.escape(value).replace(r"\-", r"[-−]\s?")
    found = re.compile(rf"(?<![\w\\]){re.escape(name)}\s?=\s?{number}(?!\d|\.\d)").finditer(text, start)
    return {bisect_right(offsets, match.start()) - 1 for match in found}
