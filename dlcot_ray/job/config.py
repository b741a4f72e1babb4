"""Typed, layered configuration: packaged YAML, the user's YAML, then `key=value` words.

The shape is fixed by frozen dataclasses, so a key that does not exist or a value of the wrong type is
refused before anything starts, with the nearest valid key. Free-form groups (`judge_options`,
`policy_options`, `storage.*`) are checked by whoever owns them. Credentials are refused outright,
because the resolved configuration is stored with the output.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlcot_ray.core.policies import DEFAULT_POLICY
from dlcot_ray.job.faults import JobError
from dlcot_ray.paths import conf_dir


class ConfigError(JobError):
    """The configuration cannot be used: a usage error, exit status 2."""


@dataclass(frozen=True, slots=True)
class RayConfig:
    """How to reach Ray.

    Attributes:
        address: a cluster, ``local``, or None for the environment's choice.
        wait_s: seconds to wait for the nodes that `min_workers` needs.
    """

    address: str | None = None
    wait_s: float = 900.0


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The log for programs: ``json`` lines of `level` and above in a file or on stderr, or ``none``."""

    format: str = "none"
    level: str = "info"
    file: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What one worker takes, where the job knows better than the judge's file; None leaves that as it is."""

    cpus: float | None = None
    gpus: float | None = None
    accelerator_type: str | None = None


@dataclass(frozen=True, slots=True)
class EnhanceStorage:
    """fsspec options of either side; never credentials."""

    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateConfig:
    """The calibration gate of `dlcot enhance`; `floors` are figures by kind and name, nested."""

    set: Any = None
    traces: Any = None
    dataset: str = "auto"
    floors: dict[str, Any] = field(default_factory=dict)
    limit: int | None = 50
    max_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class EnhanceConfig:
    """The settings of `dlcot enhance`; `conf/enhance.yaml` explains each."""

    input: Any = None
    output: str | None = None
    overwrite: bool = False
    dataset: str = "auto"
    judge: str = "rules"
    judge_options: dict[str, Any] = field(default_factory=dict)
    policy: str = DEFAULT_POLICY
    errors: str = "keep"
    corrected: str = "keep"
    unsolved: str = "keep"
    policy_options: dict[str, Any] = field(default_factory=dict)
    gate: GateConfig = field(default_factory=GateConfig)
    rows_per_unit: int = 256
    bytes_per_unit: int = 67_108_864
    max_trace_chars: int = 2_000_000
    check_duplicate_ids: bool = True
    tokenizer: str | None = None
    workers: int | None = None
    min_workers: int | None = None
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    in_flight: int | None = None
    retries: int = 2
    max_worker_deaths: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0
    ray: RayConfig = field(default_factory=RayConfig)
    storage: EnhanceStorage = field(default_factory=EnhanceStorage)
    progress_s: float = 30.0
    log: LogConfig = field(default_factory=LogConfig)
    max_rejected_share: float = 0.05


@dataclass(frozen=True, slots=True)
class DeriveStorage:
    """fsspec options of each side; `annotations` None means those of `input`; never credentials."""

    input: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, Any] | None = None
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeriveConfig:
    """The settings of `dlcot derive`; `conf/derive.yaml` explains each."""

    annotations: str | None = None
    output: str | None = None
    overwrite: bool = False
    policy: str = DEFAULT_POLICY
    errors: str = "keep"
    corrected: str = "keep"
    unsolved: str = "keep"
    policy_options: dict[str, Any] = field(default_factory=dict)
    writer: str | None = None
    writer_options: dict[str, Any] = field(default_factory=dict)
    workers: int | None = None
    min_workers: int | None = None
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    retries: int = 2
    max_worker_deaths: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0
    ray: RayConfig = field(default_factory=RayConfig)
    storage: DeriveStorage = field(default_factory=DeriveStorage)
    progress_s: float = 30.0
    log: LogConfig = field(default_factory=LogConfig)
    max_rejected_share: float = 0.05


@dataclass(frozen=True, slots=True)
class EvaluateConfig:
    """The settings of `dlcot evaluate`; `conf/evaluate.yaml` explains each."""

    set: Any = "gold"
    traces: Any = None
    dataset: str = "auto"
    output: str | None = None
    judge: str = "rules"
    judge_options: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    tolerance: int = 3
    within: int = 1
    rounds: int = 1000
    seed: int = 20250316
    worst: int = 20
    where: str = "auto"
    workers: int | None = None
    in_flight: int | None = None
    ray: RayConfig = field(default_factory=RayConfig)
    storage: EnhanceStorage = field(default_factory=EnhanceStorage)


@dataclass(frozen=True, slots=True)
class RefreshBounds:
    """What may move from one night to the next before it is held back; None switches a bound off."""

    max_rejected_share_change: float | None = 0.05
    max_cut_change: float | None = 0.1
    max_label_flips: float | None = 0.05
    max_removed_share: float | None = 0.2
    max_unusable_inputs: int | None = 0


@dataclass(frozen=True, slots=True)
class RefreshConfig(EnhanceConfig):
    """The settings of `dlcot refresh`, those of the job that makes a snapshot among them."""

    action: str = "refresh"
    snapshot: str | None = None
    name: str | None = None
    report_by: list[str] = field(default_factory=lambda: ["source", "teacher"])
    bounds: RefreshBounds = field(default_factory=RefreshBounds)
    publish_anyway: bool = False
    keep: int = 7
    grace_h: float = 48.0
    gc: str = "plan"
    lease_s: float = 300.0


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """One file of `conf/judge/`.

    Attributes:
        factory: ``module:class`` of the judge.
        options: its keyword arguments.
        cpus, gpus: what one worker takes; `gpus` None means as many as its engine spreads over.
        accelerator_type: the GPU that it must be, as Ray names it (``H100``), or None for any.
        workers: how many at most, where the job does not say; None takes all the room there is.
        min_workers: how many the job insists on, where it does not say itself.
        in_flight: traces that one worker keeps in flight.
        light: so cheap that evaluations run it in their own process and not on Ray.
    """

    factory: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    cpus: float = 1.0
    gpus: float | None = 0.0
    accelerator_type: str | None = None
    workers: int | None = None
    min_workers: int | None = None
    in_flight: int = 1
    light: bool = False


@dataclass(frozen=True, slots=True)
class PolicyDefaults:
    """One file of `conf/policy/`: default options of a policy."""

    options: dict[str, Any] = field(default_factory=dict)


Config = EnhanceConfig | DeriveConfig
ConfigT = TypeVar("ConfigT")

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
    _check_minima(judge, f"{path}: ")
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
    _check_values(config, optional)
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


def _check_values(config: Any, optional: Collection[str]) -> None:
    for name, words in _REQUIRED.items():
        if name == "input" and getattr(config, "action", "refresh") != "refresh":
            continue
        if name not in optional and hasattr(config, name) and getattr(config, name) in (None, "", []):
            raise ConfigError(f"{name} is not set", f"set {name}= to {words}")
    _check_minima(config)
    for group in ("worker", "ray"):
        _check_minima(getattr(config, group, None), f"{group}.")
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


def gate_floors(gate: GateConfig) -> dict[str, float]:
    """The floors by dotted name, e.g. ``segmentation.kappa``."""

    def flat(group: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
        for name, value in group.items():
            if isinstance(value, Mapping):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    return dict(flat(gate.floors))


def _check_minima(config: Any, prefix: str = "") -> None:
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
