"""Documents of our own with protected blocks in hostile nesting, as strategies of hypothesis.

A strategy draws the text of a document and, for each block in it, the offsets `[start, stop)` that no boundary
may cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

TRAPS = (
    "It costs $5 and $7, so $12 in all.",
    "A pear is $3. A plum is $4.50! Is that (much?",
    "For x < 5 and y > 3 nothing changes. Call `f` once.",
    "He said: wait (a minute. Then nothing.",
    "Prices rise: $1,000 now, $2,000 later. So be it.",
    "The set {1, 2, 3} has |S| = 3 elements. That is all.",
    "因此答案是四十二。我们再检查一下！真的吗？",
    "A tag like <think> or List<Item> means nothing here. Go on.",
    "Backslash \\\\ here, and a lone \\) there. And a ~ too.",
)
"""Paragraphs with signs that look like openers."""

SMALL = (
    "$$a\n\n= b$$",
    "$$\nx = 1 \\\\\n\n\ny = 2. z = 3\n$$",
    "\\[\na. b\n\n= c\n\n\\]",
    "\\[ x = 5 \\\\[2pt] y. z \\]",
    "\\begin{tabular}{l|l}\na & b \\\\\n\n\\hline c. d & e\n\\end{tabular}",
    "| a | b |\n|---|:-:|\n| One. Two | $5 |\n| three! | x |",
    "name | size\n--- | ---\nbox. lid | 5\nbag | 7",
    "<table>\n<tr><td>1. One</td></tr>\n\n<tr><td>2</td></tr>\n</table>",
    '<p title="a > b. C">\n\nText. More text.\n\n</p>',
    "<!-- a remark. Its\n\nsecond part -->",
    "def total(n):\n    s = 0\n\n    for i in range(n):\n        s += i\n\n    return s\n\nprint(total(5))",
    "int main() {\n  int s = 0;\n\n  return s;\n}",
)

PROGRAM = "s = 0\n\nfor i in range(3):\n    s += i  # one. Two\n\n\n$$ \\[ <div> \\begin{x}\n\nprint(s)"


def indented(text: str, lead: str) -> str:
    """`text` with `lead` before every line."""
    return "\n".join(lead + line for line in text.split("\n"))


def fenced(text: str, sign: str, size: int, info: str) -> str:
    """`text` in a fence that is longer than any run of its sign inside."""
    while sign * size in text:
        size += 1
    return f"{sign * size}{info}\n{text}\n{sign * size}"


def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Blocks that hold other blocks."""
    return st.one_of(
        st.builds(fenced, inner, st.sampled_from("`~"), st.integers(3, 5), st.sampled_from(["", "python", "text x"])),
        st.builds(lambda text, name: f"\\begin{{{name}}}\n{text}\n\nA. B\n\\end{{{name}}}", inner, st.sampled_from(["proof", "align*"])),
        st.builds(lambda text, name: f"<{name}>\n\n{text}\n\n</{name}>", inner, st.sampled_from(["details", "div", "DIV"])),
    )  # fmt: skip


NESTED = st.recursive(st.sampled_from(SMALL), around, max_leaves=3)
BLOCKS = st.one_of(
    NESTED,
    st.builds(
        fenced, st.just(PROGRAM), st.sampled_from("`~"), st.integers(3, 5), st.sampled_from(["", "py"])
    ),
    st.builds(lambda n: indented(fenced(PROGRAM, "`", 3, "py"), " " * n), st.integers(1, 6)),
    st.just(indented(fenced(PROGRAM, "`", 3, "py"), "> ")),
    st.just("- " + indented(fenced(PROGRAM, "~", 3, ""), "  ")[2:]),
)
INLINE = st.sampled_from(
    [
        "$x = 5. y = 7$",
        "$ x = 5. y $",
        "\\( a. b \\)",
        "`one. Two. Three`",
        "``a ` b. C``",
        "<b>One. Two. Three.</b>",
        "$\\text{It costs 5. Then}$",
        "$5 \\times 3. x$",
    ]
)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A long paragraph with inline mathematics and code."""
    text, spans = "", []
    for _ in range(draw(st.integers(1, 8))):
        text += "Here is a sentence that makes the paragraph long enough to be cut somewhere. " * draw(
            st.integers(1, 4)
        )
        inline = draw(INLINE)
        text += "Take "
        spans.append((len(text), len(text) + len(inline)))
        text += inline + " and see. "
    return text.strip(), spans


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Sequence[tuple[int, int]]]:
    """A document and the spans of its blocks."""
    text, spans = "", []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 3))
        if kind == 0:
            text += draw(st.sampled_from(TRAPS))
        elif kind == 1:
            paragraph, inside = draw(sentences())
            spans += [(len(text) + start, len(text) + stop) for start, stop in inside]
            text += paragraph
        else:
            block = draw(BLOCKS)
            spans.append((len(text), len(text) + len(block)))
            text += block
        text += draw(st.sampled_from(["\n\n", "\n \n", "\n\n\n"]))
    return text, spans
