"""Code without a fence.

In: a text. Out: the spans of code blocks. Lines are told apart by their form: a head (``def f(n):``), a
statement that hardly is anything else (an import, a printing call), and a line that may be code or
mathematics (``x = 5``). A block is a run of such lines, what is indented below a head, and the blank lines
between. It needs a head with its body or a sure statement, so plain mathematics is no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from dlcot_ray.core.protected.paragraphs import Span, outside

_SIGNS = re.compile(
    r"^(?>[^\S\n]*)(?:(?>(?:async |export |public |private |static )*)"
    r"(?:(?:def|class|function|procedure|algorithm|fn|func)\b"
    r"|(?:for|while|if|with|try)\b[^\n]*[:{][^\S\n]*$|import |from \S{1,60} import|#include|using namespace"
    r"|print\(|console\.log|System\.out|printf\(|(?:std::)?cout|@\w|[^\n\\$]*[;{}][^\S\n]*$))",
    re.MULTILINE,
)
"""One of these is in every text with code; most traces have none, and are not read line by line."""

_HEAD = re.compile(
    r"(?>(?:async |export |public |private |static )*)"
    r"(?:def|class|for|while|if|elif|else|try|except|finally|with|function|procedure|algorithm|match|case|switch"
    r"|fn|func|do)\b"
)
_SURE = re.compile(
    r"import [\w.]{1,60}(?:,? [\w.,]{1,60}){0,8};?$|from [\w.]{1,60} import [\w*(]|#\s?include\b"
    r"|using namespace \w|(?:print|printf|console\.log|System\.out\.print\w*|puts|echo)\("
    r"|(?:std::)?c(?:out|in) ?(?:<<|>>)|@\w+(?:\(|$)"
    r"|[})\]]+[;,)]*$|\} ?(?:else|catch|finally|while)\b|(?:break|continue|pass);?$"
    r"|return\b(?: \S{1,80}(?: (?:[-+*/%<>=&|?:]+|and|or|not|in|is|if|else|for) \S{1,80}){0,12})?;?$"
)
_MAYBE = re.compile(
    r"[A-Za-z_][\w.]{0,60}(?:\[[^\]\n]{0,60}\]){0,3}(?:, ?[A-Za-z_]\w{0,40}){0,6} ?"
    r"(?:[-+*/%&|^]|//|\*\*|<<|>>)?=(?!=)|[A-Za-z_][\w.]{0,60}\(|#(?!#)|//|\"\"\"|'''|/\*|\*/"
)
_STATEMENT = re.compile(
    r"(?:[A-Za-z_][\w:<>\[\],.*&]{0,60} ){0,3}[A-Za-z_][\w.\[\]:]{0,60} ?\((?![^\n]*\) ?=)"
    r"|(?:[A-Za-z_][\w:<>\[\],.*&]{0,60} ){1,3}[A-Za-z_][\w.\[\]]{0,60} ?=(?!=)"
    r"|[A-Za-z_]\w{0,60}(?:\+\+|--)"
)
"""A call, a declaration with its type, or a step: code, where the line ends in a semicolon or a brace."""
_PROSE = re.compile(r"(?<![A-Za-z'])(?:(?>[A-Za-z']{2,}) ){4}[A-Za-z']{2}")
_BULLET = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_BRACE = re.compile(r"[{}]")


class _Kind(Enum):
    """What the form of a line says."""

    BLANK = auto()
    HEAD = auto()
    SURE = auto()
    MAYBE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without its indentation, by offsets, and the width of the indentation."""

    start: int
    stop: int
    indent: int
    kind: _Kind
    bullet: bool


def find_code(text: str, fences: Sequence[Span]) -> list[Span]:
    """The spans of code outside of fences, each from the start of its first line."""
    if not any(True for _ in outside(_SIGNS.finditer(text), fences)):
        return []
    lines = [_line(match) for match in outside(_LINE.finditer(text), fences) if match.group()]
    return _joined(text, [*_blocks(lines), *_braced(text, lines, fences)])


def _line(match: re.Match[str]) -> _Line:
    whole = match.group()
    bare = whole.strip()
    indent = len(whole.expandtabs(4)) - len(whole.expandtabs(4).lstrip()) if bare else 0
    stop = match.start() + len(whole.rstrip())
    return _Line(match.start(), stop, indent, _kind(bare), _BULLET.match(bare) is not None)


def _kind(bare: str) -> _Kind:
    if not bare:
        return _Kind.BLANK
    if "\\" in bare.replace("\\n", "").replace("\\t", "") or "$" in bare:
        return _Kind.OTHER
    code = bare.partition("#")[0].rstrip() or bare
    if code.endswith((":", "{")) and (_HEAD.match(bare) or (code.endswith("{") and _STATEMENT.match(bare))):
        return _Kind.HEAD
    if _SURE.match(bare) or (code.endswith(";") and _STATEMENT.match(bare)):
        return _Kind.SURE
    if _MAYBE.match(bare) and not bare.endswith(".") and not _PROSE.search(code):
        return _Kind.MAYBE
    return _Kind.OTHER


def _blocks(lines: Sequence[_Line]) -> Iterator[Span]:
    """Runs of code lines that hold a sure one."""
    start: int | None = None
    head: int | None = None
    stop = -1
    for i, line in enumerate(lines):
        if line.kind is _Kind.BLANK:
            continue
        inside = head is not None and line.indent > head
        if line.kind is _Kind.OTHER and not inside:
            start = head = None
            continue
        start = line.start if start is None else start
        if not inside:
            head = line.indent if line.kind is _Kind.HEAD and _has_body(lines, i) else None
        if inside or head is not None or line.kind is _Kind.SURE:
            stop = line.stop
        elif i + 1 < len(lines) and lines[i + 1].kind is _Kind.BLANK and stop < start:
            continue
        if stop > start:
            yield start, stop


def _has_body(lines: Sequence[_Line], i: int) -> bool:
    """Whether the next line that is not blank is indented more than line i, and is no list item."""
    following = next((line for line in lines[i + 1 : i + 4] if line.kind is not _Kind.BLANK), None)
    return following is not None and following.indent > lines[i].indent and not following.bullet


def _braced(text: str, lines: Sequence[_Line], fences: Sequence[Span]) -> Iterator[Span]:
    """From each head that ends in an opening brace to the brace that closes it."""
    heads = {
        line.stop - 1: line.start for line in lines if line.kind is _Kind.HEAD and text[line.stop - 1] == "{"
    }
    if not heads:
        return
    opened: list[int] = []
    for brace in outside(_BRACE.finditer(text), fences):
        if brace.group() == "{":
            opened.append(brace.start())
        elif opened and (at := opened.pop()) in heads:
            yield heads[at], brace.end()


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans in order; those with only white space between them are one block."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and (start <= joined[-1][1] or text[joined[-1][1] : start].isspace()):
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
