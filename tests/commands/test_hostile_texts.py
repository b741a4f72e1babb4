"""No command passes control characters of ids, file names and texts on to a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.cli import main
from tests.support import REPO
from tests.support.sums import sum_thought

PLANTED = "\x1b]52;c;eA==\x07\x1b[2J\x9b31m\u202etxt\u2066\x7f"
RAW = set("\x1b\x07\x9b\u202e\u2066\x7f")
PLACE = "\x1b]0;title\x07 \u202edlihs"
"""Begins the name of the folder and of the input file."""


def is_clean(told: str) -> bool:
    return not RAW & set(told)


def row(number: int, **others: Any) -> dict[str, Any]:
    a, b = 17 + number, 25
    return {
        "id": f"{PLANTED}{number}",
        "problem": f"{PLANTED} What is {a} + {b}?",
        "reasoning": f"{PLANTED} {sum_thought(a, b, a + b)}",
        "ground_truth": str(a + b),
        "response": f"{PLANTED} {a + b}",
        "source": PLANTED,
        "teacher": PLANTED,
        **others,
    }


def labels(number: int, annotator: str) -> dict[str, Any]:
    drop = [{"start": 1, "stop": 2}]
    return {"id": f"{PLANTED}{number}", "annotator": annotator, "drop": drop, "first_correct_segment": 0}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with traces in JSON lines (one of them unusable, one line broken) and two label sets."""
    folder = tmp_path_factory.mktemp("hostile") / PLACE
    folder.mkdir()
    rows = [*(row(number) for number in range(3)), row(3, reasoning=None), row(0)]
    lines = [*map(json.dumps, rows), f'{{"broken {PLANTED}']
    (folder / f"{PLACE}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "unreadable\x1b[31m.parquet").write_bytes(b"no parquet")
    (folder / "other").mkdir()
    for name in ("ana", "ben"):
        text = "\n".join(json.dumps(labels(number, name)) for number in range(2))
        (folder.parent / f"{PLACE}{name}.jsonl").write_text(text)
    return folder


def run(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command; its exit status and what it told on stdout and stderr."""
    status = main(words)
    found = capfd.readouterr()
    return status, found.out + found.err


@pytest.mark.usefixtures("ray_session")
def test_a_job_and_what_looks_at_it_are_clean(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output, derived = str(place.parent / f"{PLACE} out"), str(place.parent / f"{PLACE} derived")
    root = str(place.parent / f"{PLACE} root")
    commands = [
        ["enhance", f"input={place}", f"output={output}", "progress_s=0", "max_rejected_share=1"],
        ["derive", f"annotations={output}", f"output={derived}", "policy=keep_first"],
        ["refresh", f"input={place}", f"output={root}", "max_rejected_share=1"],
        ["refresh", f"output={root}", "action=list"],
        ["status", output],
        ["status", output, "--watch"],
        ["verify", output],
        ["diff", output, "--all", "--sample", "5"],
        ["diff", output, "--id", PLANTED],
        ["report", output],
        ["select", f"input={output}", f"output={place.parent / f'{PLACE} best'}"],
        ["profile", output],
    ]
    statuses = []
    for words in commands:
        status, text = run(words, capfd)
        statuses.append(status)
        assert is_clean(text), f"{words[0]}: {text!r}"
        assert "\\x1b" in text, f"{words[0]} shows nothing of the names: {text!r}"
        assert "this is a bug" not in text, text
    # The input has faults, the snapshot is held back for them, an id is unknown, an output is no input.
    assert " ".join(map(str, statuses)) == "3 3 4 0 0 0 0 0 1 0 0 1"


@pytest.mark.parametrize(
    ("command", "words", "status"),
    [
        ("inspect", ["{place}"], 3),
        ("profile", ["{place}", "workers=1", "page={place}/other/page.html"], 3),
        ("plan", ["input={place}"], 3),
        ("evaluate", ["set={place}ana.jsonl", "traces={place}/{name}.jsonl", "workers=1"], 0),
        ("agreement", ["{place}ana.jsonl", "{place}ben.jsonl", "traces={place}/{name}.jsonl"], 0),
        ("agreement", ["{place}ana.jsonl", "{place}ben.jsonl"], 1),
        ("train-judge", ["annotations={place}", "traces={place}", "output={place}/other/judge"], 1),
        ("doctor", ["input={place}", "output={place}/other/doctor"], 0),
        ("view", ["{place}"], 1),
        ("view", ["{place}", "{place}"], 2),
        ("report", ["{place}", "--{place}"], 2),
        ("diff", ["{place}", "--sample", "{place}"], 2),
        ("enhance", ["{place}"], 2),
        ("enhance", ["input={place}", "output={place}", "policy={name}"], 2),
        ("{place}", [], 2),
    ],
)
def test_a_command_without_ray_is_clean(
    place: Path, capfd: pytest.CaptureFixture[str], command: str, words: list[str], status: int
) -> None:
    filled = [word.format(place=place, name=PLACE) for word in [command, *words]]
    found, text = run(filled, capfd)
    assert is_clean(text), text
    assert "this is a bug" not in text, text
    # The figures of an agreement name no trace.
    assert "\\x1b" in text or (command, found) == ("agreement", 0), text
    assert found == status, text


def test_the_example_script_is_clean(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(REPO / "examples" / "show.py"), str(place), PLANTED],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "\x1b]52" not in done.stdout + done.stderr.replace(str(place), "")
