"""Retellings of a solution that keep its method: what clustering must merge.

In: a solution. Out: a retelling, the same for the same text, made by rules and without a model.
- ``reworded``: connectives, verbs and openings are exchanged for others of the same sense, fractions and
  products are written in another notation, and an opening and a closing sentence are added;
- ``reordered``: neighbouring sentences change places where neither builds on the other's last word (each pair
  by a random bit of the text's hash), and the openings are exchanged as above.
A model's retelling changes more, so these retellings are the easiest that a judge must merge.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from random import Random

_GROUPS: tuple[tuple[str, ...], ...] = (
    ("therefore", "thus", "hence", "consequently", "so"),
    ("we get", "we obtain", "we have", "this gives us", "we arrive at"),
    ("which gives", "which yields", "so we end up with"),
    ("notice that", "note that", "observe that", "we can see that"),
    ("let", "suppose", "say"),
    ("because", "since", "as"),
    ("we know that", "we know", "recall that", "it is clear that"),
    ("we need to find", "we want", "we are looking for"),
    ("the answer is", "the final answer is", "our result is", "so the answer must be"),
    ("find", "determine", "work out", "compute"),
    ("first", "to begin with", "initially"),
    ("then", "next", "after that"),
    ("finally", "in the end", "lastly"),
    ("also", "in addition", "moreover"),
    ("equals", "is equal to", "comes to"),
    ("must be", "has to be", "needs to be"),
    ("there are", "we have", "one counts"),
    ("substituting", "plugging in", "inserting"),
    ("simplifying", "cleaning this up", "reducing"),
    ("we can", "one can", "it is possible to"),
    ("however", "but", "on the other hand"),
    ("each", "every one", "each one"),
    ("only", "just", "no more than"),
    ("solving", "working this out", "when we solve"),
    ("adding", "summing", "putting together"),
)
_OPENINGS = (
    "Okay, let me go through this once more. ",
    "Let me redo this carefully. ",
    "Alright, going over it again. ",
    "Let me write that out again from the start. ",
)
_CLOSINGS = (" That is what we were looking for.", " And that settles it.", " So this is our result.", "")
_FRACTION = re.compile(r"\\[dt]?frac\{(\w+)\}\{(\w+)\}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z$\\])|\n+")
_BUILDS_ON = re.compile(
    r"\W*(?:therefore|thus|hence|so|this|that|these|then|it|they|consequently|finally|which|now|adding|from)\b",
    re.I,
)
_WE = re.compile(r"\b(We|we)\b(?=\s(?:get|have|find|see|know|need|want|can|must|are|use|obtain|note))")


def reword(solution: str) -> str:
    """The same solution in other words and notation."""
    rng = _rng(solution, "reword")
    text = _exchange(solution, rng)
    text = _FRACTION.sub(lambda m: f"{m[1]}/{m[2]}", text)
    text = text.replace("\\cdot", "\\times") if "\\cdot" in text else text.replace("\\times", "\\cdot")
    return f"{rng.choice(_OPENINGS)}{text}{rng.choice(_CLOSINGS)}"


def reorder(solution: str) -> str:
    """The same solution with independent neighbouring sentences exchanged."""
    rng = _rng(solution, "reorder")
    parts: list[str] = []
    at = 0
    for match in _SENTENCE.finditer(solution):
        parts.append(solution[at : match.start()])
        at = match.end()
    parts.append(solution[at:])
    index = 0
    while index + 1 < len(parts):
        if not _BUILDS_ON.match(parts[index + 1]) and rng.random() < 0.6:
            parts[index], parts[index + 1] = parts[index + 1], parts[index]
            index += 2
        else:
            index += 1
    return f"{rng.choice(_OPENINGS)}{_WE.sub('I', ' '.join(parts))}"


def _exchange(text: str, rng: Random) -> str:
    for group in _GROUPS:
        pattern = re.compile(
            rf"(?<![\w\\])(?:{'|'.join(sorted(map(re.escape, group), key=len, reverse=True))})(?!\w)", re.I
        )
        text = pattern.sub(lambda m, group=group: _other(m[0], group, rng), text)  # type: ignore[misc]
    return text


def _other(word: str, group: tuple[str, ...], rng: Random) -> str:
    chosen = rng.choice([other for other in group if other != word.lower()])
    return chosen[0].upper() + chosen[1:] if word[0].isupper() else chosen


def _rng(text: str, purpose: str) -> Random:
    return Random(blake2b(f"{purpose}\0{text}".encode(), digest_size=8).digest())
