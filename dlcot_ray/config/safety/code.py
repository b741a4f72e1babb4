"""A judge's file is data, also if somebody else wrote it: it names no code but that of this package's judges.

A file that names another factory would run it under every command that takes ``judge=``, ``dlcot plan``
included. So would options that make the engine import code beside a model's weights.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from dlcot_ray.errors import ConfigError

_OWN_FACTORY = re.compile(r"(dlcot_ray\.judging(?:\.[a-z_]+){1,4}):([A-Za-z]\w*)")
_RUN_CODE = ("trust_remote_code", "worker_cls", "worker_extension_cls", "logits_processors", "scheduler_cls")
"""Arguments of vLLM that import code by name or from the directory of a model."""
_REMEDY = "read that file, and set allow_code=true if you trust it"


def check_code(file: str, factory: str, options: Mapping[str, Any]) -> None:
    """Refuse a judge that runs other code than that of this package.

    Args:
        file: path of the judge's file, for the error.
        factory: ``module:class`` as the file has it.
        options: of the judge, nested.

    Raises:
        ConfigError: names the factory or the option.
    """
    if not _is_own_judge(factory):
        raise ConfigError(f"{file} names the code {factory or '(none)'} as its judge", _REMEDY)
    for name in _options_that_run_code(options):
        raise ConfigError(f"the option {name} of the judge {file} runs the code of others", _REMEDY)


def _is_own_judge(factory: str) -> bool:
    """Whether a factory is a judge of this package: a class, or a function that says that it returns one."""
    own = _OWN_FACTORY.fullmatch(factory)
    if own is None:
        return False
    try:
        made = getattr(importlib.import_module(own[1]), own[2])
    except (ImportError, AttributeError):
        return False
    if getattr(made, "__module__", "") != own[1]:
        return False
    if inspect.isclass(made):
        return callable(getattr(made, "judge", None))
    return str(getattr(made, "__annotations__", {}).get("return", "")).endswith("Judge")


def _options_that_run_code(options: Mapping[str, Any]) -> list[str]:
    found = [str(key) for key, value in options.items() if str(key).replace("-", "_") in _RUN_CODE and value]
    nested = [
        name
        for value in options.values()
        if isinstance(value, Mapping)
        for name in _options_that_run_code(value)
    ]
    return found + nested
