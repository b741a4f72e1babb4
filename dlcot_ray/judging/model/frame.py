"""Prompts as token ids: a chat frame around a body, and text that can never become control tokens.

In: texts and a model's tokenizer. Out: token ids. A tokenizer turns `<|im_end|>` inside a trace into the
token that ends a turn. So only the frame (the model's own chat template) is tokenized with control tokens.
Every other text is cut inside each control word first: its pieces read the same and have no meaning as
control. Ids are padded to a whole cache block where the shared part ends, because engines reuse whole blocks
only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

_BODY = "DLCOTBODY"
_SYSTEM = "DLCOTSYSTEM"


_TEMPLATE_OPTIONS: Mapping[str, Any] = {
    # Models that can think first (Qwen3, DeepSeek V3.1, gpt-oss) answer at once or think little.
    "enable_thinking": False,
    "thinking": False,
    "reasoning_effort": "low",
    # Templates that write the date (Llama 3, gpt-oss) would change every prompt at midnight.
    "strftime_now": lambda form: date(2025, 1, 1).strftime(form),
    "date_string": "01 Jan 2025",
}
"""What a template may ask for; it ignores what it does not know."""

_HARMONY = ("<|start|>assistant", "<|channel|>final<|message|>")
"""How a turn of the assistant begins in the harmony format, and what leads to its visible channel."""
_OPENED = re.compile(r"(?:<(?P<tag>\w*(?:think|thought|reason)\w*)>|\[(?P<word>THINK)\])\s*\Z", re.IGNORECASE)
_THOUGHT = re.compile(r"think|thought|reason|analysis|cot\b", re.IGNORECASE)


class FrameError(Exception):
    """The model's chat template cannot be used."""


def visible_reply(after: str, words: Collection[str]) -> str:
    """What has to follow a template's opening of the assistant's turn, so that the visible reply comes next.

    An opened block of thoughts is closed, and harmony's final channel is opened.

    Args:
        after: how the template opens the turn.
        words: the control words of the tokenizer.

    Raises:
        FrameError: the turn begins with thoughts in a form that is not known here.
    """
    if after.endswith(_HARMONY[0]) and "<|channel|>" in words:
        return _HARMONY[1]
    if (opened := _OPENED.search(after)) is not None:
        return f"\n</{opened['tag']}>\n\n" if opened["tag"] else f"[/{opened['word']}]"
    last = max(words, key=lambda word: after.rfind(word) + len(word) if word in after else -1, default="")
    if last and after.rstrip().endswith(last) and _THOUGHT.search(last) and "/" not in last:
        raise FrameError(
            f"its chat template opens the reply with {last}, behind which only thoughts may stand: take a "
            "model that can answer without thinking first"
        )
    return ""


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
        after += visible_reply(after, {*self.hf.get_added_vocab(), *self.hf.all_special_tokens})
        parts = [
            tuple(self.hf(text, add_special_tokens=False)["input_ids"]) for text in (before, between, after)
        ]
        return Frame(*parts)

    def padding(self, count: int) -> list[int]:
        """`count` ids of line ends."""
        (newline,) = self._encode(["\n"])
        return newline[-1:] * count

    def _rendered(self, messages: list[dict[str, str]]) -> str | None:
        for options in (_TEMPLATE_OPTIONS, {}):
            try:
                return str(
                    self.hf.apply_chat_template(
                        messages, tokenize=False, add_generation_prompt=True, **options
                    )
                )
            except Exception:
                # Templates raise their own kinds of errors, e.g. for an unknown role; some tokenizers
                # refuse options that they do not know.
                continue
        return None

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
