"""A server with OpenAI's API behind the `Engine` protocol: vLLM, SGLang, TensorRT-LLM, a hosted API.

In: prompts as token ids, and constraints. Out: completions. With `api=completions` the ids are sent as they
are, so that the same server, model and question give the same answer as the engine in this process. With
`api=chat` texts are sent, for servers that take nothing else. Constraints travel in the field that the server
takes (`constrain`); without one, the caller checks the answer and asks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.errors import reason_of
from dlcot_ray.judging.endpoint.chat_text import ChatText
from dlcot_ray.judging.endpoint.client import Client
from dlcot_ray.judging.endpoint.limits import Budget, Pace
from dlcot_ray.judging.endpoint.metrics import read_cache
from dlcot_ray.judging.loop import BusyClock, LoopThread
from dlcot_ray.judging.model.engine import Completion, Constraint, ConstraintKind, RequestError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable
from dlcot_ray.judging.tokenizers import load_tokenizer

_TEMPERATURE = 0.7
"""Sampling temperature where there is a seed, as of the engine in this process."""
_STOP_S = 30.0
_UNLIMITED = 1 << 30
_BLOCK = 16
"""Tokens per block of the prefix cache where nobody says: vLLM's on GPUs."""
_NEUTRAL: Mapping[str, Any] = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""A server takes what is not sent from the model's generation_config.json; the engine in the job does not."""


class Api(StrEnum):
    """Which of the server's interfaces is used."""

    COMPLETIONS = "completions"
    CHAT = "chat"


class Constrain(StrEnum):
    """The field in which the server takes a regular expression."""

    STRUCTURED_OUTPUTS = "structured_outputs"
    """vLLM from 0.11 on."""
    GUIDED_REGEX = "guided_regex"
    """Earlier vLLM."""
    REGEX = "regex"
    """SGLang."""
    NONE = "none"


