"""The linear chain: how well each state fits each segment, and how well states follow each other.

In: scores of states, (n, 7), and weights of transitions. Out: the best legal path, and the probability of
each state. Exact, by dynamic programming over the legal transitions; time is linear in the segments.
"""

from __future__ import annotations

import numpy as np

from dlcot_ray.judging.learned.arrays import Floats, Ints, summed
from dlcot_ray.judging.learned.states import MAY_END, MAY_FOLLOW, MAY_START

_NEVER = -1e9


def best_path(scores: Floats, transitions: Floats, starts: Floats) -> list[int]:
    """The legal path with the highest sum of scores and transitions (Viterbi); ties go to the lower state."""
    follow = np.where(MAY_FOLLOW, transitions, _NEVER)
    best = scores[0] + np.where(MAY_START, starts, _NEVER)
    back = np.zeros(scores.shape, dtype=np.int64)
    for i in range(1, len(scores)):
        through = best[:, None] + follow
        back[i] = through.argmax(axis=0)
        best = through.max(axis=0) + scores[i]
    path = [int(np.where(MAY_END, best, 2 * _NEVER).argmax())]
    for i in range(len(scores) - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return path[::-1]


def probabilities(scores: Floats, transitions: Floats, starts: Floats) -> Floats:
    """(n, 7): the probability of each state, over all legal paths (forward-backward)."""
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    follow = np.where(MAY_FOLLOW, np.exp(transitions), 0.0)
    forward = np.empty_like(likely)
    row = np.where(MAY_START, np.exp(starts), 0.0) * likely[0]
    for i in range(len(likely)):
        if i:
            row = (forward[i - 1] @ follow) * likely[i]
        forward[i] = row / row.sum()
    backward = np.empty_like(likely)
    row = MAY_END.astype(float)
    for i in range(len(likely) - 1, -1, -1):
        if i + 1 < len(likely):
            row = follow @ (backward[i + 1] * likely[i + 1])
        backward[i] = row / row.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def scores_of(columns: Floats, words: tuple[Ints, ...], of_columns: Floats, of_words: Floats) -> Floats:
    """(n, 7): the sum of the weights of each segment's features."""
    return np.asarray(columns @ of_columns + summed(words, of_words))
