"""A tokenizer by directory, hub id and commit; the hub is its cache on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

OLD, NEW = "a" * 40, "b" * 40


def _written(place: Path, words: list[str]) -> None:
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=words[0])
    )
    place.mkdir(parents=True)
    made.save(str(place / "tokenizer.json"))
    (place / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (place / "config.json").write_text('{"model_type": "llama"}')


def test_a_commit_behind_the_name_is_the_tokenizer_that_is_read(tmp_path: Path) -> None:
    hub = tmp_path / "hub" / "models--me--words"
    _written(hub / "snapshots" / OLD, ["?", "one"])
    _written(hub / "snapshots" / NEW, ["?", "one", "two"])
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text(NEW)
    _written(tmp_path / "mine@home", ["?", "a", "b", "c"])
    names = [f"me/words@{OLD}", f"me/words@{NEW}", "me/words", str(tmp_path / "mine@home")]
    code = (
        "import sys; from dlcot_ray.judging.tokenizers import load_tokenizer; "
        "print([len(load_tokenizer(name)) for name in sys.argv[1:]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "[2, 3, 3, 4]", done.stderr[-2000:]
