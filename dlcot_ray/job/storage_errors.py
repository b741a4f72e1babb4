"""What storage backends raise, told to people in one line with a remedy and without credentials.

Backends agree on little: s3fs maps service codes to OSErrors, aiohttp and botocore raise their own.
They are told apart by base class, errno and, where a class cannot be imported without its package,
by name.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

from dlcot_ray.job.faults import JobError

_SENSITIVE = ("key", "secret", "token", "password", "credential", "auth", "sas")
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError")


class MissingObject(JobError):
    """There is no object (or bucket) of that name."""


def explain(error: Exception, what: str, *, local: bool, secrets: Iterable[str] = ()) -> JobError:
    """One clear line for anything a backend raised.

    Args:
        error: what it raised.
        what: what was tried and where, e.g. ``cannot read s3://bucket/name``.
        local: a local path, so that the remedies speak of paths.
        secrets: texts that must not appear in the line.
    """
    detail = _first_line(error)
    for secret in secrets:
        detail = detail.replace(secret, "***")
    if isinstance(error, FileNotFoundError):
        if local:
            return MissingObject(f"{what}: no such file or directory", "check the path")
        return MissingObject(f"{what}: not found ({detail})", "check the bucket and the name")
    if isinstance(error, PermissionError):
        if local:
            return JobError(f"{what}: permission denied", "choose another path or change its permissions")
        return JobError(f"{what}: refused ({detail})", "check the credentials and the bucket's policy")
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return JobError(f"{what}: no space left", "free some space or choose another path, then run again")
    if number == errno.EROFS:
        return JobError(f"{what}: the file system is read-only", "choose another path")
    if local and isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
        return JobError(
            f"{what}: a file is where a directory should be, or the reverse", "choose another path"
        )
    if isinstance(error, ImportError):
        return JobError(f"{what}: {detail}", "install that package")
    if isinstance(error, ValueError) and "rotocol" in detail:
        return JobError(f"{what}: {detail}", "use a local path, s3://, gs:// or another fsspec URL")
    if type(error).__name__ in _NO_CREDENTIALS:
        return JobError(f"{what}: {detail}", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
    if isinstance(error, ConnectionError | TimeoutError) or "onnect" in type(error).__name__:
        return JobError(f"{what}: {detail}", "check the network and the endpoint, then run again")
    return JobError(f"{what}: {type(error).__name__}: {detail}", "run again; what is finished is kept")


def without_credentials(url: str) -> str:
    """`url` without its ``user:password@`` part."""
    parts = _split(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def secrets_of(url: str, options: Mapping[str, object]) -> list[str]:
    """The texts in a URL and its storage options that must never be printed."""
    found = list(_secrets(options))
    userinfo, at, _ = _split(url).netloc.rpartition("@")
    password = userinfo.partition(":")[2]
    return [*found, password] if at and password else found


def _secrets(options: Mapping[str, object], *, sensitive: bool = False) -> Iterator[str]:
    for key, value in options.items():
        here = sensitive or any(word in str(key).lower() for word in _SENSITIVE)
        if isinstance(value, Mapping):
            yield from _secrets(value, sensitive=here)
        elif here and isinstance(value, str) and len(value) > 3:
            yield value


def _first_line(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.errno and error.strerror:
        text = str(error.strerror)
    return (text.strip().splitlines() or [type(error).__name__])[0][:300]


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
