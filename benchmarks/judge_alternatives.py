"""The job beside what a user would pick instead: same engine, model, questions and answers, one command.

    python benchmarks/judge_alternatives.py FOLDER_OF_PARQUET MODEL [TRACES [CHARS]]

TRACES (24) real traces of at most CHARS (3,000) characters, and every question that the judge asks about them
(`--ask` names the optional ones). Each answer is forced to the one that the rules judge would give, so all
systems decode the same tokens, and nothing depends on what a small model says.

- `dlcot enhance` on Ray, as it is.
- `ray.data.llm`: one processor per kind of question, each over all traces before the next begins, because the
  questions of a kind need the answers to the kind before. One engine at a time, as one GPU holds one.
- A plain asyncio client to `vllm serve`: each trace's first question, then its others at once, 16 traces side
  by side; a failed request fails its trace.

Each runs three times: on the traces; with one more whose prompt is longer than the context; and once more
with its engine killed at the first answer. In the last two `ray.data.llm` runs its first stage only, because
that decides which rows are lost, and also with `should_continue_on_error`. Printed: traces per hour without
and with the loading of engines, tokens computed, cached and decoded, and rows without annotation or answers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from alternative_parts import FIRST_ANSWER, KINDS, Result, questions
from alternative_systems import with_client, with_dlcot, with_ray_data_llm
from judge_tokens import traces_of

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.judging.model.judge import DEFAULT_OPTIONS

GOING_ON = "ray.data.llm, going on"


def run(
    system: str, case: str, folder: Path, model: str, number: int, chars: int, ask: Sequence[str]
) -> Result:
    """One system on one case."""
    traces = traces_of(folder, number, chars)
    if case == "long":
        # Real traces, joined until no context holds them.
        text = "\n\n".join(trace.reasoning for trace in traces_of(folder, 8, 6000))
        traces = [*traces, replace(traces[0], trace_id="long", reasoning=text)]
    kill = case == "kill"
    if system == "dlcot":
        return with_dlcot(traces, model, ask, kill)
    asked = questions(traces, model, ask)
    if system == "client":
        return with_client(asked, len(traces), model, kill)
    kinds = KINDS if case == "plain" else KINDS[:1]
    return with_ray_data_llm(asked, len(traces), model, go_on=system == GOING_ON, kill=kill, kinds=kinds)


def line(system: str, case: str, result: Result) -> str:
    """A row of the table."""
    pace = "" if result.working is None else f"{result.traces / result.working * 3600:,.0f}"
    tokens = result.tokens
    return (
        f"| {system} | {case} | {result.traces} | {result.lost} | {pace} | "
        f"{result.traces / result.whole * 3600:,.0f} | {tokens.prefill:,} | {tokens.cached:,} | "
        f"{tokens.decode:,} | {result.note} |"
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("model")
    parser.add_argument("traces", type=int, nargs="?", default=24)
    parser.add_argument("chars", type=int, nargs="?", default=3_000)
    parser.add_argument("--ask", default=",".join(DEFAULT_OPTIONS), help="optional questions; empty: none")
    parser.add_argument("--systems", default=f"dlcot;ray.data.llm;{GOING_ON};client")
    parser.add_argument("--cases", default="plain,long,kill")
    parser.add_argument("--one", help="run SYSTEM/CASE in this process and print it as JSON")
    words = parser.parse_args()
    model = str(Path(words.model).resolve())
    if words.one:
        system, case = words.one.split("/")
        ask = [name for name in words.ask.split(",") if name]
        result = run(system, case, words.folder, model, words.traces, words.chars, ask)
        print(json.dumps(asdict(result)), flush=True)
        return 0
    print("| system | case | rows | lost | rows/h | with loading | computed | cached | decoded | |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---|", flush=True)
    for case in words.cases.split(","):
        for system in words.systems.split(";"):
            if case != "plain" or system != GOING_ON:
                print(_one(system, case, words, model), flush=True)
    return 0


def _one(system: str, case: str, words: argparse.Namespace, model: str) -> str:
    """A row of the table, from a process of its own."""
    command = [sys.executable, __file__, str(words.folder), model, str(words.traces), str(words.chars)]
    command += ["--ask", words.ask, "--one", f"{system}/{case}"]
    with TemporaryDirectory() as folder:
        environment = {**os.environ, FIRST_ANSWER: str(Path(folder, "answered"))}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
        return line(system, case, Result(**{**found, "tokens": Tokens(**found["tokens"])}))
    except (IndexError, ValueError):
        return f"| {system} | {case} | | all | | | | | | {done.stderr.strip()[-300:]!r} |"


if __name__ == "__main__":
    raise SystemExit(main())
