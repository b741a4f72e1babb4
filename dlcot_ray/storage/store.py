"""One store: a local directory or any fsspec URL behind the same few verbs.

The job needs little of a store (list, read, one atomic put, conditional puts), so that little is made exact
instead of wide, in three backends (`backend.py` says what one is): local paths take operating system calls
directly, because fsspec's local file system neither syncs nor links; S3 has requests of its own, because
generic ones neither replace conditionally nor list without holding everything; the rest goes through
fsspec. Here names are checked, and whatever a backend raises becomes one line. Objects are put whole from
memory: a work unit is some tens of megabytes, and becoming visible at once is what makes it atomic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import fsspec
from fsspec.core import url_to_fs

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.storage.backend import Backend, Belongs, FsspecBackend, ObjectInfo, Versioned
from dlcot_ray.storage.failures import MissingObject, explain, secrets_of, without_credentials
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX, LocalBackend

__all__ = ["ObjectInfo", "Store", "Versioned", "is_local"]

CHECK_S = 12.0
"""How long a place may take to answer when it is asked for the first time."""

_PROBE = f"_writable{TEMPORARY_SUFFIX}"
_LOCAL_PROTOCOLS = ("file", "local")
_S3_PROTOCOLS = ("s3", "s3a")


class Store:
    """A directory or bucket prefix. Cheap to build, safe to pickle and to share between threads.

    Args:
        url: a local path or any fsspec URL (``s3://bucket/prefix``).
        options: fsspec storage options, e.g. ``{"endpoint_url": ...}``; credentials are better left to
            the environment.

    Raises:
        JobError: the protocol is unknown or its package is not installed.
    """

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        self._given = url
        self._options = dict(options or {})
        self._connect()

    def _connect(self) -> None:
        with self._errors("cannot open"):
            self._backend = self._make_backend()

    def _make_backend(self) -> Backend:
        if is_local(self._given):
            _, root = url_to_fs(self._given, **self._options)
            # Absolute from here on: a worker that unpickles it runs in another directory.
            self._given = str(root).rstrip("/") or "/"
            return LocalBackend(self._given)
        if "::" not in self._given and fsspec.utils.get_protocol(self._given) in _S3_PROTOCOLS:
            # Not imported at the top: it brings botocore, half a second that local jobs need not wait.
            from dlcot_ray.storage.s3 import S3Backend
            from dlcot_ray.storage.s3_requests import client_options

            fs, root = url_to_fs(self._given, **client_options(self._options))
            return S3Backend(fs, str(root), self.display_url)
        fs, root = url_to_fs(self._given, **{"use_listings_cache": False, **self._options})
        return FsspecBackend(fs, str(root), self.display_url)

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self._given, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given, self._options = state["url"], state["options"]
        self._connect()

    def __repr__(self) -> str:
        return f"Store({self.display_url!r})"

    @property
    def display_url(self) -> str:
        """The store's root for people: absolute, without credentials."""
        return without_credentials(self._given.rstrip("/")) or "/"

    @property
    def given_url(self) -> str:
        """The URL that opens this store again; may hold credentials, never print it."""
        return self._given

    @property
    def list_calls(self) -> int:
        """LIST requests (pages) made through this object, where the store is an object store."""
        return self._backend.list_calls

    @property
    def options(self) -> Mapping[str, object]:
        """The fsspec options that open this store again."""
        return self._options

    def url(self, relative: str = "") -> str:
        """The full name of an object, for people and manifests (without credentials)."""
        return f"{self.display_url.rstrip('/')}/{relative}" if relative else self.display_url

    def check_readable(self) -> None:
        """Prove that the store answers and lets us list, within about `CHECK_S` seconds.

        Raises:
            JobError: it does not, and why.
        """
        with self._errors("cannot list"):
            self._backend.check(CHECK_S)

    def check_writable(self) -> None:
        """Prove that objects can be written here, before any work is done.

        Raises:
            JobError: they cannot, and why.
        """
        with self._errors("cannot write to the output"):
            self._backend.put(_PROBE, b"", CHECK_S)
        try:
            self.delete(_PROBE)
        except JobError:
            # Write-once buckets refuse deletes; the probe is empty and is never listed.
            return

    def list(self, prefix: str = "", *, temporary: bool = False) -> list[ObjectInfo]:
        """Every object whose directory is `prefix` or below, by name; temporary files only if asked for.

        A prefix that does not exist has no objects.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        return sorted(self.scan(prefix, temporary=temporary), key=lambda info: info.relative)

    def scan(self, prefix: str = "", *, temporary: bool = False) -> Iterator[ObjectInfo]:
        """What `list` gives, in the store's own order and as it comes: nothing is held.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        with self._errors("cannot list", prefix):
            for info in self._backend.scan(_checked(prefix)):
                if temporary or not info.relative.endswith(TEMPORARY_SUFFIX):
                    yield info

    def info(self, relative: str = "") -> ObjectInfo | None:
        """The object of that name, or None where there is none (or only a directory)."""
        with self._errors("cannot look up", relative):
            return self._backend.info(_checked(relative))

    def exists(self, relative: str) -> bool:
        """Whether there is an object (not a directory) of that name."""
        return self.info(relative) is not None

    def is_missing_directory(self) -> bool:
        """True for a local root that does not exist; object stores cannot tell missing from empty."""
        return isinstance(self._backend, LocalBackend) and not Path(self._given).exists()

    def read_bytes(self, relative: str) -> bytes:
        """The whole object.

        Raises:
            MissingObject: there is none.
            JobError: it cannot be read.
        """
        with self._errors("cannot read", relative):
            return self._backend.read(_checked(relative))

    def read_versioned(self, relative: str) -> Versioned | None:
        """The whole object with the version that `put_if_version` compares, or None where there is none.

        Raises:
            JobError: it cannot be read.
        """
        try:
            with self._errors("cannot read", relative):
                return self._backend.read_versioned(_checked(relative))
        except MissingObject:
            return None

    def open(self, relative: str) -> BinaryIO:
        """A seekable reader that fetches only the byte ranges it is asked for.

        Raises:
            InputFault: the object is missing or cannot be read.
        """
        try:
            with self._errors("it cannot be read", None):
                return self._backend.open(_checked(relative))
        except JobError as error:
            raise InputFault(self.url(relative), error.message, error.remedy) from error

    def put(self, relative: str, data: bytes) -> None:
        """Write one object atomically, replacing what was there: a reader sees the old or the new.

        Raises:
            StoreRefused: the store will not have it, however often it is tried.
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            self._backend.put(_checked(relative), data)

    def copy(self, source: str, target: str) -> None:
        """Copy one object within the store, replacing what was there, without moving its bytes through here.

        On local file systems the two share their bytes (a hard link), which is safe because objects are
        only ever replaced whole.

        Raises:
            MissingObject: there is no `source`.
            JobError: it cannot be copied.
        """
        with self._errors("cannot copy", source):
            self._backend.copy(_checked(source), _checked(target))

    def put_if_absent(self, relative: str, data: bytes) -> bool:
        """Write one object unless there is one of that name; True if this call wrote it.

        Of several simultaneous writers at most one is told True; `puts_conditionally` says what that
        rests on.

        Raises:
            JobError: it cannot be written.
        """
        return self.put_if_version(relative, data, None) is not None

    def put_if_version(self, relative: str, data: bytes, version: str | None) -> str | None:
        """Replace one object if it is still as it was read: a pointer, or a lease.

        Args:
            relative: its name. Whoever writes it must do so by this function, never by `put`.
            data: the new content; of its writer alone (an id or a time in it), so that two writers
                never write the same.
            version: from `read_versioned` or an earlier call; None: there must be no such object.

        Returns:
            The version of what was written, or None where someone else was first and nothing was.

        Raises:
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            return self._backend.put_if(_checked(relative), data, version)

    def puts_conditionally(self) -> bool:
        """Whether the store itself decides between simultaneous writers.

        True for local files and for stores that honour conditional puts, which is tried out, not believed.
        Where it is False, `put_if_version` looks, puts, waits and looks again, which is safe only as long
        as every writer takes less than `backend.SETTLE_S` seconds for that.

        Raises:
            JobError: the store cannot be asked.
        """
        with self._errors("cannot write"):
            return self._backend.puts_conditionally()

    def delete(self, relative: str) -> None:
        """Remove an object; it is no error if there is none."""
        with self._errors("cannot delete", relative):
            self._backend.delete([_checked(relative)])

    def delete_all(self, relatives: Sequence[str]) -> None:
        """Remove many objects, in batches where the store takes them; missing ones are no error."""
        with self._errors("cannot delete from"):
            self._backend.delete([_checked(relative) for relative in relatives])

    def remove_temporary(self, min_age_s: float = 0.0, belongs: Belongs = bool) -> int:
        """Remove what killed writers left half-written; returns how many.

        That is temporary files in a directory, and unfinished multipart uploads in a bucket.

        Args:
            min_age_s: spares what was begun more recently than that (seconds), in case its writer lives.
            belongs: says of a name in a bucket whether it is one of ours; in a directory the temporary
                names tell.
        """
        with self._errors("cannot clean up"):
            return self._backend.remove_temporary(belongs, min_age_s)

    @contextmanager
    def _errors(self, action: str, relative: str | None = "") -> Iterator[None]:
        """Turn whatever a backend raises into one clear line; None leaves the name to the caller."""
        try:
            yield
        except (JobError, InputFault):
            raise
        except Exception as error:
            raise explain(
                error,
                action if relative is None else f"{action} {self.url(relative)}",
                local=is_local(self._given),
                secrets=secrets_of(self._given, self._options),
            ) from error


def _checked(relative: str) -> str:
    if relative.startswith("/") or ".." in PurePosixPath(relative).parts:
        raise ValueError(f"{relative!r} is not a name below the store's root")
    return relative


def is_local(url: str) -> bool:
    """Whether `url` names a local path (with or without ``file://``)."""
    return "::" not in url and fsspec.utils.get_protocol(url) in _LOCAL_PROTOCOLS


def absolute(url: str) -> str:
    """A local path made absolute, because workers have working directories of their own."""
    if not is_local(url):
        return url
    path = Path(url.removeprefix("file://")).expanduser().absolute()
    return str(path) + ("/" if url.endswith("/") else "")
