"""The settings of `dlcot train-judge`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.fields import setting
from dlcot_ray.config.groups import DatasetSettings, RaySettings, StorageSettings
from dlcot_ray.config.layers import load_settings
from dlcot_ray.errors import ConfigError


@dataclass(frozen=True)
class TrainJudgeConfig(DatasetSettings, RaySettings, StorageSettings):
    """The settings of `dlcot train-judge`."""

    traces: Any = setting(
        None,
        "The traces that the annotations and labels are about; as `input` of dlcot enhance.",
        required="the input of the job, or a directory of traces",
        places=True,
    )
    annotations: Any = setting(
        None,
        "Outputs of dlcot enhance whose structure is learned: a directory or URL prefix, or a list. A large "
        "judge made them.",
        places=True,
    )
    labels: Any = setting(
        None,
        "Label files of whole traces, as `set` of dlcot evaluate. They count before annotations of the same "
        "trace.",
        places=True,
    )
    output: str | None = setting(
        None,
        "Where the judge goes: a local directory (structure.safetensors, training.json, evaluation.json, "
        "evaluation.md). It is `judge_options.model` of judge=learned.",
        required="a local directory",
    )
    limit: int | None = setting(
        5000,
        "Maximum number of traces, drawn by their ids. 5,000 take 2 GB of memory. null: all.",
        least=1,
    )
    held_out: float = setting(
        0.2, "Share of the problems that are never trained on; the report is about them.", least=0, most=0.8
    )
    penalty: float = setting(20.0, "L2 penalty of the weights; more for few or doubtful labels.", least=0)
    iterations: int = setting(
        60, "Maximum number of steps. Training stops when a tenth of the problems gets no better.", least=1
    )
    network: bool = setting(
        False,
        "Train a network beside the chain: better structure, and minutes instead of seconds. It needs torch "
        "(`pip install 'dlcot-ray[network]'`).",
    )
    where: str = setting(
        "auto",
        "Where features are computed: here (in this process), on Ray, or auto (on Ray from 1,000 traces on).",
        choices=("auto", "here", "ray"),
    )


def load_train_judge(words: Sequence[str]) -> TrainJudgeConfig:
    """The configuration of `dlcot train-judge` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used, or nothing to learn from.
    """
    config = load_settings(TrainJudgeConfig, words)
    if not config.annotations and not config.labels:
        raise ConfigError(
            "there is nothing to learn from", "set annotations= to outputs of dlcot enhance, or labels="
        )
    return config
