"""All spans of a text that no segment boundary may cut.

In: a text. Out: disjoint spans in order, in time linear in the text's length (but for a sort). What is code
is no mathematics: signs inside code open nothing. Otherwise spans may nest in any order; their union counts.
"""

from __future__ import annotations

from dlcot_ray.core.protected.code import find_code
from dlcot_ray.core.protected.dollars import BACKTICKS, DOLLARS, code_spans, display_spans, inline_spans
from dlcot_ray.core.protected.fences import find_fences
from dlcot_ray.core.protected.pairs import HTML, LATEX, html_spans, latex_spans
from dlcot_ray.core.protected.paragraphs import Paragraphs, Span, merged, outside, paragraphs_of
from dlcot_ray.core.protected.tables import find_tables


def protected_spans(text: str) -> list[Span]:
    """The spans of code, mathematics, tables and HTML in `text`, disjoint and in order.

    An opener without a closer protects the rest of its paragraph, a fence more (`fences.UNCLOSED_LIMIT`).
    """
    paragraphs = paragraphs_of(text)
    fences = find_fences(text, paragraphs)
    code = merged([*fences, *find_code(text, fences)])
    if "`" in text:
        code = merged([*code, *code_spans(outside(BACKTICKS.finditer(text), code), paragraphs)])
    return merged([*_mathematics(text, code, paragraphs), *find_tables(text)])


def _mathematics(text: str, code: list[Span], paragraphs: Paragraphs) -> list[Span]:
    """Code, and all signs outside of it that come in pairs."""
    spans = code
    if "\\" in text:
        spans = merged([*spans, *latex_spans(outside(LATEX.finditer(text), code), paragraphs)])
    if "<" in text:
        spans = merged([*spans, *html_spans(outside(HTML.finditer(text), code), paragraphs)])
    for find in (display_spans, inline_spans) if "$" in text else ():
        signs = outside(DOLLARS.finditer(text), spans)
        spans = merged([*spans, *find(text, signs, paragraphs)])
    return spans
