"""Local paths and URLs: which backend a URL names, and absolute local paths."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath

import fsspec

_LOCAL_PROTOCOLS = ("file", "local")
_S3_PROTOCOLS = ("s3", "s3a")
_ALIASES = {"s3a": "s3", "gcs": "gs", "abfss": "abfs", "az": "abfs"}
"""Other names of a protocol."""


def is_local(url: str) -> bool:
    """Whether `url` names a local path, with or without ``file://``."""
    return _protocol(url) in _LOCAL_PROTOCOLS


def is_s3(url: str) -> bool:
    """Whether `url` names an S3 bucket or a prefix in one."""
    return _protocol(url) in _S3_PROTOCOLS


def is_hub(url: str) -> bool:
    """Whether `url` names a repository (or a bucket) of the Hugging Face hub."""
    return _protocol(url) == "hf"


def normal_form(url: str) -> str:
    """One spelling of a place, to compare places with each other; it need not open.

    Local paths are resolved: links, ``..``, ``~`` and ``file://`` are gone. Other URLs lose ``.``, ``..`` and
    doubled slashes, other names of their protocol (``s3a://``), chained protocols, user names, and the
    revision of a hub's repository.
    """
    if is_local(url):
        return str(Path(_without_protocol(url)).expanduser().resolve())
    protocol, _, place = url.rpartition("::")[2].partition("://")
    place = place.rpartition("@")[2] if "@" in place.partition("/")[0] else place
    if protocol == "hf":
        place = re.sub(r"@[^/]*", "", place)
    path = posixpath.normpath(f"/{place}").lstrip("/")
    return f"{_ALIASES.get(protocol, protocol)}://{path}"


def _without_protocol(url: str) -> str:
    for protocol in _LOCAL_PROTOCOLS:
        url = url.removeprefix(f"{protocol}://").removeprefix(f"{protocol}:")
    return url


def absolute(url: str) -> str:
    """A local path made absolute, because workers run in other directories; any other URL unchanged."""
    if not is_local(url):
        return url
    path = Path(_without_protocol(url)).expanduser().absolute()
    return str(path) + ("/" if url.endswith("/") else "")


def below_root(relative: str) -> str:
    """A name below the root of a store, as it is.

    Raises:
        ValueError: it leads out of the root.
    """
    if relative.startswith("/") or ".." in PurePosixPath(relative).parts:
        raise ValueError(f"{relative!r} is not a name below the store's root")
    return relative


def _protocol(url: str) -> str:
    """The protocol of a plain URL; "" for a chain of protocols (``simplecache::s3://...``)."""
    return "" if "::" in url else str(fsspec.utils.get_protocol(url))
