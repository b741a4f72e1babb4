"""What settings may be beyond their type: minima, choices, places, and no credentials.

Credentials are refused outright, because the resolved configuration is stored with the output.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dlcot_ray.config.settings import (
    DeriveConfig,
    EnhanceConfig,
    EvaluateConfig,
    GateConfig,
    LogConfig,
    RefreshConfig,
    gate_floors,
)
from dlcot_ray.errors import ConfigError

_MINIMA: dict[str, float] = {
    "rows_per_unit": 1,
    "bytes_per_unit": 1,
    "max_trace_chars": 1,
    "workers": 1,
    "min_workers": 1,
    "cpus": 0,
    "gpus": 0,
    "wait_s": 0,
    "in_flight": 1,
    "retries": 0,
    "max_worker_deaths": 1,
    "max_failed_units": 0,
    "stall_s": 1,
    "progress_s": 0,
    "max_rejected_share": 0,
    "limit": 1,
    "tolerance": 0,
    "within": 0,
    "rounds": 0,
    "worst": 0,
    "keep": 1,
    "grace_h": 0,
    "lease_s": 1,
}
_ACTIONS = ("refresh", "publish", "gc", "list")
_GC_MODES = ("none", "plan", "run")
_NIGHT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REQUIRED = {
    "input": "a directory, a Parquet file or a glob",
    "annotations": "the output of `dlcot enhance`",
    "set": "a file or directory of labels",
    "output": "a directory or URL prefix",
}
_CREDENTIAL = re.compile(
    r"secret|password|passwd|credential|access_key|account_key|^key$|^sas|_token$|^token$", re.IGNORECASE
)
_HARMLESS_TOKENS = ("anon", "google_default", "cloud", "cache", "browser")
_WHERE = ("auto", "here", "ray")
_LOG_CHOICES = {"format": ("none", "json"), "level": ("debug", "info", "warning", "error")}


def check_values(config: Any, optional: Collection[str]) -> None:
    """Refuse values that no job of this kind can use; `optional` places may be unset.

    Raises:
        ConfigError: naming the first such setting, and what it may be.
    """
    for name, words in _REQUIRED.items():
        if name == "input" and getattr(config, "action", "refresh") != "refresh":
            continue
        if name not in optional and hasattr(config, name) and getattr(config, name) in (None, "", []):
            raise ConfigError(f"{name} is not set", f"set {name}= to {words}")
    check_minima(config)
    for group in ("worker", "ray"):
        check_minima(getattr(config, group, None), f"{group}.")
    if getattr(config, "max_rejected_share", 0) > 1:
        raise ConfigError(
            f"max_rejected_share cannot be {config.max_rejected_share}", "give a share between 0 and 1"
        )
    if isinstance(config, EvaluateConfig):
        _check_places("set", config.set)
        if config.traces is not None:
            _check_places("traces", config.traces)
        if config.where not in _WHERE:
            raise ConfigError(f"where cannot be {config.where!r}", f"valid: {', '.join(_WHERE)}")
    if isinstance(config, EnhanceConfig | DeriveConfig):
        _check_log(config.log)
    if isinstance(config, RefreshConfig):
        _check_refresh(config)
    if isinstance(config, EnhanceConfig) and config.input is not None:
        _check_places("input", config.input)
        _check_gate(config.gate)
    for name in _credential_keys(dataclasses.asdict(config.storage)):
        raise ConfigError(
            f"storage.{name} looks like a credential, and settings are stored with the output",
            "put credentials into the environment or the provider's own configuration",
        )


def _check_log(log: LogConfig) -> None:
    for name, choices in _LOG_CHOICES.items():
        value = getattr(log, name)
        if value not in choices:
            raise ConfigError(f"log.{name} cannot be {value!r}", f"choose one of {', '.join(choices)}")


def _check_gate(gate: GateConfig) -> None:
    for name in ("set", "traces"):
        if getattr(gate, name) is not None:
            _check_places(f"gate.{name}", getattr(gate, name))
    for name in ("limit", "max_seconds"):
        value = getattr(gate, name)
        if value is not None and value <= 0:
            raise ConfigError(f"gate.{name} cannot be {value}", "give more than 0")
    for name, floor in gate_floors(gate).items():
        if not isinstance(floor, int | float) or isinstance(floor, bool):
            raise ConfigError(f"gate.floors.{name} cannot be {floor!r}", "give a number")


def check_minima(config: Any, prefix: str = "") -> None:
    """Refuse numbers below the least that makes sense. Raises ConfigError."""
    for name, least in _MINIMA.items():
        value = getattr(config, name, None)
        if value is not None and value < least:
            raise ConfigError(f"{prefix}{name} cannot be {value}", f"give {least:g} or more")


def _check_places(name: str, value: Any) -> None:
    places = value if isinstance(value, list) else [value]
    if not places or not all(isinstance(item, str) and item for item in places):
        raise ConfigError(f"{name} cannot be {value!r}", "give a path, a URL or a list of these")


def _check_refresh(config: RefreshConfig) -> None:
    for name, value, choices in (("action", config.action, _ACTIONS), ("gc", config.gc, _GC_MODES)):
        if value not in choices:
            raise ConfigError(f"{name} cannot be {value!r}", f"choose one of {', '.join(choices)}")
    if config.overwrite:
        raise ConfigError(
            "a refresh overwrites nothing", "leave overwrite out: every night is a new snapshot"
        )
    if config.action == "publish" and not config.snapshot:
        raise ConfigError("snapshot is not set", "set snapshot= to what readers are to take (action=list)")
    if config.name is not None and not _NIGHT_NAME.fullmatch(config.name):
        raise ConfigError(f"name cannot be {config.name!r}", "use letters, digits, dots and hyphens")
    for name, limit in dataclasses.asdict(config.bounds).items():
        if limit is not None and limit < 0:
            raise ConfigError(f"bounds.{name} cannot be {limit}", "give 0 or more, or null to switch it off")


def _credential_keys(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _credential_keys(value, f"{prefix}{key}.")
        elif _CREDENTIAL.search(str(key)) and value is not None and value not in _HARMLESS_TOKENS:
            yield f"{prefix}{key}"
