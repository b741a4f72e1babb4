"""The report as a person uses it: from the counts to a trace, its cuts, and back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import LONG_SEGMENTS, Opener

LANTERNS = "#trace=six-lanterns"


def go(page: Any, address: str) -> None:
    page.evaluate("address => { location.hash = address }", address)


def wait_for(page: Any, condition: str) -> None:
    # A function: the policy of the page forbids to evaluate texts later on.
    page.wait_for_function(f"() => ({condition})")


def segment(page: Any, number: int) -> Any:
    return page.locator(f'#pane [data-segment="{number}"]').first


def is_in_sight(page: Any, selector: str) -> bool:
    inside = """selector => {
        const node = document.querySelector(selector), pane = document.getElementById("pane");
        if (!node) return false;
        const a = node.getBoundingClientRect(), b = pane.getBoundingClientRect();
        return a.bottom > b.top && a.top < b.bottom && a.height > 0;
    }"""
    return bool(page.evaluate(inside, selector))


def rows_listed(page: Any) -> list[str]:
    return [str(name) for name in page.locator("#list .row .id").all_inner_texts()]


def test_the_first_screen_says_what_happened(tab: Any) -> None:
    assert re.search(r"26 traces: \d+ % changed, [\d.]+ % of the tokens cut", tab.inner_text("h1"))
    assert tab.locator(".tile").count() == 5
    assert tab.locator("canvas").count() >= 5
    assert tab.title().startswith("dlcot:")


def test_a_bar_opens_the_traces_behind_it(tab: Any) -> None:
    bar = tab.locator(".bar", has_text="nothing_to_cut").first
    count = int(re.sub(r"\D", "", bar.locator(".count").inner_text().split("(")[0]))
    bar.click()
    tab.wait_for_selector("#list .row")
    assert len(rows_listed(tab)) == count
    assert "reason=nothing_to_cut" in tab.url


def test_a_histogram_opens_its_range(tab: Any) -> None:
    figure = tab.locator("figure", has_text="Approaches per trace")
    figure.locator("summary").click()
    figure.locator("a.bar", has_text="2 approaches").click()
    tab.wait_for_selector("#list .row")
    assert "approaches=2..2" in tab.url
    assert rows_listed(tab)


def test_a_click_in_a_plot_opens_its_range(tab: Any) -> None:
    plot = tab.locator("figure", has_text="Share that is cut").locator(".u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    tab.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
    tab.wait_for_selector("#list")
    assert re.search(r"cut=\d+\.\.", tab.url)


def test_a_point_opens_its_trace(tab: Any) -> None:
    plot = tab.locator("figure", has_text="Every trace").locator(".u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    # The trace with the most tokens is the point furthest to the right.
    found = False
    for share in range(99, 40, -1):
        for height in range(2, 100, 6):
            tab.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + box["height"] * height / 100)
            if plot.evaluate("node => node.style.cursor") == "pointer":
                tab.mouse.click(
                    box["x"] + box["width"] * share / 100, box["y"] + box["height"] * height / 100
                )
                found = True
                break
        if found:
            break
    assert found
    tab.wait_for_selector("article.trace h1")
    assert "trace=" in tab.url


def test_a_gate_names_traces_it_stopped(tab: Any) -> None:
    table = tab.locator("section", has=tab.locator("h2", has_text="Gates"))
    table.locator("td a", has_text="two-over-x").first.click()
    tab.wait_for_selector("article.trace h1")
    assert "two-over-x" in tab.inner_text("article.trace h1")
    assert "gate " in tab.inner_text(".failed")


def test_groups_have_their_own_figures(tab: Any) -> None:
    section = tab.locator("section", has=tab.locator("h2", has_text="By teacher"))
    section.locator("a", has_text="qwq-style").click()
    tab.wait_for_selector("#list .row")
    assert len(rows_listed(tab)) == 3


def test_rejected_rows_say_why(tab: Any) -> None:
    go(tab, "#view=rejected&cause=null_reasoning")
    tab.wait_for_selector("text=fill the reasoning in")
    assert "no reasoning" in tab.inner_text("main")


def test_search_narrows_the_list_as_one_types(tab: Any) -> None:
    tab.keyboard.press("/")
    wait_for(tab, "document.getElementById('search') !== null")
    tab.click("#search")
    tab.keyboard.type("lantern", delay=30)
    wait_for(tab, "document.querySelectorAll('#list .row').length === 1")
    assert rows_listed(tab) == ["six-lanterns"]
    assert tab.evaluate("document.activeElement.id") == "search"
    assert "q=lantern" in tab.url


def test_search_finds_words_of_texts(tab: Any) -> None:
    go(tab, "#view=traces&q=semi-perimeter")
    tab.wait_for_selector("#list .row")
    assert "foot-of-the-altitude" in rows_listed(tab)


def test_filters_join_and_can_be_removed(tab: Any) -> None:
    go(tab, "#view=traces")
    tab.click("summary:has-text('filters')")
    tab.select_option("[data-filter=status]", "enhanced")
    wait_for(tab, "location.hash.includes('status=enhanced')")
    changed = len(rows_listed(tab))
    tab.fill("[data-filter=tokens0]", "1400")
    tab.keyboard.press("Enter")
    wait_for(tab, "location.hash.includes('tokens=1400')")
    assert 0 < len(rows_listed(tab)) < changed
    tab.locator(".chips .chip", has_text="tokens before").click()
    wait_for(tab, "!location.hash.includes('tokens')")
    assert len(rows_listed(tab)) == changed


def test_a_deep_link_opens_its_segment(new_tab: Opener, report: str) -> None:
    page = new_tab().open(f"{report}{LANTERNS}&segment=17")
    page.wait_for_selector('[data-segment="17"].here')
    assert is_in_sight(page, '[data-segment="17"]')


def test_a_segments_number_is_its_link(tab: Any) -> None:
    go(tab, LANTERNS)
    tab.wait_for_selector('[data-segment="3"]')
    tab.click('[data-segment="3"] a.at')
    wait_for(tab, "location.hash.includes('segment=3')")


def test_back_and_forward_work(tab: Any) -> None:
    go(tab, "#view=traces")
    tab.wait_for_selector("#list .row")
    go(tab, LANTERNS)
    tab.wait_for_selector("article.trace h1")
    tab.go_back()
    wait_for(tab, "!document.querySelector('article.trace')")
    tab.go_back()
    wait_for(tab, "!!document.querySelector('.tiles')")
    tab.go_forward()
    tab.wait_for_selector("#list .row")


def test_keys_go_through_the_traces(tab: Any) -> None:
    go(tab, "#view=traces")
    tab.wait_for_selector("#list .row")
    tab.keyboard.press("j")
    tab.wait_for_selector("article.trace h1")
    first = tab.inner_text("article.trace h1")
    tab.keyboard.press("j")
    wait_for(tab, f"document.querySelector('article.trace h1').innerText !== {first!r}")
    tab.keyboard.press("k")
    wait_for(tab, f"document.querySelector('article.trace h1').innerText === {first!r}")
    tab.keyboard.press("Escape")
    wait_for(tab, "!document.querySelector('article.trace')")


def test_keys_go_through_the_cuts_and_each_has_its_reason(tab: Any) -> None:
    go(tab, "#trace=theatre-seats")
    tab.wait_for_selector("article.trace h1")
    tab.keyboard.press("n")
    tab.wait_for_selector("#cut1.here, .cut.here")
    assert tab.inner_text("#cuts").startswith("cut 1 of")
    assert "after the solution: approach 1" in tab.inner_text(".cut.here")
    assert is_in_sight(tab, ".cut.here")
    tab.keyboard.press("n")
    wait_for(tab, "document.getElementById('cuts').innerText.startsWith('cut 2 of')")
    tab.keyboard.press("p")
    wait_for(tab, "document.getElementById('cuts').innerText.startsWith('cut 1 of')")


def test_the_first_right_answer_is_marked_and_found(tab: Any) -> None:
    go(tab, LANTERNS)
    tab.wait_for_selector("article.trace h1")
    tab.keyboard.press("f")
    tab.wait_for_selector(".segment.first.here")
    assert "90" in tab.inner_text(".segment.first")
    assert tab.locator(".strip .first").count() == 1


def test_before_and_after_stand_side_by_side(tab: Any) -> None:
    go(tab, LANTERNS)
    tab.wait_for_selector("article.trace h1")
    tab.click("button[data-mode=side]")
    tab.wait_for_selector(".segment.pair.drop .body.gone")
    kept = tab.locator(".segment.pair.keep").first.locator(".body")
    assert kept.nth(0).inner_text() == kept.nth(1).inner_text()
    tab.click("button[data-mode=after]")
    wait_for(tab, "!document.querySelector('.segment.drop')")
    assert tab.locator(".cut").count() >= 1


def test_kept_text_folds_and_unfolds_between_cuts(tab: Any) -> None:
    go(tab, "#trace=leaking-tank")
    tab.wait_for_selector("article.trace h1")
    tab.click("button[data-mode=cuts]")
    tab.wait_for_selector("button.fold")
    before = tab.locator("[data-segment]").count()
    tab.locator("button.fold").first.click()
    wait_for(tab, f"document.querySelectorAll('[data-segment]').length > {before}")


def test_the_timeline_jumps_to_where_it_is_clicked(tab: Any) -> None:
    go(tab, "#trace=long")
    tab.wait_for_selector(".strip")
    box = tab.locator(".strip").bounding_box()
    tab.mouse.click(box["x"] + 10, box["y"] + box["height"] * 0.5)
    tab.wait_for_selector(".segment.here")
    at = int(tab.get_attribute(".segment.here", "data-segment"))
    assert 1150 < at < 1450
    assert is_in_sight(tab, ".segment.here")


def test_structure_stands_beside_the_text(tab: Any) -> None:
    go(tab, LANTERNS)
    tab.wait_for_selector(".heads")
    heads = tab.inner_text("#pane")
    assert "approach 0: method A, correct (by evidence), answer 90" in heads
    assert tab.locator(".strip .lane1").count() >= 2
    assert tab.locator(".strip .lane3").count() >= 1
    tab.click("summary:has-text('judge, gates and columns')")
    assert "answer_preserved" in tab.inner_text(".gates")


def test_mathematics_is_rendered_and_prices_are_not(tab: Any) -> None:
    go(tab, "#trace=formulas")
    tab.wait_for_selector("#pane .katex")
    assert tab.locator("#pane .katex .mfrac").count() == 1
    assert tab.locator("#pane .katex-display .sqrt").count() == 1
    assert "It costs $5 and then $6 more." in tab.inner_text("#pane")
    assert tab.evaluate("document.fonts.check('16px KaTeX_Main')")


def test_raw_text_shows_the_characters(tab: Any) -> None:
    go(tab, "#trace=formulas")
    tab.wait_for_selector("#pane .katex")
    tab.keyboard.press("r")
    wait_for(tab, "!document.querySelector('#pane .passage .katex')")
    assert "$\\frac{1}{2} a b$" in tab.inner_text("#pane")
    tab.keyboard.press("r")
    tab.wait_for_selector("#pane .passage .katex")


def test_code_is_highlighted(tab: Any) -> None:
    go(tab, "#trace=formulas")
    tab.wait_for_selector("code.block .hljs-keyword")
    assert tab.locator("code.block .hljs-comment").inner_text() == "# twice"


def test_words_are_found_inside_a_trace(tab: Any) -> None:
    go(tab, "#trace=long")
    tab.wait_for_selector(".find")
    tab.fill(".find", "Step 2210:")
    wait_for(tab, "document.getElementById('hits').innerText === '1 of 1 segment'")
    tab.wait_for_selector('[data-segment="2210"].here')
    assert is_in_sight(tab, '[data-segment="2210"]')
    tab.fill(".find", "nowhere to be found")
    wait_for(tab, "document.getElementById('hits').innerText === 'not found'")


def test_a_long_trace_scrolls_without_a_stutter(tab: Any) -> None:
    go(tab, "#trace=long")
    tab.wait_for_selector('[data-segment="0"]')
    assert tab.locator("[data-segment]").count() < 800
    took = tab.evaluate(
        """async () => {
            const pane = document.getElementById("pane"), gaps = [];
            let last = performance.now();
            for (let i = 0; i < 90; i++) {
                pane.scrollTop += 120;
                await new Promise(requestAnimationFrame);
                gaps.push(performance.now() - last);
                last = performance.now();
            }
            gaps.sort((a, b) => a - b);
            return gaps[Math.floor(gaps.length / 2)];
        }"""
    )
    # The median frame in milliseconds; a busy machine delays some of them.
    assert took < 100
    tab.evaluate("document.getElementById('pane').scrollTop = 1e9")
    tab.wait_for_selector(f'[data-segment="{LONG_SEGMENTS}"]')
    assert tab.locator("[data-segment]").count() < LONG_SEGMENTS / 2


def test_the_same_id_twice_gives_two_traces(tab: Any) -> None:
    go(tab, "#view=traces&q=sum-0")
    wait_for(tab, "document.querySelectorAll('#list .row').length === 2")
    tab.locator("#list .row").nth(1).click()
    tab.wait_for_selector("article.trace h1")
    assert "row=" in tab.url
    tab.click("summary:has-text('judge, gates and columns')")
    assert "twin" in tab.inner_text("#pane details")


def test_a_trace_without_text_says_how_to_read_it(tab: Any) -> None:
    go(tab, "#trace=nobody")
    tab.wait_for_selector("text=This file does not hold the trace.")
    assert "dlcot view" in tab.inner_text("#pane")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dark_mode_follows_the_system_and_can_be_turned(new_tab: Opener, report: str, theme: str) -> None:
    page = new_tab(color_scheme=theme).open(report)
    shade = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    assert (page.evaluate(shade) < 60) is (theme == "dark")
    page.keyboard.press("d")
    assert (page.evaluate(shade) < 60) is (theme == "light")
    assert page.locator("canvas").count() >= 5


def test_a_narrow_window_shows_one_thing_at_a_time(new_tab: Opener, report: str) -> None:
    page = new_tab(width=380, height=740).open(report)
    assert page.evaluate("document.getElementById('page').scrollWidth <= innerWidth")
    go(page, "#view=traces")
    page.wait_for_selector("#list .row")
    go(page, "#view=traces&trace=six-lanterns")
    page.wait_for_selector("article.trace h1")
    assert not page.is_visible("#list")
    assert page.evaluate("document.getElementById('pane').scrollWidth <= innerWidth")
    page.click("button.back")
    page.wait_for_selector("#list .row", state="visible")


def test_keys_are_told(tab: Any) -> None:
    tab.keyboard.press("?")
    tab.wait_for_selector("dialog[open]")
    assert "next, previous cut" in tab.inner_text("dialog")
    tab.keyboard.press("Escape")
    wait_for(tab, "!document.querySelector('dialog').open")


def test_a_person_without_a_mouse_can_open_a_bar(tab: Any) -> None:
    link = tab.locator("a.bar").first
    link.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#list .row")
