"""Errors of storage backends, explained in one line with a remedy and without credentials.

The errors of backends differ: s3fs maps service codes to OSErrors (the code itself is in the cause), aiohttp
and botocore raise their own. They are classified by the service's code, the base class and errno. A class
that cannot be imported without its package is matched by name. An error that another attempt cannot avoid is
a `StoreRefused`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

from dlcot_ray.credentials import environment_secrets, redacted, secrets_in
from dlcot_ray.errors import JobError, reason_of

_NO_CREDENTIALS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "SSOTokenLoadError",
    "UnauthorizedSSOTokenError",
    "ProfileNotFound",
)
_CONNECTION = (
    "SSLError",
    "HTTPClientError",
    "ReadTimeoutError",
    "ClientPayloadError",
    "ResponseStreamingError",
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_PUTS = (*_FULL, errno.EROFS)
_REFUSED_CODES = {
    "ExpiredToken": "the credentials have expired: renew them, then run again",
    "ExpiredTokenException": "the credentials have expired: renew them, then run again",
    "TokenRefreshRequired": "the credentials have expired: renew them, then run again",
    "InvalidToken": "the session token is not valid: renew the credentials, then run again",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID or the profile",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY or the profile",
    "RequestTimeTooSkewed": "set this machine's clock",
    "NoSuchBucket": "check the bucket's name and the endpoint",
    "InvalidBucketName": "check the bucket's name",
    "AllAccessDisabled": "choose another bucket",
    "PermanentRedirect": "set AWS_REGION to the bucket's region, and check the endpoint",
    "AuthorizationHeaderMalformed": "set AWS_REGION to the bucket's region",
    "IllegalLocationConstraintException": "set AWS_REGION to the bucket's region",
    "QuotaExceeded": "free some space or choose another place, then run again",
    "InsufficientStorage": "free some space or choose another place, then run again",
    "XMinioStorageFull": "free some space or choose another place, then run again",
}
"""S3 error codes that another attempt cannot avoid, and the remedy for each."""
_HUB_REFUSALS = (
    "RepositoryNotFoundError",
    "GatedRepoError",
    "DisabledRepoError",
    "RevisionNotFoundError",
    "BucketNotFoundError",
)
_HUB_REMEDY = "check the repository and the revision; set HF_TOKEN if it is private or gated"
_SHORTER = "choose an output with a shorter path, or give the input shorter names"
_BUSY = ("SlowDown", "ServiceUnavailable", "503", "RequestLimitExceeded", "TooManyRequests", "429")


class MissingObject(JobError):
    """There is no object of that name."""


class StoreRefused(JobError):
    """Another attempt would be refused, too: credentials, rights, a missing bucket, no space."""


def explain(error: Exception, what: str, *, local: bool, secrets: Iterable[str] = ()) -> JobError:
    """The error of a backend as one clear line.

    Args:
        error: from the backend.
        what: what failed and where, e.g. ``cannot read s3://bucket/name``.
        local: whether it is a local path, so that the remedies are about paths.
        secrets: texts that are replaced by ``***``.
    """
    strerror = error.strerror if isinstance(error, OSError) and error.errno else None
    detail = redacted(strerror, secrets) if strerror else reason_of(error, line=0, secrets=secrets)
    return _of_files(error, what, detail) if local else _of_service(error, what, detail)


def is_refused(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, is a refusal: another attempt would end the same way."""
    while error is not None:
        refused = isinstance(error, StoreRefused | PermissionError) or code_of(error) in _REFUSED_CODES
        if refused or (isinstance(error, OSError) and error.errno in _NO_PUTS):
            return True
        error = error.__cause__
    return False


def code_of(error: BaseException) -> str:
    """The service's code for an error (``NoSuchKey``, ``404``), or an empty string."""
    for candidate in (error, error.__cause__):
        response = getattr(candidate, "response", None)
        if isinstance(response, Mapping):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _of_files(error: Exception, what: str, detail: str) -> JobError:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, FileNotFoundError):
        return MissingObject(f"{what}: no such file or directory", "check the path")
    if isinstance(error, PermissionError):
        return StoreRefused(f"{what}: permission denied", "choose another path or change its permissions")
    if number in _FULL:
        return StoreRefused(
            f"{what}: no space left", "free some space or choose another path, then run again"
        )
    if number == errno.EROFS:
        return StoreRefused(f"{what}: the file system is read-only", "choose another path")
    if isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
        return StoreRefused(
            f"{what}: a file is where a directory should be, or the reverse", "choose another path"
        )
    if number == errno.ENAMETOOLONG:
        return JobError(f"{what}: the name is too long", _SHORTER)
    return JobError(f"{what}: {type(error).__name__}: {detail}", "run again; what is finished is kept")


def _of_service(error: Exception, what: str, detail: str) -> JobError:
    code, name = code_of(error), type(error).__name__
    if code in _REFUSED_CODES:
        return StoreRefused(f"{what}: {code} ({detail})", _REFUSED_CODES[code])
    if _is_of_hub(error):
        return StoreRefused(f"{what}: {detail}", _HUB_REMEDY)
    if name == "NoByteRanges":
        return StoreRefused(f"{what}: {detail}", "copy the file to a disk or a bucket")
    if isinstance(error, FileNotFoundError):
        return MissingObject(f"{what}: not found ({detail})", "check the bucket and the name")
    if isinstance(error, PermissionError):
        return StoreRefused(f"{what}: refused ({detail})", "check the credentials and the bucket's policy")
    if name == "ClientResponseError" and getattr(error, "status", 0) in (401, 403):
        return StoreRefused(
            f"{what}: refused ({detail})", "check the URL: a user is missing, or its signature has expired"
        )
    if isinstance(error, OSError) and error.errno in _FULL:
        return StoreRefused(
            f"{what}: no space left", "free some space or choose another place, then run again"
        )
    if isinstance(error, ImportError):
        return StoreRefused(f"{what}: {detail}", "install that package")
    if isinstance(error, ValueError) and "rotocol" in detail:
        return StoreRefused(f"{what}: {detail}", "use a local path, s3://, gs:// or another fsspec URL")
    if name in _NO_CREDENTIALS:
        return StoreRefused(
            f"{what}: {detail}", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        )
    if code == "KeyTooLongError":
        return JobError(f"{what}: the key is too long", _SHORTER)
    if code in _BUSY:
        return JobError(
            f"{what}: the store is overloaded ({detail})", "run again later or with fewer workers"
        )
    if isinstance(error, TimeoutError):
        return JobError(f"{what}: no answer in time", "check the network and the endpoint, then run again")
    if isinstance(error, ConnectionError) or "onnect" in name or name in _CONNECTION:
        return JobError(f"{what}: {detail}", "check the network and the endpoint, then run again")
    return JobError(f"{what}: {code or name}: {detail}", "run again; what is finished is kept")


def _is_of_hub(error: BaseException | None) -> bool:
    """Whether the Hugging Face hub knows no such repository, or hides it from this token."""
    while error is not None:
        if type(error).__name__ in _HUB_REFUSALS:
            return True
        error = error.__cause__
    return False


def without_credentials(url: str) -> str:
    """`url` without its ``user:password@`` part, and with ``***`` for the signature of a presigned URL."""
    parts = _split(url)
    if "@" in parts.netloc:
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return redacted(url)


def secrets_of(url: str, options: Mapping[str, object]) -> list[str]:
    """The secrets in a URL and its storage options, which must never be printed."""
    found = [*secrets_in(options), *environment_secrets()]
    userinfo, at, _ = _split(url).netloc.rpartition("@")
    password = userinfo.partition(":")[2]
    return [*found, password] if at and password else found


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