class EndpointEngine:
    """A model behind a URL.

    Args:
        url: of the server, up to and with ``/v1``.
        model: its name there.
        tokenizer: a directory or hub id (``owner/name@COMMIT``), for `api` completions; None: as `model`.
        api, constrain: see their types.
        max_model_len: context in tokens.
        block_tokens: of the server's prefix cache; None asks the server, which vLLM answers, and takes 16
            elsewhere.
        key_env, retries, timeout_s: see `Client`.
        pace, budget: of this worker.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        tokenizer: str | None,
        api: Api,
        constrain: Constrain,
        max_model_len: int,
        block_tokens: int | None,
        key_env: str,
        retries: int,
        timeout_s: float,
        pace: Pace,
        budget: Budget,
    ) -> None:
        self._url, self._model, self._tokenizer_name = url, model, tokenizer or model
        self._api, self._constrain = api, constrain
        self.max_context, self.kv_tokens = max_model_len, _UNLIMITED
        self._block_tokens = block_tokens
        self.block_tokens = block_tokens or _BLOCK
        self._http = (url, key_env, retries, timeout_s)
        self._pace, self._budget = pace, budget
        self._loop = LoopThread("endpoint")
        self._client: Client | None = None
        self._tokenizer: Any = None
        self._busy = BusyClock()

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, or `ChatText`."""
        return self._tokenizer

    @property
    def busy_seconds(self) -> float:
        """Seconds since the start in which at least one request was with the server."""
        return self._busy.seconds

    def start(self) -> None:
        """Load the tokenizer, and ask the server for its models and its cache. Safe to call twice.

        Raises:
            JudgeUnavailable: no server, another model, a refused key, or a shorter context.
        """
        if self._client is not None:
            return
        self._tokenizer = ChatText() if self._api is Api.CHAT else _load_tokenizer(self._tokenizer_name)
        self._client = self._loop.start(lambda: Client(*self._http))
        try:
            self._check(self._loop.call(self._client.get("/models")))
            cache = read_cache(self._loop.call(self._client.text("/metrics")))
            self.block_tokens = self._block_tokens or cache.block or _BLOCK
            self.kv_tokens = cache.tokens or _UNLIMITED
        except JudgeDied as error:
            self.close()
            raise JudgeUnavailable(str(error), "check judge_options.url and that the server runs") from error
        except RequestError as error:
            self.close()
            raise JudgeUnavailable(
                f"{self._url} lists no models ({error})", "check judge_options.url"
            ) from error
        except JudgeUnavailable:
            self.close()
            raise

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """Greedy completion of `prompt`; a `seed` samples instead.

        Raises:
            RequestError: the server refuses this request.
            JudgeUnavailable: the budget is spent, or the key is refused.
            JudgeDied: the server does not answer.
        """
        if self._client is None:
            raise JudgeDied("the endpoint is not started")
        return await self._loop.run(self._complete(list(prompt), constraint, max_tokens, seed))

    def close(self) -> None:
        """Close the connections. Safe to call twice."""
        client, self._client = self._client, None
        if client is not None:
            self._loop.call(client.close())
        self._loop.stop(_STOP_S)

    async def _complete(
        self, prompt: list[int], constraint: Constraint, max_tokens: int, seed: int | None
    ) -> Completion:
        assert self._client is not None
        self._budget.check()
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": max_tokens,
            "temperature": 0.0 if seed is None else _TEMPERATURE,
            "top_p": 1.0,
            **({} if self._constrain is Constrain.NONE else _NEUTRAL),
            **({} if seed is None else {"seed": seed}),
            **self._constraint(constraint),
        }
        await self._pace.turn()
        with self._busy:
            if self._api is Api.CHAT:
                body["messages"] = self._tokenizer.messages(prompt)
                answer = await self._client.post("/chat/completions", body)
            else:
                answer = await self._client.post("/completions", body | {"prompt": prompt})
        prose = constraint.kind is ConstraintKind.FREE
        made = _completion(answer, unconstrained=self._constrain is Constrain.NONE and not prose)
        self._budget.add(made.tokens)
        return made

    def _constraint(self, constraint: Constraint) -> Mapping[str, Any]:
        if constraint.kind is ConstraintKind.FREE or self._constrain is Constrain.NONE:
            return {}
        if self._constrain is not Constrain.STRUCTURED_OUTPUTS:
            return {self._constrain.value: constraint.value}
        match constraint.kind:
            case ConstraintKind.CHOICE:
                return {"structured_outputs": {"choice": constraint.value.split("\n")}}
            case ConstraintKind.GRAMMAR:
                return {"structured_outputs": {"grammar": constraint.value}}
        return {"structured_outputs": {"regex": constraint.value}}

    def _check(self, listed: Mapping[str, Any]) -> None:
        """Compare the server's list of models with what is configured."""
        models = {entry.get("id"): entry for entry in listed.get("data") or ()}
        if models and self._model not in models:
            raise JudgeUnavailable(
                f"{self._url} serves {', '.join(map(str, list(models)[:5]))}, not {self._model}",
                "set judge_options.model to one of these",
            )
        served = (models.get(self._model) or {}).get("max_model_len")
        if isinstance(served, int) and served < self.max_context:
            raise JudgeUnavailable(
                f"{self._url} serves a context of {served} tokens, max_model_len is {self.max_context}",
                f"set judge_options.max_model_len={served}",
            )


def _completion(answer: Mapping[str, Any], *, unconstrained: bool) -> Completion:
    """The first choice of an answer, with its cost as the server counts it."""
    try:
        choice = answer["choices"][0]
        text = choice["text"] if "text" in choice else choice["message"]["content"]
        usage = answer.get("usage") or {}
        cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
        prompt, decode = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        finished = choice.get("finish_reason") != "length"
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RequestError(f"the server's answer has no completion ({reason_of(error)})") from error
    if text is None:
        raise RequestError("the server's answer is empty: the model may have spent its tokens on thinking")
    # Without a constraint, models put an answer between quotes, in code marks or before a full stop.
    text = str(text).strip(" \n`\"'.") if unconstrained else str(text)
    return Completion(text, Tokens(max(0, prompt - cached), cached, decode), finished)


def _load_tokenizer(name: str) -> Any:
    try:
        return load_tokenizer(name)
    except Exception as error:
        raise JudgeUnavailable(
            f"the tokenizer {name} cannot be loaded ({reason_of(error)})",
            "set judge_options.tokenizer to the model's directory or hub id, install dlcot-ray[tokenizer], "
            "or take judge_options.api=chat, which needs none",
        ) from error
