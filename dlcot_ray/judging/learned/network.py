"""The network beside the chain: it reads all segments of a trace in both directions.

In: the features of n segments. Out: (n, 7), the log-probability of each state; and, where the network has
learned that, for each segment the log-odds that a careful reader drops it, and what it makes of results. A
gated recurrent unit (GRU, Cho et al. 2014) reads a dense layer over the columns and the mean of the words'
vectors, from the front and from the back. It sees what happened far before and behind a segment, which the
columns only count. Plain numpy: trained weights are needed, no framework. Time is linear in the segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from dlcot_ray.judging.learned.arrays import Floats, Ints, summed
from dlcot_ray.judging.learned.results import LABELS, ResultScores
from dlcot_ray.judging.learned.states import COUNT

RESULTS = 1 + len(LABELS)
"""Scores of a segment's results: the right answer first stands in it, and each label."""


@dataclass(frozen=True, slots=True)
class Network:
    """Weights of the network; c columns, d the size of the layer over them, e that of a word, h of a state.

    The three gates stand side by side: reset, update, new.

    Attributes:
        columns, columns_shift: (c, d) and (d,), the layer over the columns.
        words: (BUCKETS, e), a vector for each bucket.
        ahead, ahead_shift: (d + e, 3h) and (3h,), what the reader from the front takes from a segment.
        ahead_state, ahead_state_shift: (h, 3h) and (3h,), what it takes from the segments before.
        back, back_shift, back_state, back_state_shift: the same of the reader from the back.
        out, out_shift: (2h + d + e, k) and (k,), from both readers and the segment to k scores: 7 of the
            states, 1 of what a reader drops where that is taught, 4 of results where these are taught.
    """

    columns: Floats
    columns_shift: Floats
    words: Floats
    ahead: Floats
    ahead_shift: Floats
    ahead_state: Floats
    ahead_state_shift: Floats
    back: Floats
    back_shift: Floats
    back_state: Floats
    back_state_shift: Floats
    out: Floats
    out_shift: Floats

    def arrays(self) -> Iterator[tuple[str, Floats]]:
        """The weights by name, in the order in which they are stored."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


NAMES = tuple(field.name for field in fields(Network))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the network makes of n segments.

    Attributes:
        states: (n, 7), the log-probability of each state.
        needless: (n,), the log-odds that a careful reader drops the segment; None where nobody taught that.
        results: None where nobody taught that.
    """

    states: Floats
    needless: Floats | None
    results: ResultScores | None


def read_segments(network: Network, columns: Floats, words: Sequence[Ints]) -> Outlook:
    """What the network makes of n segments."""
    layer = np.maximum(columns @ network.columns + network.columns_shift, 0.0)
    own = np.hstack([layer, _means(words, network.words)])
    ahead = _read(own, network.ahead, network.ahead_shift, network.ahead_state, network.ahead_state_shift)
    back = _read(own[::-1], network.back, network.back_shift, network.back_state, network.back_state_shift)
    out = np.hstack([ahead, back[::-1], own]) @ network.out + network.out_shift
    drops, results = taught(out.shape[1])
    scores = out[:, -RESULTS:]
    return Outlook(
        _log_shares(out[:, :COUNT]),
        out[:, COUNT] if drops else None,
        ResultScores(scores[:, 0], _log_shares(scores[:, 1:])) if results else None,
    )


def taught(width: int) -> tuple[bool, bool]:
    """Whether a network of so many scores has learned drops, and whether it has learned results."""
    more = width - COUNT
    return more in (1, 1 + RESULTS), more >= RESULTS


def _log_shares(scores: Floats) -> Floats:
    """Log-probabilities from scores, row by row."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def _means(words: Sequence[Ints], vectors: Floats) -> Floats:
    """The mean of the vectors of each segment's words; zero where it has none."""
    sizes = np.array([max(1, len(buckets)) for buckets in words])
    return np.asarray(summed(words, vectors) / sizes[:, None])


def _read(rows: Floats, inputs: Floats, shift: Floats, state: Floats, state_shift: Floats) -> Floats:
    """(n, h): the state of a gated recurrent unit behind each row."""
    size = len(state)
    taken = rows @ inputs + shift
    now = np.zeros(size)
    out = np.empty((len(rows), size))
    for i, own in enumerate(taken):
        held = now @ state + state_shift
        gates = 1.0 / (1.0 + np.exp(-(own[: 2 * size] + held[: 2 * size])))
        reset, update = gates[:size], gates[size:]
        new = np.tanh(own[2 * size :] + reset * held[2 * size :])
        now = out[i] = (1.0 - update) * new + update * now
    return out
