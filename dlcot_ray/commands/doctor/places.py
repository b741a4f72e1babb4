"""Checks of what a job reaches: its input, its output, Ray, its judge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from dlcot_ray.cluster.attaching import check_address, private_directory
from dlcot_ray.commands.doctor.machine import room_check
from dlcot_ray.commands.doctor.result import Check, Verdict, fine, judged
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.view_settings import DoctorConfig
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.files.shards import find_inputs
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute, is_local

_MOST_SKEW_S = 30.0
"""Seconds by which the clocks of this machine and of a store may differ."""
_PROBE = "_doctor.dlcot-tmp"


def place_checks(config: DoctorConfig) -> Iterator[Check]:
    """Everything that the settings name."""
    yield _tried("ray", lambda: _ray(config.ray.address))
    yield _tried("judge", lambda: _judge(config))
    if config.input:
        yield _tried("input", lambda: _input(config))
    if config.output:
        yield from _output(config)


def _tried(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except (JobError, InputFault) as error:
        return Check(name, Verdict.FAULT, error.message, error.remedy)


def _ray(address: str | None) -> Check:
    where = address or os.environ.get("RAY_ADDRESS") or "local"
    if where != "local":
        check_address(where)
        return fine("ray", f"{where} answers")
    return fine("ray", f"starts on this machine, in {private_directory()}")


def _judge(config: DoctorConfig) -> Check:
    judge = load_judge(config.judge, config.judge_options, allow_code=config.allow_code)
    made = make_judge(judge)
    with closing(made):
        needs = f", {judge.cpus:g} CPUs and {judge.gpus or 0:g} GPUs for each worker"
        return fine("judge", f"{made.identity}{needs}")


def _input(config: DoctorConfig) -> Check:
    inputs = [config.input] if isinstance(config.input, str) else list(config.input)
    found = find_inputs([absolute(url) for url in inputs], config.storage.input)
    size = sum(shard.size for shard in found.shards)
    return fine("input", f"{len(found.shards):,} files, {size / 1e6:,.1f} MB")


def _output(config: DoctorConfig) -> Iterator[Check]:
    url = absolute(config.output or "")
    try:
        store = Store(url, config.storage.output)
        before = time.time()
        store.put(_PROBE, b"")
        info = store.info(_PROBE)
        after = time.time()
        store.delete(_PROBE)
        ordered = store.has_compare_and_swap()
    except JobError as error:
        yield Check("output", Verdict.FAULT, error.message, error.remedy)
        return
    yield fine("output", f"{store.display_url} can be written")
    yield judged(
        "claims",
        "the store orders writers" if ordered else "the store does not order writers that start at once",
        "let one scheduler start the jobs of an output",
        worse=not ordered,
    )
    if info is not None and info.modified is not None:
        yield clock_check(info.modified, before, after)
    if is_local(url):
        yield room_check("space", Path(url))


def clock_check(written: float, before: float, after: float) -> Check:
    """The clock of a store against that of this machine.

    Args:
        written: when the store says that an object was written, in seconds since 1970.
        before, after: when that happened by this machine's clock.
    """
    skew = max(before - written - 1.0, written - after, 0.0)
    return judged(
        "clock",
        f"{skew:.0f} s from that of the store",
        "set this machine's clock (chronyc, timedatectl): signatures and leases depend on it",
        worse=skew > _MOST_SKEW_S,
    )
