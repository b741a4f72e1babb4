"""Values that settings take from the environment or from each other (``${oc.env:NAME}``).

They are resolved when the settings are loaded. Errors and log lines show what the user wrote. Options of
storage, judge and writer are stored as written; other settings are stored as resolved, because later commands
need them. So no setting may take a credential.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from dlcot_ray.credentials import holds_credential, names_credential, remember
from dlcot_ray.errors import ConfigError

_FROM_ENVIRONMENT = re.compile(r"\$\{oc\.env:\s*([^,}\s]+)")
_GROUPS_OF_OPTIONS = ("storage", "judge_options", "writer_options", "options")


def resolved(config: DictConfig | ListConfig) -> Any:
    """A configuration as plain types, with its interpolations resolved.

    Raises:
        ConfigError: a setting takes a credential from the environment.
        omegaconf.errors.OmegaConfBaseException: an interpolation cannot be resolved.
    """
    written = OmegaConf.to_container(config, resolve=False)
    plain = OmegaConf.to_container(config, resolve=True)
    for path, text, value in _interpolated(written, plain, ""):
        names = [name for name in _FROM_ENVIRONMENT.findall(text) if names_credential(name)]
        if names or holds_credential(value):
            raise ConfigError(
                f"{path} takes a credential from the environment ({', '.join(names) or text}), and settings "
                "are stored with the output",
                "leave it out: credentials are read from the environment where they are needed",
            )
        remember(value, text, stored=path.partition(".")[0] not in _GROUPS_OF_OPTIONS)
    return plain


def _interpolated(written: Any, plain: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """The path, the text and the value of every text that is an interpolation or holds one."""
    if isinstance(written, dict) and isinstance(plain, dict):
        for key, item in written.items():
            yield from _interpolated(item, plain.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(written, list) and isinstance(plain, list):
        for item, value in zip(written, plain, strict=True):
            yield from _interpolated(item, value, path)
    elif isinstance(written, str) and written != plain:
        yield from ((path, written, value) for value in _texts(plain))


def _texts(value: Any) -> Iterator[str]:
    """The texts inside what an interpolation stands for, which may be a whole group."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
