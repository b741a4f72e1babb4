"""Build the sample shards in `examples/` from the hand-written traces in `examples/traces/`.

The texts are kept one per Markdown file, because a person has to read and correct them; the Parquet
files are derived and committed, so that the demo needs no build step. The price is that the two can
drift apart, which `tests/test_examples.py` refuses. The build is a pure function of the texts: rows in
file-name order, a fixed number of rows per shard, no clock, no random numbers.

Run `python examples/make_shards.py` after a change to a text.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

EXAMPLES = Path(__file__).resolve().parent
SOURCE = "dlcot-ray/examples"
ROWS_PER_SHARD = 7
# Chosen to differ in length, style and notation, and to be complete: a chat row has one visible answer.
CHAT_IDS = (
    "divisible-by-48",
    "foot-of-the-altitude",
    "hilly-road",
    "seven-odd-numbers",
    "sum-divisible-by-three",
)
TEACHERS = frozenset(
    {
        "r1-style",
        "r1-distill-style",
        "qwq-style",
        "qwen3-style",
        "gpt-oss-style",
        "gemini-style",
        "skyt1-style",
    }
)
OUTCOMES = frozenset({"correct", "wrong", "unfinished", "open"})
# Where a conclusion is looked for: a boxed line plus the sentence before it.
TAIL_CHARS = 600

PLAIN_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("id", "source", "teacher", "problem", "reasoning")
    ]
    + [pa.field(name, pa.string()) for name in ("response", "ground_truth")]
)
MESSAGE = pa.struct(
    [pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string(), nullable=False)]
)
CHAT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("messages", pa.list_(MESSAGE), nullable=False),
        pa.field("ground_truth", pa.string()),
    ]
)


class SampleError(ValueError):
    """A sample trace is malformed; the message names the file and what to correct."""


@dataclass(frozen=True, slots=True)
class SampleTrace:
    """One hand-written trace.

    Attributes:
        trace_id: unique among the samples.
        teacher: the family of models whose manner the text imitates; no model wrote it.
        problem: the question.
        reasoning: the thinking text.
        outcome: ``correct``, ``wrong`` (ends in a false answer), ``unfinished`` (cut off, or lost in a
            loop) or ``open`` (the problem has no ground truth).
        shows: one line for readers: what the trace is an example of.
        response: the visible answer after the thinking, or None.
        ground_truth: the true final answer, or None for an open problem.
        final: the answer that the trace concludes with, or None where it does not conclude.
        slips: every false arithmetic claim, quoted exactly from the reasoning.
    """

    trace_id: str
    teacher: str
    problem: str
    reasoning: str
    outcome: str
    shows: str
    response: str | None = None
    ground_truth: str | None = None
    final: str | None = None
    slips: tuple[str, ...] = ()


def parse_trace(text: str, name: str) -> SampleTrace:
    """Read one trace: TOML between two `+++` lines, then the parts after `<!-- problem -->` and so on.

    Args:
        text: the whole file.
        name: the file's name, for messages.

    Raises:
        SampleError: the layout, a field or the text is not as it must be.
    """
    opening, separator, rest = text.partition("+++\n")
    head, closing, body = rest.partition("+++\n")
    if opening or not separator or not closing:
        raise SampleError(f"{name}: must open with TOML between two lines '+++'")
    try:
        fields: dict[str, Any] = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise SampleError(f"{name}: front matter is not TOML: {error}") from error

    allowed = {"id", "teacher", "ground_truth", "outcome", "final", "slips", "shows"}
    if unknown := sorted(set(fields) - allowed):
        raise SampleError(f"{name}: unknown field {unknown[0]!r}; known are {', '.join(sorted(allowed))}")
    slips = fields.pop("slips", [])
    if not isinstance(slips, list) or not all(isinstance(v, str) for v in [*fields.values(), *slips]):
        raise SampleError(f"{name}: every field must be a string, and slips a list of strings")
    if missing := sorted({"id", "teacher", "outcome", "shows"} - set(fields)):
        raise SampleError(f"{name}: field {missing[0]!r} is missing")

    parts = _parts(body, name)
    trace = SampleTrace(
        trace_id=fields["id"],
        teacher=fields["teacher"],
        problem=parts["problem"],
        reasoning=parts["reasoning"],
        outcome=fields["outcome"],
        shows=fields["shows"],
        response=parts.get("response"),
        ground_truth=fields.get("ground_truth"),
        final=fields.get("final"),
        slips=tuple(slips),
    )
    _check(trace, name)
    return trace


def _parts(body: str, name: str) -> dict[str, str]:
    """The text under each `<!-- part -->` line; the order is fixed, the response may be absent."""
    parts: dict[str, str] = {}
    rest = body
    for part in ("response", "reasoning", "problem"):
        rest, mark, after = rest.partition(f"<!-- {part} -->\n")
        if mark:
            parts[part] = after.strip("\n")
            if not parts[part].strip():
                raise SampleError(f"{name}: the {part} is empty")
        elif part != "response":
            raise SampleError(f"{name}: the line '<!-- {part} -->' is missing or out of order")
    if rest.strip():
        raise SampleError(f"{name}: text before '<!-- problem -->' belongs to no part")
    return parts


def _check(trace: SampleTrace, name: str) -> None:
    """Raise SampleError where fields and text contradict each other."""
    problems = [
        (trace.teacher not in TEACHERS, f"teacher {trace.teacher!r} is not one of {sorted(TEACHERS)}"),
        (trace.outcome not in OUTCOMES, f"outcome {trace.outcome!r} is not one of {sorted(OUTCOMES)}"),
        (
            (trace.outcome == "open") != (trace.ground_truth is None),
            "ground_truth must be given exactly for the outcomes other than open",
        ),
        (
            (trace.outcome in ("correct", "wrong")) != (trace.final is not None),
            "final must be given exactly for the outcomes correct and wrong",
        ),
        (
            trace.final is not None and trace.final not in trace.reasoning[-TAIL_CHARS:],
            f"final {trace.final!r} is not in the last {TAIL_CHARS} characters of the reasoning",
        ),
        (trace.final is not None and trace.response is None, "a concluded trace needs a response"),
    ]
    problems += [
        (trace.reasoning.count(slip) != 1, f"slip {slip!r} must occur exactly once in the reasoning")
        for slip in trace.slips
    ]
    for part in (trace.problem, trace.reasoning, trace.response or ""):
        problems += [
            ("<think>" in part or "</think>" in part, "the text contains a think tag"),
            (unicodedata.normalize("NFC", part) != part, "the text is not in Unicode normal form C"),
            ("\r" in part or "\t" in part, "the text contains a tab or a carriage return"),
        ]
    for wrong, message in problems:
        if wrong:
            raise SampleError(f"{name}: {message}")


def load_traces(folder: Path) -> list[SampleTrace]:
    """All traces of `folder` (`*.md`), in the order of their file names.

    Raises:
        SampleError: a file is malformed, two have the same id, or there is none.
    """
    traces: list[SampleTrace] = []
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.md")):
        trace = parse_trace(path.read_text(encoding="utf-8"), path.name)
        if trace.trace_id in seen:
            raise SampleError(f"{path.name}: id {trace.trace_id!r} is already used by {seen[trace.trace_id]}")
        seen[trace.trace_id] = path.name
        traces.append(trace)
    if not traces:
        raise SampleError(f"{folder}: no *.md files")
    return traces


def plain_table(traces: Sequence[SampleTrace]) -> pa.Table:
    """One row per trace in plain columns (`PLAIN_SCHEMA`)."""
    rows = [
        {
            "id": trace.trace_id,
            "source": SOURCE,
            "teacher": trace.teacher,
            "problem": trace.problem,
            "reasoning": trace.reasoning,
            "response": trace.response,
            "ground_truth": trace.ground_truth,
        }
        for trace in traces
    ]
    return pa.Table.from_pylist(rows, schema=PLAIN_SCHEMA)


def chat_table(traces: Sequence[SampleTrace]) -> pa.Table:
    """The traces of `CHAT_IDS` as chats of two messages, the thinking between think tags.

    Raises:
        SampleError: one of `CHAT_IDS` is not among the traces, or has no response.
    """
    by_id = {trace.trace_id: trace for trace in traces}
    rows = []
    for trace_id in CHAT_IDS:
        trace = by_id.get(trace_id)
        if trace is None or trace.response is None:
            raise SampleError(f"{trace_id}: the chat shard needs this trace, with a response")
        answer = f"<think>\n{trace.reasoning}\n</think>\n\n{trace.response}"
        messages = [{"role": "user", "content": trace.problem}, {"role": "assistant", "content": answer}]
        rows.append({"id": trace_id, "messages": messages, "ground_truth": trace.ground_truth})
    return pa.Table.from_pylist(rows, schema=CHAT_SCHEMA)


def build_tables(traces: Sequence[SampleTrace]) -> dict[str, pa.Table]:
    """Every Parquet file of the examples: relative path to table."""
    tables = {
        f"shards/sample-{index:05d}.parquet": plain_table(traces[start : start + ROWS_PER_SHARD])
        for index, start in enumerate(range(0, len(traces), ROWS_PER_SHARD))
    }
    tables["chat/sample-chat-00000.parquet"] = chat_table(traces)
    return tables


def write_tables(tables: dict[str, pa.Table], out: Path) -> list[Path]:
    """Write the tables below `out` and remove shards of an earlier, larger set; return what was written."""
    written = []
    for relative, table in tables.items():
        path = out / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd", compression_level=9)
        written.append(path)
    for folder in sorted({path.parent for path in written}):
        for stale in sorted(set(folder.glob("sample-*.parquet")) - set(written)):
            stale.unlink()
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """Regenerate the shards; returns the exit status."""
    parser = argparse.ArgumentParser(description="Regenerate the sample shards from examples/traces.")
    parser.add_argument("--traces", type=Path, default=EXAMPLES / "traces", help="folder of the texts")
    parser.add_argument("--out", type=Path, default=EXAMPLES, help="folder that gets shards/ and chat/")
    args = parser.parse_args(argv)
    try:
        tables = build_tables(load_traces(args.traces))
        written = write_tables(tables, args.out)
    except (SampleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, table in zip(written, tables.values(), strict=True):
        print(f"{path}: {table.num_rows} rows, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
