"""Train the network: cross-entropy by AdamW, with dropout, and a learning rate that rises and falls.

States, drops and results are learned side by side; a case teaches those that its labels tell.

In: cases, as the chain's training takes them. Out: a `Network`. One thread and fixed seeds: the same cases
give the same weights on the same machine. Needs torch (`dlcot-ray[network]`), which is imported where it is
used: judging does without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.features import BUCKETS
from dlcot_ray.judging.learned.network import RESULTS, Network
from dlcot_ray.judging.learned.states import COUNT
from dlcot_ray.judging.learned.training.chain import Rows

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How to train; all chosen by cross-validation.

    Attributes:
        layer, word, state: sizes of the layer over the columns, of a word's vector, and of a reader's state.
        dropout: share of inputs that is left out at random in each step.
        rate: the highest learning rate.
        decay: weight decay.
        epochs: how often all cases are seen.
        batch: cases of one step.
        first, label: what a trace's first correct segment, and the label of an approach, count for, in
            segments: there are far fewer of them.
        seed: of the first weights, the order of the cases and the dropout.
    """

    layer: int = 128
    word: int = 64
    state: int = 96
    dropout: float = 0.4
    rate: float = 2e-3
    decay: float = 0.01
    epochs: int = 7
    batch: int = 8
    first: float = 5.0
    label: float = 3.0
    seed: int = 1


def fit_network(
    cases: Sequence[Rows],
    options: NetworkOptions = NetworkOptions(),
    progress: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Network:
    """Fit a network to the cases.

    Args:
        progress: gets the number of each epoch, from 1, and its loss per segment.

    Raises:
        ValueError: no cases to train on.
    """
    if not cases:
        raise ValueError("no cases to train on")
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            return _fit(cases, options, progress)
    finally:
        torch.set_num_threads(threads)


def _fit(cases: Sequence[Rows], options: NetworkOptions, progress: Callable[[int, float], None]) -> Network:
    import torch

    batches = -(-len(cases) // options.batch)
    width = COUNT + any(case.dropped is not None for case in cases)
    width += RESULTS * any(case.results is not None for case in cases)
    parts = _parts(cases[0].matrix.shape[1] - BUCKETS, width, options)
    trained = [weight for part in parts.values() for weight in part.parameters()]
    steps = torch.optim.AdamW(trained, lr=options.rate, weight_decay=options.decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(steps, options.rate, total_steps=options.epochs * batches + 1)
    order = np.random.default_rng(options.seed)
    inputs = [_Inputs.of(case) for case in cases]
    for epoch in range(options.epochs):
        lost, seen = 0.0, 0
        places = order.permutation(len(cases))
        for first in range(0, len(places), options.batch):
            steps.zero_grad()
            loss, count = _loss(parts, [inputs[i] for i in places[first : first + options.batch]], options)
            (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            steps.step()
            rate.step()
            lost, seen = lost + float(loss.detach()), seen + count
        progress(epoch + 1, lost / seen)
    return _network(parts)


def _parts(columns: int, width: int, options: NetworkOptions) -> dict[str, Any]:
    import torch

    own = options.layer + options.word
    parts: dict[str, Any] = {
        "columns": torch.nn.Linear(columns, options.layer),
        "words": torch.nn.EmbeddingBag(BUCKETS, options.word, mode="mean"),
        "readers": torch.nn.GRU(own, options.state, bidirectional=True, batch_first=True),
        "out": torch.nn.Linear(2 * options.state + own, width),
    }
    # Words that no case shows keep the vector that they begin with, so it is zero.
    torch.nn.init.zeros_(parts["words"].weight)
    return parts


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A case as tensors: columns, buckets of words, where each segment's buckets begin, and the targets.

    Attributes:
        dropped: empty where the labels say nothing of drops.
        first: the segment where the right answer first stands, the number of segments where none; or empty.
        ends, labels: the last segments of the labelled approaches, and their labels.
    """

    columns: torch.Tensor
    words: torch.Tensor
    starts: torch.Tensor
    states: torch.Tensor
    dropped: torch.Tensor
    first: torch.Tensor
    ends: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, case: Rows) -> _Inputs:
        """The tensors of a case."""
        import torch

        hot = case.matrix[:, -BUCKETS:].tocsr()
        columns = np.ascontiguousarray(case.matrix[:, :-BUCKETS].toarray(), np.float32)
        count, results = len(case.states), case.results
        first = () if results is None else (count if results.first is None else results.first,)
        ends = np.asarray(() if results is None else results.ends, np.int64).reshape(-1, 2)
        arrays = (
            columns,
            hot.indices.astype(np.int64),
            hot.indptr[:-1].astype(np.int64),
            np.asarray(case.states, np.int64),
            np.asarray(case.dropped or (), np.float32),
            np.asarray(first, np.int64),
            np.ascontiguousarray(ends[:, 0]),
            np.ascontiguousarray(ends[:, 1]),
        )
        return cls(*map(torch.from_numpy, arrays))


def _loss(
    parts: dict[str, Any], batch: Sequence[_Inputs], options: NetworkOptions
) -> tuple[torch.Tensor, int]:
    """The summed loss of a batch, and its segments."""
    import torch

    def hidden(rows: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.dropout(rows, options.dropout)

    losses: list[torch.Tensor] = []
    for case in batch:
        layer = torch.relu(parts["columns"](hidden(case.columns)))
        own = hidden(torch.cat([layer, parts["words"](case.words, case.starts)], 1))
        read, _ = parts["readers"](own[None])
        scores = parts["out"](hidden(torch.cat([read[0], own], 1)))
        losses += _losses_of(scores, case, options)
    return torch.stack(losses).sum(), sum(len(case.states) for case in batch)


def _losses_of(scores: torch.Tensor, case: _Inputs, options: NetworkOptions) -> Iterator[torch.Tensor]:
    """What the scores of one case lose, for each thing that its labels tell."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    yield cross_entropy(scores[:, :COUNT], case.states, reduction="sum")
    if len(case.dropped):
        yield binary_cross_entropy_with_logits(scores[:, COUNT], case.dropped, reduction="sum")
    if len(case.first):
        # The answer stands first in one segment, or nowhere, whose score is 0.
        places = torch.cat([scores[:, -RESULTS], scores.new_zeros(1)])
        yield options.first * cross_entropy(places[None], case.first)
    if len(case.ends):
        labels = scores[case.ends][:, 1 - RESULTS :]
        yield options.label * cross_entropy(labels, case.labels, reduction="sum")


def _network(parts: dict[str, Any]) -> Network:
    def turned(part: str, name: str) -> Floats:
        return np.asarray(getattr(parts[part], name).detach().numpy().T, dtype=np.float64)

    reads = {
        f"{ours}{kind}": turned("readers", f"{theirs}_l0{way}")
        for ours, way in (("ahead", ""), ("back", "_reverse"))
        for kind, theirs in (
            ("", "weight_ih"),
            ("_shift", "bias_ih"),
            ("_state", "weight_hh"),
            ("_state_shift", "bias_hh"),
        )
    }
    return Network(
        columns=turned("columns", "weight"),
        columns_shift=turned("columns", "bias"),
        words=turned("words", "weight").T,
        out=turned("out", "weight"),
        out_shift=turned("out", "bias"),
        **reads,
    )
