"""What the model judge needs of an inference engine.

In: prompts as token ids, because only the caller knows which characters of a trace must never become control
tokens. Out: completions, constrained where they are facts and free where they are prose. The program of a
trace thus knows nothing of vLLM; an engine's other options stay in its own configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from dlcot_ray.core.annotation import Tokens


class ConstraintKind(StrEnum):
    """How an answer is constrained."""

    REGEX = "regex"
    CHOICE = "choice"
    """`value` holds the alternatives, one per line."""
    GRAMMAR = "grammar"
    """EBNF."""
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Constraint:
    """The language that an answer must belong to.

    Attributes:
        kind: how `value` is written.
        value: the regular expression, choices or grammar.
        assumed: what an engine that runs no model answers; others ignore it.
    """

    kind: ConstraintKind
    value: str = ""
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine generated.

    Attributes:
        text: the generated text, without the stop token.
        tokens: what it cost.
        finished: False where `max_tokens` cut it off.
    """

    text: str
    tokens: Tokens
    finished: bool


class RequestError(Exception):
    """The engine refused one request (too long, or an invalid constraint); other requests continue."""


class Engine(Protocol):
    """An inference engine that takes many requests at once."""

    @property
    def max_context(self) -> int:
        """Tokens of prompt and answer together."""
        ...

    @property
    def kv_tokens(self) -> int:
        """Tokens that the KV cache holds, over all requests; known once started."""
        ...

    @property
    def block_tokens(self) -> int:
        """Tokens per block of the prefix cache: only whole blocks are ever reused."""
        ...

    @property
    def tokenizer(self) -> Any:
        """The model's Hugging Face tokenizer."""
        ...

    @property
    def busy_seconds(self) -> float:
        """Seconds since the start in which at least one request was with the engine."""
        ...

    def start(self) -> None:
        """Load the model. Safe to call twice.

        Raises:
            JudgeUnavailable: it cannot be loaded; the message says why and what to do.
        """
        ...

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """Greedy completion of `prompt` (token ids). A `seed` samples, for votes and a second attempt.

        Raises:
            RequestError: this request cannot be served.
            JudgeDied: the engine has stopped.
        """
        ...

    def close(self) -> None:
        """Stop the engine and free its memory. Safe to call twice."""
        ...
