"""No boundary lies inside code, mathematics, a table or HTML, and a lone opener hides little."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings

from dlcot_ray.core.protected.fences import UNCLOSED_LIMIT
from dlcot_ray.core.protected.spans import protected_spans
from dlcot_ray.core.segments import segment_texts, split_segments
from tests.core.protected.documents import BLOCKS, PROGRAM, documents, fenced

PROSE = "Here is one more sentence about the pears in the box.\n\n"


@settings(max_examples=150, deadline=None)
@given(documents())
def test_no_boundary_lies_inside_a_block(document: tuple[str, list[tuple[int, int]]]) -> None:
    text, spans = document
    offsets = split_segments(text)
    assert "".join(segment_texts(text, offsets)) == text
    cut = [(text[a:b], c - a) for a, b in spans for c in offsets if a < c < b]
    assert not cut


@settings(max_examples=60, deadline=None)
@given(BLOCKS)
def test_prose_around_a_block_is_cut(block: str) -> None:
    text = f"{PROSE}{PROSE}{block}\n\n{PROSE}{PROSE}"
    segments = segment_texts(text, split_segments(text))
    assert len(segments) == 5
    assert block in segments[2]


@pytest.mark.parametrize(
    "block",
    [
        "Count them: ```python\nn = 0\n\nn += 1\nprint(n)\n```",
        "Count them: ```python\nn = 0\n\nn += 1\n``` and so on it goes.",
        "```\nunclosed\n\nfence\n\n",
        "```py\nprint(1)\n\nprint(2)```",
        "````md\n```py\nx = 1\n```\n\nmore\n````",
        "~~~\n```\n\n~~~",
        "$$\n" + "x_1 + x_2 = 3 \\\\\n\n" * 400 + "$$",
        "\\[\n" + "x_1 + x_2 = 3 \\\\\n\n" * 400 + "\\]",
        "\\begin{a}\\begin{b}\n\n\\begin{a}\n\n\\end{a}\n\n\\end{b}\n\n\\end{a}",
        "\\\\[\nx\n\n= y\n\\\\]",
        "| a | b |\n\n|---|---|\n\n| 1 | 2 |",
        "import math\n\nfor n in range(5):\n    print(n)\n\n    print(n * n)\n\nprint(math.pi)",
        '#include <cstdio>\n\nint main() {\n\nputs("a. B");\n\n}',
        "function area(r) {\n  let a = r * r;\n\n  return a;\n}",
    ],
)
def test_a_block_is_one_segment(block: str) -> None:
    segments = segment_texts(f"{PROSE}{block}", split_segments(f"{PROSE}{block}"))
    assert segments == [PROSE, block]


@pytest.mark.parametrize(
    "opener",
    ["$", "$5", "$$", "\\(", "\\[", "(", "\\begin{cases}", "<div>", "<b", "<!--", "`", "``", "x: ```py", "{", "def f(x):"],
)  # fmt: skip
def test_a_lone_opener_hides_no_other_paragraph(opener: str) -> None:
    text = f"{PROSE}So {opener} is here. It goes on.\n\n{PROSE * 9}"
    assert len(split_segments(text)) == 12


def test_an_unclosed_display_formula_does_not_swap_inside_and_outside() -> None:
    text = f"$$ x = 5\n\n{PROSE}{PROSE}$$ y = 7\n\n= z $$\n\n{PROSE}"
    assert len(segment_texts(text, split_segments(text))) == 5


def test_a_stray_fence_ends_at_its_limit() -> None:
    text = f"{PROSE}```\n{PROSE * 2000}"
    segments = segment_texts(text, split_segments(text))
    assert UNCLOSED_LIMIT <= len(segments[1]) <= UNCLOSED_LIMIT + len(PROSE)
    assert segments[-1] == PROSE


def test_prices_open_nothing() -> None:
    text = "It costs $5 and $7. A pear is $1.50, two are $3! Then $x = 2. y$ holds."
    formula = text.index("$x")
    assert protected_spans(text) == [(formula, formula + len("$x = 2. y$"))]


def test_plain_mathematics_is_no_code() -> None:
    text = "x = 5\n\ny = x + 7\n\nf(x) = 3;\n\na = 4, b = 5; a = 6, b = 7;\n\nif x > 3:\n\ny = 2"
    assert protected_spans(text) == []


def test_indentation_stays_with_its_block() -> None:
    block = "    " + fenced(PROGRAM, "`", 3, "py").replace("\n", "\n    ")
    segments = segment_texts(f"{PROSE}{block}", split_segments(f"{PROSE}{block}"))
    assert segments == [PROSE, block]


@pytest.mark.parametrize(
    "piece",
    [
        "```py\n", "``` a ", "````\n```\n", "~~~\n", "> ```\n", "` ", "$", "$5 ", "$$\n\n", "\\[ ", "\\( a. ", "\\begin{a}",
        "<div>", "<a href=\"", "<!-- ", "| a |\n", "a | b\n--- | ---\n", "def f(x):\n  y\n\n", "print(1)\n\n", "{\n",
        "\\", " ", "\n ", "。", "a", "for ", "return x ", "a b c d e ", "}; ",
    ],
)  # fmt: skip
def test_time_is_linear_in_the_length(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    split_segments(text)
    assert time.process_time() - start < 4
