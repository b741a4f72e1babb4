"""Settings of the commands that change nothing they read, such as `inspect`, `profile`, `status`, `verify`.

What they read may be given as a bare word, and ``--json`` means ``json=stdout``, because they are mostly
typed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.fields import setting
from dlcot_ray.config.groups import (
    DatasetSettings,
    InputSettings,
    JsonSettings,
    JudgeSettings,
    OutputOptions,
    RaySettings,
    StorageConfig,
    StorageSettings,
    TraceSettings,
)
from dlcot_ray.config.layers import load_settings

_PLACES = ("first", "second")
"""Settings of `dlcot agreement` that may be bare words."""


@dataclass(frozen=True)
class ViewSettings(JsonSettings):
    """Output to read, and format of the report."""

    output: str | None = setting(
        None,
        "The output of the job, a directory or URL prefix. A bare word means the same: dlcot status OUT.",
        required="a directory or URL prefix",
    )


@dataclass(frozen=True)
class StatusConfig(ViewSettings):
    """The settings of `dlcot status`."""

    footers: int | None = setting(
        1000,
        "Maximum number of units whose footers are read, for rows by status and tokens; spread over all "
        "units. null: all units.",
        least=1,
    )
    watch: bool = setting(
        False, "The same as --watch: print a line to stderr every watch_s seconds until the job ends."
    )
    watch_s: float = setting(5.0, "Seconds between two lines of watch.", above=0)
    storage: OutputOptions = setting(OutputOptions, "Options of the storage.")


@dataclass(frozen=True)
class VerifyStorage(OutputOptions):
    """fsspec options of the output and of the inputs."""

    input: dict[str, Any] | None = setting(None, "fsspec options of the inputs. null: those of the job.")


@dataclass(frozen=True)
class VerifyConfig(ViewSettings):
    """The settings of `dlcot verify`."""

    inputs: bool = setting(
        True, "Also compare every row with the input it came from, if that input is unchanged."
    )
    max_findings: int = setting(1000, "Maximum number of findings to print. All are counted.", least=1)
    storage: VerifyStorage = setting(VerifyStorage, "Options of the storage.")


@dataclass(frozen=True)
class InspectConfig(JsonSettings, InputSettings, DatasetSettings, TraceSettings):
    """The settings of `dlcot inspect`."""

    sample: int = setting(96, "Maximum number of rows to read for each set of columns.", least=1)
    seed: int = setting(0, "Seed of the sample of files.")
    storage: StorageConfig = setting(StorageConfig, "Options of the storage.")


def default_policies() -> list[str]:
    """The default policy, as a list."""
    # Imported here, because `dlcot status` reads this module and has to start fast.
    from dlcot_ray.core.policies.registry import DEFAULT_POLICY

    return [DEFAULT_POLICY]


@dataclass(frozen=True)
class ProfileConfig(JsonSettings, InputSettings, DatasetSettings, TraceSettings):
    """The settings of `dlcot profile`."""

    sample: int | None = setting(2000, "Number of rows to look at. null: all of them.", least=1)
    seed: int = setting(0, "Seed of the sample.")
    by: list[str] = setting(
        list, "Columns to group by. []: one of sources and one of teachers, by their usual names."
    )
    policies: list[str] = setting(
        default_policies,
        "Policies that are applied with their gates, to say what they would cut; the page shows the first. "
        "Of all others the choice before gates is given.",
    )
    page: str | None = setting(
        "profile.html", "Local file for a page that shows the profile in a browser. null: none."
    )
    workers: int | None = setting(None, "Number of processes. null: one for each CPU.", least=1)
    storage: StorageConfig = setting(StorageConfig, "Options of the storage.")


@dataclass(frozen=True)
class SelectConfig(StorageSettings):
    """The settings of `dlcot select`."""

    input: str | None = setting(
        None,
        "A finished output of dlcot enhance or dlcot derive.",
        required="an output of dlcot enhance or dlcot derive",
    )
    output: str | None = setting(
        None,
        "Where the selected rows go: a directory or URL prefix that holds nothing else.",
        required="a directory or URL prefix",
    )
    overwrite: bool = setting(False, "Replace an earlier selection.")
    select: str = setting(
        "shortest_correct",
        "What is taken of each problem, among the traces that reach their ground truth: the shortest_correct "
        "one, the one of the lowest_rsr (rank-surprisal ratio; needs a judge with judge_options.scores), or "
        "k_distinct: the shortest, and up to k that differ most in their words.",
        choices=("shortest_correct", "lowest_rsr", "k_distinct"),
    )
    k: int = setting(4, "Maximum number of traces of a problem, for k_distinct.", least=1)


@dataclass(frozen=True)
class AgreementConfig(JsonSettings, DatasetSettings):
    """The settings of `dlcot agreement`."""

    first: Any = setting(
        None,
        "Labels of one reader: a Parquet or JSON lines file, a directory of these, or a list. They count as "
        "right where a figure has a direction. Two bare words mean first and second: dlcot agreement A B.",
        required="a file or directory of labels",
        places=True,
    )
    second: Any = setting(
        None,
        "Labels of the other reader, as `first`.",
        required="a file or directory of labels",
        places=True,
    )
    traces: Any = setting(
        None,
        "The traces, for labels that refer to traces by id, as those of dlcot view --label: the output that "
        "was labelled, or its input.",
        places=True,
    )
    tolerance: int = setting(3, "Characters by which a segment boundary may be off.", least=0)
    within: int = setting(
        1,
        "Segments by which the first correct answer, or the start of an approach or a check, may be off.",
        least=0,
    )
    rounds: int = setting(1000, "Number of bootstrap resamples.", least=0)
    seed: int = setting(20250316, "Seed of the bootstrap.")
    storage: StorageConfig = setting(StorageConfig, "Options of the storage.")


@dataclass(frozen=True)
class DoctorConfig(JsonSettings, JudgeSettings, RaySettings):
    """The settings of `dlcot doctor`."""

    input: Any = setting(None, "An input to reach, as of dlcot enhance. null: none.", places=True)
    output: str | None = setting(None, "An output to write a probe to, as of dlcot enhance. null: none.")
    storage: StorageConfig = setting(StorageConfig, "Options of the storage.")


def load_doctor(words: Sequence[str]) -> DoctorConfig:
    """The configuration of `dlcot doctor`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(DoctorConfig, ["json=stdout" if word == "--json" else word for word in words])


