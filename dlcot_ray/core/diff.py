"""One trace before and after: the edits with the text of their segments, as plain text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.terminal import printable

SHOWN_CHARS = 600
"""Characters of a segment that are shown: half from its beginning, half from its end."""

_SIGNS = {EditOp.KEEP: " ", EditOp.DROP: "-", EditOp.REPLACE: "-", EditOp.INSERT: "+"}
_HTML = {
    EditOp.KEEP: "color:inherit",
    EditOp.DROP: "background:#ffd7d5;color:#57060c;text-decoration:line-through",
    EditOp.REPLACE: "background:#ffd7d5;color:#57060c;text-decoration:line-through",
    EditOp.INSERT: "background:#ccffd8;color:#04360f",
}
_WORDS = {EditOp.KEEP: "kept", EditOp.DROP: "dropped", EditOp.REPLACE: "replaced", EditOp.INSERT: "inserted"}


@dataclass(frozen=True, slots=True)
class Block:
    """One edit over segments `[start, stop)` with its texts.

    Attributes:
        texts: the segments' own texts, in order.
        new: the text that a REPLACE or INSERT puts there, else empty.
        reason: why, as the edit records it.
    """

    op: EditOp
    start: int
    stop: int
    texts: tuple[str, ...]
    new: str
    reason: str

    @property
    def title(self) -> str:
        """The edit and its segments, e.g. ``dropped segments 4-6: redundant``."""
        where = (
            f"segments {self.start}-{self.stop - 1}"
            if self.stop - self.start > 1
            else f"segment {self.start}"
        )
        if self.op is EditOp.INSERT:
            where = f"before segment {self.start}"
        return f"{_WORDS[self.op]} {where}" + (f": {self.reason}" if self.reason else "")


def blocks_of(reasoning: str, offsets: Sequence[int], script: Sequence[Edit]) -> Iterator[Block]:
    """The edits of a script with the texts of their segments; `offsets` are the segments' n+1 offsets."""
    texts = segment_texts(reasoning, offsets)
    for edit in script:
        yield Block(
            edit.op, edit.start, edit.stop, tuple(texts[edit.start : edit.stop]), edit.text, edit.reason
        )


@dataclass(frozen=True, slots=True)
class Diff:
    """A trace before and after. ``print`` shows it as text; a notebook shows it as HTML.

    Attributes:
        title: the first line, e.g. what became of the trace.
        blocks: all edits, in order; together they cover the whole trace.
    """

    title: str
    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        lines = [self.title, *(line for block in self.blocks for line in _text_lines(block))]
        return printable("\n".join(lines))

    def _repr_html_(self) -> str:
        body = "".join(_html_block(block) for block in self.blocks)
        return (
            f'<div style="font-family:monospace;white-space:pre-wrap"><b>{escape(self.title)}</b>{body}</div>'
        )


def shortened(text: str, most: int = SHOWN_CHARS) -> str:
    """`text` without its outer white space, its middle left out where it is longer than `most` characters."""
    text = text.strip()
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [... {len(text) - most:,} characters ...] {text[-half:]}"


def _shown(block: Block) -> list[str]:
    """The texts to show: every changed segment; of a kept range the first and the last."""
    texts = list(block.texts)
    if block.op is EditOp.KEEP and len(texts) > 2:
        texts = [texts[0], f"[... {len(texts) - 2} segments ...]", texts[-1]]
    return [shortened(text) for text in texts]


def _text_lines(block: Block) -> Iterator[str]:
    yield f"@@ {block.title} @@"
    for sign, texts in ((_SIGNS[block.op], _shown(block)), ("+", [block.new] if block.new else [])):
        for text in texts:
            yield from (f"{sign} {line}".rstrip() for line in text.strip().splitlines())


def _html_block(block: Block) -> str:
    parts = [f'<div style="opacity:.6">{escape(block.title)}</div>']
    parts += [f'<div style="{_HTML[block.op]}">{escape(text)}</div>' for text in _shown(block)]
    if block.new:
        parts.append(f'<div style="{_HTML[EditOp.INSERT]}">{escape(block.new.strip())}</div>')
    return "".join(parts)
