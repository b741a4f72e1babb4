"""`conf/cost.yaml`: GPUs, models, prices and habits, with the user's own file over it, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dlcot_ray.config.paths import conf_dir
from dlcot_ray.config.pool import engine_gpus
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.errors import ConfigError, did_you_mean, reason_of
from dlcot_ray.judging.cost import Gpu, Model
from dlcot_ray.judging.model.dry_run import Habits

DEFAULT_GPU = "h100"


@dataclass(frozen=True, slots=True)
class Costs:
    """The table. `content` is as in the YAML file."""

    content: Mapping[str, Any]

    @property
    def currency(self) -> str:
        """Of all prices."""
        return str(self.content["currency"])

    @property
    def efficiency(self) -> float:
        """What an engine reaches of a GPU's peaks."""
        return float(self.content["efficiency"])

    @property
    def activations(self) -> float:
        """Share of a GPU's memory beside weights, keys and values."""
        return float(self.content["activations"])

    def seconds_per_token(self, judge: str) -> float | None:
        """CPU-seconds of judging and editing, for a judge without an engine; None where not known."""
        seconds = self.content["cpu_seconds_per_1000_tokens"].get(judge)
        return None if seconds is None else float(seconds) / 1000

    def gpu(self, name: str | None) -> tuple[str, Gpu]:
        """A type of GPU by name; None takes the default.

        Raises:
            ConfigError: it is not in the table.
        """
        known = self.content["gpus"]
        chosen = name or DEFAULT_GPU
        if chosen not in known:
            raise ConfigError(
                f"there is no gpu {chosen!r}", f"{did_you_mean(chosen, known)} (or add it in costs=)"
            )
        values = known[chosen]
        flops = {2: values["bf16"] * 1e12}
        if values.get("fp8"):
            flops[1] = values["fp8"] * 1e12
        return chosen, Gpu(
            flops, values["memory"] * 1e9, values["bandwidth"] * 1e12, values["price_per_hour"]
        )

    def model(self, judge: JudgeConfig) -> Model | None:
        """The model of a judge, or None where the table does not know it."""
        values = self.content["models"].get(judge.options.get("model"))
        if values is None:
            return None
        return Model(
            values["parameters"] * 1e9,
            values["weight_bytes"],
            values["layers"],
            values["kv_heads"],
            values["head"],
            max(1, round(engine_gpus(judge.options) if judge.gpus is None else judge.gpus)),
            values["active"] * 1e9 if "active" in values else None,
            values.get("compute_bytes"),
        )

    def efficiency_of(self, judge: JudgeConfig) -> float:
        """What an engine reaches of a GPU's peaks with the model of a judge."""
        values = self.content["models"].get(judge.options.get("model")) or {}
        return float(values.get("efficiency", self.efficiency))

    def habits(self, judge: str) -> Habits | None:
        """How the model of a judge was seen to answer, or None."""
        values = self.content["habits"].get(judge)
        if values is None:
            return None
        return Habits(**values)


def load_costs(path: str | None = None) -> Costs:
    """The packaged table, overlaid with the YAML file at `path`.

    Raises:
        ConfigError: the file cannot be used.
    """
    packaged: Any = OmegaConf.load(conf_dir() / "cost.yaml")
    if path is not None:
        try:
            given = OmegaConf.load(Path(path).expanduser())
            unknown = sorted(set(given) - set(packaged))
            if unknown:
                raise ConfigError(
                    f"{path}: there is no {unknown[0]!r}", did_you_mean(str(unknown[0]), map(str, packaged))
                )
            packaged = OmegaConf.merge(packaged, given)
        except (OSError, UnicodeDecodeError, OmegaConfBaseException, YAMLError, TypeError) as error:
            raise ConfigError(
                f"{path} cannot be used ({reason_of(error, line=0)})", "see conf/cost.yaml"
            ) from error
    content: Any = OmegaConf.to_container(packaged)
    try:
        made = Costs(content)
        for name in content["gpus"]:
            made.gpu(name)
        for name in content["habits"]:
            made.habits(name)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"{path}: an entry is not complete ({error})", "see conf/cost.yaml") from error
    return made
