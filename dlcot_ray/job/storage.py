"""The one storage module: local paths and every fsspec URL behind the same few verbs.

The job needs little of a store (list, read, one atomic put, put-if-absent), so that little is made
exact instead of wide. Local paths take operating system calls directly, because fsspec's local file
system neither syncs nor links; everything else goes through fsspec with its listing cache switched
off, because a cached listing would make a resumed job redo finished work. Objects are put whole from
memory: a work unit is some tens of megabytes, and a single put is what makes it atomic.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.core import url_to_fs
from fsspec.utils import glob_translate

from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.storage_errors import explain, secrets_of, without_credentials

TEMPORARY_SUFFIX = ".dlcot-tmp"
"""Names of half-written local files end with this; nothing else does."""

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
    """

    relative: str
    url: str
    size: int
    version: str


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

    def list(self, prefix: str = "") -> list[ObjectInfo]:
        """Every object whose directory is `prefix` or below, by name; no temporary files.

        A prefix that does not exist has no objects.

        Raises:
            JobError: the store cannot be reached or refuses.
        """
        with self._errors("cannot list", prefix):
            found = self._walk_local(prefix) if self._local else self._walk_remote(prefix)
            return sorted(
                (info for info in found if not info.relative.endswith(TEMPORARY_SUFFIX)),
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
            with self._errors("cannot read", relative):
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
                self._put_local(relative, data, os.replace)
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
                    self._put_local(relative, data, os.link)
                elif self._fs.async_impl or "memory" in self._fs.protocol:
                    self._fs.pipe_file(self._path(relative), data, mode="create")
                elif self._fs.exists(self._path(relative)):
                    return False
                else:
                    self._fs.pipe_file(self._path(relative), data)
            except FileExistsError:
                return False
            except OSError as error:
                # S3 answers "precondition failed", which s3fs reports as EINVAL.
                if error.errno == errno.EINVAL and self.exists(relative):
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
        removed = 0
        with self._errors("cannot clean up"):
            for info in self._walk_local(""):
                path = Path(self._path(info.relative))
                if info.relative.endswith(TEMPORARY_SUFFIX):
                    try:
                        if time.time() - path.stat().st_mtime >= min_age_s:
                            path.unlink()
                            removed += 1
                    except FileNotFoundError:
                        continue
        return removed

    def check_writable(self) -> None:
        """Prove that objects can be written here, before any work is done.

        Raises:
            JobError: they cannot, and why.
        """
        with self._errors("cannot write to the output"):
            if self._local:
                self._put_local(_PROBE, b"", os.replace)
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

    def _put_local(self, relative: str, data: bytes, publish: Callable[[str, str], None]) -> None:
        target = Path(self._path(relative))
        # A second attempt, because another job's clean-up may have taken the temporary file away.
        for attempt in (1, 2):
            target.parent.mkdir(parents=True, exist_ok=True)
            name = f".{target.name[:80]}.{os.getpid()}-{threading.get_ident():x}-{secrets.token_hex(4)}"
            temporary = target.parent / f"{name}{TEMPORARY_SUFFIX}"
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                publish(str(temporary), str(target))
                break
            except FileNotFoundError:
                if attempt == 2:
                    raise
            finally:
                temporary.unlink(missing_ok=True)
        _sync_directory(target.parent)

    def _walk_local(self, prefix: str) -> Iterator[ObjectInfo]:
        top = self._path(prefix)
        for directory, _, names in os.walk(top, onerror=_raise_unless_missing):
            for name in names:
                path = Path(directory, name)
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                if path.is_file():
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
        return ObjectInfo(relative, self.url(relative), stat.st_size, version)

    def _remote_info(self, info: Mapping[str, Any], relative: str) -> ObjectInfo:
        size = int(info.get("size") or 0)
        return ObjectInfo(relative, self.url(relative), size, _version(info, size))

    @contextmanager
    def _errors(self, action: str, relative: str = "") -> Iterator[None]:
        """Turn whatever a backend raises into one clear line."""
        try:
            yield
        except (JobError, InputFault):
            raise
        except Exception as error:
            where = self.url(relative) if hasattr(self, "_root") else without_credentials(self._given)
            raise explain(
                error,
                f"{action} {where}",
                local=is_local(self._given),
                secrets=secrets_of(self._given, self._options),
            ) from error


def is_local(url: str) -> bool:
    """Whether `url` names a local path (with or without ``file://``)."""
    return "::" not in url and fsspec.utils.get_protocol(url) in _LOCAL_PROTOCOLS


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


def _sync_directory(path: Path) -> None:
    """Make a rename durable; a file system that cannot sync a directory is left alone."""
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


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file.

    Attributes:
        store_url: opens the `Store` that holds it; may hold credentials, never print it.
        relative: its name in that store.
        name: names its outputs: the relative path without its suffix, unique within the job.
        size: bytes.
        version: changes when the content does (see `ObjectInfo`).
        label: its full name for people, without credentials.
    """

    store_url: str
    relative: str
    name: str
    size: int
    version: str
    label: str


def find_shards(input_url: str | Sequence[str], options: Mapping[str, object] | None = None) -> list[Shard]:
    """The input files of a job, by name: directories (recursively), single files and globs.

    In directories only ``*.parquet`` counts, and names that begin with ``.`` or ``_`` are skipped as
    Hive and Spark do. A file reached by two inputs is taken once. Two files of one name, from two
    inputs, are told apart by a short hash of where they lie.

    Raises:
        JobError: an input does not exist, holds no shards, or cannot be listed.
    """
    urls = [input_url] if isinstance(input_url, str) else list(input_url)
    if not urls:
        raise JobError("no input given", "set input= to a directory, a Parquet file or a glob")
    found: dict[str, Shard] = {}
    for url in urls:
        for shard in _shards_of(url, options):
            found.setdefault(shard.label, shard)
    names = Counter(shard.name for shard in found.values())
    return sorted(
        (_renamed(shard) if names[shard.name] > 1 else shard for shard in found.values()),
        key=lambda shard: shard.name,
    )


def _shards_of(url: str, options: Mapping[str, object] | None) -> list[Shard]:
    head, _, tail = url.rstrip("/").rpartition("/")
    whole = Store(url, options)
    if tail and not url.endswith("/"):
        parent = Store(head or ("/" if url.startswith("/") else "."), options)
        info = parent.info(tail)
        if info is not None:
            return [_shard(parent, info)]
    if _is_glob(url) and not whole.list():
        return _shards_of_glob(url, options)
    objects = whole.list()
    shards = [_shard(whole, info) for info in objects if _is_shard(info.relative)]
    if not shards:
        seen = f"{len(objects)} other files" if objects else "nothing"
        raise JobError(
            f"no input shards in {whole.label}: looked for *.parquet at any depth, found {seen}",
            "check the path, or give a glob such as data/*.parquet",
        )
    return shards


def _shards_of_glob(url: str, options: Mapping[str, object] | None) -> list[Shard]:
    parts = url.split("/")
    first = next(number for number, part in enumerate(parts) if _is_glob(part))
    pattern = re.compile(glob_translate("/".join(parts[first:])))
    root = "/".join(parts[:first])
    store = Store(root or ("/" if url.startswith("/") else "."), options)
    shards = [_shard(store, info) for info in store.list() if pattern.match(info.relative)]
    if not shards:
        raise JobError(f"no input shards match {without_credentials(url)}", "check the pattern")
    return shards


def _is_glob(text: str) -> bool:
    return any(character in text for character in "*?[")


def _is_shard(relative: str) -> bool:
    parts = PurePosixPath(relative).parts
    return relative.endswith(".parquet") and not any(part.startswith((".", "_")) for part in parts)


def _shard(store: Store, info: ObjectInfo) -> Shard:
    name = info.relative.removesuffix(PurePosixPath(info.relative).suffix)
    return Shard(store.given_url, info.relative, name, info.size, info.version, info.url)


def _renamed(shard: Shard) -> Shard:
    digest = hashlib.sha256(shard.label.encode()).hexdigest()[:8]
    return replace(shard, name=f"{shard.name}-{digest}")
