"""Dataset presets: YAML files that say which columns of a dataset make a trace.

A preset lists candidates instead of one name per field, so that the few public layouts and their many
re-uploads need a handful of files. Every key is checked, because a mistyped candidate would
otherwise be a column that is silently never read. A user's own YAML file works in place of a name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from dlcot_ray.config.paths import conf_dir
from dlcot_ray.core.markup import Delimiters
from dlcot_ray.errors import JobError, did_you_mean, reason_of
from dlcot_ray.inputs.cells import find_path
from dlcot_ray.inputs.choices import DEFAULT_CHOICES, Choices

OTHERS = "*"

_OF_JOB = ("decided", "choices")
"""Fields that a job sets, and no file."""


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """How to read a column of chat messages (a list of structs).

    Attributes:
        columns: candidates for the column.
        prompt: candidates for a column with the turns before those of `columns`.
        role, content: candidates for the struct's fields.
        user, assistant: the role names of the two sides.
        reasoning: fields that hold an assistant's thinking apart from its content.
    """

    columns: tuple[str, ...]
    prompt: tuple[str, ...] = ()
    role: tuple[str, ...] = ("role", "from")
    content: tuple[str, ...] = ("content", "value")
    user: tuple[str, ...] = ("user", "human")
    assistant: tuple[str, ...] = ("assistant", "gpt")
    reasoning: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetPreset:
    """Which columns make a trace; in every list the first that exists is used.

    The trace comes from `reasoning`, else from `tagged` (a whole reply with its thinking between
    `thinking` tags), else from `messages`. Paths may be dotted (``metadata.answer``) and may index lists
    (``generations.0``). A path of several values gives one trace each: ``generations.*`` (or
    ``generations[]``) takes every element of a list, ``solution_*`` every column of such a name. A `response`
    or `ground_truth` with a star is read in parallel.

    Attributes:
        id: ids; without any, a row is called ``shard#row``.
        problem: required unless the trace comes from messages, whose user turn then serves.
        context: text that belongs to the problem and is put behind it (Alpaca's ``input``).
        ground_truth, response: optional. Of a list as ground truth any element counts.
        correctness: lists of flags beside a list of generations; one that is true makes a generation correct.
        system: a system prompt outside the conversation, which becomes the system turn of `messages`.
        thinking, solution: tags around the thinking and around the visible answer, besides the known ones.
        detect, detect_any: `auto` takes the preset only if all (any) of these columns exist.
        order: for `auto` alone: the presets to try; `OTHERS` stands for those that it does not name.
        choices: which traces of a row are taken; set by the job, not by the file.
        decided: what was decided on samples of the job's files, one entry per set of columns.
    """

    name: str
    description: str = ""
    id: tuple[str, ...] = ()
    problem: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    tagged: tuple[str, ...] = ()
    messages: MessageKeys | None = None
    ground_truth: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    correctness: tuple[str, ...] = ()
    system: tuple[str, ...] = ("system", "system_prompt")
    thinking: tuple[Delimiters, ...] = ()
    solution: tuple[Delimiters, ...] = ()
    detect: tuple[str, ...] = ()
    detect_any: tuple[str, ...] = ()
    order: tuple[DatasetPreset, ...] = ()
    choices: Choices = DEFAULT_CHOICES
    decided: tuple[Decided, ...] = ()

    def is_detected(self, schema: pa.Schema) -> bool:
        """Whether a file has the places that tell the layout."""
        there = {path: find_path(schema, path) is not None for path in (*self.detect, *self.detect_any)}
        return all(there[path] for path in self.detect) and (
            not self.detect_any or any(there[path] for path in self.detect_any)
        )

    def decision(self, columns: str) -> Decided | None:
        """What was decided for files with these columns; None if nothing was."""
        return next((item for item in self.decided if item.columns == columns), None)


@dataclass(frozen=True, slots=True)
class Decided:
    """A layout that was decided on a sample of rows.

    Attributes:
        columns: the columns of the files that it is for (`columns.layout_keys`).
        preset: how they are read; None if no layout fits.
        refusal, remedy: why not, and what the user can do.
    """

    columns: str
    preset: DatasetPreset | None
    refusal: str = ""
    remedy: str = ""


_COLUMN_LISTS = (
    "id",
    "problem",
    "context",
    "reasoning",
    "tagged",
    "ground_truth",
    "response",
    "correctness",
    "detect",
    "detect_any",
)


def preset_names() -> list[str]:
    """The presets that come with the package."""
    return sorted(path.stem for path in (conf_dir() / "dataset").glob("*.yaml"))


def load_preset(name: str, choices: Choices = DEFAULT_CHOICES, *, in_order: bool = False) -> DatasetPreset:
    """A preset by its name, or by the path of a YAML file.

    Args:
        name: of the preset, or of its file.
        choices: which traces of a row are taken.
        in_order: another preset names it in its `order`, so it has none itself.

    Raises:
        JobError: there is none, or it is not valid; names the nearest ones.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise JobError(f"dataset preset file {name} does not exist", "check dataset=")
    else:
        path = conf_dir() / "dataset" / f"{name}.yaml"
        if not path.is_file():
            remedy = f"{did_you_mean(name, preset_names())} (or give the path of a .yaml file)"
            raise JobError(f"unknown dataset preset {name!r}", remedy)
    return _choosing(_parse(path, in_order=in_order), choices)


def _choosing(preset: DatasetPreset, choices: Choices) -> DatasetPreset:
    order = tuple(_choosing(item, choices) for item in preset.order)
    return replace(preset, order=order, choices=choices)


def preset_as_dict(preset: DatasetPreset) -> dict[str, Any]:
    """The keys of a preset that its file could have, without the empty ones, as plain JSON types."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(preset)))
    return {key: value for key, value in content.items() if value and key not in _OF_JOB}


def preset_from_dict(content: Mapping[str, Any]) -> DatasetPreset:
    """The preset that `preset_as_dict` wrote.

    Raises:
        JobError: it is not valid.
    """
    return _from_content(Path("recorded with the job"), content)


def _parse(path: Path, *, in_order: bool = False) -> DatasetPreset:
    # Imported here, because every worker imports this module, and only the driver loads presets.
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import MarkedYAMLError, YAMLError

    from dlcot_ray.config.safety.interpolation import resolved

    try:
        content = resolved(OmegaConf.load(path))
    except MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _invalid(path, f"{error.problem}{line}") from error
    except (YAMLError, OmegaConfBaseException, OSError, UnicodeDecodeError) as error:
        raise _invalid(path, reason_of(error, line=0)) from error
    if not isinstance(content, dict):
        raise _invalid(path, "it must be a mapping of keys to lists of column names")
    if in_order and content.get("order"):
        raise _invalid(path, "another preset has it in its order, so it cannot have an order itself")
    return _from_content(path, content)


def _from_content(path: Path, content: Mapping[Any, Any]) -> DatasetPreset:
    values = _checked(path, {str(key): value for key, value in content.items()}, DatasetPreset, "")
    values.setdefault("name", path.stem)
    for key in ("name", "description"):
        if not isinstance(values.get(key, ""), str):
            raise _invalid(path, f"{key} must be text")
    keys = values.get("messages")
    if keys is not None:
        if not isinstance(keys, dict):
            raise _invalid(path, "messages must be a mapping with columns, role, content, user, assistant")
        found = _checked(path, keys, MessageKeys, "messages.")
        if not found.get("columns"):
            raise _invalid(path, "messages.columns is missing")
        values["messages"] = MessageKeys(**{key: _names(path, key, value) for key, value in found.items()})
    for key in ("thinking", "solution"):
        values[key] = _delimiters(path, key, values.get(key, []))
    for key in _COLUMN_LISTS:
        values[key] = _names(path, key, values.get(key, []))
    if "system" in values:
        values["system"] = _names(path, "system", values["system"])
    values["order"] = _in_order(path, _names(path, "order", values.get("order", [])))
    preset = DatasetPreset(**values)
    if not (preset.reasoning or preset.tagged or preset.messages or preset.order):
        raise _invalid(path, "it names no reasoning, tagged or messages column")
    return preset


def _in_order(path: Path, names: Sequence[str]) -> tuple[DatasetPreset, ...]:
    """The presets of these names; `OTHERS` stands for all that are not named and can be detected."""
    found: list[DatasetPreset] = []
    for name in names:
        if name != OTHERS:
            found.append(load_preset(name, in_order=True))
            continue
        unnamed = [load_preset(other) for other in preset_names() if other not in (*names, path.stem)]
        found += [preset for preset in unnamed if preset.detect or preset.detect_any]
    return tuple(found)


def _checked(path: Path, content: Mapping[str, Any], model: type[Any], prefix: str) -> dict[str, Any]:
    known = [field.name for field in fields(model) if field.name not in _OF_JOB]
    for key in content:
        if key not in known:
            hint = did_you_mean(f"{prefix}{key}", [f"{prefix}{name}" for name in known])
            raise _invalid(path, f"unknown key {prefix}{key}", hint)
    return dict(content)


def _names(path: Path, key: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise _invalid(path, f"{key} must be a list of names")
    return tuple(names)


def _delimiters(path: Path, key: str, value: object) -> tuple[Delimiters, ...]:
    pairs: list[Delimiters] = []
    for pair in value if isinstance(value, list) else [value]:
        match pair:
            case [str(opening), str(closing)] if opening and closing and opening != closing:
                pairs.append((opening, closing))
            case _:
                raise _invalid(path, f'{key} must be a list of pairs such as ["<think>", "</think>"]')
    return tuple(pairs)


def _invalid(path: Path, message: str, remedy: str = "correct the file") -> JobError:
    return JobError(f"dataset preset {path}: {message}", remedy)
