"""Reads the units of an output: which trace belongs to which problem, and which reach their ground truth."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.commands.selecting.choosing import Candidate, Select, signature_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.conversations.homes import Home
from dlcot_ray.inputs.conversations.turns import ASSISTANTS, USERS, content_text
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.outputs.layout import ENHANCED, Output
from dlcot_ray.work.before_after import sources_of


@dataclass(frozen=True, slots=True)
class Found:
    """The traces of one unit.

    Attributes:
        problems: problem -> its traces that reach their ground truth; empty for a problem without any.
        unknown: number of traces without a ground truth, or not judged.
        wrong: number of traces that do not reach theirs.
    """

    problems: dict[bytes, list[Candidate]]
    unknown: int
    wrong: int


def read_unit(output: Output, name: str) -> pa.Table:
    """The rows of a unit.

    Raises:
        JobError: it cannot be read.
    """
    relative = f"{ENHANCED}/{name}.parquet"
    try:
        return pq.read_table(io.BytesIO(output.store.read_bytes(relative)), use_threads=False)
    except (pa.ArrowException, OSError, InputFault) as error:
        raise JobError(
            f"{output.store.url(relative)} cannot be read ({error})", "run dlcot verify"
        ) from error


def traces_by_problem(table: pa.Table, preset: DatasetPreset, name: str, unit: int, select: Select) -> Found:
    """The traces of a unit by problem.

    Args:
        table: its rows.
        preset: how they become traces.
        name: of the unit.
        unit: its number.
        select: what will be asked about them.

    Raises:
        InputFault: the preset does not fit the rows.
    """
    sources = sources_of(table, preset, name)
    names = ["input_part", "solved", "tokens_after", "enhanced_reasoning", "rsr"]
    problems: dict[bytes, list[Candidate]] = {}
    solved = []
    for number, row in enumerate(table.select(names).to_pylist()):
        solved.append(row["solved"])
        item = sources.get((number, row["input_part"]))
        if item is None or not isinstance(item.found, Trace):
            continue
        mine = problems.setdefault(problem_of(item.found, item.home), [])
        if row["solved"]:
            words = signature_of(row["enhanced_reasoning"]) if select is Select.K_DISTINCT else ()
            mine.append(Candidate(unit, number, row["tokens_after"], words, row["rsr"]))
    return Found(problems, solved.count(None), solved.count(False))


def problem_of(trace: Trace, home: Home | None) -> bytes:
    """Identity of what a trace answers (16 bytes): the question and the conversation before it."""
    asked = _spaced(trace.problem)
    before = [(side, _spaced(text)) for side, text in _before(home)]
    if before and before[-1] == ("user", asked):
        # The question itself, where it is a turn of the conversation.
        del before[-1]
    whole = asked + "".join(text for _, text in before)
    # Without a question, or with a placeholder for it, each trace is a problem of its own.
    parts: list[Any] = [asked, before] if any(map(str.isalnum, whole)) else [trace.trace_id]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def _before(home: Home | None) -> Iterator[tuple[str, str]]:
    """Side and text of everything before the reply, alike for all forms of conversations."""
    if home is None:
        return
    if home.system:
        yield "system", home.system
    turns: Any = home.turns
    if isinstance(turns, str | bytes):
        turns = json.loads(turns)
    before = turns[: home.turn] if turns is not None else home.prompt or ()
    role, content = home.keys
    for turn in before:
        if turn is None:
            continue
        side = str(turn.get(role)).lower()
        sides = {**dict.fromkeys(USERS, "user"), **dict.fromkeys(ASSISTANTS, "assistant")}
        calls = {name: turn[name] for name in ("tool_calls", "function_call") if turn.get(name)}
        said = content_text(turn.get(content)) or ""
        yield sides.get(side, side), said + (json.dumps(calls, default=str, sort_keys=True) if calls else "")


def _spaced(text: str) -> str:
    return " ".join(text.split())
