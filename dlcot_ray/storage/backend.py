"""The interface between `Store` and a place where objects are kept, and the versions of objects.

There are three backends: local files (`local_files.py`), S3 (`s3.py`), and every other fsspec file system
(`fsspec_files.py`). A backend raises the errors of its library; the store turns them into one clear line.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

READ_AHEAD = 256 << 10
"""Bytes that a request for a part of an object reads beyond it: they take less time than a request."""

READ_BACK_S = 5.0
"""How long `put_and_read_back` waits before it reads back (seconds). It must be longer than any put takes."""

Belongs = Callable[[str], object]
"""Whether an object of that name (below the root) is one that dlcot writes."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One stored object.

    Attributes:
        relative: its name below the store's root, with forward slashes.
        url: its full name for people and manifests, without credentials.
        size: bytes.
        version: changes when the content does: the ETag of the store, else size and modification time.
        modified: when it was last written, in seconds since 1970; None if the store has no such time.
    """

    relative: str
    url: str
    size: int
    version: str
    modified: float | None = None


@dataclass(frozen=True, slots=True)
class Versioned:
    """The content of an object, and the version that `compare_and_swap` compares."""

    data: bytes
    version: str


OnSkip = Callable[[str, str, bool], None]
"""Called for a name that a scan leaves out, with the reason, and whether it should be there."""


class Backend(Protocol):
    """The operations of a place. Names are relative to its root; "" is the root itself."""

    list_calls: int
    """LIST requests (pages) made through this object."""

    def check(self, timeout_s: float) -> None:
        """Fail if the place does not answer within about `timeout_s` seconds, or denies access."""

    def scan(self, relative: str, on_skip: OnSkip | None = None) -> Iterator[ObjectInfo]:
        """Every object in that directory and below, in any order; none if it does not exist.

        With `on_skip`, what cannot be listed is reported to it instead of raising.
        """

    def info(self, relative: str) -> ObjectInfo | None:
        """The object of that name, or None if there is none (or only a directory)."""

    def read(self, relative: str) -> bytes:
        """The whole object.

        Raises:
            FileNotFoundError: there is none.
        """

    def read_versioned(self, relative: str) -> Versioned:
        """The whole object, and the version that `compare_and_swap` compares.

        Raises:
            FileNotFoundError: there is none.
        """

    def open(self, relative: str) -> BinaryIO:
        """A seekable reader of the object."""

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """Write the whole object atomically. Idempotent: it replaces an object of that name."""

    def copy(self, source: str, target: str) -> None:
        """Copy an object, inside the place if it can do that."""

    def compare_and_swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        """Write the object if its version is `version`; None means that there must be no object.

        Returns:
            The new version, or None if the object has another version and nothing was written.
        """

    def has_compare_and_swap(self) -> bool:
        """Whether at most one of several simultaneous `compare_and_swap` succeeds, whatever their timing."""

    def delete(self, relatives: Sequence[str]) -> None:
        """Remove objects; a missing one is no error."""

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """Remove half-written objects of killed writers, whose names `belongs` accepts; returns how many."""


def put_and_read_back(
    backend: Backend, relative: str, data: bytes, version: str | None, read_back_s: float = READ_BACK_S
) -> str | None:
    """`compare_and_swap` for places without one: compare, put, wait, and read back.

    Of several writers the last one reads its own content and wins; all others read that content and lose.
    This is correct only if each writer takes less than `read_back_s` seconds from its comparison to its put,
    and if no two writers write the same content.
    """
    if version != current_version(backend, relative):
        return None
    backend.put(relative, data)
    time.sleep(read_back_s)
    try:
        found = backend.read_versioned(relative)
    except FileNotFoundError:
        return None
    return found.version if found.data == data else None


def current_version(backend: Backend, relative: str) -> str | None:
    """The version that `compare_and_swap` compares; None if there is no object."""
    try:
        return backend.read_versioned(relative).version
    except FileNotFoundError:
        return None


def content_version(data: bytes) -> str:
    """A hash of the content, for places whose own versions are too coarse."""
    return hashlib.sha256(data).hexdigest()
