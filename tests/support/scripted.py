"""An engine whose answers the test chooses, and tokenizers of each family, trained on the spot."""

from __future__ import annotations

import asyncio
import functools
import random
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.judging.model.engine import Completion, Constraint

FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "chatml": (
        ("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
        ("<think>", "</think>"),
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    ),
    "llama": (
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "</s>", "<s>"),
        (),
        "<|begin_of_text|>{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content | trim }}<|eot_id|>{% endfor %}<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "gemma": (
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
        (),
        "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "<bos>{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
        "{% endfor %}<start_of_turn>model\n",
    ),
}
"""Special tokens, tokens added as ordinary ones, chat template."""

TEMPLATES: dict[str, tuple[str, ...]] = {
    "qwen3": ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
    "qwen3_thinking": ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
    "r1_distill": ("<|begin_of_sentence|>", "<|User|>", "<|Assistant|>", "<think>", "</think>"),
    "harmony": ("<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>"),
    "mistral": ("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
    "mistral_without_system": ("<s>", "</s>", "[INST]", "[/INST]"),
    "magistral": (
        "<s>",
        "</s>",
        "[INST]",
        "[/INST]",
        "[SYSTEM_PROMPT]",
        "[/SYSTEM_PROMPT]",
        "[THINK]",
        "[/THINK]",
    ),
    "gemma3": ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
    "llama3": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "own_system": ("<|im_start|>", "<|im_sep|>", "<|im_end|>"),
    "unknown_thoughts": ("<|turn|>", "<|inner_thoughts|>", "<|end|>"),
}
"""Control tokens of the chat templates in `tests/support/templates`: one of each family, written for tests."""


@functools.cache
def family_tokenizer(name: str) -> Any:
    """A byte-level tokenizer with the control tokens and the chat template of a family."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    if name in FAMILIES:
        special, ordinary, template = FAMILIES[name]
    else:
        special, ordinary = TEMPLATES[name], ()
        template = (Path(__file__).parent / "templates" / f"{name}.jinja").read_text(encoding="utf-8")
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    text = [
        "Wait, let me check that again.",
        "So the answer is 42.",
        "[1] Segments and numbers: 12 17 204",
    ] * 20
    core.train_from_iterator(text, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
    core.add_special_tokens([AddedToken(word, special=True) for word in special])
    core.add_tokens([AddedToken(word, special=False) for word in ordinary])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, additional_special_tokens=list(special), clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = template
    return tokenizer


def random_member(regex: str, rng: random.Random) -> str:
    """A random member of the language of `regex`, for the constructs that answers use."""

    def walk(tokens: Any) -> str:
        return "".join(one(str(kind), value) for kind, value in tokens)

    def one(kind: str, value: Any) -> str:
        match kind:
            case "LITERAL":
                return chr(value)
            case "IN":
                return one(*(lambda item: (str(item[0]), item[1]))(rng.choice(value)))
            case "RANGE":
                return chr(rng.randint(*value))
            case "BRANCH":
                return walk(rng.choice(value[1]))
            case "SUBPATTERN":
                return walk(value[3])
            case "MAX_REPEAT":
                least, most, inner = value
                return "".join(walk(inner) for _ in range(rng.randint(least, min(most, least + 3))))
        raise AssertionError(f"the language uses {kind}")

    text = walk(import_module("re._parser").parse(regex))
    assert re.fullmatch(regex, text)
    return text


class ScriptedEngine:
    """Answers by calling `answer(prompt text, constraint)`; keeps every request.

    An exception that `answer` returns is raised.
    """

    block_tokens = 16
    busy_seconds = 0.0

    def __init__(
        self,
        answer: Callable[[str, Constraint], str | Exception],
        *,
        max_context: int = 16_384,
        kv_tokens: int = 100_000,
        family: str = "chatml",
    ) -> None:
        self._answer = answer
        self.max_context = max_context
        self.kv_tokens = kv_tokens
        self.tokenizer = family_tokenizer(family)
        self.prompts: list[tuple[int, ...]] = []
        self.seeds: list[int | None] = []
        self.held = self.most_held = 0
        self.closed = False

    def start(self) -> None:
        pass

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        assert len(prompt) + max_tokens <= self.max_context
        self.prompts.append(tuple(prompt))
        self.seeds.append(seed)
        self.held += len(prompt)
        self.most_held = max(self.most_held, self.held)
        await asyncio.sleep(0)
        self.held -= len(prompt)
        text = self._answer(self.tokenizer.decode(prompt), constraint)
        if isinstance(text, Exception):
            raise text
        return Completion(text, Tokens(len(prompt), 0, max(1, len(text) // 3)), True)

    def close(self) -> None:
        self.closed = True
