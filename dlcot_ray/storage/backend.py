"""What a `Store` needs of a place, and fsspec's generic file systems as one.

Three backends answer these verbs: local files (`local_files.py`), S3 (`s3.py`), and whatever else fsspec
can reach (here). They raise what their libraries raise; the store makes one clear line of it. The generic
one knows no conditional replace, which no two fsspec file systems spell alike, and takes the safe path of
`settled_put` instead.
"""

from __future__ import annotations

import hashlib
import inspect
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol, cast

from fsspec.implementations.memory import MemoryFileSystem

SETTLE_S = 5.0
"""How long `settled_put` waits for a rival's put to become visible: longer than a put takes."""

_ETAG_KEYS = ("ETag", "etag", "generation", "md5Hash", "content_md5")
_TIME_KEYS = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_memory_lock = threading.Lock()

Belongs = Callable[[str], object]
"""Whether a name (below the root) is one of ours."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One stored object.

    Attributes:
        relative: its name below the store's root, with forward slashes.
        url: its full name for people and manifests, without credentials.
        size: bytes.
        version: changes when the content does: the store's ETag, else size and modification time.
        modified: when it was last written, in seconds since 1970; None where the store does not tell.
    """

    relative: str
    url: str
    size: int
    version: str
    modified: float | None = None


@dataclass(frozen=True, slots=True)
class Versioned:
    """An object's content and the version that `put_if_version` compares."""

    data: bytes
    version: str


class Backend(Protocol):
    """The verbs of a place. Names are relative to its root; "" is the root itself."""

    list_calls: int
    """Requests for a listing (pages) made through this object."""

    def check(self, timeout_s: float) -> None:
        """Fail unless the place answers and lets us in; at most about `timeout_s` seconds."""

    def scan(self, relative: str) -> Iterator[ObjectInfo]:
        """Every object in that directory and below, in any order; none if it does not exist."""

    def info(self, relative: str) -> ObjectInfo | None:
        """The object of that name, or None where there is none (or only a directory)."""

    def read(self, relative: str) -> bytes:
        """The whole object, or FileNotFoundError."""

    def read_versioned(self, relative: str) -> Versioned:
        """The whole object with the version that `put_if` compares, or FileNotFoundError."""

    def open(self, relative: str) -> BinaryIO:
        """A seekable reader of the object."""

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """Write it whole, atomically."""

    def copy(self, source: str, target: str) -> None:
        """Make `target` an object of the content of `source`, without reading it where the place can."""

    def put_if(self, relative: str, data: bytes, version: str | None) -> str | None:
        """Write it if that is its version (None: there is none); the new version, None where it is not."""

    def puts_conditionally(self) -> bool:
        """Whether of several simultaneous `put_if` at most one succeeds, whatever their timing."""

    def delete(self, relatives: Sequence[str]) -> None:
        """Remove objects; it is no error if one is missing."""

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """Remove what killed writers left half-written under names that `belongs` accepts; how many."""


class FsspecBackend:
    """Any fsspec file system.

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
        """Nothing that all file systems could be asked: the first real request tells."""

    def scan(self, relative: str) -> Iterator[ObjectInfo]:
        """See `Backend`; one call, whose result is held."""
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
        except (FileNotFoundError, NotADirectoryError):
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
        # Parquet readers ask for whole column chunks; readahead would fetch the gaps as well.
        return cast(BinaryIO, self._fs.open(self._path(relative), "rb", cache_type="none"))

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """See `Backend`."""
        self._fs.pipe_file(self._path(relative), data)

    def copy(self, source: str, target: str) -> None:
        """See `Backend`."""
        self._fs.cp_file(self._path(source), self._path(target))

    def put_if(self, relative: str, data: bytes, version: str | None) -> str | None:
        """See `Backend`."""
        if isinstance(self._fs, MemoryFileSystem):
            with _memory_lock:
                if version != current_version(self, relative):
                    return None
                self.put(relative, data)
                return content_version(data)
        if version is not None or not self.puts_conditionally():
            return settled_put(self, relative, data, version)
        try:
            self._fs.pipe_file(self._path(relative), data, mode="create")
        except FileExistsError:
            return None
        return content_version(data)

    def puts_conditionally(self) -> bool:
        """See `Backend`: for memory, and where the single put takes ``mode="create"``."""
        if self._fs.async_impl:
            # Others would swallow the word and put all the same.
            return "mode" in inspect.signature(self._fs._pipe_file).parameters
        return isinstance(self._fs, MemoryFileSystem)

    def delete(self, relatives: Sequence[str]) -> None:
        """See `Backend`."""
        for relative in relatives:
            try:
                self._fs.rm_file(self._path(relative))
            except FileNotFoundError:
                continue

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """None: an unfinished put is invisible there."""
        return 0

    def _path(self, relative: str) -> str:
        return f"{self._root.rstrip('/')}/{relative}" if relative else self._root

    def _described(self, info: Mapping[str, Any], relative: str) -> ObjectInfo:
        size = int(info.get("size") or 0)
        return ObjectInfo(
            relative, f"{self._display_url}/{relative}", size, _version(info, size), _modified(info)
        )


def settled_put(
    backend: Backend, relative: str, data: bytes, version: str | None, settle_s: float = SETTLE_S
) -> str | None:
    """`put_if` for places without a conditional put: look, put, wait, look again.

    Of several writers the last one finds its own content and wins, the others find it and lose. That holds
    as long as no writer takes longer than `settle_s` seconds from its first look to its put, and as long as
    each writes something of its own.
    """
    if version != current_version(backend, relative):
        return None
    backend.put(relative, data)
    time.sleep(settle_s)
    try:
        found = backend.read_versioned(relative)
    except FileNotFoundError:
        return None
    return found.version if found.data == data else None


def current_version(backend: Backend, relative: str) -> str | None:
    """What `put_if` compares with; None where there is no object."""
    try:
        return backend.read_versioned(relative).version
    except FileNotFoundError:
        return None


def content_version(data: bytes) -> str:
    """A version for places that keep none which is fine enough."""
    return hashlib.sha256(data).hexdigest()


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
