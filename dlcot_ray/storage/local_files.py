"""Atomic, durable files on a local (or mounted) file system, by operating system calls.

A file is written under a temporary name in its own directory, synced, and then renamed or linked to its
final name. So a reader never sees half an object, and a killed writer or a power cut never leaves one. This
costs one fsync per work unit, some milliseconds.

`LocalBackend` uses these functions as the backend of a `Store`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from dlcot_ray.storage.backend import Belongs, ObjectInfo, OnSkip, Versioned, content_version
from dlcot_ray.storage.retries import NO_PAUSE, retrying

TEMPORARY_SUFFIX = ".dlcot-tmp"
"""The suffix of half-written files; no other name ends with it."""
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EXDEV)
"""What file systems without hard links answer."""


def put(target: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file atomically and durably, with its directories.

    Raises:
        FileExistsError: the file exists and `replace` is False.
        OSError: it cannot be written.
    """
    # One more attempt, because the clean-up of another job may remove the temporary file.
    retrying(1, repeat_if=_is_missing, pause=NO_PAUSE)(partial(_put_once, target, data, replace=replace))
    _sync_directory(target.parent)


def _put_once(target: Path, data: bytes, *, replace: bool) -> None:
    with _temporary_beside(target) as temporary:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(target)
        else:
            # A link fails if the name is taken; a rename would replace the file that has it.
            target.hardlink_to(temporary)


def link(source: Path, target: Path) -> None:
    """Make `target` a hard link to `source`, atomically; a copy if the file system has no links.

    Raises:
        OSError: it cannot be done.
    """
    try:
        with _temporary_beside(target) as temporary:
            temporary.hardlink_to(source)
            temporary.replace(target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        put(target, source.read_bytes())
    _sync_directory(target.parent)


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """A free temporary name in the directory of `target`, which is made; the file is removed at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # In bytes, because a file system limits these.
    head = os.fsencode(target.name)[:60].decode(errors="ignore")
    name = f".{head}.{os.getpid()}-{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
    temporary = target.parent / name
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def walk(
    top: Path, on_skip: Callable[[Path, str, bool], None] | None = None
) -> Iterator[tuple[Path, os.stat_result]]:
    """Every regular file below a directory, in any order; none if it does not exist.

    Files that are removed meanwhile are left out, and so are links to directories and links to nothing.

    Args:
        top: the directory.
        on_skip: called with what is left out, the reason, and whether it is a directory that cannot be
            read, which raises without it.

    Raises:
        OSError: a directory cannot be read.
    """

    def refused(error: OSError) -> None:
        if on_skip is None:
            _raise_unless_missing(error)
        elif not isinstance(error, FileNotFoundError | NotADirectoryError):
            on_skip(Path(error.filename), f"it cannot be listed ({error.strerror})", True)

    for directory, folders, names in os.walk(top, onerror=refused):
        for name in folders if on_skip is not None else ():
            path = Path(directory, name)
            if on_skip is not None and path.is_symlink():
                on_skip(path, "it is a link to a folder; to read it, name it as an input", False)
        for name in names:
            path = Path(directory, name)
            why = "it is no regular file"
            try:
                stat = path.stat()
                if S_ISREG(stat.st_mode):
                    yield path, stat
                    continue
            except OSError as error:
                if not path.is_symlink():
                    _raise_unless_missing(error)
                    continue
                why = "it is a link that leads nowhere"
            if on_skip is not None:
                on_skip(path, why, False)


def remove_temporary(top: Path, min_age_s: float) -> int:
    """Remove half-written files not modified for at least `min_age_s` seconds; returns how many."""
    removed = 0
    for path, stat in walk(top):
        if path.name.endswith(TEMPORARY_SUFFIX) and time.time() - stat.st_mtime >= min_age_s:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


class LocalBackend:
    """A directory; see `Backend` for the methods.

    Args:
        root: its absolute path.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.list_calls = 0

    def check(self, timeout_s: float) -> None:
        """See `Backend`; a directory that does not exist yet is no error."""
        if Path(self._root).is_dir():
            with os.scandir(self._root):
                return

    def scan(self, relative: str, on_skip: OnSkip | None = None) -> Iterator[ObjectInfo]:
        """See `Backend`."""

        def skip(path: Path, why: str, is_fault: bool) -> None:
            if on_skip is not None:
                on_skip(self._name(path), why, is_fault)

        for path, stat in walk(self._path(relative), skip if on_skip is not None else None):
            yield self._described(self._name(path), stat)

    def info(self, relative: str) -> ObjectInfo | None:
        """See `Backend`."""
        path = self._path(relative)
        try:
            return self._described(relative, path.stat()) if path.is_file() else None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, relative: str) -> bytes:
        """See `Backend`."""
        return self._path(relative).read_bytes()

    def read_versioned(self, relative: str) -> Versioned:
        """See `Backend`; the version is a hash of the content, because times are too coarse."""
        data = self.read(relative)
        return Versioned(data, content_version(data))

    def open(self, relative: str) -> BinaryIO:
        """See `Backend`."""
        return self._path(relative).open("rb")

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """See `Backend`."""
        put(self._path(relative), data)

    def copy(self, source: str, target: str) -> None:
        """See `Backend`: a second name for the same bytes, which are never modified."""
        link(self._path(source), self._path(target))

    def compare_and_swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        """See `Backend`; atomic among processes that share the locks of the file system."""
        path = self._path(relative)
        try:
            if version is None:
                put(path, data, replace=False)
                return content_version(data)
            with _locked(path.parent):
                if self.read_versioned(relative).version != version:
                    return None
                put(path, data)
                return content_version(data)
        except FileNotFoundError:
            return None
        except FileExistsError:
            # The same error is raised if a file has the name of a parent directory.
            if path.is_file():
                return None
            raise

    def has_compare_and_swap(self) -> bool:
        """See `Backend`."""
        return True

    def delete(self, relatives: Sequence[str]) -> None:
        """See `Backend`."""
        for relative in relatives:
            self._path(relative).unlink(missing_ok=True)

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """See `Backend`; the suffix of temporary names is enough to recognise them."""
        return remove_temporary(Path(self._root), min_age_s)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _path(self, relative: str) -> Path:
        return Path(self._root, relative)

    def _described(self, relative: str, stat: os.stat_result) -> ObjectInfo:
        version = f"{stat.st_size}-{stat.st_mtime_ns}"
        url = f"{self._root.rstrip('/')}/{relative}"
        return ObjectInfo(relative, url, stat.st_size, version, stat.st_mtime)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold an exclusive lock on a directory; the lock ends with the process."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_directory(path: Path) -> None:
    """Make a rename durable, if the file system can sync directories."""
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


def _is_missing(error: BaseException) -> bool:
    return isinstance(error, FileNotFoundError)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
