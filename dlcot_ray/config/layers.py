"""Layered configuration: the declared defaults, then the user's YAML file, then ``key=value`` words.

Frozen dataclasses fix the shape. A key that does not exist or a value of the wrong type is refused before
anything starts. Free-form groups (`judge_options`, `storage.*`) are checked by the code that uses them.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlcot_ray.config.checks import check_no_credentials, check_values
from dlcot_ray.errors import ConfigError, did_you_mean, reason_of

ConfigT = TypeVar("ConfigT")
_TYPE_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def load_settings(schema: type[ConfigT], words: Sequence[str], *, optional: Collection[str] = ()) -> ConfigT:
    """The settings of a command: the defaults of `schema`, the user's file (``config=``), then `words`.

    Args:
        schema: a frozen dataclass whose fields `setting` made.
        words: ``key=value`` each.
        optional: names of required settings that may be unset.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    given = _dotlist(words)
    file = given.pop("config", None)
    layers = [] if file is None else [(str(file), read_yaml(Path(str(file))))]
    config: Any = merged(schema, [*layers, ("", given)])
    check_values(config, optional=optional)
    check_no_credentials("storage", dataclasses.asdict(config.storage))
    return typing.cast(ConfigT, config)


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file.

    Raises:
        ConfigError: it cannot be read, or does not hold key: value pairs.
    """
    try:
        loaded = OmegaConf.load(path)
        plain = OmegaConf.to_container(loaded, resolve=True)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration file {path}", "check config=") from error
    except (OSError, UnicodeDecodeError, OmegaConfBaseException, yaml.YAMLError) as error:
        reason = reason_of(error, line=0)
        raise ConfigError(f"{path} is not readable YAML: {reason}", "correct the file") from error
    if not isinstance(plain, dict):
        raise ConfigError(f"{path} must hold key: value pairs", "correct the file")
    return typing.cast("dict[str, Any]", plain)


def merged(schema: type[ConfigT], layers: Sequence[tuple[str, dict[str, Any]]]) -> ConfigT:
    """A dataclass from layers of values; later layers replace earlier ones.

    Args:
        schema: gives the defaults.
        layers: where each comes from (for errors; may be empty), and its values.

    Raises:
        ConfigError: an unknown key, or a value of another type.
    """
    made: Any = OmegaConf.structured(schema)
    for origin, layer in layers:
        where = f"{origin}: " if origin else ""
        _check_keys(layer, schema, where)
        for key, value in layer.items():
            try:
                made = OmegaConf.merge(made, DictConfig({key: value}))
            except OmegaConfBaseException as error:
                raise _type_error(schema, key, value, error, where) from error
    return typing.cast(ConfigT, OmegaConf.to_object(made))


def _dotlist(words: Sequence[str]) -> dict[str, Any]:
    for word in words:
        key, equals, _ = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"cannot read {word!r}", "write settings as key=value; --help lists them")
    try:
        given = OmegaConf.from_dotlist(list(words))
        return typing.cast("dict[str, Any]", OmegaConf.to_container(given, resolve=True))
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigError(
            f"cannot read {' '.join(words)!r}: {reason_of(error, line=0)}",
            "quote values that hold special characters",
        ) from error


def _check_keys(layer: Mapping[str, Any], schema: type[Any], where: str, prefix: str = "") -> None:
    """Refuse keys that `schema` (or a group inside it) does not have."""
    hints = typing.get_type_hints(schema)
    for key, value in layer.items():
        name = f"{prefix}{key}"
        if key not in hints:
            valid = [f"{prefix}{known}" for known in hints]
            raise ConfigError(f"{where}there is no setting {name!r}", did_you_mean(name, valid))
        if dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            _check_keys(value, typing.cast("type[Any]", hints[key]), where, f"{name}.")


def _type_error(
    schema: type[Any], key: str, value: Any, error: OmegaConfBaseException, where: str
) -> ConfigError:
    """The error for a value of the wrong type, which may be nested in `value`."""
    hints: dict[str, Any] = typing.get_type_hints(schema)
    name = key
    for part in str(error.full_key or key).split(".")[1:]:
        if not dataclasses.is_dataclass(hints.get(key)) or not isinstance(value, Mapping):
            break
        hints, key, value = typing.get_type_hints(hints[key]), part, value.get(part)
        name = f"{name}.{part}"
    hint = hints.get(key)
    kinds = () if typing.get_origin(hint) is dict else (hint, *typing.get_args(hint))
    plain = next((kind for kind in (bool, int, float, str) if kind in kinds), None)
    word = _TYPE_WORDS[plain] if plain else "a group of settings (key.name=value)"
    shown = "null" if value is None else repr(value)
    return ConfigError(f"{where}{name} cannot be {shown}", f"give {word}")
