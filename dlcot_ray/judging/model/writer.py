"""The few sentences that an edit needs, from the model: repairs (DLCoT step 5.2) and bridges (step 6).

In: a trace and the segments around an edit. Out: a `Written`. Prose cannot be constrained, so it is kept
short (`max_tokens` follows what it replaces), made from the neighbouring segments only, and checked by the
caller. Text that breaks off or breaks its form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.annotation import ErrorSpan
from dlcot_ray.core.error_edits.handling import LONGER, LONGER_CHARS
from dlcot_ray.core.error_edits.uses import explain
from dlcot_ray.core.markup import find_control_word
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.engine import Constraint, ConstraintKind, Engine, RequestError
from dlcot_ray.judging.model.frame import FrameError, Tokenizer
from dlcot_ray.judging.model.questions.prompts import load_prompts
from dlcot_ray.judging.model.windows import shortened
from dlcot_ray.judging.protocol import JudgeUnavailable, Written

VERSION = 2

_AROUND = 1200
"""Characters of context shown before and after the new text: the last step and the next."""
_PROBLEM = 4000
_BRIDGE_TOKENS = 80
_BRIDGE_CHARS = 300
_SPARE_TOKENS = 16
_FENCE = re.compile(r"\A```\w*\n(?P<inside>.*)\n```\s*\Z", re.DOTALL)
_SENTENCE = re.compile(r"[.!?:…](?=\s|$)")


class ModelWriter:
    """Writes by asking a language model.

    Args:
        engine: where the model runs.
        model: its identity.
        prompts: a YAML file with prompts of the user's own.

    Raises:
        ValueError: the prompts cannot be used.
    """

    def __init__(self, engine: Engine, model: str, *, prompts: str | None = None) -> None:
        self._engine = engine
        self._model = model
        self._prompts = load_prompts(prompts)
        self._tokenizer: Tokenizer | None = None

    @property
    def identity(self) -> str:
        """``writer/VERSION``, the model and the prompts."""
        return f"writer/{VERSION} {self._model} prompts-{self._prompts.digest}"

    def start(self) -> None:
        """Load the model.

        Raises:
            JudgeUnavailable: it cannot be loaded, or has no chat template.
        """
        self._engine.start()
        tokenizer = Tokenizer(self._engine.tokenizer)
        try:
            tokenizer.frame()
        except FrameError as error:
            raise JudgeUnavailable(f"the model {self._model} cannot be asked: {error}") from error
        self._tokenizer = tokenizer

    async def repair(
        self, trace: Trace, segment_offsets: Sequence[int], start: int, stop: int, errors: Sequence[ErrorSpan]
    ) -> Written:
        """Rewrite segments `[start, stop)` without their errors; the new text is hardly longer.

        Raises:
            JudgeDied: the engine is gone.
        """
        segments = segment_texts(trace.reasoning, segment_offsets)
        passage = "".join(segments[start:stop])
        named = "\n".join(f"- {explain(trace, error)}" for error in errors)
        prompt = self._prompts.render(
            "repair",
            problem=shortened(trace.problem, _PROBLEM),
            before=_before(segments, start),
            passage=passage.strip(),
            errors=named or "(not located)",
            after=_after(segments, stop),
        )
        most = len(self._plain(passage)) + _SPARE_TOKENS
        written = await self._write("repair_system", prompt, most)
        if written.text is None:
            return written
        text = _like(passage, written.text)
        if len(text) > len(passage) * (1 + LONGER) + LONGER_CHARS:
            return Written(None, written.tokens, "the repair is longer than the passage")
        return Written(text, written.tokens)

    async def bridge(self, trace: Trace, segment_offsets: Sequence[int], left: int, right: int) -> Written:
        """One or two sentences from segment `left` to segment `right`; -1 and n stand for the trace's ends.

        Raises:
            JudgeDied: the engine is gone.
        """
        segments = segment_texts(trace.reasoning, segment_offsets)
        prompt = self._prompts.render(
            "bridge",
            problem=shortened(trace.problem, _PROBLEM),
            before=_before(segments, left + 1),
            after=_after(segments, right),
        )
        written = await self._write("bridge_system", prompt, _BRIDGE_TOKENS)
        if written.text is None:
            return written
        line = written.text.strip().split("\n", 1)[0]
        ends = [m.end() for m in _SENTENCE.finditer(line)][:2]
        if not ends or ends[-1] > _BRIDGE_CHARS:
            return Written(None, written.tokens, "the bridge is not one or two short sentences")
        return Written(f"{line[: ends[-1]]}\n\n", written.tokens)

    async def _write(self, system: str, body: str, most: int) -> Written:
        if self._tokenizer is None:
            self.start()
        assert self._tokenizer is not None
        frame = self._tokenizer.frame()
        prompt = [
            *frame.before,
            *self._plain(self._prompts.texts[system]),
            *frame.between,
            *self._plain(body),
            *frame.after,
        ]
        room = self._engine.max_context - len(prompt)
        if room < most:
            return Written(None, note="the passage does not fit the model's context")
        try:
            completion = await self._engine.complete(prompt, Constraint(ConstraintKind.FREE), most)
        except RequestError as error:
            return Written(None, note=str(error))
        if not completion.finished:
            return Written(None, completion.tokens, "the text broke off")
        text = completion.text.strip()
        fenced = _FENCE.match(text)
        text = fenced["inside"].strip() if fenced else text
        if not text:
            return Written(None, completion.tokens, "the text is empty")
        control = find_control_word(text)
        if control is not None:
            return Written(None, completion.tokens, f"the text holds the control word {control.word!r}")
        return Written(text, completion.tokens)

    def _plain(self, text: str) -> list[int]:
        if self._tokenizer is None:
            self.start()
        assert self._tokenizer is not None
        return self._tokenizer.plain(text)

    def close(self) -> None:
        """Stop the engine. Safe to call twice."""
        self._engine.close()


def _before(segments: Sequence[str], stop: int) -> str:
    return "".join(segments[max(0, stop - 6) : stop])[-_AROUND:].strip() or "(nothing)"


def _after(segments: Sequence[str], start: int) -> str:
    return "".join(segments[start : start + 6])[:_AROUND].strip() or "(nothing)"


def _like(passage: str, text: str) -> str:
    """`text` with the white space that surrounded `passage`."""
    lead = passage[: len(passage) - len(passage.lstrip())]
    tail = passage[len(passage.rstrip()) :]
    return f"{lead}{text.strip()}{tail}"
