"""The language of a trace is recognised; a trace without cues passes through with a flag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core import language
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.language import UNKNOWN, has_cues, is_foreign, language_of
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge

SAMPLES = {
    "en": (
        "Okay, there are six rows with seven pears each. So the number is 42. Let me check that again: "
        "yes, it fits."
    ),
    "zh": "好的，一共有六行，每行七个梨。所以总数是42。等等，让我再检查一下。没错，答案是42。",
    "ja": "箱には六列あり、それぞれに七個の梨があります。だから合計は42です。もう一度確かめてみましょう。",
    "ko": "상자에는 여섯 줄이 있고 줄마다 배가 일곱 개 있습니다. 그래서 모두 42개입니다. 다시 확인해 봅시다.",
    "ru": "Итак, в ящике шесть рядов по семь груш. Значит, всего 42. Проверим ещё раз: всё верно.",
    "ar": "حسنا، هناك ستة صفوف في كل منها سبع حبات. إذن المجموع هو 42. لنتحقق مرة أخرى.",
    "de": (
        "Also, es gibt sechs Reihen mit je sieben Birnen. Das sind dann 42, und die Probe zeigt, dass "
        "es nicht mehr sind."
    ),
    "fr": (
        "Alors, il y a six rangs et sept poires dans chaque rang. Donc le total est 42, mais on vérifie "
        "que c'est bien le cas."
    ),
    "es": (
        "Entonces hay seis filas y en cada fila hay siete peras. El total es 42, pero lo comprobamos "
        "con una suma."
    ),
    "pt": (
        "Então temos seis filas e em cada uma são sete peras. O total é 42, mas vamos conferir isso com "
        "uma soma."
    ),
    "it": (
        "Allora ci sono sei file e in ogni fila sette pere. Il totale è quindi 42, ma lo verifichiamo "
        "con una somma."
    ),
}  # fmt: skip
PROBLEM = "A box has 6 rows of 7 pears. How many pears are in it?"
SOLVED = "Okay, there are 6 rows with 7 pears each. So the number is 6 * 7 = 42.\n\nTherefore the answer is 42.\n\n"
AGAIN = "Alternatively, I could count columns: 7 columns of 6 pears, so 7 * 6 = 42. The same again.\n\n"
END = "So the final answer is \\boxed{42}."


def enhanced(reasoning: str) -> tuple[Annotation, Enhancement]:
    trace = Trace("1", PROBLEM, reasoning, ground_truth="42")
    judge = RulesJudge()
    try:
        annotation = judge.annotate(trace)
    finally:
        judge.close()
    return annotation, enhance(trace, annotation, parse_policy("keep_first"))


@pytest.mark.parametrize("code", SAMPLES)
def test_the_language_is_told_with_formulas_in_the_text(code: str) -> None:
    text = SAMPLES[code] + " $\\frac{a}{b} = \\text{the and}$ \\(x\\) ```the and of\nthat```"
    assert language_of(text) == code
    assert is_foreign(text) is (code != "en")


@pytest.mark.parametrize(
    "text", ["", "x = 5\n\ny = 7", "\\alpha + \\beta = \\gamma", "6 * 7 = 42. ✓", "λ ≈ 0.5 µm"]
)
def test_formulas_have_no_language(text: str) -> None:
    assert language_of(text) == ""
    assert not is_foreign(text)


def test_words_of_no_known_language_are_not_read() -> None:
    assert language_of("Lokum barza minto seldu " * 10) == UNKNOWN
    assert not has_cues(UNKNOWN)


@pytest.mark.parametrize("code", [code for code in SAMPLES if code != "en"])
def test_a_trace_without_cues_passes_through(code: str) -> None:
    text = f"{SAMPLES[code]}\n\n{SAMPLES[code]}\n\n\\boxed{{42}}"
    annotation, result = enhanced(text)
    assert (result.status, result.reason) == (Status.UNCHANGED, f"unknown_language:{code}")
    assert result.reasoning == text
    assert annotation.steps[0].note == f"unknown_language:{code}"
    assert len(annotation.sections) == 1


def test_an_english_trace_is_cut() -> None:
    assert enhanced(SOLVED + AGAIN + END)[1].status is Status.ENHANCED


@pytest.mark.parametrize("code", ["zh", "ru", "de"])
def test_nothing_is_cut_before_text_in_another_language(code: str) -> None:
    text = SOLVED + AGAIN + SAMPLES[code] + "\n\n" + END
    result = enhanced(text)[1]
    assert result.reasoning == text
    assert result.status is Status.UNCHANGED


@pytest.mark.parametrize("code", ["zh", "ru"])
def test_text_before_the_cut_may_be_in_another_language(code: str) -> None:
    text = SAMPLES[code] + "\n\n" + SOLVED * 2 + AGAIN + END
    result = enhanced(text)[1]
    assert len(result.reasoning) < len(text)


def test_reading_a_language_takes_linear_time() -> None:
    for piece in ("the ", "`", "$", "等", "```", "\\a", "é"):
        assert isinstance(language_of(piece * 200_000), str)


@given(st.text(st.sampled_from("ab zéπσ=√中文字かカ한글дяإعअ"), max_size=60))
def test_the_fast_exit_for_mostly_ascii_text_changes_no_script(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "_hardly_any_other", lambda _: False)
        slow = language._script_of(text)
    assert language._script_of(text) == slow
