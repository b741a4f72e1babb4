"""`dlcot view` in a browser: every trace on demand, and labels that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.browser.conftest import Opener

View = Callable[..., str]


def test_a_trace_comes_from_the_server(new_tab: Opener, view: View) -> None:
    page = new_tab().open(f"{view()}#view=traces&trace=six-lanterns")
    page.wait_for_selector("article.trace h1")
    page.wait_for_selector(".cut")
    assert "six-lanterns" in page.inner_text("article.trace h1")
    assert page.locator("#list .row.without").count() == 0


def test_a_wrong_token_shows_nothing(new_tab: Opener, view: View) -> None:
    tab = new_tab()
    tab.page.goto(view().partition("?")[0])
    assert "token is missing or wrong" in tab.page.inner_text("body")
    tab.complaints.clear()


def test_an_unknown_trace_is_named(new_tab: Opener, view: View) -> None:
    tab = new_tab()
    page = tab.open(f"{view()}#view=traces&trace=nobody")
    page.wait_for_selector("#said:not([hidden])")
    assert "no such trace" in page.inner_text("#said")
    tab.complaints.clear()


def test_a_label_is_kept_and_comes_back(new_tab: Opener, view: View, tmp_path: Path) -> None:
    address = view("ana")
    page = new_tab().open(f"{address}#view=traces&trace=six-lanterns")
    page.wait_for_selector("#panel, aside.panel")
    assert page.locator(".cut, .heads, .tiles, .meter").count() == 0
    page.wait_for_selector('[data-segment="0"]')
    page.keyboard.press("1")
    page.click('[data-segment="2"] .body')
    page.keyboard.press("3")
    page.click('[data-segment="4"] .body', modifiers=["Shift"])
    page.keyboard.press("a")
    page.select_option("aside.panel [aria-label=label]", "correct")
    page.select_option("aside.panel [aria-label=method]", "1")
    page.click('[data-segment="4"] .body')
    page.keyboard.press("c")
    page.click('[data-segment="5"] .body')
    page.click('[data-segment="6"] .body', modifiers=["Shift"])
    page.keyboard.press("x")
    page.keyboard.press("s")
    page.wait_for_selector("#reveal")
    row = json.loads((tmp_path / "labels.jsonl").read_text(encoding="utf-8"))
    assert row["id"] == "six-lanterns"
    assert row["annotator"] == "ana"
    assert [(s["kind"], s["start"]) for s in row["sections"]] == [
        ("question_repeat", 0),
        ("solution_explore", 2),
    ]
    assert row["approaches"] == [{"start": 2, "stop": 5, "label": "correct", "method": 1}]
    assert row["first_correct_segment"] == 4
    assert row["drop"] == [{"start": 5, "stop": 7}]
    # The reader did not say whether there are checks, so nothing is said of them.
    assert "verifications" not in row
    page.click("[data-none=verifications]")
    page.click("aside.panel .primary")
    page.wait_for_function("() => document.getElementById('said').innerText.includes('saved')")
    page.wait_for_timeout(500)
    assert json.loads((tmp_path / "labels.jsonl").read_text(encoding="utf-8"))["verifications"] == []
    page.reload()
    page.wait_for_selector(".tags .star")
    assert "★" in page.inner_text('[data-segment="4"] .tags')
    assert page.locator("#list .row.labelled").count() == 1


def test_the_output_is_shown_after_the_label_and_gets_a_verdict(
    new_tab: Opener, view: View, tmp_path: Path
) -> None:
    page = new_tab().open(f"{view('ana')}#view=traces&trace=six-lanterns")
    page.wait_for_selector("aside.panel")
    assert page.locator("#reveal").count() == 0
    page.keyboard.press("3")
    page.keyboard.press("s")
    page.click("#reveal")
    page.wait_for_selector(".cut")
    page.fill("#note", "reads on")
    page.click("[data-verdict=TRAIN]")
    page.wait_for_selector("[data-verdict=TRAIN][aria-pressed=true]")
    row = json.loads((tmp_path / "labels.jsonl").read_text(encoding="utf-8"))
    assert (row["verdict"], row["verdict_note"]) == ("TRAIN", "reads on")


def test_a_mark_can_be_taken_back(new_tab: Opener, view: View) -> None:
    page = new_tab().open(f"{view('ana')}#view=traces&trace=six-lanterns")
    page.wait_for_selector('[data-segment="1"]')
    page.click('[data-segment="1"] .body')
    page.keyboard.press("x")
    page.wait_for_selector('[data-segment="1"] .mark-drop')
    page.keyboard.press("z")
    page.wait_for_selector(".mark-drop", state="detached")
    page.keyboard.press("u")
    page.wait_for_selector('[data-segment="1"] .mark-needed')


def test_the_whole_output_can_be_looked_through(new_tab: Opener, view: View) -> None:
    page = new_tab().open(f"{view()}#view=traces&q=lantern")
    page.wait_for_selector("#search-all")
    page.click("#search-all")
    page.wait_for_function("() => document.getElementById('searched').innerText.includes('2 of 2 units')")
    assert page.locator("#list .row").count() == 1


def test_a_reader_is_told_how_to_label(new_tab: Opener, view: View) -> None:
    page = new_tab().open(view("ana"))
    shown = page.inner_text("#welcome")
    assert "You label as ana" in shown
    assert "labels.jsonl" in shown
    page.keyboard.press("?")
    keys = page.inner_text("#keys")
    assert "the right answer first stands here" in keys
    assert "next, previous cut" not in keys


def test_a_label_without_marks_is_refused(new_tab: Opener, view: View, tmp_path: Path) -> None:
    tab = new_tab()
    page = tab.open(f"{view('ana')}#view=traces&trace=six-lanterns")
    page.wait_for_selector("aside.panel")
    page.keyboard.press("s")
    page.wait_for_function("() => document.getElementById('said').innerText.includes('nothing is marked')")
    assert page.locator("#reveal").count() == 0
    assert not (tmp_path / "labels.jsonl").exists()
    tab.complaints.clear()
