"""What a cell holds: thinking, a statement, a value, code, or a flag.

These are rough readings of single texts. A column is judged by the share of its sampled cells, so that one
odd cell decides nothing.
"""

from __future__ import annotations

import re

_CUES = re.compile(
    r"\b(?:okay|ok|alright|hmm+|wait|let me|let's|let us|i need|i should|i think|i'll|i can|i'm"
    r"|we need|we can|maybe|alternatively|actually|first,|so,|now,|double[- ]check|hold on"
    r"|the user|my approach|think about)\b",
    re.IGNORECASE,
)
_CHINESE_CUES = re.compile(r"嗯|首先|等等|让我|接下来|我们|我需要|不对|或者|所以|因此")
_LONGEST_READ = 4_000
"""Characters at the start of a cell that are searched for cues."""
_WORDS = re.compile(r"\w+")
_CODE = re.compile(
    r"^[^\S\n]{0,200}(?:```|#include|import \w+|from \w+ import|def \w+\(|class \w+|using namespace"
    r"|public class|package \w+|func \w+\(|fn \w+\(|SELECT\s|<\?php)",
    re.MULTILINE,
)
_FENCED = re.compile(r"\s*```.*```\s*", re.DOTALL)
_ENDS = (".", "!", "。", "！", "?", "？", ":", "**")
_SWITCHES = frozenset(
    ("on", "off", "true", "false", "yes", "no", "0", "1", "none", "low", "medium", "high", "enabled")
)
_LONGEST_VALUE = 160
_FEWEST_WORDS = 4
_SHORTEST_TRACE = 20


def is_blank(text: str | None) -> bool:
    """Whether a cell holds nothing."""
    return text is None or not text or text.isspace()


def could_be_trace(text: str) -> bool:
    """Whether a text is long enough for a chain of thought: a flag such as ``on`` is not."""
    stripped = text.strip()
    return len(stripped) >= _SHORTEST_TRACE or len(_WORDS.findall(stripped)) >= _FEWEST_WORDS


def is_switch(text: str) -> bool:
    """Whether a text is a word that switches something on or off, or names a degree."""
    return text.strip().lower() in _SWITCHES


def reads_as_thinking(text: str) -> bool:
    """Whether a text thinks aloud: some length, and words of deliberation in the first person."""
    start = text[:_LONGEST_READ]
    if len(start) < 60:
        return False
    cues = len(_CUES.findall(start)) + len(_CHINESE_CUES.findall(start))
    return cues >= 2 and cues * 1_500 >= len(start)


def is_statement(text: str) -> bool:
    """Whether a text states something in words or shows a solution, and is no bare value."""
    stripped = text.strip()
    if len(stripped) > _LONGEST_VALUE or "\\boxed" in stripped or "\n\n" in stripped:
        return True
    words = len(_WORDS.findall(stripped))
    return words >= _FEWEST_WORDS and stripped.endswith(_ENDS) and " " in stripped


def is_code(text: str) -> bool:
    """Whether a text is a program: a fenced block and nothing else, or lines that only programs have."""
    if _FENCED.fullmatch(text):
        return True
    return _CODE.search(text) is not None and not is_prose(text)


def is_prose(text: str) -> bool:
    """Whether most of the first lines of a text begin like sentences."""
    lines = [line for line in text[:_LONGEST_READ].splitlines() if line.strip()]
    sentences = [line for line in lines if line[:1].isupper() and line.rstrip().endswith(_ENDS)]
    return len(sentences) * 2 > len(lines)
