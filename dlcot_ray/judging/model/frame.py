"""Prompts as token ids: a chat frame around a body, and text that can never become control tokens.

In: texts and a model's tokenizer. Out: token ids. A tokenizer turns `<|im_end|>` inside a trace into the
token that ends a turn. So only the frame (the model's own chat template) is tokenized with control tokens.
Every other text is cut inside each control word first: its pieces read the same and have no meaning as
control. Ids are padded to a whole cache block where the shared part ends, because engines reuse whole blocks
only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_BODY = "DLCOTBODY"
_SYSTEM = "DLCOTSYSTEM"


class FrameError(Exception):
    """The model's chat template cannot be used."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Token ids before the system text, between it and the body, and after the body."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(slots=True)
class Tokenizer:
    """A Hugging Face tokenizer that keeps plain text and control tokens apart.

    Attributes:
        hf: the model's tokenizer; needs a chat template for `frame`.
    """

    hf: Any
    _control: re.Pattern[str] | None = field(init=False)
    _control_ids: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        added = dict(self.hf.get_added_vocab())
        for word in self.hf.all_special_tokens:
            added.setdefault(word, self.hf.convert_tokens_to_ids(word))
        # Some vocabularies add runs of white space this way; these are text.
        words = sorted((word for word in added if word.strip()), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, words))) if words else None
        self._control_ids = frozenset(added[word] for word in words)

    @property
    def control_ids(self) -> frozenset[int]:
        """Ids that must never come from a trace."""
        return self._control_ids

    def plain(self, text: str) -> list[int]:
        """Token ids of `text` as plain text, even if it contains control words."""
        return self.plain_batch([text])[0]

    def plain_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """As `plain`, for many texts at once."""
        pieces: list[str] = []
        counts: list[int] = []
        for text in texts:
            cut = self._cut(text)
            pieces.extend(cut)
            counts.append(len(cut))
        ids = self._encode(pieces)
        result: list[list[int]] = []
        at = 0
        for count in counts:
            result.append([token for piece in ids[at : at + count] for token in piece])
            at += count
        return result

    def frame(self) -> Frame:
        """The chat template around a system text and a body, ready for the model to answer.

        Raises:
            FrameError: there is no template, or it does not carry the texts through.
        """
        system, user = {"role": "system", "content": _SYSTEM}, {"role": "user", "content": _BODY}
        rendered = self._rendered([system, user])
        if rendered is None or rendered.count(_SYSTEM) != 1:
            # Some families (Gemma) have no system role.
            rendered = self._rendered([{"role": "user", "content": f"{_SYSTEM}\n\n{_BODY}"}])
        if rendered is None or rendered.count(_SYSTEM) != 1 or rendered.count(_BODY) != 1:
            raise FrameError("the model's tokenizer has no usable chat template: take an instruct model")
        before, rest = rendered.split(_SYSTEM)
        between, after = rest.split(_BODY)
        parts = [
            tuple(self.hf(text, add_special_tokens=False)["input_ids"]) for text in (before, between, after)
        ]
        return Frame(*parts)

    def padding(self, count: int) -> list[int]:
        """`count` ids of line ends."""
        (newline,) = self._encode(["\n"])
        return newline[-1:] * count

    def _rendered(self, messages: list[dict[str, str]]) -> str | None:
        try:
            # enable_thinking=False: models that can think first (Qwen3) answer at once; others ignore it.
            text = self.hf.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        except Exception:
            # Templates raise their own kinds of errors, e.g. for an unknown role.
            return None
        return str(text)

    def _cut(self, text: str) -> list[str]:
        if self._control is None:
            return [text]
        pieces: list[str] = []
        start = 0
        at = 0
        while (found := self._control.search(text, at)) is not None:
            middle = found.start() + max(1, (found.end() - found.start()) // 2)
            # A long control word may hold a shorter one in its first half.
            pieces.extend(self._cut(text[start:middle]))
            start = middle
            at = middle
        pieces.append(text[start:])
        return [piece for piece in pieces if piece] or [""]

    def _encode(self, pieces: Sequence[str]) -> list[list[int]]:
        if not pieces:
            return []
        # A Python string may contain lone surrogates, but tokenizers refuse them.
        safe = [piece.encode("utf-8", "replace").decode("utf-8") for piece in pieces]
        found: list[list[int]] = self.hf(safe, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]
        return [[token for token in ids if token not in self._control_ids] for ids in found]
