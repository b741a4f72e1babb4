"""The model judge: evidence, the program of questions, one annotation per trace (DLCoT steps 1 to 4).

In: a trace. Out: an annotation. Evidence (answers, arithmetic, loops) is computed on a thread of its own, so
that the engine does not wait for a CAS. The rules judge runs for every trace as well, at a hundredth of a
model's time, and supplies the answer to every question that fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import did_you_mean
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.model.admission import TokenBudget
from dlcot_ray.judging.model.asking import Account, Asker
from dlcot_ray.judging.model.assembly import assemble
from dlcot_ray.judging.model.engine import Engine
from dlcot_ray.judging.model.frame import FrameError, Tokenizer
from dlcot_ray.judging.model.program import Program
from dlcot_ray.judging.model.questions.options import (
    CAUSES_OPTION,
    CHECK_METHODS_OPTION,
    ERRORS_OPTION,
    OPTIONS,
)
from dlcot_ray.judging.model.questions.prompts import load_prompts
from dlcot_ray.judging.model.scoring import ScoringEngine
from dlcot_ray.judging.model.writer import ModelWriter
from dlcot_ray.judging.protocol import JudgeUnavailable
from dlcot_ray.judging.rules.judge import VERSION as RULES_VERSION
from dlcot_ray.judging.rules.judge import annotate

VERSION = 4
"""Increase it when the same answers of a model may give another annotation, or when questions change."""

DEFAULT_OPTIONS = (ERRORS_OPTION, CHECK_METHODS_OPTION)
"""What is asked where no policy is known."""

_STRUCTURE_VOTES = (1, 3, 5)
_LEAST_CONTEXT = 3072
"""The system text takes about 1,300 tokens of it."""


class ModelJudge:
    """Judge by asking a language model.

    Args:
        engine: where the model runs; started by `start`.
        model: the model's identity: name and revision, or a digest of its files.
        prompts: a YAML file with prompts of the user's own, see `prompts.py`.
        keep_replies: store every raw reply in the annotation.
        ask: the optional questions to ask, see `OPTIONS`; None: all but the causes of errors.
        scores: what the model is to say of each segment, see `Scores`; None: nothing.
        structure_votes: how often STRUCTURE is asked: 1 (greedy), or 3 or 5, all but the first sampled.
        name: what the identity begins with.
        cas_timeout_seconds: bound of one CAS comparison.

    Raises:
        ValueError: the prompts cannot be used, or there is no such question, no such scores, or no such
            number of votes.
    """

    def __init__(
        self,
        engine: Engine,
        model: str,
        *,
        prompts: str | None = None,
        keep_replies: bool = False,
        ask: str | Sequence[str] | None = None,
        scores: str | None = None,
        structure_votes: int = 1,
        name: str = "vllm",
        cas_timeout_seconds: float = 1.0,
    ) -> None:
        self._engine = engine
        self._model = model
        self._prompts = load_prompts(prompts)
        self._writer = ModelWriter(engine, model, prompts=prompts)
        self._keep_replies = keep_replies
        self._options = _options(ask)
        self._scores = _scores(scores)
        self._votes = _votes(structure_votes)
        self._name = name
        self._checker = AnswerChecker(timeout_seconds=cas_timeout_seconds)
        self._evidence = ThreadPoolExecutor(1, "evidence")
        self._asker: Asker | None = None
        self._budget: TokenBudget | None = None

    @property
    def identity(self) -> str:
        """``NAME/VERSION`` with everything else that an answer depends on."""
        parts = (
            f"{self._name}/{VERSION}",
            self._model,
            f"prompts-{self._prompts.digest}",
            f"context-{self._engine.max_context}",
            f"rules-{RULES_VERSION}",
            *([f"asks-{'-'.join(sorted(self._options))}"] if self._options else []),
            *([f"scores-{self._scores}"] if self._scores else []),
            *([f"structure-votes-{self._votes}"] if self._votes > 1 else []),
        )
        return " ".join(parts)

    @property
    def asker(self) -> Asker | None:
        """Sends the questions; available once started."""
        return self._asker

    @property
    def writer(self) -> ModelWriter:
        """Writes repairs and bridges on the same engine."""
        return self._writer

    @property
    def busy_seconds(self) -> float:
        """Seconds since the start in which the engine had work."""
        return self._engine.busy_seconds

    def start(self) -> None:
        """Load the model.

        Raises:
            JudgeUnavailable: it cannot be loaded, has no chat template or too short a context, or gives no
                scores.
        """
        if self._scores is not None and not isinstance(self._engine, ScoringEngine):
            raise JudgeUnavailable(
                f"the model judge {self._name} gives no scores of segments",
                "take an engine in the job (judge=vllm), or leave judge_options.scores unset",
            )
        self._engine.start()
        try:
            tokenizer = Tokenizer(self._engine.tokenizer)
            self._asker = Asker(self._engine, tokenizer, tokenizer.frame(), self._prompts, self._scores)
        except FrameError as error:
            raise JudgeUnavailable(f"the judge model {self._model} cannot be asked: {error}") from error
        if self._engine.max_context < _LEAST_CONTEXT:
            raise JudgeUnavailable(
                f"a context of {self._engine.max_context} tokens is too short to judge in",
                f"set judge_options.max_model_len to {_LEAST_CONTEXT} or more",
            )

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace.

        Raises:
            JudgeDied: the engine has stopped.
        """
        if self._asker is None:
            self.start()
        assert self._asker is not None
        if self._budget is None:
            self._budget = TokenBudget(self._asker.capacity())
        loop = asyncio.get_running_loop()
        found, by_rules = await loop.run_in_executor(self._evidence, self._look, trace)
        account = Account(self._keep_replies)
        program = Program(
            self._asker, self._budget, trace, found, by_rules, account, self._options, self._votes
        )
        outcome = await program.run()
        mark = fingerprint(trace, self.identity)
        return assemble(program, outcome, mark, self.identity, self._model)

    def close(self) -> None:
        """Stop the engine and the helper process."""
        self._engine.close()
        self._evidence.shutdown(wait=True, cancel_futures=True)
        self._checker.close()

    def _look(self, trace: Trace) -> tuple[Findings, Annotation]:
        found = find(trace, self._checker)
        return found, annotate(trace, found, f"rules/{RULES_VERSION}")


def _options(ask: str | Sequence[str] | None) -> frozenset[str]:
    """The optional questions. Causes are asked about errors only.

    Raises:
        ValueError: there is no such question.
    """
    chosen = DEFAULT_OPTIONS if ask is None else [ask] if isinstance(ask, str) else ask
    for option in chosen:
        if option not in OPTIONS:
            raise ValueError(f"ask cannot hold {option!r}: {did_you_mean(str(option), OPTIONS)}")
    return frozenset(chosen) | ({ERRORS_OPTION} if CAUSES_OPTION in chosen else frozenset())


def _scores(name: str | None) -> Scores | None:
    """What to score. Raises ValueError where there is no such thing."""
    if name is None:
        return None
    if name not in set(Scores):
        raise ValueError(f"scores cannot be {name!r}: {did_you_mean(str(name), list(Scores))}")
    return Scores(name)


def _votes(number: int) -> int:
    """How often STRUCTURE is asked. Raises ValueError where it cannot be asked so often."""
    if number not in _STRUCTURE_VOTES:
        raise ValueError(f"structure_votes cannot be {number!r}: give 1, 3 or 5")
    return int(number)
