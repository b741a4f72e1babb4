"""Clusters of very many texts: degenerate, and linear all the same."""

from __future__ import annotations

import random

from dlcot_ray.judging.rules.clusters import MOST_LEADERS, assign_clusters
from tests.support.growth import MOST, growth


def _unlike(count: int) -> list[str]:
    """Texts that share no word."""
    letters = random.Random(5)
    return [
        " ".join("".join(letters.choices("abcdefghijklmnop", k=9)) for _ in range(6)) for _ in range(count)
    ]


def test_texts_beyond_the_most_leaders_are_clusters_of_their_own() -> None:
    texts = _unlike(MOST_LEADERS + 50)
    assert assign_clusters(texts, "").numbers == tuple(range(len(texts)))
    assert assign_clusters([*texts, texts[3]], "").numbers[-1] == 3


def test_time_is_linear_in_the_number_of_texts() -> None:
    texts = _unlike(4 * 1200)

    def step(text: str) -> object:
        return assign_clusters(texts[: len(text)], "")

    assert growth(step, lambda length: "x" * length, 1200, quick=0.0).exponent < MOST
