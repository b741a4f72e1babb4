"""Decides the layout of every file of a job once, on samples, so that all workers read alike.

The first file of each set of columns, and some more of the job, are sampled. The decision is recorded with
the job: a resume, `derive`, `verify` and `diff` read the files as the first run did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.columns import inner_key, layout_key, reads
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.report import report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.layouts.sampling import MOST_FILES, sample_rows, some_shards
from dlcot_ray.inputs.presets import DatasetPreset, Decided, preset_as_dict, preset_from_dict
from dlcot_ray.inputs.readers.protocol import FileMetadata


@dataclass(frozen=True, slots=True)
class Layout:
    """A decision with its report (`report.report_of`)."""

    decided: Decided
    report: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the job's record; only of a layout that was chosen."""
        assert self.decided.preset is not None
        return {
            "columns": self.decided.columns,
            "preset": preset_as_dict(self.decided.preset),
            "report": dict(self.report),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Layout:
        """The decision that `as_dict` stored."""
        return cls(Decided(content["columns"], preset_from_dict(content["preset"])), content["report"])


class LayoutDecider:
    """Decides each layout when its first file is met. Not safe for several threads at once.

    Args:
        preset: the job's preset.
        shards: the job's files.
        options: fsspec options of the inputs.
        recorded: decisions of an earlier run, as `Layout.as_dict` gives them.
    """

    def __init__(
        self,
        preset: DatasetPreset,
        shards: Sequence[Shard],
        options: Mapping[str, object] | None = None,
        recorded: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self._preset, self._shards, self._options = preset, shards, options
        self._layouts = {item.decided.columns: item for item in map(Layout.from_dict, recorded)}

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The decisions so far, in the order in which they were made."""
        return tuple(self._layouts.values())

    @property
    def preset(self) -> DatasetPreset:
        """The job's preset with the decisions so far."""
        return with_layouts(self._preset, self.layouts)

    def recorded(self) -> tuple[dict[str, Any], ...]:
        """The layouts that were chosen, for the job's record; a refused one is decided again."""
        return tuple(item.as_dict() for item in self.layouts if item.decided.preset is not None)

    def decide(self, shard: Shard, found: FileMetadata) -> DatasetPreset:
        """The job's preset with the decision for files like this one, whose metadata is given."""
        schema = found.arrow_schema
        key = layout_key(schema)
        if key in self._layouts and not _serves(self._layouts[key], schema):
            # The same columns, with other fields inside their lists and structs.
            key = inner_key(schema)
        if key not in self._layouts:
            choice = self._choose(shard, found, key)
            if choice is not None:
                self._layouts[key] = layout_of(choice, key, schema, named=not self._preset.order)
        return self.preset

    def _choose(self, shard: Shard, found: FileMetadata, key: str) -> Choice | None:
        """The choice on a sample; None if no row can be read, so that the job finds the fault itself."""
        others = [item for item in some_shards(self._shards, MOST_FILES, key) if item.file != shard.file]
        files = [shard, *others[: MOST_FILES - 1]]
        table = sample_rows(files, key, self._options, known={shard.file: found})
        if table is None or not table.num_rows:
            return None
        return choose_layout(self._preset, Sample(table), shard.file)


def _serves(layout: Layout, schema: pa.Schema) -> bool:
    preset = layout.decided.preset
    return preset is not None and reads(preset, schema)


def layout_of(choice: Choice, key: str, schema: pa.Schema, *, named: bool) -> Layout:
    """The decision that a choice comes to. A preset that the user named is never refused here."""
    report = report_of(choice, schema, named=named)
    preset = None if choice.refusal else choice.fit.preset
    return Layout(Decided(key, preset, choice.refusal, choice.remedy), report)


def with_layouts(preset: DatasetPreset, layouts: Iterable[Layout]) -> DatasetPreset:
    """A preset with decisions, which take its choices."""
    return replace(preset, decided=tuple(_choosing(item.decided, preset.choices) for item in layouts))


def _choosing(decided: Decided, choices: Choices) -> Decided:
    if decided.preset is None:
        return decided
    return replace(decided, preset=replace(decided.preset, choices=choices))


def recorded_preset(preset: DatasetPreset, recorded: Iterable[Mapping[str, Any]]) -> DatasetPreset:
    """A preset with the decisions that a job's record holds."""
    return with_layouts(preset, map(Layout.from_dict, recorded))
