"""Tags of thinking, and the control words of chat templates, in one table each.

The families of tags are those of DeepSeek, Qwen3, QwQ, GLM, Hunyuan and Nemotron (``<think>``), Magistral
(``[THINK]``), Kimi, Seed-OSS, gpt-oss (harmony channels), OpenThoughts, Cohere, Gemma 4, and the plain XML
words that Gemini, EXAONE and Claude exports use. A control word inside a text would reach a trainer as a
token of its chat template, or split the text there, so such texts are found before they are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Delimiters = tuple[str, str]
"""An opening and a closing tag."""


@dataclass(frozen=True, slots=True)
class Family:
    """A pair of tags around thinking; letters count in either case.

    Attributes:
        opening, closing: the tags.
        prefilled: the closing tag alone ends the thinking; templates put the opening one into prompts.
        leads: the block must begin the reply, or a line if it is closed, because the words also occur in
            ordinary text.
        closed: the block must be closed, because the opening words also head an ordinary text.
    """

    opening: str
    closing: str
    prefilled: bool = True
    leads: bool = False
    closed: bool = False


FAMILIES: tuple[Family, ...] = (
    Family("<think>", "</think>"),
    Family("<|begin_of_thought|>", "<|end_of_thought|>"),
    Family("[THINK]", "[/THINK]"),
    Family("◁think▷", "◁/think▷"),
    Family("<seed:think>", "</seed:think>"),
    Family("<|channel|>analysis<|message|>", "<|end|>", prefilled=False),
    Family("<|START_THINKING|>", "<|END_THINKING|>"),
    Family("<|thinking|>", "<|/thinking|>", prefilled=False),
    Family("<|channel>thought\n", "<channel|>", prefilled=False),
    Family("<thinking>", "</thinking>", prefilled=False, leads=True),
    Family("<thought>", "</thought>", prefilled=False, leads=True),
    Family("<reasoning>", "</reasoning>", prefilled=False, leads=True),
    # HuatuoGPT-o1 writes headings (github.com/FreedomIntelligence/HuatuoGPT-o1).
    Family("## Thinking\n", "\n## Final Response\n", prefilled=False, leads=True, closed=True),
)
"""Every preset reads these, besides the tags that it names itself."""

SOLUTIONS: tuple[Delimiters, ...] = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    ("<|start|>assistant<|channel|>final<|message|>", "<|end|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|begin_of_box|>", "<|end_of_box|>"),
    ("<answer>", "</answer>"),
)
"""Tags that may wrap the visible answer."""

_PIPED = "turn|channel|think|tool|tool_call|tool_response|image|audio|video"
"""Words of Gemma 4, which opens with ``<|word>`` and closes with ``<word|>``."""
_WORDS = (
    r"</?think>",
    r"\[/?THINK\]",
    r"◁/?think▷",
    r"</?seed:think>",
    # Nearly every family names its tokens so: Qwen, Llama 3 and 4, Phi, Cohere, LFM2, Kimi, gpt-oss, GLM.
    r"<\|/?[A-Za-z][\w-]{2,40}\|>",
    rf"<\|(?:{_PIPED})>|<(?:{_PIPED})\|>",
    r"<｜[^｜<>\n]{1,40}｜>",
    r"</?(?:start|end)_of_turn>",
    r"<(?:end_of_utterance|start_of_image|end_of_image|image_soft_token|audio_soft_token)>",
    r"\[/?INST\]",
    r"\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|gMASK)\]",
    r"<</?SYS>>",
    r"</?s>",
    r"<\[(?:BOS|EOS)_never_used_[0-9a-f]{1,40}\]>",
    r"<(?:bos|eos|sop|eop)>",
)
_CONTROL = re.compile("|".join(_WORDS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ControlWord:
    """A control word in a text, and the code point at which it begins."""

    word: str
    offset: int


def find_control_word(text: str) -> ControlWord | None:
    """The first control word of any known chat template in a text; None if there is none."""
    found = _CONTROL.search(text)
    return None if found is None else ControlWord(found.group(), found.start())


def families_with(pairs: Sequence[Delimiters]) -> tuple[Family, ...]:
    """The families of a preset: the pairs that it names, then all known ones."""
    known = {(family.opening, family.closing) for family in FAMILIES}
    return (*(Family(*pair) for pair in pairs if pair not in known), *FAMILIES)
