"""The counts of a work unit, which add up to those of the job.

They travel in each unit's Parquet metadata, so a resumed job gets the totals of what it does not redo
from a few bytes per unit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

Counts = tuple[tuple[str, int], ...]
"""Sorted (word, how often) pairs; a tuple, because a frozen record must hash and compare."""

Examples = tuple[tuple[str, str, str], ...]
"""Sorted (gate, trace id, what the gate found)."""

MOST_EXAMPLES = 3
"""Traces that are named per gate: the first by id, so that the order of the units does not matter."""
_LONGEST_DETAIL = 120


SHORTEST_CLASS = 256
"""Upper end of the first class of lengths (tokens)."""


@dataclass(frozen=True, slots=True)
class UnitStats:
    """Counts of one unit, or of several added up.

    Without several traces in a row, `rows` = enhanced + unchanged + rejected. With several, these three count
    traces, and so does `by_passed`: together they are all traces of the rows.

    Attributes:
        rows: input rows.
        enhanced, unchanged, rejected: traces by status; a row that is no trace counts as one rejected.
        tokens_before, tokens_after: of the reasoning of rows that were not rejected.
        prefill, cached, decode: the judge's tokens (zero for `rules`).
        by_judge: rows judged, by the judge that decided (in a cascade: which of the two).
        by_step: of each step of the method, ``step.prefill``, ``.cached``, ``.decode`` (tokens),
            ``.questions``, ``.reasked`` and ``.failed`` (traces whose answer the rules supplied instead).
        by_passed: generations that the settings did not choose, by reason.
        by_cause: rejected rows by cause.
        by_reason: rows that were not rejected, by status reason (empty reasons are left out).
        by_label: approaches by label.
        by_gate: gates that stopped a policy's first choice, by name.
        by_gate_passed: gates that let the first choice pass, by name.
        gate_examples: up to `MOST_EXAMPLES` traces for each gate of `by_gate`.
        by_seam: loose ends at the cuts, as ``kind:closed``.
        by_length: rows that were not rejected, by the class of lengths (`length_class`) of their reasoning,
            as ``before:1024`` and ``after:512``.
        by_error: located errors in what the policy keeps, by what became of them.
        unsolved: rows that do not arrive at their reference, whatever became of them.
        pairs: preference pairs written.
        without_messages: rows of `enhanced/` whose `messages` are null.
        writer_prefill, writer_cached, writer_decode: what repairs and bridges cost.
    """

    rows: int = 0
    enhanced: int = 0
    unchanged: int = 0
    rejected: int = 0
    tokens_before: int = 0
    tokens_after: int = 0
    prefill: int = 0
    cached: int = 0
    decode: int = 0
    by_judge: Counts = ()
    by_step: Counts = ()
    by_passed: Counts = ()
    by_cause: Counts = ()
    by_reason: Counts = ()
    by_label: Counts = ()
    by_gate: Counts = ()
    by_gate_passed: Counts = ()
    gate_examples: Examples = ()
    by_seam: Counts = ()
    by_error: Counts = ()
    by_length: Counts = ()
    unsolved: int = 0
    pairs: int = 0
    without_messages: int = 0
    writer_prefill: int = 0
    writer_cached: int = 0
    writer_decode: int = 0

    @property
    def traces(self) -> int:
        """Traces and rejected rows: enhanced + unchanged + rejected."""
        return self.enhanced + self.unchanged + self.rejected

    def __add__(self, other: UnitStats) -> UnitStats:
        values: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name == _EXAMPLES:
                values[field.name] = examples((*mine, *theirs))
            else:
                values[field.name] = _merged(mine, theirs) if isinstance(mine, tuple) else mine + theirs
        return UnitStats(**values)

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        content = {
            key: dict(value) if isinstance(value, tuple) and key != _EXAMPLES else value
            for key, value in asdict(self).items()
        }
        content[_EXAMPLES] = examples_by_gate(self.gate_examples)
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> UnitStats:
        """The stats that `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        content = json.loads(text)
        known = {field.name for field in fields(cls)}
        named = content.pop(_EXAMPLES, {}) if isinstance(content, dict) else None
        if not isinstance(named, dict) or not known.issuperset(content):
            raise ValueError("not the JSON of unit stats")
        values: dict[str, Any] = {
            key: counts(value) if isinstance(value, dict) else value for key, value in content.items()
        }
        found = examples((gate, name, detail) for gate, items in named.items() for name, detail in items)
        return cls(**values, gate_examples=found)


_EXAMPLES = "gate_examples"
_WORDS = tuple(f.name for f in fields(UnitStats) if f.default == () and f.name != _EXAMPLES)
_PLAIN = tuple(field.name for field in fields(UnitStats) if field.default == 0)


def add_up(stats: Iterable[UnitStats]) -> UnitStats:
    """The sum of many; quicker than adding one by one."""
    plain = dict.fromkeys(_PLAIN, 0)
    words: dict[str, dict[str, int]] = {name: {} for name in _WORDS}
    shown: Examples = ()
    for item in stats:
        if item.gate_examples:
            shown = examples((*shown, *item.gate_examples))
        for name in _PLAIN:
            plain[name] += getattr(item, name)
        for name, total in words.items():
            for word, number in getattr(item, name):
                total[word] = total.get(word, 0) + number
    values: dict[str, Any] = {**plain, **{name: counts(total) for name, total in words.items()}}
    return UnitStats(**values, gate_examples=shown)


def length_class(tokens: int) -> int:
    """The upper end of the class of lengths that `tokens` belongs to: 256, 512, 1024, ..."""
    limit = SHORTEST_CLASS
    while limit < tokens:
        limit *= 2
    return limit


def counts(words: Iterable[str] | dict[str, int]) -> Counts:
    """How often each word occurs, sorted by word; empty words are left out."""
    return tuple(sorted((word, number) for word, number in Counter(words).items() if word))


def examples(found: Iterable[tuple[str, str, str]]) -> Examples:
    """The first traces of each gate by id; what a gate found is one short line."""
    kept: dict[str, int] = {}
    shown = []
    for gate, name, detail in sorted({(gate, name, _line(detail)) for gate, name, detail in found}):
        kept[gate] = kept.get(gate, 0) + 1
        if kept[gate] <= MOST_EXAMPLES:
            shown.append((gate, name, detail))
    return tuple(shown)


def examples_by_gate(found: Examples) -> dict[str, list[list[str]]]:
    """Gate -> [trace id, what the gate found], as JSON holds it."""
    named: dict[str, list[list[str]]] = {}
    for gate, name, detail in found:
        named.setdefault(gate, []).append([name, detail])
    return named


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 3]}..."


def _merged(one: Counts, other: Counts) -> Counts:
    return counts(dict(Counter(dict(one)) + Counter(dict(other))))
