"""The HTML page: styles, scripts and data in one file that asks the network for nothing.

The content security policy names each script and style by its hash, so that nothing in the data can run. The
data are JSON in script elements that no browser executes; ``<``, ``>`` and ``&`` are escaped in them, so no
text can close the element. The scripts put data into text nodes only.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from dlcot_ray.outputs.owning.marks import PAGE_MARK
from dlcot_ray.report.payload import Payload, to_json

_BEFORE = ("uPlot.iife.min.js",)
_BEHIND = ("katex.min.js", "highlight.min.js")
"""Libraries that the first picture needs, and those that only texts need."""

_LIBRARY_STYLES = ("katex.min.css", "uPlot.min.css")
_SCRIPTS = (
    "base.js",
    "text.js",
    "facts.js",
    "charts.js",
    "overview.js",
    "profile.js",
    "timeline.js",
    "trace.js",
    "list.js",
    "labels.js",
    "app.js",
)
_ESCAPES = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def page(payload: Payload, *, server: Mapping[str, Any] | None = None) -> bytes:
    """The page of an output.

    Args:
        payload: its data.
        server: what the scripts need to ask a local server for more; None for a file.
    """
    before, behind, styles = _scripts(_BEFORE, own=True), _scripts(_BEHIND), _styles()
    policy = "; ".join(security_policy((*before, *behind), styles, connect=server is not None))
    title = html.escape(f"dlcot: {payload.summary['output']}")
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8">{PAGE_MARK}',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        *(f"<style>{style}</style>" for style in styles),
        '</head><body><div id="app"></div>',
        "<noscript>This report needs JavaScript. It asks the network for nothing.</noscript>",
        _data("data", to_json({**payload.summary, "server": server})),
        *(f"<script>{script}</script>" for script in before),
        *(f"<script>{script}</script>" for script in behind),
        *(_data(f"t{number}", trace) for number, trace in enumerate(payload.traces)),
        "</body></html>\n",
    ]
    return "\n".join(parts).encode("utf-8", "replace")


def security_policy(scripts: Iterable[str], styles: Iterable[str], *, connect: bool) -> list[str]:
    """The directives of the policy.

    Style attributes are allowed, because KaTeX draws accents with them. No script in the data is.
    """
    return [
        "default-src 'none'",
        f"script-src {' '.join(_hash(script) for script in scripts)}",
        f"style-src {' '.join(_hash(style) for style in styles)}",
        "style-src-attr 'unsafe-inline'",
        "font-src data:",
        f"connect-src {chr(39)}{'self' if connect else 'none'}{chr(39)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def _data(name: str, text: str) -> str:
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return f'<script type="application/json" id="{name}">{text}</script>'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _scripts(libraries: tuple[str, ...], *, own: bool = False) -> tuple[str, ...]:
    found = [_asset(f"vendor/{name}") for name in libraries]
    if own:
        scripts = "\n".join(_asset(name) for name in _SCRIPTS)
        found.append(f'"use strict";\n(() => {{\n{scripts}\n}})();')
    return tuple(found)


@cache
def _styles() -> tuple[str, ...]:
    return (*(_asset(f"vendor/{name}") for name in _LIBRARY_STYLES), _asset("style.css"))


def _asset(name: str) -> str:
    return files("dlcot_ray.report").joinpath("assets", *name.split("/")).read_text(encoding="utf-8")
