"""Which approaches use fundamentally the same method, from vocabulary alone (DLCoT step 4).

In: texts of approaches and the problem. Out: a cluster number for each. The measure is the cosine similarity
of counts of technical terms and quantities. Everyday words are removed; terms of the problem weigh less,
because every approach shares them. No model is needed. Two techniques in the same words are merged, and one
technique in new symbols is not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SAME_METHOD = 0.55
"""Similarity from which two ranges count as one method, whatever the trace itself calls them.

Most human solutions that differ are below it; one solution in other words is far above it
(docs/explanation/rules-judge.md). That a trace announces "another way" is no evidence: most such ranges,
read by eye, use the same method again.
"""

MOST_LEADERS = 200
"""Clusters that later texts are compared with; more methods than that are degenerate text, and would take
quadratic time. A text that fits none of them is a cluster of its own."""

_TERM = re.compile(r"\\?[A-Za-z]{3,}|\d+(?:\.\d+)?")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
about again all also alternatively and another any answer are because been but can check confirm correct could
did does double each find first for from get gives given had has have hence here how hmm into its just know let
like look make makes maybe mean means more most need not now okay once one only other otherwise our out over
perhaps problem result right same see seems should since some still sure take than that the their them then there
therefore these they thing think this those thus total try use using verify wait want was way well were what when
where whether which while will with would yes you your again approach method different alternative another
frac text left right boxed cdot times sqrt quad
""",
    )
)


@dataclass(frozen=True, slots=True)
class TermVector:
    """Weights of technical terms, and their Euclidean norm."""

    weights: dict[str, float]
    norm: float


def term_vector(text: str, problem_terms: frozenset[str]) -> TermVector:
    """Damped counts of technical terms and numbers; terms of the problem weigh a third."""
    counts: dict[str, int] = {}
    # Terms are counted as written first, because most of them recur.
    for written, count in Counter(_TERM.findall(text)).items():
        if (term := written.lower()) not in _COMMON:
            counts[term] = counts.get(term, 0) + count
    weights = {t: (1 + math.log(n)) * (0.34 if t in problem_terms else 1.0) for t, n in counts.items()}
    return TermVector(weights, math.sqrt(sum([w * w for w in weights.values()])))


def terms_of(text: str) -> frozenset[str]:
    """The set of technical terms and numbers of a text."""
    return frozenset(t for t in map(str.lower, _TERM.findall(text)) if t not in _COMMON)


def similarity(a: TermVector, b: TermVector) -> float:
    """Cosine over shared terms, 0..1; a much shorter range is also compared on its own vocabulary."""
    if not a.weights or not b.weights:
        return 0.0
    if len(a.weights) > len(b.weights):
        a, b = b, a
    shared = a.weights.keys() & b.weights.keys()
    if not shared:
        return 0.0
    dot = math.fsum([a.weights[t] * b.weights[t] for t in shared])
    cosine = dot / (a.norm * b.norm)
    if len(a.weights) * 3 >= len(b.weights):
        return cosine
    contained = dot / (a.norm * math.sqrt(math.fsum([b.weights[t] ** 2 for t in shared])))
    return 0.5 * (cosine + contained)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The clusters of a list of texts.

    Attributes:
        numbers: cluster numbers in order of first appearance, one per text.
        nearest: similarity of each text to the cluster that decided, 0 for the first text.
    """

    numbers: tuple[int, ...]
    nearest: tuple[float, ...]


def assign_clusters(texts: Sequence[str], problem: str) -> Grouping:
    """Group texts by method.

    Each text joins the cluster whose first member it is most similar to, if at or above the threshold, else opens
    a new one.
    """
    if len(texts) < 2:
        return Grouping((0,) * len(texts), (0.0,) * len(texts))
    problem_terms = terms_of(problem)
    leaders: list[TermVector] = []
    clusters: list[int] = []
    count = 0
    nearest: list[float] = []
    for text in texts:
        vector = term_vector(text, problem_terms)
        scores = [similarity(vector, leader) for leader in leaders]
        best = max(range(len(scores)), key=scores.__getitem__, default=-1)
        nearest.append(scores[best] if scores else 0.0)
        if best < 0 or scores[best] < SAME_METHOD:
            best = count
            count += 1
            if len(leaders) < MOST_LEADERS:
                leaders.append(vector)
        clusters.append(best)
    return Grouping(tuple(clusters), tuple(nearest))
