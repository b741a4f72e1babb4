"""Checks of values beyond their type: limits, choices, places."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from dlcot_ray.config.fields import Rule, fields_by_owner, rule_of
from dlcot_ray.errors import ConfigError


def check_values(config: Any, *, optional: Collection[str] = (), prefix: str = "") -> None:
    """Check every setting of a dataclass against its `Rule`.

    Args:
        config: a dataclass whose fields `setting` made.
        optional: names of settings that may be unset although their rule requires them.
        prefix: put before names in errors, e.g. ``ray.``.

    Raises:
        ConfigError: names the first setting that cannot be used, and what it may be.
    """
    for declared in (field for _, fields in fields_by_owner(type(config)) for field in fields):
        rule, name, value = rule_of(declared), declared.name, getattr(config, declared.name)
        if dataclasses.is_dataclass(value):
            check_values(value, prefix=f"{prefix}{name}.")
        elif value in (None, "", []):
            if rule.required and name not in optional:
                raise ConfigError(f"{prefix}{name} is not set", f"set {name}= to {rule.required}")
        elif remedy := _remedy(rule, value):
            raise ConfigError(f"{prefix}{name} cannot be {_shown(value)}", remedy)


def _remedy(rule: Rule, value: Any) -> str:
    """What to give instead of a value; empty if the value is fine."""
    if rule.choices:
        return "" if value in rule.choices else f"choose one of {', '.join(rule.choices)}"
    if rule.places:
        places = value if isinstance(value, list) else [value]
        usable = all(isinstance(place, str) and place for place in places)
        return "" if usable else "give a path, a URL or a list of these"
    fits = (
        (rule.least is None or value >= rule.least)
        and (rule.most is None or value <= rule.most)
        and (rule.above is None or value > rule.above)
    )
    return "" if fits else f"give {_range(rule)}"


def _range(rule: Rule) -> str:
    if rule.most is None:
        return f"more than {rule.above:g}" if rule.above is not None else f"{rule.least:g} or more"
    if rule.above is not None:
        return f"a number above {rule.above:g}, at most {rule.most:g}"
    return f"a number between {rule.least:g} and {rule.most:g}"


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | list | dict) else str(value)
