"""Every fsspec file system other than local files and S3, as the backend of a `Store`.

fsspec has no common conditional replace. So `compare_and_swap` uses an exclusive create if the file system
has one, and `put_and_read_back` otherwise.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, cast

from aiohttp import ClientError
from fsspec.implementations.memory import MemoryFileSystem

from dlcot_ray.storage.backend import (
    READ_AHEAD,
    Belongs,
    ObjectInfo,
    OnSkip,
    Versioned,
    content_version,
    current_version,
    put_and_read_back,
)
from dlcot_ray.storage.failures import without_credentials

_ETAG_KEYS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "blob_id", "xet_hash")
_TIME_KEYS = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_memory_lock = threading.Lock()


class FsspecBackend:
    """Any fsspec file system; see `Backend` for the methods.

    Args:
        fs: the file system, its listing cache switched off.
        root: the directory that names are relative to, as the file system spells it.
        display_url: the same for people.
    """

    def __init__(self, fs: Any, root: str, display_url: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/") or "/"
        self._display_url = display_url.rstrip("/")
        self.list_calls = 0

    def check(self, timeout_s: float) -> None:
        """Does nothing: no cheap request works on every file system. The first real request fails instead."""

    def scan(self, relative: str, on_skip: OnSkip | None = None) -> Iterator[ObjectInfo]:
        """See `Backend`; one call, whose whole result is held in memory."""
        self._fs.invalidate_cache()
        self.list_calls += 1
        try:
            found = self._fs.find(self._path(relative), detail=True)
        except FileNotFoundError:
            return
        root = str(self._fs._strip_protocol(self._root)).strip("/")
        for name, info in found.items():
            bare = name.strip("/")
            below = bare[len(root) :].strip("/") if bare.startswith(root) else bare
            if below and info.get("type", "file") == "file":
                yield self._described(info, below)

    def info(self, relative: str) -> ObjectInfo | None:
        """See `Backend`."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.info(self._path(relative))
        except (FileNotFoundError, NotADirectoryError) as error:
            if _is_unanswered(error.__cause__) and "http" in str(self._fs.protocol):
                raise cast(Exception, error.__cause__) from None
            return None
        return self._described(found, relative) if found.get("type") == "file" else None

    def read(self, relative: str) -> bytes:
        """See `Backend`."""
        return cast(bytes, self._fs.cat_file(self._path(relative)))

    def read_versioned(self, relative: str) -> Versioned:
        """See `Backend`; the version is a hash of the content."""
        data = self.read(relative)
        return Versioned(data, content_version(data))

    def open(self, relative: str) -> BinaryIO:
        """See `Backend`."""
        opened = self._fs.open(self._path(relative), "rb", cache_type="readahead", block_size=READ_AHEAD)
        if "http" in str(self._fs.protocol):
            _check_ranges(opened)
        return cast(BinaryIO, opened)

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """See `Backend`."""
        self._fs.pipe_file(self._path(relative), data)

    def copy(self, source: str, target: str) -> None:
        """See `Backend`."""
        self._fs.cp_file(self._path(source), self._path(target))

    def compare_and_swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        """See `Backend`."""
        if isinstance(self._fs, MemoryFileSystem):
            return self._swap_in_memory(relative, data, version)
        if version is not None or not self.has_compare_and_swap():
            return put_and_read_back(self, relative, data, version)
        try:
            self._fs.pipe_file(self._path(relative), data, mode="create")
        except FileExistsError:
            return None
        return content_version(data)

    def has_compare_and_swap(self) -> bool:
        """See `Backend`: true for memory, and for file systems whose single put takes ``mode="create"``."""
        if self._fs.async_impl:
            # Other file systems accept the argument, ignore it, and replace the object.
            return "mode" in inspect.signature(self._fs._pipe_file).parameters
        return isinstance(self._fs, MemoryFileSystem)

    def delete(self, relatives: Sequence[str]) -> None:
        """See `Backend`."""
        for relative in relatives:
            try:
                self._fs.rm_file(self._path(relative))
            except FileNotFoundError:
                continue
            except OSError as error:
                # The hub's error for a missing file is no FileNotFoundError.
                if "EntryNotFound" not in type(error).__name__:
                    raise

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """Removes nothing: an unfinished put is not visible there."""
        return 0

    def _swap_in_memory(self, relative: str, data: bytes, version: str | None) -> str | None:
        with _memory_lock:
            if version != current_version(self, relative):
                return None
            self.put(relative, data)
            return content_version(data)

    def _path(self, relative: str) -> str:
        return f"{self._root.rstrip('/')}/{relative}" if relative else self._root

    def _described(self, info: Mapping[str, Any], relative: str) -> ObjectInfo:
        size = int(info.get("size") or 0)
        # The name of a file on a web server may end in a signature.
        url = without_credentials(f"{self._display_url}/{relative}")
        return ObjectInfo(relative, url, size, _version(info, size), _modified(info))


class NoByteRanges(OSError):
    """An HTTP server sends whole files only."""


def _check_ranges(file: Any) -> None:
    """Read the last byte of a file of an HTTP server, because many servers send the whole file instead.

    Raises:
        NoByteRanges: it gives none.
    """
    if not file.size or file.size < 2:
        return
    try:
        file.seek(file.size - 1)
        file.read(1)
        file.seek(0)
    except ValueError as error:
        file.close()
        raise NoByteRanges("its server gives no byte ranges") from error


def _is_unanswered(cause: BaseException | None) -> bool:
    """Whether a web server is not there, or refuses: fsspec calls all that a missing file."""
    return isinstance(cause, ClientError) and getattr(cause, "status", 0) not in (404, 410)


def _modified(info: Mapping[str, Any]) -> float | None:
    for key in _TIME_KEYS:
        value = info.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return None


def _version(info: Mapping[str, Any], size: int) -> str:
    for key in _ETAG_KEYS:
        if info.get(key):
            return str(info[key]).strip('"')
    for key in _TIME_KEYS:
        value = info.get(key)
        if isinstance(value, datetime):
            return f"{size}-{round(value.timestamp() * 1e6)}000"
        if value:
            return f"{size}-{value}"
    return str(size)
