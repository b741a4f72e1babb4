"""A tokenizer for servers that take texts only: pieces in place of tokens, and turns that no text can forge.

In: what `Tokenizer` and `Asker` ask of a Hugging Face tokenizer. Out: ids that stand for pieces of text. The
ids of a prompt turn back into the messages that a chat API takes. Where turns begin is an id that no text
encodes to; the server's own chat template does the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from dlcot_ray.judging.model.dry_run import EstimatedTokenizer

_TURNS = ("\x00system\x00", "\x00user\x00", "\x00end\x00")


class ChatText(EstimatedTokenizer):
    """Counts are estimates, as those of `EstimatedTokenizer`."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = {turn: self._id(turn) for turn in _TURNS}

    def __call__(self, texts: str | Sequence[str], **options: object) -> dict[str, Any]:
        """Ids of the pieces; a turn's mark is one only in the frame, which is encoded without options."""
        if isinstance(texts, str) and not options.get("split_special_tokens") and texts in self._turns:
            return {"input_ids": [self._turns[texts]]}
        return super().__call__(texts, **options)

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], **_: object) -> str:
        """The marks of the turns around a system text and a body."""
        system, user = (message["content"] for message in messages)
        return f"{_TURNS[0]}{system}{_TURNS[1]}{user}{_TURNS[2]}"

    def messages(self, prompt: Sequence[int]) -> list[dict[str, str]]:
        """The messages that a prompt stands for."""
        starts = [prompt.index(self._turns[turn]) for turn in _TURNS]
        system, user = (self.decode(prompt[start + 1 : stop]) for start, stop in itertools.pairwise(starts))
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]
