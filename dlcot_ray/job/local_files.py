"""Atomic, durable files on a local (or mounted) file system, by operating system calls.

A file is written under a temporary name in its own directory, synced, and then renamed or linked to its
final name, so that a reader, a killed writer or a power cut never leaves half an object. That costs one
fsync per work unit, some milliseconds.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_SUFFIX = ".dlcot-tmp"
"""Names of half-written files end with this; nothing else does."""


def put(target: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file atomically and durably, with its directories.

    Raises:
        FileExistsError: there is one already and `replace` is off.
        OSError: it cannot be written.
    """
    # A second attempt, because another job's clean-up may have taken the temporary file away.
    for attempt in (1, 2):
        target.parent.mkdir(parents=True, exist_ok=True)
        name = f".{target.name[:60]}.{os.getpid()}-{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        temporary = target.parent / name
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(target)
            else:
                # A link fails where the name is taken; a rename would silently win.
                target.hardlink_to(temporary)
            break
        except FileNotFoundError:
            if attempt == 2:
                raise
        finally:
            temporary.unlink(missing_ok=True)
    _sync_directory(target.parent)


def walk(top: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every regular file below a directory, in no particular order; none if it does not exist.

    Files that vanish meanwhile are left out.

    Raises:
        OSError: a directory cannot be read.
    """
    for directory, _, names in os.walk(top, onerror=_raise_unless_missing):
        for name in names:
            path = Path(directory, name)
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                yield path, stat


def remove_temporary(top: Path, min_age_s: float) -> int:
    """Remove half-written files that were last modified at least `min_age_s` seconds ago; how many."""
    removed = 0
    for path, stat in walk(top):
        if path.name.endswith(TEMPORARY_SUFFIX) and time.time() - stat.st_mtime >= min_age_s:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _sync_directory(path: Path) -> None:
    """Make a rename durable, where the file system can sync directories."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
