"""A tracker of experiments with the interface of W&B, as a module on the path that writes down its calls."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

TRACKER = """
    import json, os
    from contextvars import ContextVar
    from pathlib import Path

    current = ContextVar("current", default=None)

    def tell(kind, value):
        with Path(os.environ["TRACKED"]).open("a") as file:
            file.write(json.dumps([kind, value]) + chr(10))

    class Run:
        def log(self, figures, step=None):
            tell("log", figures)
            if "log" in os.environ.get("FAILS", ""):
                raise RuntimeError(f"the server refuses {os.environ['WANDB_API_KEY']}")

        def finish(self, **how):
            print("* uploading")
            tell("finish", how)

    def init(**given):
        print("\\x1b[1mopen me\\x1b[0m")
        if os.environ.get("FAILS") == "init":
            raise OSError("no route to the server")
        tell("init", given)
        current.set(Run())
        return current.get()
"""


def with_tracker(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the module on the path under a name; its calls go to the file `tracked` of the folder."""
    packages = folder / "packages"
    packages.mkdir()
    (packages / f"{name}.py").write_text(textwrap.dedent(TRACKER))
    monkeypatch.syspath_prepend(packages)
    # Set first, so that the module of the test is taken out again at its end.
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("TRACKED", str(folder / "tracked"))
    importlib.invalidate_caches()


def of_kind(file: Path, kind: str) -> list[Any]:
    """What was given to `init`, `log` or `finish`, in order."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [value for found, value in lines if found == kind]
