"""Everything that the package prints goes through the outlets that clean texts of others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import REPO

OUTLETS = {"terminal.py", "telemetry/cleaned_console.py"}
"""The modules that may print: they clean."""
_WRITERS = {("os", "write"), ("sys.stdout", "write"), ("sys.stderr", "write")}


def prints(code: str) -> Iterator[int]:
    """The lines of a module that print, write to a standard stream, or make a console of their own."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if (isinstance(called, ast.Name) and called.id in ("print", "Console")) or (
            isinstance(called, ast.Attribute) and (ast.unparse(called.value), called.attr) in _WRITERS
        ):
            yield node.lineno


def test_only_the_outlets_print() -> None:
    package = REPO / "dlcot_ray"
    found = [
        f"{path.relative_to(package)}:{line}"
        for path in sorted(package.rglob("*.py"))
        if str(path.relative_to(package)) not in OUTLETS
        for line in prints(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"print by dlcot_ray.terminal or telemetry.cleaned_console instead: {found}"


@pytest.mark.parametrize("path", [*sorted(REPO.glob("jobs/*.py")), REPO / "examples" / "show.py"], ids=str)
def test_scripts_of_users_print_nothing_themselves(path: Path) -> None:
    assert not list(prints(path.read_text(encoding="utf-8")))


def test_a_print_is_found() -> None:
    code = "import sys\nprint(1)\nsys.stderr.write('x')\nrich.print\nConsole(stderr=True)\nos.write(2, b'')\n"
    assert list(prints(code)) == [2, 3, 5, 6]
