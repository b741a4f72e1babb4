"""`dlcot profile`: what traces are like, before anything is cut; needs no model, no Ray and no output.

A seeded sample of rows, or all of them, is judged by the default judge on the processes of this machine. The
figures are printed by source and by teacher, and a page shows them with the traces behind each bar.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from heapq import heappushpop
from pathlib import Path
from typing import Any

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import check_usable
from dlcot_ray.commands.profiling.looking import Looked, Pool, judge_identity
from dlcot_ray.commands.profiling.reading import Grouped, Part, read_parts
from dlcot_ray.commands.profiling.text import profile_lines
from dlcot_ray.config.view_settings import ProfileConfig
from dlcot_ray.core.policies.base import PolicyError
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import ConfigError, JobError, RowFault, reason_of
from dlcot_ray.inputs.choices import Choices, Markup
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import find_inputs
from dlcot_ray.inputs.layouts.deciding import LayoutDecider
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.outputs.owning.marks import PAGE_MARK
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.profiling.copies import find_copies
from dlcot_ray.profiling.groups import by_group, summary
from dlcot_ray.report.facts import SOURCE_NAMES, TEACHER_NAMES
from dlcot_ray.report.page import page
from dlcot_ray.report.payload import TEXT_BYTES
from dlcot_ray.report.profile_page import Listed, profile_payload
from dlcot_ray.report.sampling import MOST_ROWS, fill, in_order_of_need
from dlcot_ray.report.stored import Place
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.console import print_report

_ROWS_PER_UNIT, _BYTES_PER_UNIT = 4096, 1 << 30
_BYTES_PER_TOKEN, _DETAIL_BYTES = 4, 3_000
_HEAD = 4_096

Kept = tuple[int, int, Grouped, Looked]
"""A trace that the page may list: a random mark, its number, the trace and what was found."""


def run_profile(config: ProfileConfig) -> Exit:
    """Run `dlcot profile`.

    Raises:
        JobError: the settings or inputs cannot be used, or the page cannot be written.
    """
    place = _page_place(config.page)
    profile = _Profile(config)
    try:
        figures = profile.figures()
        if place is not None:
            _write(place, page(profile.payload(figures)))
            figures["page"] = str(place.absolute())
    finally:
        profile.close()
    print_report(figures, profile_lines(figures), config.json)
    return Exit.WITH_FAULTS if figures["unreadable"] else Exit.OK


class _Profile:
    """One run: it reads, looks, adds up, and lists traces for the page."""

    def __init__(self, config: ProfileConfig) -> None:
        self._config = config
        self._began = time.monotonic()
        self._columns = _group_columns(config.by)
        self._faults: list[RowFault] = []
        self._unreadable: list[str] = []
        self._rows = 0
        self._kept: list[Kept] = []
        for name in config.policies:
            _check_policy(name)
        if not config.policies:
            raise ConfigError("policies= is empty", "name one policy at least")
        self._metadata = MetadataCache()
        self._plan = _plan_of(config, self._metadata)
        self._pool = Pool(config.workers or len(os.sched_getaffinity(0)), config.policies)

    def figures(self) -> dict[str, Any]:
        """The profile as plain JSON types."""
        looked: list[Looked] = []
        for item, found in self._pool.look(self._traces()):
            self._keep(len(looked), item, found)
            looked.append(found)
        judged = [one for one in looked if one.found is not None]
        copies = find_copies([one.mark for one in judged])
        traces = [one.found for one in judged if one.found is not None]
        names = [name for name, at in self._named() if any(trace.groups[at] for trace in traces)]
        groups = {name: by_group(traces, copies, at) for name, at in self._named() if name in names}
        return {
            "input": self._input(),
            "rows": self._rows,
            "of_rows": self._plan.rows,
            "traces": len(looked),
            "seed": self._config.seed,
            "policies": self._config.policies,
            "judge": judge_identity(),
            "groups": names,
            "figures": {"all": summary(traces, copies) if traces else None, **groups},
            "rejected": _by_cause(self._faults),
            "not_judged": dict(Counter(one.reason for one in looked if one.reason)),
            "unreadable": [*map(str, self._plan.faults), *self._unreadable],
            "seconds": round(time.monotonic() - self._began, 1),
        }

    def payload(self, figures: dict[str, Any]) -> Any:
        """The data of the page; it looks once more at the traces that are shown with their texts."""
        kept = sorted(self._kept, key=lambda item: item[1])
        facts = [
            replace(found.facts, place=Place("", number)) for number, (_, _, _, found) in enumerate(kept)
        ]
        order = in_order_of_need(facts, self._config.seed)
        wanted = [
            place.row
            for place in fill(order, TEXT_BYTES, lambda row: row.before * _BYTES_PER_TOKEN + _DETAIL_BYTES)
        ]
        names = tuple(self._columns)
        texts = self._pool.details([(number, kept[number][2], names) for number in wanted])
        listed = [
            Listed(fact, found.found.figures if found.found is not None else None)
            for fact, (_, _, _, found) in zip(facts, kept, strict=True)
        ]
        return profile_payload(figures, listed, dict(zip(wanted, texts, strict=True)), names)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def _traces(self) -> Iterator[Grouped]:
        config = self._config
        parts = read_parts(
            self._plan,
            config.sample,
            config.seed,
            config.storage.input,
            self._metadata,
            tuple(self._columns.values()),
        )
        for part in parts:
            self._count(part)
            yield from part.traces

    def _count(self, part: Part) -> None:
        self._rows += part.rows
        self._faults += part.faults
        if part.unreadable:
            self._unreadable.append(part.unreadable)

    def _keep(self, number: int, item: Grouped, found: Looked) -> None:
        """A random sample of the traces, for the page; the same seed keeps the same ones."""
        digest = blake2b(f"{self._config.seed}:{number}".encode(), digest_size=8).digest()
        kept = (-int.from_bytes(digest, "big"), number, item, found)
        if len(self._kept) < MOST_ROWS:
            self._kept.append(kept)
            if len(self._kept) == MOST_ROWS:
                self._kept.sort(key=lambda one: one[:2])
        else:
            heappushpop(self._kept, kept)

    def _named(self) -> list[tuple[str, int]]:
        return [(name, at) for at, name in enumerate(self._columns)]

    def _input(self) -> str:
        given = self._config.input
        return given if isinstance(given, str) else ", ".join(map(str, given))


def _group_columns(by: Sequence[str]) -> dict[str, tuple[str, ...]]:
    if by:
        return {name: (name,) for name in by}
    return {"source": SOURCE_NAMES, "teacher": TEACHER_NAMES}


def _plan_of(config: ProfileConfig, metadata: MetadataCache) -> Plan:
    # Control words are counted here, so they reject no row.
    choices = replace(Choices.of(vars(config)), markup=Markup.KEEP)
    try:
        preset = load_preset(config.dataset, choices)
    except JobError as error:
        raise ConfigError(error.message, error.remedy) from error
    given = [config.input] if isinstance(config.input, str) else list(config.input)
    found = find_inputs([absolute(url) for url in given], config.storage.input)
    decider = LayoutDecider(preset, found.shards, config.storage.input)
    plan = make_plan(
        assign_names(found.shards, {}),
        preset,
        rows_per_unit=_ROWS_PER_UNIT,
        bytes_per_unit=_BYTES_PER_UNIT,
        options=config.storage.input,
        metadata=metadata,
        decider=decider,
        beside=found,
    )
    check_usable(plan)
    return plan


def _check_policy(name: str) -> None:
    try:
        parse_policy(name)
    except PolicyError as error:
        raise ConfigError(str(error), "check policies=") from error


def _by_cause(faults: Sequence[RowFault]) -> dict[str, dict[str, Any]]:
    """Cause -> number of rows, the first of them, and what to do; the most first."""
    counts = Counter(fault.cause for fault in faults)
    first = {fault.cause: fault for fault in reversed(faults)}
    return {
        str(cause): {"count": count, "example": str(first[cause]), "remedy": first[cause].remedy}
        for cause, count in counts.most_common()
    }


def _page_place(file: str | None) -> Path | None:
    """Where the page goes.

    Raises:
        ConfigError: somebody else's file is there.
    """
    if file is None:
        return None
    place = Path(file).expanduser()
    if place.exists() and not _is_page(place):
        raise ConfigError(f"{place} is somebody else's", "choose another place: page=FILE.html")
    return place


def _is_page(place: Path) -> bool:
    try:
        with place.open("rb") as file:
            return PAGE_MARK.encode() in file.read(_HEAD)
    except OSError:
        return False


def _write(place: Path, content: bytes) -> None:
    try:
        place.write_bytes(content)
    except OSError as error:
        raise JobError(f"cannot write {place} ({reason_of(error)})", "choose another page=") from error
