"""Hostile text stays text in a real browser: nothing of the data runs, loads or reorders the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.browser.conftest import HOSTILE_ID, Opener

ADDRESS = f"#view=traces&trace={quote(HOSTILE_ID)}"


def test_no_script_of_the_data_runs_on_any_page(tab: Any) -> None:
    for address in ("#view=traces", ADDRESS, "#view=rejected", "#"):
        tab.evaluate("address => { location.hash = address }", address)
        tab.wait_for_timeout(300)
        assert tab.evaluate("window.broken") is None
    assert tab.locator("img, svg[onload], iframe, object").count() == 0


def test_hostile_text_is_shown_as_it_is(tab: Any) -> None:
    tab.evaluate("address => { location.hash = address }", ADDRESS)
    tab.wait_for_selector("article.trace h1")
    assert HOSTILE_ID in tab.inner_text("article.trace h1")
    text = tab.inner_text("#pane .passage")
    assert "<script>window.broken=3</script>" in text
    assert "<svg onload=window.broken=4>" in text


def test_controls_are_shown_by_their_codes(tab: Any) -> None:
    tab.evaluate("address => { location.hash = address }", ADDRESS)
    tab.wait_for_selector("#pane .passage .control")
    told = tab.locator("#pane .passage .control").all_inner_texts()
    assert {"ESC", "BEL", "U+202E", "U+202C"} <= set(told)
    assert "\u202e" not in tab.inner_text("#pane .passage")


def test_macros_make_no_links_and_do_not_hang(tab: Any) -> None:
    tab.evaluate("address => { location.hash = address }", ADDRESS)
    tab.wait_for_selector("#pane .passage .math")
    assert tab.locator('a[href^="javascript"]').count() == 0
    assert tab.locator("[data-a]").count() == 0


def test_the_policy_stops_what_would_be_put_in(new_tab: Opener, report: str) -> None:
    opened = new_tab()
    page = opened.open(report)
    ran = page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.broken = 8";
            document.body.append(script);
            const image = document.createElement("img");
            image.src = "https://example.invalid/x.png";
            document.body.append(image);
            let fetched = true;
            try { await fetch("https://example.invalid/"); } catch { fetched = false; }
            return [window.broken ?? null, fetched];
        }"""
    )
    assert ran == [None, False]
    assert any("Content Security Policy" in text for text in opened.complaints)
    opened.complaints.clear()
    opened.requests.clear()


def test_a_hostile_address_is_only_text(new_tab: Opener, report: str) -> None:
    page = new_tab().open(
        f"{report}#trace=%3Cimg%20src%3Dx%20onerror%3Dwindow.broken%3D9%3E&segment=x&q=%22%3E"
    )
    page.wait_for_selector("article.trace h1")
    assert page.evaluate("window.broken") is None
    assert "<img" in page.inner_text("article.trace h1")


def test_the_file_holds_no_address_to_load_from(report: str) -> None:
    made = Path(report.removeprefix("file://")).read_text(encoding="utf-8")
    body = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", made, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img|iframe|object|embed|base)[^>]*\s(src|href|data)=", body)
