"""Tokens per trace, counted: the model judge against DLCoT's own procedure, and the prefill of a trace.

    python benchmarks/judge_tokens.py FOLDER_OF_PARQUET MODEL [TRACES]

Runs the judge's real program on TRACES (200) traces, spread over the folder, with an engine that computes
nothing: it answers as the rules judge would, in the judge's form, and keeps account of a prefix cache of
whole blocks. The baseline is counted from the same annotations (`reference_procedure.py`). "Prefill once"
divides the computed prompt tokens of all questions by those of one system text, the problem and the numbered
trace, for traces that fit the context.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pyarrow.parquet as pq
from reference_procedure import decode, prefill, requests_of
from rich.console import Console
from rich.table import Table

from dlcot_ray.core.annotation import Annotation, Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.model import answers
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.rules.judge import RulesJudge

_LETTERS = {kind: letter for letter, kind in answers.SECTION_LETTERS.items()}
_CHECKS = {kind: letter for letter, kind in answers.CHECK_LETTERS.items()}


class CountingEngine:
    """Answers from an annotation; books prompts against a prefix cache of whole blocks that never evicts."""

    block_tokens = 16
    kv_tokens = 1 << 30
    busy_seconds = 0.0

    def __init__(self, tokenizer: Any, max_context: int) -> None:
        self.tokenizer = tokenizer
        self.max_context = max_context
        self.annotation: Annotation | None = None
        self._cached: set[int] = set()

    def start(self) -> None:
        """Nothing to load."""

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """The annotation's answer to the question that the prompt ends with."""
        await asyncio.sleep(0)
        hits = 0
        digest = 0
        seen = True
        # The last token is always computed: something has to be sampled from.
        for at in range(0, len(prompt) - 1 - self.block_tokens, self.block_tokens):
            digest = hash((digest, tuple(prompt[at : at + self.block_tokens])))
            seen = seen and digest in self._cached
            hits += self.block_tokens * seen
            self._cached.add(digest)
        text = self._answer(self.tokenizer.decode(prompt[-4000:]), constraint.value)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return Completion(text, Tokens(len(prompt) - hits, hits, len(ids) + 1), True)

    def close(self) -> None:
        """Nothing to stop."""

    def _answer(self, prompt: str, regex: str) -> str:
        found = self.annotation
        assert found is not None
        question = re.findall(r"\n([A-Z]+) (?:of|within) [^\n]*\?", prompt)[-1]
        marks: list[str] = []
        if question == "SECTIONS":
            first = int(re.search(r"\d+", regex)[0])  # type: ignore[index]
            pairs = [(max(s.start + 1, first), _LETTERS[s.kind]) for s in found.sections if s.stop >= first]
            marks = [f"{unit}{letter}" for unit, letter in pairs if letter != "C" or unit == pairs[-1][0]]
            marks = marks[: answers.MAX_SECTIONS - 1]
        elif question == "APPROACHES":
            marks = [str(a.start + 1) for a in found.approaches][: answers.MAX_APPROACHES]
        elif question == "CHECKS":
            marks = [f"{v.start + 1}{_CHECKS[v.kind]}" for v in found.verifications][: answers.MAX_CHECKS]
        elif question == "ERRORS":
            units = sorted({e.start + 1 for a in found.approaches for e in a.errors})
            marks = [f"{unit}Ku" for unit in units][: answers.MAX_ERRORS]
        elif question == "CLUSTERS":
            marks = [f"{item}:{item}" for item in re.findall(r"(\d+):\(", regex)]
        elif question == "LABELS":
            marks = [f"{item}:I" for item in re.findall(r"(\d+):\[", regex)]
        return " ".join(marks) or "0"


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

    engine = CountingEngine(AutoTokenizer.from_pretrained(model), context)
    rules, judge = RulesJudge(), ModelJudge(engine, "counting")
    judge.start()
    assert judge.asker is not None
    plain = judge.asker.tokenizer.plain
    system = len(plain(judge.asker.prompts.texts["system"]))
    ours, theirs, once, lengths = [], [], [], []
    reasked = 0
    for trace in traces:
        by_rules = rules.annotate(trace)
        engine.annotation = by_rules
        annotation = await judge.judge(trace)
        ours.append(annotation.tokens)
        reasked += sum(status.reasked for status in annotation.steps)
        asked = requests_of(trace, by_rules, plain)
        theirs.append((prefill(asked), decode(asked)))
        lengths.append(len(plain(trace.reasoning)))
        units = find(trace, rules.checker).units
        shown = "".join(f"[{i}] {unit.strip()}\n" for i, unit in enumerate(units, 1))
        whole = system + len(plain(f"{trace.problem}{by_rules.reference or ''}{shown}"))
        if whole + 1100 < context:
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
        f"prefill once: {len(once)} traces that fit, computed / (system + problem + numbered trace): "
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
