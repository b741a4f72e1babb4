"""One store: a local directory or any fsspec URL, with the same few operations.

List, read, an atomic put, and compare-and-swap mean the same on three backends (`backend.py`):

- local paths use operating system calls, because fsspec's local file system neither syncs nor links;
- S3 has requests of its own, because fsspec's cannot replace conditionally, and hold all names of a listing;
- everything else goes through fsspec.

This module checks names, and turns the errors of all backends into one clear line. Objects are written whole,
from memory: a work unit has some tens of megabytes, and a single visible change is what makes a put atomic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.storage.backend import Belongs, ObjectInfo, OnSkip, Versioned
from dlcot_ray.storage.failures import MissingObject, explain, secrets_of, without_credentials
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX, LocalBackend
from dlcot_ray.storage.opening import open_backend, pinned
from dlcot_ray.storage.urls import below_root, is_local, is_s3

__all__ = ["ObjectInfo", "Store", "Versioned"]

CHECK_S = 12.0
"""How long a store may take for its first answer (seconds)."""
_PROBE = f"_writable{TEMPORARY_SUFFIX}"


class Store:
    """A directory or bucket prefix. It is cheap to create, can be pickled, and can be used by many threads.

    Args:
        url: a local path or any fsspec URL (``s3://bucket/prefix``).
        options: fsspec storage options, e.g. ``{"endpoint_url": ...}``. Credentials should come from the
            environment instead.

    Raises:
        JobError: the protocol is unknown or its package is not installed.
    """

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        self._given = url
        self._options = dict(options or {})
        self._connect()

    def _connect(self) -> None:
        with self._errors("cannot open"):
            # The URL of a local path becomes absolute, because a worker that unpickles the store runs in
            # another directory.
            self._backend, self._given = open_backend(self._given, self._options)

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self._given, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given, self._options = state["url"], state["options"]
        self._connect()

    def __repr__(self) -> str:
        return f"Store({self.display_url!r})"

    @property
    def display_url(self) -> str:
        """The root for people: absolute, without credentials."""
        return without_credentials(self._given.rstrip("/")) or "/"

    @property
    def given_url(self) -> str:
        """The URL that opens this store again. It may contain credentials, so never print it."""
        return self._given

    @property
    def list_calls(self) -> int:
        """LIST requests (pages) made through this object; 0 for local files."""
        return self._backend.list_calls

    @property
    def options(self) -> Mapping[str, object]:
        """The fsspec options that open this store again."""
        return self._options

    def url(self, relative: str = "") -> str:
        """The full name of an object for people and manifests, without credentials."""
        if not relative:
            return self.display_url
        url = f"{self.display_url.rstrip('/')}/{relative}"
        # The key of an object in a bucket is no query.
        return url if is_local(self._given) or is_s3(self._given) else without_credentials(url)

    def pinned(self) -> tuple[Store, str]:
        """A store of the same content that no later commit changes, and the commit that it reads.

        Only repositories of the Hugging Face hub have commits; any other store returns itself and "".

        Raises:
            JobError: the repository cannot be looked up.
        """
        with self._errors("cannot look up"):
            url, commit = pinned(self._given, self._options)
        return (Store(url, self._options), commit) if commit else (self, "")

    def check_readable(self) -> None:
        """Check that the store answers and can be listed, within about `CHECK_S` seconds.

        Raises:
            JobError: it cannot, and why.
        """
        with self._errors("cannot list"):
            self._backend.check(CHECK_S)

    def check_writable(self) -> None:
        """Check that objects can be written, before any work is done.

        Raises:
            JobError: they cannot, and why.
        """
        with self._errors("cannot write to the output"):
            self._backend.put(_PROBE, b"", CHECK_S)
        # Write-once buckets refuse deletes. The probe is empty, and `list` leaves it out.
        with suppress(JobError):
            self.delete(_PROBE)

    def list(
        self, prefix: str = "", *, temporary: bool = False, on_skip: OnSkip | None = None
    ) -> list[ObjectInfo]:
        """Every object in the directory `prefix` or below, sorted by name; none if it does not exist.

        Args:
            prefix: the directory.
            temporary: include half-written files.
            on_skip: called for what is left out; a directory that cannot be read raises without it.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        return sorted(self.scan(prefix, temporary=temporary, on_skip=on_skip), key=lambda info: info.relative)

    def scan(
        self, prefix: str = "", *, temporary: bool = False, on_skip: OnSkip | None = None
    ) -> Iterator[ObjectInfo]:
        """Like `list`, in the order of the store and page by page, so that memory stays bounded.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        with self._errors("cannot list", prefix):
            for info in self._backend.scan(below_root(prefix), on_skip):
                if temporary or not info.relative.endswith(TEMPORARY_SUFFIX):
                    yield info

    def info(self, relative: str = "") -> ObjectInfo | None:
        """The object of that name, or None if there is none (or only a directory)."""
        with self._errors("cannot look up", relative):
            return self._backend.info(below_root(relative))

    def exists(self, relative: str) -> bool:
        """Whether there is an object (not a directory) of that name."""
        return self.info(relative) is not None

    def is_missing_directory(self) -> bool:
        """True for a local root that does not exist; an object store does not know missing from empty."""
        return isinstance(self._backend, LocalBackend) and not Path(self._given).exists()

    def read_bytes(self, relative: str) -> bytes:
        """The whole object.

        Raises:
            MissingObject: there is none.
            JobError: it cannot be read.
        """
        with self._errors("cannot read", relative):
            return self._backend.read(below_root(relative))

    def read_versioned(self, relative: str) -> Versioned | None:
        """The whole object and the version that `compare_and_swap` compares, or None if there is none.

        Raises:
            JobError: it cannot be read.
        """
        try:
            with self._errors("cannot read", relative):
                return self._backend.read_versioned(below_root(relative))
        except MissingObject:
            return None

    def open(self, relative: str) -> BinaryIO:
        """A seekable reader that fetches only the byte ranges that are read.

        Raises:
            InputFault: the object is missing or cannot be read.
        """
        try:
            with self._errors("it cannot be read", None):
                return self._backend.open(below_root(relative))
        except JobError as error:
            raise InputFault(self.url(relative), error.message, error.remedy) from error

    def put(self, relative: str, data: bytes) -> None:
        """Write one object atomically: a reader sees the old object or the new one. Idempotent.

        Raises:
            StoreRefused: another attempt would be refused, too.
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            self._backend.put(below_root(relative), data)

    def copy(self, source: str, target: str) -> None:
        """Copy one object within the store; an object of the target's name is replaced. Idempotent.

        An object store copies the bytes itself. On local file systems both names share the bytes (a hard
        link), which is safe because objects are only ever replaced as a whole.

        Raises:
            MissingObject: there is no `source`.
            JobError: it cannot be copied.
        """
        with self._errors("cannot copy", source):
            self._backend.copy(below_root(source), below_root(target))

    def put_if_absent(self, relative: str, data: bytes) -> bool:
        """Write one object unless there is one of that name; True if this call wrote it.

        At most one of several simultaneous calls returns True; `has_compare_and_swap` names the condition.

        Raises:
            JobError: it cannot be written.
        """
        return self.compare_and_swap(relative, data, None) is not None

    def compare_and_swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        """Replace one object if its version is still the one that was read (for pointers and leases).

        Args:
            relative: its name. All writers of this object must use this method, never `put`.
            data: the new content. It must be unique to its writer (contain an id or a time), so that two
                writers never write the same.
            version: from `read_versioned` or an earlier call; None means that there must be no such object.

        Returns:
            The new version, or None if the object has another version and nothing was written.

        Raises:
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            return self._backend.compare_and_swap(below_root(relative), data, version)

    def has_compare_and_swap(self) -> bool:
        """Whether the store itself orders simultaneous writers.

        True for local files, and for stores that pass a test of conditional puts. If it is False,
        `compare_and_swap` compares, puts, waits and reads back. That is correct only if every writer takes
        less than `backend.READ_BACK_S` seconds for its comparison and put.

        Raises:
            JobError: the test cannot be made.
        """
        with self._errors("cannot write"):
            return self._backend.has_compare_and_swap()

    def delete(self, relative: str) -> None:
        """Remove an object; a missing one is no error."""
        with self._errors("cannot delete", relative):
            self._backend.delete([below_root(relative)])

    def delete_all(self, relatives: Sequence[str]) -> None:
        """Remove many objects, in batches if the store supports them; missing ones are no error."""
        with self._errors("cannot delete from"):
            self._backend.delete([below_root(relative) for relative in relatives])

    def remove_temporary(self, min_age_s: float = 0.0, belongs: Belongs = bool) -> int:
        """Remove what killed writers left: temporary files, or unfinished multipart uploads in a bucket.

        Args:
            min_age_s: younger ones (seconds) are kept, because their writer may still run.
            belongs: whether an object of that name in the bucket is one that dlcot writes. In a directory,
                temporary files have names of their own.

        Returns:
            How many were removed.
        """
        with self._errors("cannot clean up"):
            return self._backend.remove_temporary(belongs, min_age_s)

    @contextmanager
    def _errors(self, action: str, relative: str | None = "") -> Iterator[None]:
        """Turn any error of a backend into one clear line; with None, the line leaves out the name."""
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
