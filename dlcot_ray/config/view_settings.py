"""The settings of the commands that only look: `plan`, `status`, `verify`.

Written as all settings are (``key=value``), but the output, their one necessary word, may stand alone, and
``--json`` is short for ``json=stdout``: these commands are typed by hand more often than the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.config.loading import load_settings
from dlcot_ray.config.settings import EnhanceConfig
from dlcot_ray.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StatusStorage:
    """fsspec options of the output; never credentials."""

    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatusConfig:
    """The settings of `dlcot status`; `conf/status.yaml` explains each."""

    output: str | None = None
    footers: int | None = 1000
    json: str | None = None
    storage: StatusStorage = field(default_factory=StatusStorage)


@dataclass(frozen=True, slots=True)
class VerifyStorage:
    """fsspec options of either side; `input` None means those of the job; never credentials."""

    input: dict[str, Any] | None = None
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifyConfig:
    """The settings of `dlcot verify`; `conf/verify.yaml` explains each."""

    output: str | None = None
    inputs: bool = True
    max_findings: int = 1000
    json: str | None = None
    storage: VerifyStorage = field(default_factory=VerifyStorage)


@dataclass(frozen=True, slots=True)
class PlanConfig(EnhanceConfig):
    """The settings of `dlcot plan`: those of `dlcot enhance`, and what `conf/plan.yaml` explains."""

    sample: int = 200
    gpu: str | None = None
    price: float | None = None
    efficiency: float | None = None
    costs: str | None = None
    json: str | None = None


def load_status(words: Sequence[str]) -> StatusConfig:
    """The configuration of `dlcot status`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    config = load_settings(StatusConfig, ("status",), _spelled_out(words))
    _at_least("footers", config.footers, 1)
    return config


def load_verify(words: Sequence[str]) -> VerifyConfig:
    """The configuration of `dlcot verify`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    config = load_settings(VerifyConfig, ("verify",), _spelled_out(words))
    _at_least("max_findings", config.max_findings, 1)
    return config


def load_plan(words: Sequence[str]) -> PlanConfig:
    """The configuration of `dlcot plan`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    given = ["json=stdout" if word == "--json" else word for word in words]
    config = load_settings(PlanConfig, ("enhance", "plan"), given, optional=("output",))
    _at_least("sample", config.sample, 1)
    _at_least("price", config.price, 0)
    if config.efficiency is not None and not 0 < config.efficiency <= 1:
        raise ConfigError(f"efficiency cannot be {config.efficiency}", "give a share above 0, at most 1")
    return config


def _spelled_out(words: Sequence[str]) -> list[str]:
    made = []
    for place, word in enumerate(words):
        if word == "--json":
            made.append("json=stdout")
        elif place == 0 and "=" not in word and not word.startswith("-"):
            made.append(f"output={word}")
        else:
            made.append(word)
    return made


def _at_least(name: str, value: float | None, least: float) -> None:
    if value is not None and value < least:
        raise ConfigError(f"{name} cannot be {value}", f"give {least:g} or more")
