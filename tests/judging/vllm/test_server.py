"""Against a real vLLM server: the same annotations as from the engine in this process."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep, Source, Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.endpoint.factory import endpoint_judge
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.vllm.engine import VllmEngine
from tests.judging.vllm.test_engine import ARGUMENTS, CONTEXT, LINES, THIN
from tests.support.vllm_server import vllm_server

pytestmark = pytest.mark.timeout(900)

TRACES = [
    Trace(f"t{a}", f"What is {a} + 25?", "\n\n".join([*LINES, f"So {a} + 25 = {a + 25}."] * 2), str(a + 25))
    for a in (17, 9, 120, 61)
]


def annotated(judge: ModelJudge) -> list[Annotation]:
    """One after the other, so that no batch changes a rounding."""

    async def each() -> list[Annotation]:
        return [await judge.judge(trace) for trace in TRACES]

    judge.start()
    try:
        return asyncio.run(each())
    finally:
        judge.close()


def bare(annotation: Annotation) -> Annotation:
    """Without what names the judge, and without costs."""
    steps = tuple(replace(status, tokens=Tokens()) for status in annotation.steps)
    return replace(annotation, judge="", fingerprint="", tokens=Tokens(), steps=steps)


def test_a_served_model_gives_the_annotations_of_the_engine_in_this_process(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("vllm")
    monkeypatch.setenv("DLCOT_API_KEY", "sesame")
    engine = VllmEngine(str(model_path), max_model_len=CONTEXT, threads=1, engine=ARGUMENTS | THIN)
    here = annotated(ModelJudge(engine, "thin", keep_replies=True))
    with vllm_server(model_path, "small", "sesame", CONTEXT, ARGUMENTS | THIN) as url:
        judge = endpoint_judge(
            url, "small", tokenizer=str(model_path), max_model_len=CONTEXT, keep_replies=True
        )
        there = annotated(judge)
        chat = annotated(endpoint_judge(url, "small", api="chat", max_model_len=CONTEXT))
    assert [bare(one) for one in there] == [bare(one) for one in here]
    for one, other in zip(there, here, strict=True):
        assert one.replies
        assert one.tokens.decode == other.tokens.decode
        assert one.tokens.prefill + one.tokens.cached == other.tokens.prefill + other.tokens.cached
    assert sum(one.tokens.cached for one in there) > 0
    # The server's own chat template: other prompts, the same languages.
    for annotation in chat:
        macro = annotation.steps[0]
        assert (macro.step, macro.reasked) == (JudgeStep.MACRO, 0)
        assert macro.source is Source.MODEL or "no part works" in macro.note
