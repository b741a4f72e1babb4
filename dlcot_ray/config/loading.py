"""The configuration of each command that judges or edits, and of a judge's file."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dlcot_ray.config.checks import check_values
from dlcot_ray.config.fields import rule_of
from dlcot_ray.config.floors import QualityFloorConfig, flat_floors
from dlcot_ray.config.layers import load_settings, merged, read_yaml
from dlcot_ray.config.paths import conf_dir
from dlcot_ray.config.safety.code import check_code
from dlcot_ray.config.safety.options import check_no_credentials
from dlcot_ray.config.settings import (
    Config,
    DeriveConfig,
    EnhanceConfig,
    EvaluateConfig,
    JudgeConfig,
    PlanConfig,
    RefreshConfig,
)
from dlcot_ray.errors import ConfigError, did_you_mean

_SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def load_enhance(words: Sequence[str]) -> EnhanceConfig:
    """The configuration of `dlcot enhance` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    config = load_settings(EnhanceConfig, words)
    _check_floors(config.quality_floor)
    return config


def load_derive(words: Sequence[str]) -> DeriveConfig:
    """The configuration of `dlcot derive` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(DeriveConfig, words)


def load_evaluate(words: Sequence[str]) -> EvaluateConfig:
    """The configuration of `dlcot evaluate` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(EvaluateConfig, words)


def load_refresh(words: Sequence[str]) -> RefreshConfig:
    """The configuration of `dlcot refresh` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    config = load_settings(RefreshConfig, words, optional=("input",))
    _check_floors(config.quality_floor)
    _check_refresh(config)
    return config


def load_plan(words: Sequence[str]) -> PlanConfig:
    """The configuration of `dlcot plan` from its `key=value` words; ``--json`` means ``json=stdout``.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(PlanConfig, ["json=stdout" if word == "--json" else word for word in words])


def load_judge(name: str, options: Mapping[str, Any], *, allow_code: bool = False) -> JudgeConfig:
    """The judge called `name`, or of the YAML file `name`.

    Args:
        name: a name in `conf/judge/`, or a path that ends in ``.yaml``.
        options: replace those of the file.
        allow_code: take a file that names code outside the package, or options that run code of a model.

    Raises:
        ConfigError: there is no such judge, its file cannot be used, or it names code that is not allowed.
    """
    path = _judge_file(name)
    judge = merged(JudgeConfig, [(str(path), read_yaml(path))])
    check_values(judge, prefix=f"{path}: ")
    check_no_credentials(f"{path}: options", judge.options)
    check_no_credentials("judge_options", options)
    given = dict(options)
    if given.get("model", judge.options.get("model")) != judge.options.get("model"):
        # The revision of the file is that of its own model.
        given = {"revision": None, **given} if "revision" in judge.options else given
    overlaid = OmegaConf.merge(OmegaConf.create(judge.options), OmegaConf.create(given))
    merged_options = typing.cast("dict[str, Any]", OmegaConf.to_container(overlaid))
    if not allow_code:
        check_code(str(path), judge.factory, merged_options)
    return dataclasses.replace(judge, options=merged_options)


def as_dict(config: Config) -> dict[str, Any]:
    """The resolved configuration as plain JSON types."""
    return dataclasses.asdict(config)


def _judge_file(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name).expanduser()
    folder = conf_dir() / "judge"
    known = [path.stem for path in folder.glob("*.yaml")]
    if name not in known:
        raise ConfigError(f"there is no judge {name!r}", did_you_mean(name, known))
    return folder / f"{name}.yaml"


def _check_floors(quality_floor: QualityFloorConfig) -> None:
    for name, floor in flat_floors(quality_floor.floors):
        if not isinstance(floor, int | float) or isinstance(floor, bool):
            raise ConfigError(f"quality_floor.floors.{name} cannot be {floor!r}", "give a number")


def _check_refresh(config: RefreshConfig) -> None:
    """Checks that involve several settings. Raises ConfigError."""
    if config.overwrite:
        raise ConfigError(
            "dlcot refresh does not overwrite", "leave overwrite out: every refresh makes a new snapshot"
        )
    if config.action == "refresh" and config.input in (None, "", []):
        fields = {declared.name: declared for declared in dataclasses.fields(config)}
        raise ConfigError("input is not set", f"set input= to {rule_of(fields['input']).required}")
    if config.action == "publish" and not config.snapshot:
        raise ConfigError("snapshot is not set", "set snapshot= to the one to publish (action=list)")
    if config.name is not None and not _SNAPSHOT_NAME.fullmatch(config.name):
        raise ConfigError(f"name cannot be {config.name!r}", "use letters, digits, dots and hyphens")
