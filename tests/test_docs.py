"""The documentation is right: snippets run, commands name real settings, links and paths exist.

A fenced block runs if the line before it is `<!-- run -->`. The blocks of a page run in their order, in one
folder of their own that holds `examples/`. `mkdocs build --strict` (`make docs`) checks links inside the site.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dlcot_ray.cli import COMMANDS, VIEWERS
from dlcot_ray.errors import ConfigError
from tests.support import REPO

PAGES = sorted([*REPO.glob("docs/**/*.md"), *REPO.glob("*.md"), REPO / "examples/README.md"])
TOP_LEVEL = ("benchmarks", "conf", "dlcot_ray", "docs", "examples", "jobs", "k8s", "scripts", "tests")
PLACES = {
    "enhance": ("input", "output"),
    "derive": ("annotations", "output"),
    "refresh": ("input", "output"),
    "inspect": ("input",),
    "profile": ("input",),
    "plan": ("input",),
    "status": ("output",),
    "verify": ("output",),
    "select": ("input", "output"),
    "agreement": ("first", "second"),
    "train-judge": ("traces", "labels", "output"),
}
"""Settings that a command cannot do without."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    runs: bool


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, indented ones too."""
    found = re.findall(
        r"^(<!-- run -->\n)?^([ ]*)```(\w*)\n(.*?)^\2```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [Block(language, text, bool(run)) for run, _, language, text in found]


def name_of(page: Path) -> str:
    """The page's path in the repository."""
    return page.relative_to(REPO).as_posix()


RUNNING = [page for page in PAGES if any(block.runs for block in blocks_of(page))]


@pytest.mark.parametrize("page", RUNNING, ids=name_of)
@pytest.mark.timeout(600)
def test_snippets_run(page: Path, tmp_path: Path, ray_session: str) -> None:
    (tmp_path / "examples").symlink_to(REPO / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(REPO), "HF_HOME": str(tmp_path / "hf")}
    environment["RAY_ADDRESS"] = ray_session
    for block in blocks_of(page):
        if not block.runs:
            continue
        shell = ["bash", "-euo", "pipefail", "-c", block.text]
        command = [sys.executable, "-c", block.text] if block.language == "python" else shell
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip() or "assert" in block.text, f"prints nothing:\n{block.text}"


def test_some_snippets_run_everywhere_a_reader_starts() -> None:
    assert {"README.md", "docs/tutorial/first-job.md", "docs/how-to/use-the-python-api.md"} <= {
        name_of(page) for page in RUNNING
    }


def commands_of(page: Path) -> Iterator[list[str]]:
    """The words of each `dlcot ...` and `jobs/*.py ...` in a page's shell blocks and code spans."""
    prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`(dlcot [^`]+)`", prose)
    lines = [
        line for block in blocks_of(page) if block.language == "bash" for line in block.text.splitlines()
    ]
    for line in [*spans, *lines]:
        for part in re.split(r"&&|;| & ", line.partition(" # ")[0]):
            found = re.search(r"(?:^(?:\S*/)?dlcot|.*python jobs/(\w+)\.py) (.*)", part.strip())
            if found:
                words = shlex.split(found[2].replace("=...", "=x"))
                yield [found[1], *words] if found[1] else words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_name_real_settings(page: Path) -> None:
    for name, *words in commands_of(page):
        if name in ("COMMAND", "--version"):
            continue
        assert name in COMMANDS or name in VIEWERS, f"there is no command {name!r}"
        settings = [word for word in words if "=" in word and not word.startswith("-")]
        if name in COMMANDS:
            check(name, settings)


def check(name: str, settings: list[str]) -> None:
    """Load the settings as the command would; only places may be missing."""
    module, _, function = COMMANDS[name].load.partition(":")
    load = getattr(__import__(module, fromlist=[function]), function)
    given = {word.partition("=")[0] for word in settings}
    places = [f"{key}=x" for key in PLACES.get(name, ()) if key not in given]
    try:
        load([*places, *(word for word in settings if not word.startswith("config="))])
    except ConfigError as error:
        pytest.fail(f"dlcot {name} {' '.join(settings)}: {error}")


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), f"{name_of(page)}: {target}"
        assert not anchor or anchor in anchors_of(file), f"{name_of(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_in_code_spans_exist(page: Path) -> None:
    for span in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")):
        path = (span.split() or [""])[-1].partition("#")[0]
        if path.split("/")[0] in TOP_LEVEL and "/" in path and not re.search(r"[<>*{}:]|\.\.\.", path):
            assert (REPO / path).exists(), f"{name_of(page)}: {path}"


def test_docs_that_the_code_names_exist() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *TOP_LEVEL, "Makefile"],
        cwd=REPO, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in tracked:
        if (REPO / name).is_file() and name.endswith((".py", ".yaml", "Makefile", ".sh")):
            for path in re.findall(r"\bdocs/[\w/-]+\.md\b", (REPO / name).read_text("utf-8")):
                assert (REPO / path).is_file(), f"{name}: {path}"


def test_the_readme_is_short() -> None:
    assert len((REPO / "README.md").read_text("utf-8").splitlines()) < 120


def test_every_page_begins_with_a_title() -> None:
    for page in PAGES:
        assert page.read_text("utf-8").startswith("# "), name_of(page)
