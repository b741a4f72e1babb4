"""`dlcot diff`: prints traces of an output before and after editing, segment by segment.

It needs the output alone: that has the source text and the edits, and segments are computed from the text.
To find a trace it reads only ids and statuses, so it works on a large remote output too. Of a long kept block
it prints the first and the last segment; ``--all`` prints all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from dlcot_ray.commands.viewing.options import Options, output_of
from dlcot_ray.core.diff import Block, shortened
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.segments import split_segments
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.layout import Output
from dlcot_ray.report.stored import StoredOutput, StoredTrace
from dlcot_ray.telemetry.cleaned_console import terminal

MOST_ALIKE = 20
"""Traces of one id that are shown, at most; an id repeats where check_duplicate_ids=false kept it."""
_STYLE = {"keep": "", "drop": "red strike", "replace": "green", "insert": "green bold"}


def main(words: Sequence[str]) -> int:
    """Run `dlcot diff` with its command-line arguments; returns the exit status.

    Raises:
        JobError, InputFault: the output cannot be read, or has no such trace.
        ConfigError: an option cannot be used.
    """
    parser = Options("diff", "show traces of an output before and after")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--id", help="the trace of this id")
    which.add_argument("--sample", type=int, default=1, metavar="N", help="N changed traces (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default: 0)")
    parser.add_argument("--all", action="store_true", help="show every kept segment, and segments in full")
    given = parser.read(words)
    if given is None:
        return 0
    output = output_of(given)
    console = terminal(highlight=False)
    for shown in find(output, trace_id=given.id, sample=max(given.sample, 1), seed=given.seed):
        show(shown, console, everything=given.all)
    return 0


def find(output: Output, *, trace_id: str | None = None, sample: int = 1, seed: int = 0) -> list[StoredTrace]:
    """The traces with an id, or a random sample of the changed traces (of all traces, if none is changed).

    Args:
        output: the output to read.
        trace_id: the id; None takes a sample.
        sample: size of the sample.
        seed: seed of the sample.

    Raises:
        JobError, InputFault: there is no output or no such trace, or an object cannot be read.
    """
    stored = StoredOutput(output)
    places: list[tuple[str, int, str, str]] = []
    for name in stored.units():
        table = stored.columns(name, ["trace_id", "status"])
        ids, states = table.column("trace_id").to_pylist(), table.column("status").to_pylist()
        places += [(name, row, *pair) for row, pair in enumerate(zip(ids, states, strict=True))]
    if trace_id is not None:
        chosen = [place for place in places if place[2] == trace_id][:MOST_ALIKE]
        if not chosen:
            some = ", ".join(place[2] for place in places[:3])
            raise JobError(f"{output.display_url} holds no trace {trace_id!r}", f"it holds {some}, ...")
    else:
        changed = [place for place in places if place[3] == Status.ENHANCED] or places
        if not changed:
            raise JobError(f"{output.display_url} holds no traces yet", "wait for the job, or run it again")
        chosen = sorted(random.Random(seed).sample(changed, min(sample, len(changed))))
    return [stored.load(name, [row])[0] for name, row, *_ in chosen]


def blocks(shown: StoredTrace) -> Iterator[Block]:
    """The edits of a row with the texts of their segments."""
    text = shown.trace.reasoning
    offsets = split_segments(text)
    for edit in shown.row["edits"]:
        start, stop = edit["segment_start"], edit["segment_stop"]
        if stop < len(offsets) and (offsets[start], offsets[stop]) == (edit["start"], edit["stop"]):
            texts = tuple(text[offsets[i] : offsets[i + 1]] for i in range(start, stop))
        else:
            # Another version cut the segments, so show the edit's characters as one segment.
            texts = (text[edit["start"] : edit["stop"]],)
        yield Block(EditOp(edit["op"]), start, stop, texts, edit["text"], edit["reason"])


def show(shown: StoredTrace, console: Console, *, everything: bool = False) -> None:
    """Print one trace: the problem, then kept, dropped, replaced and inserted segments in order."""
    row = shown.row
    before, after = row["tokens_before"], row["tokens_after"]
    cut = f", {1 - after / before:.0%} cut" if before else ""
    console.print(
        Text(f"== {row['trace_id']}: {before:,} -> {after:,} tokens{cut} ({row['policy']})", "bold")
    )
    status = f"{row['status']}: {row['status_reason']}" if row["status_reason"] else row["status"]
    console.print(Text(status, style="yellow" if row["status_reason"] else "dim"))
    for gate in row["gates"]:
        if not gate["passed"]:
            console.print(Text(f"gate {gate['name']}: {gate['detail']}", style="yellow"))
    if shown.trace.problem:
        console.print(Text(_short(shown.trace.problem, everything), style="bold"))
    for block in blocks(shown):
        _show_block(block, console, everything)
    console.print()


def _show_block(block: Block, console: Console, everything: bool) -> None:
    console.print(Text(f"\n{block.title}", style="cyan"))
    style = _STYLE[block.op]
    if block.op is EditOp.REPLACE:
        console.print(Text(_short("".join(block.texts), everything), style=_STYLE["drop"]))
    if block.new:
        console.print(Text(_short(block.new, everything), style=style))
        return
    numbered = list(enumerate(block.texts, block.start))
    hidden = 0 if everything else len(numbered) - 2
    for number, text in numbered if hidden <= 0 else numbered[:1]:
        console.print(_segment(number, text, style, everything))
    if hidden > 0:
        console.print(Text(f"      ... {hidden} more ...", style="dim"))
        console.print(_segment(*numbered[-1], style, everything))


def _segment(number: int, text: str, style: str, everything: bool) -> Text:
    return Text.assemble((f"{number:>5} ", "dim"), (_short(text, everything), style))


def _short(text: str, everything: bool) -> str:
    return text.strip() if everything else shortened(text)
