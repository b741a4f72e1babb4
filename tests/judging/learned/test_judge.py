"""The learned judge on whole traces: legal structures, labels by evidence, the same in every process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from dlcot_ray import api
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.loading import load_judge
from dlcot_ray.core.annotation import JudgeStep, Label, SectionKind, Source
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError
from dlcot_ray.judging.learned.chain import scores_of
from dlcot_ray.judging.learned.features import Features
from dlcot_ray.judging.learned.judge import SHORT, LearnedJudge, eagerness_of, read_scores
from dlcot_ray.judging.learned.states import APPROACH, CHECK, CONCLUSION, COUNT, WORK
from dlcot_ray.judging.learned.weights import load
from tests.core.test_language import SAMPLES
from tests.judging.rules.test_judge import PROBLEM, TRACE, assert_well_formed


@pytest.fixture(scope="module")
def judge() -> Iterator[LearnedJudge]:
    judge = LearnedJudge()
    yield judge
    judge.close()


def test_the_structure_of_a_plain_trace(judge: LearnedJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, "3003"))
    assert_well_formed(found)
    kinds = [section.kind for section in found.sections]
    assert kinds[0] is SectionKind.QUESTION_REPEAT
    assert kinds[-1] is SectionKind.CONCLUSION
    assert SectionKind.VERIFY in kinds
    assert found.approaches[0].label is Label.CORRECT
    assert found.first_correct_segment == 2


def test_a_model_finds_the_structure_and_evidence_the_labels(judge: LearnedJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, "3003"))
    by_step = {status.step: status for status in found.steps}
    assert by_step[JudgeStep.MACRO].source is by_step[JudgeStep.APPROACHES].source is Source.MODEL
    assert by_step[JudgeStep.LABELS].source is Source.EVIDENCE
    assert all(0 <= status.confidence <= 1 for status in found.steps)


def test_a_wrong_ground_truth_makes_no_approach_correct(judge: LearnedJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, TRACE, "3004"))
    assert Label.CORRECT not in {approach.label for approach in found.approaches}


def test_a_trace_without_cues_is_not_read(judge: LearnedJudge) -> None:
    found = judge.annotate(Trace("t", PROBLEM, f"{SAMPLES['de']}\n\n{SAMPLES['de']}\n\n\\boxed{{42}}", "42"))
    assert found.steps[0].note == "unknown_language:de"
    assert [section.kind for section in found.sections] == [SectionKind.SOLUTION_EXPLORE]
    assert not found.verifications


@given(text=st.text(max_size=3000), problem=st.text(max_size=200), truth=st.none() | st.text(max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_a_well_formed_annotation(
    judge: LearnedJudge, text: str, problem: str, truth: str | None
) -> None:
    assert_well_formed(judge.annotate(Trace("t", problem, text, truth)))


def test_the_identity_names_the_weights(judge: LearnedJudge) -> None:
    assert judge.identity.startswith(f"learned/8 {load().fingerprint} on rules/")
    assert judge.annotate(Trace("t", PROBLEM, TRACE)).judge == judge.identity


def test_another_process_says_the_same(judge: LearnedJudge) -> None:
    code = (
        "import sys; from dlcot_ray.core.trace import Trace; from dlcot_ray.judging.learned.judge import LearnedJudge;"
        "judge = LearnedJudge(); print(judge.annotate(Trace('t', sys.argv[1], sys.argv[2], '3003'))); judge.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, PROBLEM, TRACE],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "", "PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == str(judge.annotate(Trace("t", PROBLEM, TRACE, "3003")))


def test_it_is_made_by_name_and_in_a_moment() -> None:
    start = time.process_time()
    made = make_judge(load_judge("learned", {}))
    assert time.process_time() - start < 1
    assert made.identity == LearnedJudge().identity
    with pytest.raises(JobError, match="holds no weights"):
        make_judge(load_judge("learned", {"model": "/no/such/weights"}))


def test_the_python_api_takes_it() -> None:
    found = api.annotate(Trace("t", PROBLEM, TRACE, "3003"), judge="learned")
    assert found.judge.startswith("learned/8 ")


@pytest.mark.parametrize("standing", [False, True])
def test_openings_are_taken_earlier_before_an_answer_stands(standing: bool) -> None:
    weights = replace(load(), transitions=np.zeros((COUNT, COUNT)), starts=np.zeros(COUNT))
    scores = np.zeros((3, COUNT))
    scores[:, WORK] = [0.0, 2.1, 2.5]
    scores[:, [CHECK, CONCLUSION]] = -9.0
    scores[0, APPROACH] = 9.0
    behind, nowhere = np.array([False, standing, standing]), np.zeros(3, dtype=np.bool_)
    features = Features(np.zeros((3, 1)), (), behind, nowhere)
    path = read_scores(scores, eagerness_of(features), (0, 10, 20, 30), weights).path
    assert path == ([APPROACH, WORK, WORK] if standing else [APPROACH, APPROACH, WORK])


@pytest.mark.parametrize("count", [SHORT - 1, SHORT])
def test_openings_of_the_rules_count_more_in_short_traces(count: int) -> None:
    never, opened = np.zeros(count, dtype=np.bool_), np.arange(count) == 3
    eager = eagerness_of(Features(np.zeros((count, 1)), (), never, opened))
    assert (eager[3] > eager[2]) is np.bool_(count < SHORT)


def test_no_further_threads_wait_for_small_products(
    judge: LearnedJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watched(*given: Any) -> Any:
        seen.extend(item["num_threads"] for item in threadpool_info() if item["user_api"] == "blas")
        return scores_of(*given)

    monkeypatch.setattr("dlcot_ray.judging.learned.judge.scores_of", watched)
    judge.annotate(Trace("t", PROBLEM, TRACE, "3003"))
    assert set(seen) == {1}
