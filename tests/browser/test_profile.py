"""The page of a profile: figures, and the traces behind each bar."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener
from tests.support import REPO


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> str:
    place: Path = tmp_path_factory.mktemp("profile") / "profile.html"
    words = ["profile", "input=examples/shards", f"page={place}", "workers=1"]
    subprocess.run([sys.executable, "-m", "dlcot_ray.cli", *words], cwd=REPO, check=True, capture_output=True)
    return place.as_uri()


@pytest.fixture
def tab(new_tab: Opener, profile: str) -> Any:
    return new_tab().open(profile)


def test_the_first_screen_says_what_the_traces_are_like(tab: Any) -> None:
    assert "20 traces as they are" in tab.inner_text("h1")
    assert tab.locator(".tile").count() == 5
    assert tab.locator("canvas").count() >= 5
    assert tab.locator("h2", has_text="By teacher").count() == 1
    assert tab.locator("td", has_text="outcome efficiency").count() >= 1


def test_a_bar_opens_its_traces(tab: Any) -> None:
    figure = tab.locator("figure", has_text="tokens up to the first right answer")
    figure.locator("summary").click()
    bar = figure.locator("details .bar").filter(has_not_text="0 to 5 %").first
    count = int(bar.locator(".count").inner_text())
    bar.click()
    tab.wait_for_function("() => document.querySelector('#count')")
    assert tab.locator("#list .row").count() == count
    assert "p_outcome_efficiency=" in tab.url


def test_a_trace_shows_what_the_policy_would_cut(new_tab: Opener, profile: str) -> None:
    page = new_tab().open(f"{profile}#trace=six-lanterns")
    page.wait_for_selector("#pane")
    assert "six-lanterns" in page.inner_text("#pane h1")
    assert page.locator("#cuts").inner_text() != "0 cuts"


def test_the_page_is_readable_in_a_narrow_window(new_tab: Opener, profile: str) -> None:
    page = new_tab(width=380, height=700).open(profile)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 380
