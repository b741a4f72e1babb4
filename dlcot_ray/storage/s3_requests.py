"""The S3 client and its requests: options, retries, and uploads in parts.

s3fs creates the client, so that its options and the AWS credential chain work as usual. Every request goes
through its `call_s3`. botocore repeats failed requests in its `standard` mode: exponential pauses with full
jitter, a limit, a quota. The retries of s3fs are switched off, because both together take minutes before a
dead endpoint is reported. botocore does not see a body that breaks off after its headers arrived, so such a
request is repeated here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, cast

import s3fs
from aiohttp import ClientPayloadError
from botocore.session import Session
from fsspec.asyn import sync

from dlcot_ray.storage.backend import Versioned
from dlcot_ray.storage.retries import FULL_JITTER, retrying

ATTEMPTS = 5
"""Attempts at each request with the first one, unless AWS_MAX_ATTEMPTS or the profile sets another number. If
10 % of all attempts fail, one request in 100,000 does; a dead endpoint is reported within 15 s."""
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 20
"""Time without data on a connection."""
CONNECTIONS = 16
"""Connections of one process at a time."""
PART_BYTES = 16 << 20
"""Objects of more than twice this size are uploaded in parts, so that a lost connection costs one part."""

_RETRY_VARIABLES = ("AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_PROFILE", "AWS_CONFIG_FILE")
_PARTS_AT_ONCE = 4
_MAX_PARTS = 10_000
_BODY_RETRIES = 4
_DELETE_RETRIES = 4
WRITER = "dlcot-writer"
"""Object metadata by which a writer recognises its own object after a repeated request."""


def client_options(options: Mapping[str, object]) -> dict[str, object]:
    """The s3fs options with defaults added; the given options and the environment take precedence.

    Raises:
        botocore.exceptions.BotoCoreError: the profile does not exist, or its file cannot be read.
    """
    given = cast("Mapping[str, Any]", options.get("config_kwargs") or {})
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": READ_TIMEOUT_S,
        "max_pool_connections": CONNECTIONS,
    }
    client = cast("Mapping[str, Any]", options.get("client_kwargs") or {})
    # All other AWS SDKs read this variable; botocore does not.
    region = os.environ.get("AWS_REGION")
    if region and "region_name" not in given and "region_name" not in client:
        config["region_name"] = region
    if "retries" not in given:
        config["retries"] = _retries(options.get("profile"), *map(os.environ.get, _RETRY_VARIABLES))
    return {**options, "use_listings_cache": False, "config_kwargs": {**config, **given}}


@cache
def _retries(profile: object, *environment: str | None) -> dict[str, Any]:
    # Cached, because reading the profiles takes milliseconds and a job opens a store per input file.
    session = Session(profile=profile)
    mode = session.get_config_variable("retry_mode")
    return {
        "mode": mode if mode in ("standard", "adaptive") else "standard",
        "total_max_attempts": session.get_config_variable("max_attempts") or ATTEMPTS,
    }


class Bucket:
    """Requests to one bucket.

    Args:
        fs: made with `client_options`.
        name: name of the bucket.
    """

    def __init__(self, fs: s3fs.S3FileSystem, name: str) -> None:
        fs.retries = 1
        self.fs = fs
        self.name = name

    def call(self, method: str, **words: Any) -> Any:
        """One request by its botocore name; `timeout` (seconds) includes the retries of botocore.

        botocore repeats a request that gets no answer, and not one whose answer breaks off, as the text of a
        404 may.
        """

        def once() -> Any:
            return self.fs.call_s3(method, Bucket=self.name, **words)

        return retrying(_BODY_RETRIES, repeat_if=_breaks_off, pause=FULL_JITTER)(once)

    def get(self, key: str, **words: Any) -> Versioned:
        """An object or a range of it; the request is repeated if its body breaks off."""

        def once() -> Versioned:
            answer = self.call("get_object", Key=key, **words)
            try:
                return self._received(answer)
            except Exception as error:
                # The request was granted, so any error here is a broken connection.
                raise _BrokenBody(error) from error

        try:
            return retrying(_BODY_RETRIES, repeat_if=_is_broken_body, pause=FULL_JITTER)(once)
        except _BrokenBody as broken:
            raise broken.reason from broken.reason.__cause__

    def _received(self, answer: Mapping[str, Any]) -> Versioned:
        data = cast(bytes, sync(self.fs.loop, _drain, answer["Body"]))
        if len(data) != answer["ContentLength"]:
            raise ConnectionError(f"received {len(data)} of {answer['ContentLength']} bytes")
        return Versioned(data, answer.get("ETag", ""))

    def put_in_parts(self, key: str, data: bytes, conditions: Mapping[str, str]) -> str:
        """Write an object by a multipart upload, which is aborted after any error; returns the ETag."""
        size = max(PART_BYTES, -(-len(data) // _MAX_PARTS))
        writer = secrets.token_hex(8)
        upload = self.call("create_multipart_upload", Key=key, Metadata={WRITER: writer})["UploadId"]

        def send(number: int) -> dict[str, Any]:
            part = data[(number - 1) * size : number * size]
            sent = self.call("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=part)
            return {"PartNumber": number, "ETag": sent["ETag"]}

        try:
            # The block ends when no part is in flight: a part that arrives after an abort would stay.
            with ThreadPoolExecutor(_PARTS_AT_ONCE) as threads:
                parts = list(threads.map(send, range(1, -(-len(data) // size) + 1)))
            try:
                made = self.call(
                    "complete_multipart_upload",
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                    **conditions,
                )
                return str(made["ETag"])
            except OSError:
                # The upload may be complete and only the answer lost. Then the object is ours.
                own = self.etag_if_written_by(key, writer)
                if own is None:
                    raise
                return own
        except BaseException:
            # If the abort fails, too, `remove_temporary` of the next run removes the upload.
            with contextlib.suppress(Exception):
                self.abort(key, upload)
            raise

    def abort(self, key: str, upload: str) -> None:
        """Abort an upload; a missing one is no error."""
        with contextlib.suppress(FileNotFoundError):
            self.call("abort_multipart_upload", Key=key, UploadId=upload)

    def etag_if_written_by(self, key: str, writer: str) -> str | None:
        """The ETag of an object that has `writer` in its metadata, else None."""
        try:
            head = self.call("head_object", Key=key)
        except FileNotFoundError:
            return None
        return str(head["ETag"]) if head.get("Metadata", {}).get(WRITER) == writer else None

    def delete(self, keys: Sequence[str]) -> None:
        """Remove up to 1,000 objects in one request; it is no error if one is missing."""
        remaining = list(keys)

        def once() -> None:
            remaining[:] = self._undeleted(remaining)
            if remaining:
                raise _Undeleted(f"{len(remaining)} objects could not be deleted, among them {remaining[0]}")

        retrying(_DELETE_RETRIES, repeat_if=_is_undeleted, pause=FULL_JITTER)(once)

    def _undeleted(self, keys: Sequence[str]) -> list[str]:
        words = {"Delete": {"Objects": [{"Key": key} for key in keys], "Quiet": True}}
        failed = self.call("delete_objects", **words).get("Errors", ())
        left = [item["Key"] for item in failed if item.get("Code") not in ("NoSuchKey", "404")]
        if left and any(item.get("Code") in ("AccessDenied", "403") for item in failed):
            raise PermissionError(f"deleting {left[0]}: {failed[0].get('Message', 'AccessDenied')}")
        return left


class _BrokenBody(Exception):
    """The body of an answer broke off; `reason` is the error that was raised."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


class _Undeleted(OSError):
    """A request for many deletes left some objects."""


def _breaks_off(error: BaseException) -> bool:
    return isinstance(error, ClientPayloadError)


def _is_broken_body(error: BaseException) -> bool:
    return isinstance(error, _BrokenBody)


def _is_undeleted(error: BaseException) -> bool:
    return isinstance(error, _Undeleted)


async def _drain(body: Any) -> bytes:
    try:
        return cast(bytes, await body.read())
    finally:
        body.close()
