"""Hostile texts reach a terminal and a log as visible escapes."""

from __future__ import annotations

import io
import json

import pytest

import dlcot_ray as dlcot
from dlcot_ray.cli import main
from dlcot_ray.telemetry.cleaned_console import terminal
from dlcot_ray.telemetry.console import print_report
from dlcot_ray.terminal import printable, printable_json, printable_line

HOSTILE = "a\x1b]52;c;eA==\x07b\x9b31m\u202ec\u2066d\x7f\r\u2028\U000e0041"
RAW = "\x1b\x07\x9b\u202e\u2066\x7f\r\u2028\U000e0041"


def is_clean(text: str) -> bool:
    return not set(text) & set(RAW)


def test_control_characters_become_escapes() -> None:
    assert printable("\x1b]52;c;eA==\x07 \u202e \U000e0041") == "\\x1b]52;c;eA==\\x07 \\u202e \\U000e0041"
    assert is_clean(printable(HOSTILE))


def test_ordinary_text_stays_as_it_is() -> None:
    text = "größe 数 \N{FAMILY}\u200d\N{GIRL} x\u0301\n\tنص עברית"
    assert printable(text) == text
    assert printable_line("one\ntwo") == "one\\x0atwo"
    assert printable("one\r\ntwo") == "one\ntwo"


def test_json_keeps_its_values() -> None:
    figures = {HOSTILE: [HOSTILE]}
    text = printable_json(json.dumps(figures, ensure_ascii=False, indent=2))
    assert is_clean(text)
    assert json.loads(text) == figures


def test_reports_are_clean_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_report({"name": HOSTILE}, [HOSTILE], None)
    print_report({"name": HOSTILE}, [], "stdout")
    assert is_clean(capsys.readouterr().out)


def test_a_console_keeps_its_own_colours_only() -> None:
    stream = io.StringIO()
    console = terminal(file=stream, force_terminal=True, color_system="standard", highlight=False)
    console.print(HOSTILE, style="red", markup=False)
    shown = stream.getvalue()
    assert "\x1b[31m" in shown
    assert "\x1b]52" not in shown
    assert "\\x1b]52" in shown
    assert "\u202e" not in shown


def test_an_error_shows_a_hostile_word_as_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enhance", f"input=/no/{HOSTILE}", "output=out"]) == 1
    told = capsys.readouterr().err
    assert is_clean(told)
    assert told.count("\n") == 1


def test_the_difference_of_a_hostile_trace_is_clean() -> None:
    trace = dlcot.Trace(HOSTILE, "1 + 1?", f"{HOSTILE}\n\nSo it is 2.\n\nAgain {HOSTILE}: 2.", "2")
    assert is_clean(str(dlcot.diff(trace, dlcot.enhance(trace))))
