"""A console of rich that shows control characters in the texts of others as escapes.

Apart from `console.py`, because commands that are run again and again start without rich.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment

from dlcot_ray.terminal import printable


def terminal(**options: Any) -> Console:
    """A console that shows control characters in texts as escapes; its own colours stay.

    Args:
        options: of `rich.console.Console`.
    """
    console = Console(**options)
    console.push_render_hook(_Cleaner())
    return console


class _Cleaner(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Clean(item) for item in renderables]


class _Clean:
    """Something to print whose texts are cleaned after it was laid out."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)