def load_agreement(words: Sequence[str]) -> AgreementConfig:
    """The configuration of `dlcot agreement`; the first two bare words are the two label sets.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    made = []
    for place, word in enumerate(words):
        if word == "--json":
            made.append("json=stdout")
        elif place < len(_PLACES) and _is_bare(word):
            made.append(f"{_PLACES[place]}={word}")
        else:
            made.append(word)
    return load_settings(AgreementConfig, made)


def load_inspect(words: Sequence[str]) -> InspectConfig:
    """The configuration of `dlcot inspect`; a bare first word is the input.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(InspectConfig, _spelled_out(words, bare="input"))


def load_profile(words: Sequence[str]) -> ProfileConfig:
    """The configuration of `dlcot profile`; a bare first word is the input.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(ProfileConfig, _spelled_out(words, bare="input"))


def load_status(words: Sequence[str]) -> StatusConfig:
    """The configuration of `dlcot status`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(StatusConfig, _spelled_out(words))


def load_verify(words: Sequence[str]) -> VerifyConfig:
    """The configuration of `dlcot verify`.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(VerifyConfig, _spelled_out(words))


def _spelled_out(words: Sequence[str], bare: str = "output") -> list[str]:
    """The words with the short forms (a bare first word, ``--json``) as settings."""
    made = []
    for place, word in enumerate(words):
        if word == "--json":
            made.append("json=stdout")
        elif word == "--watch" and bare == "output":
            made.append("watch=true")
        elif place == 0 and _is_bare(word):
            made.append(f"{bare}={word}")
        else:
            made.append(word)
    return made


def _is_bare(word: str) -> bool:
    """Whether a word is a place: a partition (``data/date=2024``) or a query holds an equals sign, too."""
    return not word.startswith("-") and ("=" not in word or "/" in word.partition("=")[0])


def load_select(words: Sequence[str]) -> SelectConfig:
    """The configuration of `dlcot select` from its `key=value` words.

    Raises:
        ConfigError: a word, file, key or value that cannot be used.
    """
    return load_settings(SelectConfig, words)
