"""Run the judge's program without a model, to count what each question of a trace would cost.

In: traces, judged by a `ModelJudge` on a `DryRunEngine`. Out: annotations whose token counts are those of
the real prompts, windows and order of questions, against a prefix cache of whole blocks. Each answer is the
one that `table.py` assumes, from the rules judge's annotation. A real model gives other answers, so `Habits`
replaces the counts by figures that were measured with one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from dlcot_ray.core.annotation import Annotation, JudgeStep, Tokens
from dlcot_ray.judging.model.engine import Completion, Constraint

_PIECE = re.compile(r" ?[A-Za-z]{1,8}|\d| ?[^\sA-Za-z\d]{1,2}|\n+|\s")


class DryRunEngine:
    """Runs no model: answers with what a constraint assumes.

    Counts prompts against a prefix cache of whole blocks that never evicts.

    Args:
        tokenizer: a Hugging Face tokenizer, or an `EstimatedTokenizer`.
        max_context: tokens of prompt and answer together.
        block_tokens: tokens per block of the cache.
    """

    kv_tokens = 1 << 30
    busy_seconds = 0.0

    def __init__(self, tokenizer: Any, max_context: int, block_tokens: int = 16) -> None:
        self.tokenizer = tokenizer
        self.max_context = max_context
        self.block_tokens = block_tokens
        self._cached: set[int] = set()

    def start(self) -> None:
        """Nothing to load."""

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """The assumed answer, or ``0`` without one, and what the request would cost."""
        await asyncio.sleep(0)
        hits = self._hits(prompt)
        text = constraint.assumed or "0"
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return Completion(text, Tokens(len(prompt) - hits, hits, len(ids) + 1), True)

    def close(self) -> None:
        """Nothing to stop."""

    def _hits(self, prompt: Sequence[int]) -> int:
        """Tokens of the prompt that the cache supplies; all its whole blocks are cached from now on."""
        hits = digest = 0
        seen = True
        # An engine always computes the last token, because the answer is sampled from it.
        for at in range(0, len(prompt) - 1 - self.block_tokens, self.block_tokens):
            digest = hash((digest, tuple(prompt[at : at + self.block_tokens])))
            seen = seen and digest in self._cached
            hits += self.block_tokens * seen
            self._cached.add(digest)
        return hits


class EstimatedTokenizer:
    """Replaces a tokenizer that is not on this machine: words, digits, signs and line ends are tokens.

    Long words and runs of signs are cut as byte-pair vocabularies do on average: on real traces its
    counts are 0.95 to 1.01 of those of SmolLM2's tokenizer, file by file.
    """

    all_special_tokens: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._pieces: list[str] = []

    def __call__(self, texts: str | Sequence[str], **_: object) -> dict[str, Any]:
        """Ids of the pieces; the options of real tokenizers are ignored."""
        if isinstance(texts, str):
            return {"input_ids": self._encode(texts)}
        return {"input_ids": [self._encode(text) for text in texts]}

    def decode(self, ids: Sequence[int]) -> str:
        """The text that was encoded."""
        return "".join(self._pieces[number] for number in ids)

    def get_added_vocab(self) -> dict[str, int]:
        """None."""
        return {}

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], **_: object) -> str:
        """A frame of the usual length."""
        turns = "".join(f"<|{m['role']}|>\n{m['content']}<|end|>\n" for m in messages)
        return f"{turns}<|assistant|>\n"

    def _encode(self, text: str) -> list[int]:
        return [self._id(piece) for piece in _PIECE.findall(text)]

    def _id(self, piece: str) -> int:
        number = self._ids.setdefault(piece, len(self._pieces))
        if number == len(self._pieces):
            self._pieces.append(piece)
        return number


@dataclass(frozen=True, slots=True)
class Habits:
    """How a model answered in measurements, by the length of the trace.

    Attributes:
        requests: per trace of 1,024 tokens that fits the context, those asked again included.
        requests_per_doubling: how many more for a trace of twice the length.
        decode: tokens of all answers about a trace of 1,024 tokens.
        decode_per_doubling: how many more for a trace of twice the length.
    """

    requests: float
    requests_per_doubling: float
    decode: float
    decode_per_doubling: float

    def of(self, length: int) -> tuple[float, float]:
        """Requests about a trace of `length` tokens (two at least), and tokens of all answers."""
        doublings = log2(max(length, 1) / 1024)
        requests = self.requests + self.requests_per_doubling * doublings
        return max(2.0, requests), max(4.0, self.decode + self.decode_per_doubling * doublings)


def with_habits(dry: Annotation, habits: Habits | None, length: int, votes: int = 1) -> Tokens:
    """The cost of a trace after a dry run, with a model's own number of requests and length of answers.

    The first question of a window computes the prompt. The others find it in the cache and compute only their
    own tokens. Habits are those of one vote on STRUCTURE; further votes cost what they cost in the dry run.

    Args:
        dry: made by a dry run.
        habits: None leaves the cost as it is.
        length: tokens of the trace.
        votes: how often STRUCTURE was asked.
    """
    if habits is None or not dry.tokens.prefill:
        return dry.tokens
    steps = {status.step: status for status in dry.steps}
    first = steps[JudgeStep.MACRO]
    windows = max(1, first.questions // votes)
    others = [status for step, status in steps.items() if step is not JudgeStep.MACRO and status.questions]
    asked = sum(status.questions for status in others)
    tail = sum(status.tokens.prefill for status in others) / asked if asked else 24.0
    requests, decode = habits.of(length // windows)
    again = requests - 1
    prompt = (first.tokens.prefill + first.tokens.cached) / votes - windows * tail
    return Tokens(
        round(first.tokens.prefill + again * windows * tail),
        round(first.tokens.cached + again * prompt),
        round(decode * windows + first.tokens.decode * (votes - 1) / votes),
    )
