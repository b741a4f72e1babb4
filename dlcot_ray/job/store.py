"""One store: a local directory or any fsspec URL behind the same few verbs.

The job needs little of a store (list, read, one atomic put, put-if-absent), so that little is made
exact instead of wide. Local paths take operating system calls directly, because fsspec's local file
system neither syncs nor links; everything else goes through fsspec with its listing cache switched
off, because a cached listing would make a resumed job redo finished work. Objects are put whole from
memory: a work unit is some tens of megabytes, and a single put is what makes it atomic.
"""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.memory import MemoryFileSystem

from dlcot_ray.job import local_files
from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.local_files import TEMPORARY_SUFFIX
from dlcot_ray.job.storage_errors import explain, secrets_of, without_credentials

_PROBE = f"_writable{TEMPORARY_SUFFIX}"
_LOCAL_PROTOCOLS = ("file", "local")
_ETAG_KEYS = ("ETag", "etag", "generation", "md5Hash", "content_md5")
_TIME_KEYS = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


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
        extra: dict[str, object] = {}
        if not is_local(self._given):
            extra["use_listings_cache"] = False
        with self._errors("cannot open"):
            fs, root = url_to_fs(self._given, **{**extra, **self._options})
        self._fs: Any = fs
        self._local = is_local(self._given)
        self._root = str(root).rstrip("/") or "/"
        if self._local:
            # Absolute from here on: a worker that unpickles it runs in another directory.
            self._given = self._root

    def __getstate__(self) -> dict[str, Any]:
        return {"url": self._given, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given, self._options = state["url"], state["options"]
        self._connect()

    def __repr__(self) -> str:
        return f"Store({self.label!r})"

    @property
    def label(self) -> str:
        """The store's root for people: absolute, without credentials."""
        return self._root if self._local else without_credentials(self._given.rstrip("/"))

    @property
    def given_url(self) -> str:
        """The URL that opens this store again; may hold credentials, never print it."""
        return self._given

    def url(self, relative: str = "") -> str:
        """The full name of an object, for people and manifests (without credentials)."""
        return f"{self.label.rstrip('/')}/{relative}" if relative else self.label

    def list(self, prefix: str = "", *, temporary: bool = False) -> list[ObjectInfo]:
        """Every object whose directory is `prefix` or below, by name; temporary files only if asked for.

        A prefix that does not exist has no objects.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        with self._errors("cannot list", prefix):
            found = self._walk_local(prefix) if self._local else self._walk_remote(prefix)
            return sorted(
                (info for info in found if temporary or not info.relative.endswith(TEMPORARY_SUFFIX)),
                key=lambda info: info.relative,
            )

    def info(self, relative: str = "") -> ObjectInfo | None:
        """The object of that name, or None where there is none (or only a directory)."""
        with self._errors("cannot look up", relative):
            try:
                if self._local:
                    path = Path(self._path(relative))
                    return self._local_info(path.stat(), relative) if path.is_file() else None
                self._fs.invalidate_cache()
                found = self._fs.info(self._path(relative))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return self._remote_info(found, relative) if found.get("type") == "file" else None

    def exists(self, relative: str) -> bool:
        """Whether there is an object (not a directory) of that name."""
        return self.info(relative) is not None

    def is_missing_directory(self) -> bool:
        """True for a local root that does not exist; object stores cannot tell missing from empty."""
        return self._local and not Path(self._root).exists()

    def read_bytes(self, relative: str) -> bytes:
        """The whole object.

        Raises:
            MissingObject: there is none.
            JobError: it cannot be read.
        """
        with self._errors("cannot read", relative):
            if self._local:
                return Path(self._path(relative)).read_bytes()
            return cast(bytes, self._fs.cat_file(self._path(relative)))

    def open(self, relative: str) -> BinaryIO:
        """A seekable reader that fetches only the byte ranges it is asked for.

        Raises:
            InputFault: the object is missing or cannot be read.
        """
        try:
            with self._errors("it cannot be read", None):
                if self._local:
                    return Path(self._path(relative)).open("rb")
                # Parquet readers ask for whole column chunks; readahead would fetch the gaps as well.
                return cast(BinaryIO, self._fs.open(self._path(relative), "rb", cache_type="none"))
        except JobError as error:
            raise InputFault(self.url(relative), error.message, error.remedy) from error

    def put(self, relative: str, data: bytes) -> None:
        """Write one object atomically, replacing what was there: a reader sees the old or the new.

        Raises:
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            if self._local:
                local_files.put(Path(self._path(relative)), data)
            else:
                self._fs.pipe_file(self._path(relative), data)

    def put_if_absent(self, relative: str, data: bytes) -> bool:
        """Write one object unless there is one of that name; True if this call wrote it.

        Atomic on local file systems and on S3; on stores without a conditional put two simultaneous
        writers may both be told True.

        Raises:
            JobError: it cannot be written.
        """
        with self._errors("cannot write", relative):
            try:
                if self._local:
                    local_files.put(Path(self._path(relative)), data, replace=False)
                elif self._puts_conditionally():
                    self._fs.pipe_file(self._path(relative), data, mode="create")
                elif self._fs.exists(self._path(relative)):
                    return False
                else:
                    self._fs.pipe_file(self._path(relative), data)
            except OSError as error:
                # S3 answers "precondition failed", which s3fs reports as EINVAL; and a file that is in
                # the way of a directory raises FileExistsError as well. So look.
                taken = isinstance(error, FileExistsError) or error.errno == errno.EINVAL
                if taken and self.exists(relative):
                    return False
                raise
        return True

    def delete(self, relative: str) -> None:
        """Remove an object; it is no error if there is none."""
        with self._errors("cannot delete", relative):
            try:
                if self._local:
                    Path(self._path(relative)).unlink()
                else:
                    self._fs.rm_file(self._path(relative))
            except FileNotFoundError:
                pass

    def remove_temporary(self, min_age_s: float = 0.0) -> int:
        """Remove half-written local files that killed writers left behind; returns how many.

        Object stores have none: an unfinished put is invisible there. `min_age_s` spares files that
        were modified more recently than that (seconds), in case their writer still lives.
        """
        if not self._local:
            return 0
        with self._errors("cannot clean up"):
            return local_files.remove_temporary(Path(self._root), min_age_s)

    def check_writable(self) -> None:
        """Prove that objects can be written here, before any work is done.

        Raises:
            JobError: they cannot, and why.
        """
        with self._errors("cannot write to the output"):
            if self._local:
                local_files.put(Path(self._path(_PROBE)), b"")
            else:
                self._fs.pipe_file(self._path(_PROBE), b"")
        try:
            self.delete(_PROBE)
        except JobError:
            # Write-once buckets refuse deletes; the probe is empty and is never listed.
            return

    def _path(self, relative: str) -> str:
        if not relative:
            return self._root
        if relative.startswith("/") or ".." in PurePosixPath(relative).parts:
            raise ValueError(f"{relative!r} is not a name below the store's root")
        return f"{self._root.rstrip('/')}/{relative}"

    def _puts_conditionally(self) -> bool:
        """Whether the backend's single put takes ``mode="create"`` (others would swallow the word)."""
        if self._fs.async_impl:
            return "mode" in inspect.signature(self._fs._pipe_file).parameters
        return isinstance(self._fs, MemoryFileSystem)

    def _walk_local(self, prefix: str) -> Iterator[ObjectInfo]:
        for path, stat in local_files.walk(Path(self._path(prefix))):
            yield self._local_info(stat, path.relative_to(self._root).as_posix())

    def _walk_remote(self, prefix: str) -> Iterator[ObjectInfo]:
        self._fs.invalidate_cache()
        top = self._path(prefix)
        try:
            found = self._fs.find(top, detail=True)
        except FileNotFoundError:
            return
        root = str(self._fs._strip_protocol(self._root)).strip("/")
        for name, info in found.items():
            bare = name.strip("/")
            relative = bare[len(root) :].strip("/") if bare.startswith(root) else bare
            if relative and info.get("type", "file") == "file":
                yield self._remote_info(info, relative)

    def _local_info(self, stat: os.stat_result, relative: str) -> ObjectInfo:
        version = f"{stat.st_size}-{stat.st_mtime_ns}"
        return ObjectInfo(relative, self.url(relative), stat.st_size, version, stat.st_mtime)

    def _remote_info(self, info: Mapping[str, Any], relative: str) -> ObjectInfo:
        size = int(info.get("size") or 0)
        return ObjectInfo(relative, self.url(relative), size, _version(info, size), _modified(info))

    @contextmanager
    def _errors(self, action: str, relative: str | None = "") -> Iterator[None]:
        """Turn whatever a backend raises into one clear line; None leaves the name to the caller."""
        try:
            yield
        except (JobError, InputFault):
            raise
        except Exception as error:
            where = self.url(relative or "") if hasattr(self, "_root") else without_credentials(self._given)
            raise explain(
                error,
                action if relative is None else f"{action} {where}",
                local=is_local(self._given),
                secrets=secrets_of(self._given, self._options),
            ) from error


def is_local(url: str) -> bool:
    """Whether `url` names a local path (with or without ``file://``)."""
    return "::" not in url and fsspec.utils.get_protocol(url) in _LOCAL_PROTOCOLS


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
