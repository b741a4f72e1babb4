"""Tokens per trace, counted: the model judge against DLCoT's own procedure, and the prefill of a trace.

    python benchmarks/judge_tokens.py FOLDER_OF_PARQUET MODEL [TRACES]

Runs the judge's real program on TRACES (200) traces, spread over the folder, with an engine that computes
nothing: it answers as the rules judge would, in the judge's form, and keeps account of a prefix cache of
whole blocks. The baseline is counted from the same annotations (`reference_procedure.py`). "Prefill once"
divides the computed prompt tokens of all questions, without the shared system text, by those of the problem
and the numbered trace, for traces that fit the context.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import pyarrow.parquet as pq
from reference_procedure import decode, prefill, requests_of
from rich.console import Console
from rich.table import Table

from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.model.asking import MARK
from dlcot_ray.judging.model.dry_run import DryRunEngine
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.rules.judge import RulesJudge


def traces_of(folder: Path, count: int, most_chars: int = 1 << 30) -> list[Trace]:
    """`count` traces spread evenly over the files of a folder."""
    rows: list[Trace] = []
    for file in sorted(folder.glob("*.parquet")):
        for row in pq.read_table(file).to_pylist():
            if row.get("reasoning") and len(row["reasoning"]) <= most_chars:
                truth = row.get("ground_truth") or row.get("answer")
                rows.append(Trace(str(row["id"]), row.get("problem") or "", row["reasoning"], truth))
    step = max(1, len(rows) // count)
    return rows[::step][:count]


async def count(traces: Sequence[Trace], model: str, context: int) -> None:
    """Count and print."""
    # Not imported at the top: seconds that --help need not wait for.
    from transformers import AutoTokenizer

    engine = DryRunEngine(AutoTokenizer.from_pretrained(model), context)
    rules, judge = RulesJudge(), ModelJudge(engine, "counting", ask=[])
    judge.start()
    assert judge.asker is not None
    plain = judge.asker.tokenizer.plain
    system = len(plain(judge.asker.prompts.texts["system"]))
    ours, theirs, once, lengths = [], [], [], []
    reasked = 0
    await judge.judge(Trace("system", "", "The system text is in the cache from here on."))
    for trace in traces:
        by_rules = rules.annotate(trace)
        annotation = await judge.judge(trace)
        ours.append(annotation.tokens)
        reasked += sum(status.reasked for status in annotation.steps)
        asked = requests_of(trace, by_rules, plain)
        theirs.append((prefill(asked), decode(asked)))
        lengths.append(len(plain(trace.reasoning)))
        segments = find(trace, rules.checker).segments
        shown = "".join(f"{MARK.format(i)} {text.strip()}\n" for i, text in enumerate(segments, 1))
        whole = len(plain(f"{trace.problem}{shown}"))
        if system + whole + 1100 < context:
            once.append(annotation.tokens.prefill / whole)
    judge.close()
    rules.close()
    table = Table("tokens per trace (mean)", "prefill computed", "prefill cached", "decode")
    mine = [mean(getattr(t, name) for t in ours) for name in ("prefill", "cached", "decode")]
    base = [mean(t[i] for t in theirs) for i in (0, 1)]
    table.add_row("DLCoT's procedure", f"{base[0]:,.0f}", "", f"{base[1]:,.0f}")
    table.add_row("model judge", *(f"{figure:,.0f}" for figure in mine))
    table.add_row("ratio", f"1/{base[0] / mine[0]:.1f}", "", f"1/{base[1] / mine[2]:.0f}")
    console = Console()
    console.print(
        f"{len(traces)} traces of {mean(lengths):,.0f} tokens, context {context:,}; {reasked} asked again"
    )
    console.print(table)
    console.print(
        f"prefill once: {len(once)} traces that fit, computed / (problem + numbered trace): "
        f"mean {mean(once):.3f}, largest {max(once):.3f}"
    )


def main() -> int:
    """The command."""
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    asyncio.run(count(traces_of(Path(sys.argv[1]), number), sys.argv[2], 32_768))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
