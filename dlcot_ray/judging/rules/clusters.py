"""Which approaches are fundamentally the same method (DLCoT step 4), from vocabulary alone.

Two unit ranges use the same method when they use the same technical terms and quantities: cosine
similarity of term counts, with everyday words removed and terms that the problem itself contributes
damped, because every approach to a problem shares those. No model, no download; the price is that two
different techniques told in the same words merge, and one technique told in new symbols does not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

SAME_METHOD = 0.55
"""Similarity from which two ranges count as one method."""

SAME_METHOD_ANNOUNCED = 0.72
"""The bar where the trace itself announces "another way": its own word counts against merging."""

_TERM = re.compile(r"\\?[A-Za-z]{3,}|\d+(?:\.\d+)?")
_COMMON = frozenset(
    [
        "about",
        "again",
        "all",
        "also",
        "alternatively",
        "and",
        "another",
        "any",
        "answer",
        "are",
        "because",
        "been",
        "but",
        "can",
        "check",
        "confirm",
        "correct",
        "could",
        "did",
        "does",
        "double",
        "each",
        "find",
        "first",
        "for",
        "from",
        "get",
        "gives",
        "given",
        "had",
        "has",
        "have",
        "hence",
        "here",
        "how",
        "hmm",
        "into",
        "its",
        "just",
        "know",
        "let",
        "like",
        "look",
        "make",
        "makes",
        "maybe",
        "mean",
        "means",
        "more",
        "most",
        "need",
        "not",
        "now",
        "okay",
        "once",
        "one",
        "only",
        "other",
        "otherwise",
        "our",
        "out",
        "over",
        "perhaps",
        "problem",
        "result",
        "right",
        "same",
        "see",
        "seems",
        "should",
        "since",
        "some",
        "still",
        "sure",
        "take",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "therefore",
        "these",
        "they",
        "thing",
        "think",
        "this",
        "those",
        "thus",
        "total",
        "try",
        "use",
        "using",
        "verify",
        "wait",
        "want",
        "was",
        "way",
        "well",
        "were",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "will",
        "with",
        "would",
        "yes",
        "you",
        "your",
        "again",
        "approach",
        "method",
        "different",
        "alternative",
        "another",
        "frac",
        "text",
        "left",
        "right",
        "boxed",
        "cdot",
        "times",
        "sqrt",
        "quad",
    ]
)


def term_vector(text: str, problem_terms: frozenset[str]) -> dict[str, float]:
    """Damped counts of technical terms and numbers; terms of the problem weigh a third."""
    counts = Counter(term for term in map(str.lower, _TERM.findall(text)) if term not in _COMMON)
    return {t: (1 + math.log(n)) * (0.34 if t in problem_terms else 1.0) for t, n in counts.items()}


def terms_of(text: str) -> frozenset[str]:
    """The set of technical terms and numbers of a text."""
    return frozenset(t for t in map(str.lower, _TERM.findall(text)) if t not in _COMMON)


def similarity(a: dict[str, float], b: dict[str, float]) -> float:
    """Cosine over shared terms, 0..1; a short range is compared on its own vocabulary alone."""
    if not a or not b:
        return 0.0
    if len(a) > len(b):
        a, b = b, a
    dot = sum(w * b[t] for t, w in a.items() if t in b)
    norm_a = math.sqrt(sum(w * w for w in a.values()))
    norm_b = math.sqrt(sum(w * w for w in b.values()))
    cosine = dot / (norm_a * norm_b)
    contained = dot / (norm_a * math.sqrt(sum(b[t] ** 2 for t in a if t in b)) or 1.0)
    return 0.5 * (cosine + contained) if len(a) * 3 < len(b) else cosine


def assign_clusters(texts: Sequence[str], announced: Sequence[bool], problem: str) -> list[int]:
    """Cluster numbers in order of first appearance, one per text.

    Each text joins the most similar earlier cluster (by its best member) above the bar, else opens a
    new one. `announced[i]` says that the trace itself calls text i another way.
    """
    problem_terms = terms_of(problem)
    vectors = [term_vector(text, problem_terms) for text in texts]
    clusters: list[int] = []
    for i, vector in enumerate(vectors):
        bar = SAME_METHOD_ANNOUNCED if announced[i] else SAME_METHOD
        best = max(((similarity(vector, vectors[j]), -j) for j in range(i)), default=(0.0, 0))
        clusters.append(clusters[-best[1]] if best[0] >= bar else max(clusters, default=-1) + 1)
    return clusters
