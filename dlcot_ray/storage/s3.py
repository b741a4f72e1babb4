"""S3 as the backend of a store: a bucket, or a prefix in one.

Listings are read page by page. Conditional puts are tested before use. A reader reads only the version of the
object that it opened.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, cast

import s3fs
from botocore.exceptions import BotoCoreError
from fsspec.caching import ReadAheadCache

from dlcot_ray.storage.backend import (
    READ_AHEAD,
    Belongs,
    ObjectInfo,
    OnSkip,
    Versioned,
    put_and_read_back,
)
from dlcot_ray.storage.failures import code_of
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX
from dlcot_ray.storage.retries import FULL_JITTER, retrying
from dlcot_ray.storage.s3_requests import PART_BYTES, WRITER, Bucket

_CONFLICT_RETRIES = 4
_DELETES_AT_ONCE = 1_000

_LOST = ("PreconditionFailed", "412")
_GONE = ("NoSuchKey", "404")
_CONFLICT = ("ConditionalRequestConflict", "OperationAborted", "409")
_UNKNOWN_HEADER = ("NotImplemented", "501", "InvalidRequest", "InvalidArgument")
_NO_BATCHES = (
    "NotImplemented",
    "501",
    "MissingContentMD5",
    "InvalidRequest",
    "MalformedXML",
    "MethodNotAllowed",
)

_conditional: weakref.WeakKeyDictionary[Any, dict[str, bool]] = weakref.WeakKeyDictionary()
"""Results of the test of conditional puts, per client and bucket."""


class S3Backend:
    """A bucket or a prefix in one; see `Backend` for the methods.

    Args:
        fs: made with `client_options`.
        root: ``bucket`` or ``bucket/prefix``.
        display_url: the same as a URL, for people.
    """

    def __init__(self, fs: s3fs.S3FileSystem, root: str, display_url: str) -> None:
        bucket, prefix, _ = fs.split_path(root)
        self._requests = Bucket(fs, bucket)
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self._display_url = display_url.rstrip("/")
        self.list_calls = 0

    def check(self, timeout_s: float) -> None:
        """See `Backend`: the cheapest request that needs the bucket, credentials and the right to list."""
        self._requests.call("list_objects_v2", Prefix=self._prefix, MaxKeys=1, timeout=timeout_s)

    def scan(self, relative: str, on_skip: OnSkip | None = None) -> Iterator[ObjectInfo]:
        """See `Backend`; pages of 1,000 objects, which are neither kept nor cached."""
        words: dict[str, Any] = {"Prefix": self._directory(relative)}
        while True:
            self.list_calls += 1
            page = self._requests.call("list_objects_v2", **words)
            for item in page.get("Contents", ()):
                name = item["Key"][len(self._prefix) :]
                # Some tools make an object for a directory; its name ends with a slash.
                if name and not name.endswith("/"):
                    yield self._described(name, item["Size"], item.get("ETag"), item.get("LastModified"))
            if not page.get("IsTruncated"):
                return
            words["ContinuationToken"] = page["NextContinuationToken"]

    def info(self, relative: str) -> ObjectInfo | None:
        """See `Backend`."""
        if not self._key(relative):
            return None
        try:
            head = self._requests.call("head_object", Key=self._key(relative))
        except FileNotFoundError:
            return None
        return self._described(relative, head["ContentLength"], head.get("ETag"), head.get("LastModified"))

    def read(self, relative: str) -> bytes:
        """See `Backend`."""
        return self._requests.get(self._key(relative)).data

    def read_versioned(self, relative: str) -> Versioned:
        """See `Backend`; the version is the ETag."""
        return self._requests.get(self._key(relative))

    def open(self, relative: str) -> BinaryIO:
        """See `Backend`; if the object is replaced meanwhile, reading fails instead of mixing both."""
        key = self._key(relative)
        head = self._requests.call("head_object", Key=key)
        return cast(BinaryIO, _Reader(self._requests.get, key, head["ContentLength"], head.get("ETag", "")))

    def put(self, relative: str, data: bytes, timeout_s: float | None = None) -> None:
        """See `Backend`: one request, or several parts that become visible together."""
        if len(data) > 2 * PART_BYTES:
            self._requests.put_in_parts(self._key(relative), data, {})
        else:
            self._requests.call("put_object", Key=self._key(relative), Body=data, timeout=timeout_s)

    def copy(self, source: str, target: str) -> None:
        """See `Backend`: one request, for objects of up to 5 GB."""
        origin = {"Bucket": self._requests.name, "Key": self._key(source)}
        self._requests.call("copy_object", Key=self._key(target), CopySource=origin)

    def compare_and_swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        """See `Backend`."""
        if self.has_compare_and_swap():
            return self._swap(relative, data, version)
        return put_and_read_back(self, relative, data, version)

    def has_compare_and_swap(self) -> bool:
        """See `Backend`: tested once per bucket, because many stores accept the headers and ignore them."""
        known = _conditional.setdefault(self._requests.fs, {})
        if self._requests.name not in known:
            known[self._requests.name] = self._probe()
        return known[self._requests.name]

    def delete(self, relatives: Sequence[str]) -> None:
        """See `Backend`: 1,000 per request if the store supports batches."""
        if len(relatives) == 1:
            self._delete_one(relatives[0])
            return
        for start in range(0, len(relatives), _DELETES_AT_ONCE):
            batch = relatives[start : start + _DELETES_AT_ONCE]
            try:
                self._requests.delete([self._key(relative) for relative in batch])
            except OSError as error:
                if code_of(error) not in _NO_BATCHES:
                    raise
                for relative in batch:
                    self._delete_one(relative)

    def remove_temporary(self, belongs: Belongs, min_age_s: float) -> int:
        """See `Backend`: multipart uploads that were never completed. Their parts are billed as storage."""
        words: dict[str, Any] = {"Prefix": self._prefix}
        removed = 0
        while True:
            try:
                page = self._requests.call("list_multipart_uploads", **words)
            except OSError as error:
                # A writer may lack the right to list uploads, and some stores do not have this request.
                if isinstance(error, PermissionError) or code_of(error) in ("NotImplemented", "501"):
                    return removed
                raise
            for upload in page.get("Uploads", ()):
                begun = upload.get("Initiated")
                young = isinstance(begun, datetime) and time.time() - begun.timestamp() < min_age_s
                if belongs(upload["Key"][len(self._prefix) :]) and not young:
                    self._requests.abort(upload["Key"], upload["UploadId"])
                    removed += 1
            if not page.get("IsTruncated"):
                return removed
            words["KeyMarker"] = page.get("NextKeyMarker", "")
            words["UploadIdMarker"] = page.get("NextUploadIdMarker", "")

    def _key(self, relative: str) -> str:
        return f"{self._prefix}{relative}" if relative else self._prefix.rstrip("/")

    def _directory(self, relative: str) -> str:
        return f"{self._prefix}{relative.strip('/')}/" if relative else self._prefix

    def _described(self, relative: str, size: int, etag: str | None, modified: Any) -> ObjectInfo:
        time_s = modified.timestamp() if isinstance(modified, datetime) else None
        version = (etag or f"{size}-{time_s}").strip('"')
        return ObjectInfo(relative, f"{self._display_url}/{relative}", int(size), version, time_s)

    def _swap(self, relative: str, data: bytes, version: str | None) -> str | None:
        key, writer = self._key(relative), secrets.token_hex(8)
        conditions = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}

        def once() -> str | None:
            try:
                if len(data) > 2 * PART_BYTES:
                    return self._requests.put_in_parts(key, data, conditions)
                words = {"Body": data, "Metadata": {WRITER: writer}, **conditions}
                return str(self._requests.call("put_object", Key=key, **words)["ETag"])
            except OSError as error:
                if code_of(error) in _LOST:
                    # An earlier attempt of this very put may have succeeded and its answer got lost: botocore
                    # repeats requests, and aiohttp below it repeats some without telling.
                    return self._requests.etag_if_written_by(key, writer)
                if code_of(error) in _GONE and version is not None:
                    return None
                raise

        return retrying(_CONFLICT_RETRIES, repeat_if=_is_conflict, pause=FULL_JITTER)(once)

    def _probe(self) -> bool:
        """Test conditional puts: the first must succeed, the next two must fail, the last must succeed."""
        name = f"_probe-{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        try:
            first = self._swap(name, b"1", None)
            if first is None or self._swap(name, b"2", None) is not None:
                return False
            if self._swap(name, b"3", '"00000000000000000000000000000000"') is not None:
                return False
            return self._swap(name, b"4", first) is not None
        except OSError as error:
            if code_of(error) in _UNKNOWN_HEADER:
                return False
            raise
        finally:
            # A bucket that refuses deletes keeps this object: one byte, which `Store.list` leaves out.
            with contextlib.suppress(OSError):
                self._delete_one(name)

    def _delete_one(self, relative: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._requests.call("delete_object", Key=self._key(relative))


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, OSError) and code_of(error) in _CONFLICT


class _Reader(io.RawIOBase):
    """A seekable reader of one version of an object.

    A range request takes as long as `READ_AHEAD` more bytes, so each one reads so far ahead. Without that a
    small Parquet file of many columns costs a request per column.
    """

    def __init__(self, get: Callable[..., Versioned], key: str, size: int, etag: str) -> None:
        self._get, self._key, self._size = get, key, size
        self._only = {"IfMatch": etag} if etag else {}
        self._at = 0
        self._cache = ReadAheadCache(READ_AHEAD, self._fetch, size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        stop = self._size if size is None or size < 0 else min(self._size, self._at + size)
        if stop <= self._at:
            return b""
        data = bytes(self._cache._fetch(self._at, stop))
        self._at = stop
        return data

    def _fetch(self, start: int, stop: int) -> bytes:
        """One range request."""
        try:
            data = self._get(self._key, Range=f"bytes={start}-{stop - 1}", **self._only).data
        except BotoCoreError as error:
            # Code that reads files expects OSError.
            raise OSError(str(error)) from error
        if len(data) != stop - start:
            raise OSError(f"asked for {stop - start} bytes of {self._key}, got {len(data)}")
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
