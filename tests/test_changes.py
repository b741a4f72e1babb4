"""The changes that the documentation shows work as they stand, and touch as many files as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import REPO

PAGE = REPO / "docs" / "how-to" / "change-the-package.md"
BARS = {
    "A policy": 2,
    "A column layout": 1,
    "A file format": 2,
    "A question of the model judge": 3,
    "A column of the output": 1,
    "A report command": 2,
}
"""Maximum number of files of each change, besides tests and documentation."""
_BLOCK = re.compile(r'^```\w+ title="(?P<title>[^"]+)"\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of the page: the change that it belongs to, its title, and its lines."""

    change: str
    title: str
    body: str

    @property
    def file(self) -> str:
        """The file that it makes or changes; empty for a check."""
        return "" if self.title == "try it" else self.title.removesuffix(" (new)")


def blocks() -> Iterator[Block]:
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        for found in _BLOCK.finditer(part):
            yield Block(part.partition("\n")[0], found["title"], found["body"])


def apply(block: Block, root: Path) -> None:
    """Write a new file, or change an old one; a `diff` is given by its neighbours alone."""
    path = root / block.file
    if block.title.endswith("(new)"):
        assert not path.exists()
        path.write_text(block.body, encoding="utf-8")
        return
    lines = block.body.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{block.file} holds this {text.count(old)} times: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("change", BARS)
def test_a_change_touches_few_files(change: str) -> None:
    files = {block.file for block in blocks() if block.change == change and block.file}
    assert len(files) == BARS[change]
    assert re.search(
        rf"^\| \[{change[0].lower()}{change[1:]}\]\(.*\) \| {len(files)} \|$", PAGE.read_text(), re.M
    )


def test_every_change_works(tmp_path: Path) -> None:
    for folder in ("dlcot_ray", "conf"):
        shutil.copytree(REPO / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    found = list(blocks())
    assert {block.change for block in found if not block.file} == set(BARS)
    for block in found:
        if block.file:
            apply(block, tmp_path)
    checks = "\n".join(block.body for block in found if not block.file)
    done = subprocess.run(
        [sys.executable, "-c", checks],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "correct            7" in done.stdout
