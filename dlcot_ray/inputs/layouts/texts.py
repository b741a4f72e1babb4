"""What a cell holds: thinking, a statement, a value, code, or a flag.

These are rough readings of single texts. A column is judged by the share of its sampled cells, so that one
odd cell decides nothing.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

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
_LONGEST_LISTING = 1_000_000
"""Characters of a cell that is tried as a list or an object."""
_TURN_KEYS = (frozenset(("role", "content")), frozenset(("from", "value")))
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


def is_listing(text: str) -> bool:
    """Whether a text is a list or an object, as JSON or Python writes it, and holds more than numbers."""
    found = _listing(text)
    items = found.values() if isinstance(found, dict) else found or ()
    return any(isinstance(item, str | list | dict) for item in items)


def is_conversation(text: str) -> bool:
    """Whether a text is a list of turns, as JSON or Python writes it."""
    found = _listing(text)
    if not isinstance(found, list) or not found:
        return False
    return all(isinstance(turn, dict) and any(keys <= turn.keys() for keys in _TURN_KEYS) for turn in found)


def _listing(text: str) -> Any:
    """The list or object that a text is; None for any other text."""
    stripped = text.strip()
    if stripped[:1] not in ("[", "{") or stripped[-1:] not in ("]", "}") or len(stripped) > _LONGEST_LISTING:
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return found if isinstance(found, list | dict) else None
