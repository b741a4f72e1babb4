"""Local paths and URLs: which backend a URL names, and absolute local paths."""

from __future__ import annotations

from pathlib import Path

import fsspec

_LOCAL_PROTOCOLS = ("file", "local")
_S3_PROTOCOLS = ("s3", "s3a")


def is_local(url: str) -> bool:
    """Whether `url` names a local path, with or without ``file://``."""
    return _protocol(url) in _LOCAL_PROTOCOLS


def is_s3(url: str) -> bool:
    """Whether `url` names an S3 bucket or a prefix in one."""
    return _protocol(url) in _S3_PROTOCOLS


def is_hub(url: str) -> bool:
    """Whether `url` names a repository (or a bucket) of the Hugging Face hub."""
    return _protocol(url) == "hf"


def absolute(url: str) -> str:
    """A local path made absolute, because workers run in other directories; any other URL unchanged."""
    if not is_local(url):
        return url
    path = Path(url.removeprefix("file://")).expanduser().absolute()
    return str(path) + ("/" if url.endswith("/") else "")


def _protocol(url: str) -> str:
    """The protocol of a plain URL; "" for a chain of protocols (``simplecache::s3://...``)."""
    return "" if "::" in url else str(fsspec.utils.get_protocol(url))
