"""The judge's program without a model: what a trace would cost, counted question by question.

The real program runs on an engine that computes nothing. It answers as the rules judge would, in the
judge's form, and keeps account of a prefix cache of whole blocks, so that prompts, windows and the order of
questions are the real ones. What cannot be known beforehand is how a model answers: `Habits` puts in figures
that were measured of one (a small model rambles and has to be asked again).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from dlcot_ray.core.annotation import Annotation, JudgeStep, Tokens
from dlcot_ray.judging.model import answers
from dlcot_ray.judging.model.engine import Completion, Constraint

_LETTERS = {kind: letter for letter, kind in answers.SECTION_LETTERS.items()}
_CHECKS = {kind: letter for letter, kind in answers.CHECK_LETTERS.items()}
_PIECE = re.compile(r" ?[A-Za-z]{1,8}|\d| ?[^\sA-Za-z\d]{1,2}|\n+|\s")


class RehearsalEngine:
    """Answers from an annotation; books prompts against a prefix cache of whole blocks that never evicts.

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
        if found is None:
            return "0"
        question = re.findall(r"\n([A-Z]+) (?:of|within) [^\n]*\?", prompt)[-1]
        marks: list[str] = []
        if question == "SECTIONS":
            number = re.search(r"\d+", regex)
            first = int(number[0]) if number else 1
            pairs = [(max(s.start + 1, first), _LETTERS[s.kind]) for s in found.sections if s.stop >= first]
            marks = [
                f"{segment}{letter}" for segment, letter in pairs if letter != "C" or segment == pairs[-1][0]
            ]
            marks = marks[: answers.MAX_SECTIONS - 1]
        elif question == "APPROACHES":
            marks = [str(a.start + 1) for a in found.approaches][: answers.MAX_APPROACHES]
        elif question == "CHECKS":
            marks = [f"{v.start + 1}{_CHECKS[v.kind]}" for v in found.verifications][: answers.MAX_CHECKS]
        elif question == "ERRORS":
            segments = sorted({e.start + 1 for a in found.approaches for e in a.errors})
            marks = [f"{segment}Ku" for segment in segments][: answers.MAX_ERRORS]
        elif question == "CLUSTERS":
            marks = [f"{item}:{item}" for item in re.findall(r"(\d+):\(", regex)]
        elif question == "LABELS":
            marks = [f"{item}:I" for item in re.findall(r"(\d+):\[", regex)]
        return " ".join(marks) or "0"


class EstimatedTokenizer:
    """Stands in for a tokenizer that is not on this machine: words, digits, signs and line ends as tokens.

    Long words and runs of signs are cut as byte-pair vocabularies do on average: on real traces its
    counts are 0.95 to 1.01 of those of SmolLM2's tokenizer, file by file.
    """

    all_special_tokens: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._pieces: list[str] = []

    def __call__(self, texts: str | Sequence[str], **_: object) -> dict[str, Any]:
        """Ids of the pieces; options of real tokenizers mean nothing here."""
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
    """How a model was seen to answer, by the length of the trace.

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


def with_habits(rehearsed: Annotation, habits: Habits | None, length: int) -> Tokens:
    """The cost of a rehearsed trace, with a model's own number of requests and length of answers.

    The first question of a window pays for its prompt, every other one finds it in the cache and computes its
    own few tokens.
    """
    if habits is None or not rehearsed.tokens.prefill:
        return rehearsed.tokens
    steps = {status.step: status for status in rehearsed.steps}
    first = steps[JudgeStep.MACRO]
    windows = max(1, first.questions)
    others = [status for step, status in steps.items() if step is not JudgeStep.MACRO and status.questions]
    asked = sum(status.questions for status in others)
    tail = sum(status.tokens.prefill for status in others) / asked if asked else 24.0
    requests, decode = habits.of(length // windows)
    again = requests - 1
    prompt = first.tokens.prefill + first.tokens.cached - windows * tail
    return Tokens(
        round(first.tokens.prefill + again * windows * tail),
        round(first.tokens.cached + again * prompt),
        round(decode * windows),
    )
