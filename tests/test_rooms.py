"""Imports between the rooms of the package point one way only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dlcot_ray

PACKAGE = Path(dlcot_ray.__file__).parent
ORDER = [
    "credentials",
    "errors",
    "terminal",
    "core",
    "judging",
    "evaluation",
    "profiling",
    "config",
    "storage",
    "inputs",
    "plan",
    "outputs",
    "work",
    "api",
    "cluster",
    "telemetry",
    "report",
    "commands",
    "cli",
]
MOST_MODULES = 13


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def room_of(module: str) -> str | None:
    """The room of a module of the package, by its full name; None for anything else."""
    parts = module.split(".")
    return parts[1] if parts[0] == "dlcot_ray" and len(parts) > 1 and parts[1] in ORDER else None


def test_every_module_is_in_a_room() -> None:
    found = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in PACKAGE.rglob("*.py")}
    assert found - {"__init__"} == set(ORDER)


def test_imports_point_one_way() -> None:
    against = []
    for file in PACKAGE.rglob("*.py"):
        here = room_of("dlcot_ray." + ".".join(file.relative_to(PACKAGE).with_suffix("").parts))
        if here is None:
            continue
        for module in imported(file):
            there = room_of(module)
            if there is not None and ORDER.index(there) > ORDER.index(here):
                against.append(f"{file.relative_to(PACKAGE)} imports {module}")
    assert not against


def test_a_room_is_small_enough_to_look_through() -> None:
    for folder in [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder
