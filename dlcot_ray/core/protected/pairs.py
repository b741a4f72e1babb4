"""Pairs of unlike signs: LaTeX environments, ``\\[ \\]``, ``\\( \\)``, HTML elements.

In: a text. Out: their spans. Pairs of one name may nest. An opener without its closer protects the rest of
its paragraph. ``\\( \\)`` never reaches over a blank line, and protects nothing where it is not closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlcot_ray.core.protected.paragraphs import Paragraphs, Span

LATEX = re.compile(
    r"(?<!\\)(?P<slashes>(?>\\+))(?:(?P<sign>[\[\]()])|(?P<word>begin|end)\{(?P<name>[^{}\n]{1,40})\})"
)
_ROW_SPACE = re.compile(r"\s*-?[\d.]{1,8}\s*(?:pt|em|ex|cm|mm|in|pc|\\\w{1,20})\s*\]")
"""What follows ``\\\\[`` where it only sets the space behind a row."""

HTML = re.compile(
    r"<(?P<slash>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15})"
    r"(?:\s(?>(?:[^<>\"']|\"[^\"\n]{0,500}\"|'[^'\n]{0,500}')*))?>"
    r"|(?P<comment><!--)|(?P<end>-->)"
)
_VOID = frozenset(re.findall(r"\w+", "area base br col embed hr img input link meta source track wbr"))
"""HTML elements without content (HTML standard, section 13.1.2)."""
_ELEMENTS = _VOID | frozenset(
    re.findall(
        r"\w+",
        """
a abbr address article aside audio b bdi bdo blockquote body button canvas caption center cite code
colgroup data datalist dd del details dfn dialog div dl dt em fieldset figcaption figure font footer form
h1 h2 h3 h4 h5 h6 head header html i iframe ins kbd label legend li main map mark math menu meter nav
noscript object ol optgroup option output p picture pre progress q rp rt ruby s samp script section
select small span strong style sub summary sup svg table tbody td template textarea tfoot th thead time
title tr u ul var video
""",
    )
)
_COMMENT = "<!--"


@dataclass(frozen=True, slots=True)
class _Token:
    """An opener or a closer.

    Attributes:
        within_paragraph: the pair cannot reach over a blank line.
        alone: without its closer, the opener protects the rest of its paragraph.
    """

    start: int
    stop: int
    name: str
    opens: bool
    within_paragraph: bool = False
    alone: bool = True


def latex_spans(matches: Iterable[re.Match[str]], paragraphs: Paragraphs) -> Iterator[Span]:
    """The spans of LaTeX pairs, from the matches of `LATEX`; they may overlap."""
    return _paired(filter(None, map(_latex_token, matches)), paragraphs)


def html_spans(matches: Iterable[re.Match[str]], paragraphs: Paragraphs) -> Iterator[Span]:
    """The spans of HTML elements, tags and comments, from the matches of `HTML`; they may overlap."""
    tags = [m for m in matches if m["name"] is None or m["name"].lower() in _ELEMENTS]
    yield from (tag.span() for tag in tags if tag["name"] is not None)
    yield from _paired(filter(None, map(_html_token, tags)), paragraphs)


def _latex_token(match: re.Match[str]) -> _Token | None:
    if match["word"]:
        return _Token(match.start(), match.end(), match["name"], match["word"] == "begin")
    # Where backslashes were doubled, both delimiters are; a row break before a bracket has no closer.
    count, sign = len(match["slashes"]), match["sign"]
    if count % 2 == 0 and sign == "[" and _ROW_SPACE.match(match.string, match.end()):
        return None
    inline = sign in "()"
    name = f"{count}{'(' if inline else '['}"
    return _Token(match.start(), match.end(), name, sign in "[(", inline, not inline and count % 2 == 1)


def _html_token(match: re.Match[str]) -> _Token | None:
    if match["name"] is None:
        return _Token(match.start(), match.end(), _COMMENT, match["comment"] is not None)
    name = match["name"].lower()
    if name in _VOID or match.group().endswith("/>"):
        return None
    return _Token(match.start(), match.end(), name, not match["slash"])


def _paired(tokens: Iterable[_Token], paragraphs: Paragraphs) -> Iterator[Span]:
    """Pair openers with closers of the same name, innermost first."""
    waiting: dict[str, list[_Token]] = {}
    for token in tokens:
        if token.opens:
            waiting.setdefault(token.name, []).append(token)
        elif opened := waiting.get(token.name):
            first = opened.pop()
            if token.within_paragraph and paragraphs.end(first.start) < token.start:
                opened.append(first)
            else:
                yield first.start, token.stop
    for opened in waiting.values():
        yield from (paragraphs.unclosed(t.start, t.stop) for t in opened if t.alone)
