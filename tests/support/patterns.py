"""Every regular expression of the package: compiled ones of its modules, and literals in its calls of `re`."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import dlcot_ray

_AT_ONE_PLACE = frozenset(("match", "fullmatch"))
_ANYWHERE = frozenset(("search", "split", "findall", "finditer", "sub", "subn"))


class Used(NamedTuple):
    """A pattern, and whether it is only tried at one place of a text (`match`) and never searched for."""

    pattern: re.Pattern[str]
    at_one_place: bool


@cache
def every_pattern() -> dict[str, Used]:
    """Where a pattern stands -> the pattern; each pattern once."""
    found: dict[tuple[str, int], tuple[str, Used]] = {}
    for module in _modules():
        tree = _tree(module)
        for name, pattern in _compiled(module):
            used = Used(pattern, _calls(name, module.__name__) <= _AT_ONE_PLACE)
            found.setdefault((pattern.pattern, pattern.flags), (f"{module.__name__}.{name}", used))
        for name, used in _written(tree):
            found.setdefault((used.pattern.pattern, used.pattern.flags), (f"{module.__name__}.{name}", used))
    return dict(found.values())


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _calls(name: str, home: str) -> set[str]:
    """The methods that are called of a constant, in its module and in those that import it."""
    found: set[str] = set()
    for module in _modules():
        if module.__name__ == home or not name.startswith("_"):
            found |= _called(module).get(name, set())
    # A pattern that no call names is in a container, or is handed on: it may be searched for.
    return found or {"search"}


@cache
def _called(module: ModuleType) -> dict[str, set[str]]:
    """Name of a constant -> the methods that a module calls of it, or ``search`` where it hands the pattern on."""
    found: dict[str, set[str]] = {}
    tree = _tree(module)
    owners = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name.isupper() and isinstance(getattr(node, "ctx", None), ast.Load):
            found.setdefault(name, set()).add(owners.get(id(node), "search"))
    return found


@cache
def _modules() -> tuple[ModuleType, ...]:
    # vLLM and torch are not installed everywhere; what needs them holds no patterns for traces.
    names = [info.name for info in pkgutil.walk_packages(dlcot_ray.__path__, "dlcot_ray.")]
    return tuple(importlib.import_module(name) for name in names if "vllm" not in name)


def _compiled(module: ModuleType) -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, value in vars(module).items():
        yield from _inside(name, value, 4)


def _inside(name: str, value: object, depth: int) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns in a value, also in containers and data classes."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield name, value
    elif not depth:
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(f"{name}[{key!r}]", item, depth - 1)
    elif isinstance(value, tuple | list | set | frozenset):
        for place, item in enumerate(value):
            yield from _inside(f"{name}[{place}]", item, depth - 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _inside(f"{name}.{field.name}", getattr(value, field.name), depth - 1)


def _written(tree: ast.Module) -> Iterator[tuple[str, Used]]:
    """Patterns that are literals in calls such as ``re.sub(r"...", ...)``."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        of, first, name = node.func.value, node.args[0], node.func.attr
        is_call = isinstance(of, ast.Name) and of.id == "re" and name in _AT_ONE_PLACE | _ANYWHERE
        if is_call and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield f"line {node.lineno}", Used(re.compile(first.value), name in _AT_ONE_PLACE)
