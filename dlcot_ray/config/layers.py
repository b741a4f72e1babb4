"""Layered configuration: the declared defaults, then the user's YAML file, then ``key=value`` words.

Frozen dataclasses fix the shape. A key that does not exist or a value of the wrong type is refused before
anything starts. Free-form groups (`judge_options`, `storage.*`) are checked by the code that uses them.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlcot_ray.config.checks import check_values
from dlcot_ray.config.fields import is_places
from dlcot_ray.config.safety.interpolation import resolved
from dlcot_ray.config.safety.options import check_no_credentials, check_storage_options
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
    given = _from_words(schema, words)
    file = given.pop("config", None)
    layers = [] if file is None else [(str(file), read_yaml(Path(str(file)).expanduser()))]
    config: Any = with_home(merged(schema, [*layers, ("", given)]))
    check_values(config, optional=optional)
    check_storage_options("storage", dataclasses.asdict(config.storage))
    for group in ("judge_options", "writer_options"):
        check_no_credentials(group, getattr(config, group, {}))
    return typing.cast(ConfigT, config)


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file.

    Raises:
        ConfigError: it cannot be read, or does not hold key: value pairs.
    """
    try:
        loaded = OmegaConf.load(path)
        plain = resolved(loaded)
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


def with_home(value: Any) -> Any:
    """A value, and all that is inside it, with the home directory in place of a ``~/`` at the start."""
    if isinstance(value, str):
        return str(Path(value).expanduser()) if value == "~" or value.startswith("~/") else value
    if isinstance(value, list):
        return [with_home(item) for item in value]
    if isinstance(value, Mapping):
        return {key: with_home(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return dataclasses.replace(
            value, **{item.name: with_home(getattr(value, item.name)) for item in fields}
        )
    return value


def _from_words(schema: type[Any], words: Sequence[str]) -> dict[str, Any]:
    """The values of ``key=value`` words, nested; a text setting takes its text as it is."""
    seen: set[str] = set()
    made = DictConfig({})
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"cannot read {word!r}", "write settings as key=value; --help lists them")
        if key in seen:
            raise ConfigError(f"{key} is given twice", "give it once")
        seen.add(key)
        try:
            made = typing.cast(DictConfig, OmegaConf.merge(made, _from_word(schema, key, text)))
        except (OmegaConfBaseException, yaml.YAMLError, ValueError, TypeError) as error:
            raise ConfigError(
                f"cannot read the value of {key}: {reason_of(error, line=0)}",
                "quote values that hold special characters",
            ) from error
    try:
        return typing.cast("dict[str, Any]", resolved(made))
    except OmegaConfBaseException as error:
        raise ConfigError(f"the settings cannot be read: {reason_of(error, line=0)}", "") from error


def _from_word(schema: type[Any], key: str, text: str) -> Any:
    kind = _kind_of(schema, key)
    if kind is _Kind.OTHER:
        return OmegaConf.from_dotlist([f"{key}={text}"])
    value: Any = text
    if kind is _Kind.TEXTS and text.startswith("[") and text.endswith("]"):
        # This loader leaves every item a text.
        value = yaml.load(text, yaml.BaseLoader)
    elif text == "null" and kind is not _Kind.TEXT:
        value = None
    made = OmegaConf.create({})
    OmegaConf.update(made, key, value)
    return made


class _Kind(Enum):
    """How the value of a word is read."""

    TEXT = "text"
    """As it is."""
    PERHAPS_TEXT = "perhaps text"
    """As it is; ``null`` is no text."""
    TEXTS = "texts"
    """As it is, or a list of texts."""
    OTHER = "other"
    """As YAML."""


def _kind_of(schema: type[Any], key: str) -> _Kind:
    if key == "config":
        return _Kind.TEXT
    owner: Any = schema
    *groups, name = key.split(".")
    for group in groups:
        owner = typing.get_type_hints(owner).get(group) if dataclasses.is_dataclass(owner) else None
    fields = dataclasses.fields(owner) if dataclasses.is_dataclass(owner) else ()
    declared = next((field for field in fields if field.name == name), None)
    if declared is None:
        return _Kind.OTHER
    hint = typing.get_type_hints(owner)[name]
    if hint == list[str] or is_places(declared):
        return _Kind.TEXTS
    return {str: _Kind.TEXT, str | None: _Kind.PERHAPS_TEXT}.get(hint, _Kind.OTHER)


def _check_keys(layer: Mapping[str, Any], schema: type[Any], where: str, prefix: str = "") -> None:
    """Refuse keys that `schema` (or a group inside it) does not have."""
    hints = typing.get_type_hints(schema)
    for key, value in layer.items():
        name = f"{prefix}{key}"
        if key not in hints:
            valid = [f"{prefix}{known}" for known in hints]
            raise ConfigError(f"{where}there is no setting {name!r}", did_you_mean(name, valid))
        if hints[key] in (str, str | None) and isinstance(value, bool | int | float):
            raise ConfigError(f"{where}{name} cannot be {value!r}", "give text; in a YAML file, in quotes")
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
