"""A real browser, and the pages of a small output with traces of every kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow.parquet as pq
import pytest

from dlcot_ray.outputs.layout import Output
from dlcot_ray.report.labelling import LabelFile
from dlcot_ray.report.page import page
from dlcot_ray.report.payload import make_payload
from dlcot_ray.report.server import Viewer, address_of, make_server
from dlcot_ray.report.stored import StoredOutput
from tests.support import REPO
from tests.support.made_output import make_output, row, sum_row

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE_ID = "</script><script>window.broken=1</script><img src=x onerror=window.broken=2>"
HOSTILE = (
    "<script>window.broken=3</script> <svg onload=window.broken=4> <img src=x onerror=window.broken=5> "
    "\x1b]52;c;eA==\x07 \u202etxet desrever\u202c $\\href{javascript:window.broken=6}{x}$ "
    "$\\htmlData{a=b}{x}$ $\\def\\a{\\a\\a}\\a$ javascript:window.broken=7"
)
FORMULAS = (
    "The area is $\\frac{1}{2} a b$, so \\[ \\sqrt{a^2 + b^2} = 5. \\]\n\nIt costs $5 and then $6 more.\n\n"
    "```python\ndef area(a: int) -> int:\n    return a * 2  # twice\n```\n\nSo the answer is \\boxed{42}."
)
LONG_SEGMENTS = 2600
"""More than 100,000 tokens."""


def _missing(reason: str) -> None:
    message = f"{reason} (make test-browser installs what is needed)"
    if os.environ.get("DLCOT_REQUIRE_BROWSER"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright; skips where either is missing.

    One for each file: while it runs, its event loop counts as running in this thread, which other tests of
    the process would stumble over.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed")
    found = os.environ.get("DLCOT_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        _missing("there is no Chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


def _example_rows() -> list[dict[str, Any]]:
    names = ("id", "source", "teacher", "problem", "reasoning", "response", "ground_truth")
    files = sorted((REPO / "examples" / "shards").glob("*.parquet"))
    return [
        {name: item[name] for name in names} for file in files for item in pq.read_table(file).to_pylist()
    ]


def _long_text() -> str:
    parts = [
        f"Step {number}: I add {number} and {number + 1}, which gives ${number} + {number + 1} = {2 * number + 1}$. "
        "The sum is odd, as it has to be for two neighbours."
        for number in range(LONG_SEGMENTS)
    ]
    return "\n\n".join([*parts, "So the final answer is \\boxed{42}."])


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The examples, hostile and long traces, formulas and code, and a row that is rejected."""
    special = [
        row(
            HOSTILE_ID, f"{HOSTILE}\n\nSo the answer is 42.", problem=HOSTILE, source=HOSTILE, teacher="evil"
        ),
        row("long", _long_text(), teacher="long-winded"),
        row("formulas", FORMULAS),
        sum_row(0),
        sum_row(0, teacher="twin"),
        row("no reasoning", None),
    ]
    place = tmp_path_factory.mktemp("browser") / "out"
    policy = "keep_one_per_cluster+keep_first_plus_check"
    with ThreadPoolExecutor(1) as other_thread:
        # In this one Playwright's event loop runs.
        return other_thread.submit(make_output, place, [_example_rows(), special], policy).result()


@pytest.fixture(scope="session")
def report(output: Output) -> str:
    """The URL of the report as a file."""
    made = page(make_payload(StoredOutput(output)))
    place = Path(output.store.given_url) / "report.html"
    place.write_bytes(made)
    return place.as_uri()


@dataclass
class Tab:
    """A page of the browser, and what it complained about."""

    page: Any
    complaints: list[str]
    requests: list[str]

    def open(self, url: str) -> Any:
        """Go to an address and wait until the page takes keys."""
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready]")
        return self.page


def _is_complaint(told: Any) -> bool:
    """Whether a line of the console is an error; a refused page has no icon, which Chromium asks for at any time."""
    return bool(told.type == "error" and not told.location["url"].endswith("/favicon.ico"))


Opener = Callable[..., Tab]


@pytest.fixture
def new_tab(browser: Any) -> Iterator[Opener]:
    """Makes tabs; after the test no tab may have complained or asked for anything outside."""
    tabs: list[tuple[Any, Tab]] = []

    def make(width: int = 1280, height: int = 860, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        tab = Tab(context.new_page(), [], [])
        tab.page.set_default_timeout(120_000)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("console", lambda told: tab.complaints.append(told.text) if _is_complaint(told) else None)
        tab.page.on("request", lambda asked: tab.requests.append(asked.url))
        tabs.append((context, tab))
        return tab

    yield make
    for context, tab in tabs:
        outside = [
            u for u in tab.requests if not u.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))
        ]
        context.close()
        assert not tab.complaints
        assert not outside


@pytest.fixture
def tab(new_tab: Opener, report: str) -> Any:
    """The report, opened."""
    return new_tab().open(report)


@pytest.fixture
def view(output: Output, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serves the output; returns the address to open. With a reader, labels go to `labels.jsonl`."""
    servers = []

    def serve(reader: str | None = None) -> str:
        labels = LabelFile(tmp_path / "labels.jsonl", reader) if reader else None
        viewer = Viewer(StoredOutput(output), labels)
        server = make_server(viewer, 0)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return address_of(server, viewer)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
