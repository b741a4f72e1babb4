"""What the systems of `judge_alternatives.py` share: the questions, a run's result, a kill in mid-run."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.dry_run import DryRunEngine
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.judge import ModelJudge

BLOCK = 128
"""Tokens per block of the CPU build's prefix cache."""
KINDS = ("STRUCTURE", "ERRORS", "ANSWER", "LABELS", "CLUSTERS", "SAME")
FIRST_ANSWER = "DLCOT_FIRST_ANSWER"
"""The environment variable that names a file; it appears with the first answer of an engine."""
_KIND = re.compile(r"\n([A-Z]+) (?:of|within|key step in) [^\n]*\?")
_TRACE: ContextVar[int] = ContextVar("_TRACE")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its trace, its kind, the prompt's token ids and the answer that is forced."""

    trace: int
    kind: str
    prompt: tuple[int, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Result:
    """What one run gave.

    Attributes:
        traces: how many went in.
        lost: how many have no annotation, or lack an answer.
        working: seconds in which engines were loaded and had work; None where the run ended early.
        whole: seconds of the whole run, loading included.
        tokens: of all requests.
        note: how it ended.
    """

    traces: int
    lost: int
    working: float | None
    whole: float
    tokens: Tokens
    note: str = ""


class Noting(DryRunEngine):
    """Keeps every request of a dry run."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer, 1 << 20, BLOCK)
        self.asked: list[Asked] = []

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """As the dry run's own."""
        (kind,) = _KIND.findall(self.tokenizer.decode(prompt[-1500:]))[-1:]
        self.asked.append(Asked(_TRACE.get(), kind, tuple(prompt), constraint.assumed or "0"))
        return await super().complete(prompt, constraint, max_tokens, seed=seed)


def questions(traces: Sequence[Trace], model: str, ask: Sequence[str]) -> list[Asked]:
    """Every request about the traces, in order; no prompt is cut to a context.

    Args:
        ask: the optional questions, as `judge_options.ask`.
    """
    from transformers import AutoTokenizer

    engine = Noting(AutoTokenizer.from_pretrained(model))
    judge = ModelJudge(engine, "noted", ask=ask)
    judge.start()

    async def all_of_them() -> None:
        for number, trace in enumerate(traces):
            _TRACE.set(number)
            await judge.judge(trace)

    asyncio.run(all_of_them())
    judge.close()
    return engine.asked


def answered() -> None:
    """Say that an engine has answered."""
    if FIRST_ANSWER in os.environ:
        Path(os.environ[FIRST_ANSWER]).touch()


def kill_engine_of(pid: int) -> None:
    """End the engine below a process with SIGKILL once it has answered, from a thread."""

    def wait() -> None:
        while psutil.pid_exists(pid):
            if Path(os.environ[FIRST_ANSWER]).exists() and (engines := _engines(pid)):
                engines[0].kill()
                return
            time.sleep(0.2)

    threading.Thread(target=wait, daemon=True).start()


def _engines(pid: int) -> list[psutil.Process]:
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [child for child in children if "EngineCore" in " ".join([child.name(), *child.cmdline()])]
    except psutil.Error:
        return []
