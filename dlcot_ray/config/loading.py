"""Layered configuration: packaged YAML, the user's YAML, then `key=value` words.

The shape is fixed by frozen dataclasses (`settings.py`), so a key that does not exist or a value of the wrong
type is refused before anything starts, with the nearest valid key. Free-form groups (`judge_options`,
`policy_options`, `storage.*`) are checked by whoever owns them.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlcot_ray.config.checks import check_minima, check_values
from dlcot_ray.config.paths import conf_dir
from dlcot_ray.config.settings import (
    Config,
    DeriveConfig,
    EnhanceConfig,
    EvaluateConfig,
    JudgeConfig,
    PolicyDefaults,
    RefreshConfig,
)
from dlcot_ray.errors import ConfigError

ConfigT = TypeVar("ConfigT")
_TYPE_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def load_enhance(words: Sequence[str]) -> EnhanceConfig:
    """The configuration of `dlcot enhance` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(EnhanceConfig, ("enhance",), words)


def load_derive(words: Sequence[str]) -> DeriveConfig:
    """The configuration of `dlcot derive` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(DeriveConfig, ("derive",), words)


def load_evaluate(words: Sequence[str]) -> EvaluateConfig:
    """The configuration of `dlcot evaluate` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(EvaluateConfig, ("evaluate",), words, optional=("output",))


def load_refresh(words: Sequence[str]) -> RefreshConfig:
    """The configuration of `dlcot refresh` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(RefreshConfig, ("refresh",), words)


def load_judge(name: str, options: Mapping[str, Any]) -> JudgeConfig:
    """The judge called `name` (or of the YAML file `name`), its options overlaid with the job's.

    Raises:
        ConfigError: there is no such judge, or its file cannot be used.
    """
    path = _group_file("judge", name)
    judge = _checked(JudgeConfig, [(str(path), _read_yaml(path))])
    check_minima(judge, f"{path}: ")
    overlaid = OmegaConf.merge(OmegaConf.create(judge.options), OmegaConf.create(dict(options)))
    return dataclasses.replace(judge, options=typing.cast("dict[str, Any]", OmegaConf.to_container(overlaid)))


def load_policy_options(expression: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The packaged options of the policies named in `expression`, overlaid with the job's."""
    merged = OmegaConf.create({})
    for word in re.findall(r"[A-Za-z_]\w*", expression):
        # A family such as delete_multi_2 has one file.
        path = conf_dir() / "policy" / f"{re.sub(r'_[0-9]+$', '', word)}.yaml"
        if path.is_file():
            defaults = _checked(PolicyDefaults, [(str(path), _read_yaml(path))])
            merged.merge_with(OmegaConf.create(defaults.options))
    merged.merge_with(OmegaConf.create(dict(options)))
    return typing.cast("dict[str, Any]", OmegaConf.to_container(merged))


def help_text(command: str) -> str:
    """The annotated defaults of a command, which are its reference."""
    return (conf_dir() / f"{command}.yaml").read_text(encoding="utf-8")


def as_dict(config: Config) -> dict[str, Any]:
    """The resolved configuration as plain JSON types."""
    return dataclasses.asdict(config)


def load_settings(
    schema: type[ConfigT], files: Sequence[str], words: Sequence[str], *, optional: Collection[str] = ()
) -> ConfigT:
    """The settings of a command: packaged files, the user's file (``config=``), then its words.

    Args:
        schema: a frozen dataclass.
        files: names in `conf/`, without suffix; later ones overlay earlier ones.
        words: ``key=value`` each.
        optional: places that this command can do without.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    given = _dotlist(words)
    layers = [(f"conf/{name}.yaml", _read_yaml(conf_dir() / f"{name}.yaml")) for name in files]
    file = given.pop("config", None)
    if file is not None:
        layers.append((str(file), _read_yaml(Path(str(file)))))
    layers.append(("", given))
    config = _checked(schema, layers)
    check_values(config, optional)
    return config


def _dotlist(words: Sequence[str]) -> dict[str, Any]:
    for word in words:
        key, equals, _ = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"cannot read {word!r}", "settings are written key=value; --help lists them")
    try:
        given = OmegaConf.from_dotlist(list(words))
        return typing.cast("dict[str, Any]", OmegaConf.to_container(given, resolve=True))
    except (OmegaConfBaseException, yaml.YAMLError, ValueError, TypeError) as error:
        raise ConfigError(
            f"cannot read {' '.join(words)!r}: {_first_line(error)}",
            "quote values that hold special characters",
        ) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = OmegaConf.load(path)
        plain = OmegaConf.to_container(loaded, resolve=True)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration file {path}", "check config=") from error
    except (OSError, UnicodeDecodeError, OmegaConfBaseException, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is not readable YAML: {_first_line(error)}", "correct the file") from error
    if not isinstance(plain, dict):
        raise ConfigError(f"{path} must hold key: value pairs", "correct the file")
    return typing.cast("dict[str, Any]", plain)


def _checked(schema: type[ConfigT], layers: Sequence[tuple[str, dict[str, Any]]]) -> ConfigT:
    merged: Any = OmegaConf.structured(schema)
    for origin, layer in layers:
        where = f"{origin}: " if origin else ""
        _check_keys(layer, schema, where)
        for key, value in layer.items():
            try:
                merged = OmegaConf.merge(merged, DictConfig({key: value}))
            except OmegaConfBaseException as error:
                raise _type_error(schema, key, value, error, where) from error
    return typing.cast(ConfigT, OmegaConf.to_object(merged))


def _check_keys(layer: Mapping[str, Any], schema: type[Any], where: str, prefix: str = "") -> None:
    """Refuse keys that `schema` (or a group inside it) does not have."""
    hints = typing.get_type_hints(schema)
    for key, value in layer.items():
        name = f"{prefix}{key}"
        if key not in hints:
            valid = [f"{prefix}{known}" for known in hints]
            raise ConfigError(f"{where}there is no setting {name!r}", _nearest(name, valid))
        if dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            _check_keys(value, typing.cast("type[Any]", hints[key]), where, f"{name}.")


def _nearest(name: str, valid: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"valid: {', '.join(sorted(valid))}"


def _type_error(
    schema: type[Any], key: str, value: Any, error: OmegaConfBaseException, where: str
) -> ConfigError:
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


def _group_file(group: str, name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name).expanduser()
    folder = conf_dir() / group
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise ConfigError(f"there is no {group} {name!r}", _nearest(name, known))
    return folder / f"{name}.yaml"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
