"""How a setting is declared: its default, its help and its limits, side by side in a dataclass.

``dlcot COMMAND --help`` prints these declarations as YAML. The output is a valid configuration file.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_KEY = "setting"
_WIDTH = 108
"""Longest line of a help text."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is declared of a setting besides its name, type and default.

    Attributes:
        help: one or two sentences for users.
        least, most: smallest and largest value.
        above: the value must be larger than this.
        choices: the only values.
        required: what to set it to, for a setting that has no usable default.
        places: a path or URL, or a list of these.
        listed: names that the value may hold, with a line of help each.
        hidden: do not print it.
    """

    help: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    required: str = ""
    places: bool = False
    listed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hidden: bool = False


def setting(default: object, help: str, **limits: Any) -> Any:
    """A dataclass field with its help.

    Args:
        default: the value, or a function that makes it (``dict``, a dataclass).
        help: one or two sentences for users.
        limits: the other attributes of `Rule`.
    """
    metadata = {_KEY: Rule(help, **limits)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def rule_of(declared: dataclasses.Field[Any]) -> Rule:
    """The rule of a field that `setting` made."""
    rule: Rule = declared.metadata[_KEY]
    return rule


def is_places(declared: dataclasses.Field[Any]) -> bool:
    """Whether a field of any dataclass is a setting that holds a place or a list of places."""
    rule = declared.metadata.get(_KEY)
    return isinstance(rule, Rule) and rule.places


def help_text(schema: type[Any]) -> str:
    """All settings of a command as YAML with comments, in sections: those of the command come first.

    Args:
        schema: a dataclass; each of its base classes is a section, and the docstring its heading.
    """
    sections = []
    for owner, fields in fields_by_owner(schema):
        heading = [] if owner is schema else [f"# -- {_heading(owner)} --"]
        sections.append("\n".join([*heading, *_lines(fields, "")]))
    return "\n\n".join(sections) + "\n"


def fields_by_owner(schema: type[Any]) -> Iterator[tuple[type[Any], list[dataclasses.Field[Any]]]]:
    """The fields of a dataclass, by the class that declares them; its own come first."""
    fields = {declared.name: declared for declared in dataclasses.fields(schema)}
    for owner in schema.__mro__:
        names = [name for name in inspect.get_annotations(owner) if name in fields]
        if names:
            yield owner, [fields.pop(name) for name in names]


def _heading(owner: type[Any]) -> str:
    return (owner.__doc__ or "").strip().split("\n")[0].rstrip(".")


def _lines(fields: Collection[dataclasses.Field[Any]], indent: str) -> Iterator[str]:
    for declared in fields:
        rule = rule_of(declared)
        if rule.hidden:
            continue
        text = f"{rule.help} One of: {', '.join(rule.choices)}." if rule.choices else rule.help
        start = f"{indent}# "
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=start,
            subsequent_indent=start,
            break_on_hyphens=False,
            break_long_words=False,
        )
        width = max(map(len, rule.listed), default=0)
        yield from (f"{start}  {name:<{width}}  {line}" for name, line in rule.listed.items())
        default = _default(declared)
        if dataclasses.is_dataclass(default):
            yield f"{indent}{declared.name}:"
            for _, nested in fields_by_owner(type(default)):
                yield from _lines(nested, f"{indent}  ")
        else:
            yield f"{indent}{declared.name}: {default if isinstance(default, str) else json.dumps(default)}"


def _default(declared: dataclasses.Field[Any]) -> Any:
    if declared.default is not dataclasses.MISSING:
        return declared.default
    factory: Callable[[], Any] = declared.default_factory  # type: ignore[assignment]
    return factory()
