"""Location and identity of a judge's model: a local directory, a hub id, or object storage.

In: a model as configured. Out: its identity, or a path that vLLM can load. The identity is part of every
fingerprint and must not load the model. For a directory it is a digest over the small files and over names,
sizes and headers of the weights; for object storage, over names, sizes and ETags. A hub id is identified by
name and revision: pin the revision, because a name alone means whatever the hub serves that day.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from dlcot_ray.errors import reason_of
from dlcot_ray.judging.protocol import JudgeUnavailable

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")
_HEADER = 65_536
"""Bytes of a weight file that are hashed: a safetensors header names every tensor and its place."""


def model_identity(model: str, revision: str | None = None) -> str:
    """Name and content of a model, without loading it.

    Raises:
        JudgeUnavailable: neither a directory with a model nor a hub id nor a URL with one.
    """
    if "://" in model:
        return f"{model}@{_listing_digest(_listed(model)[1])}"
    path = Path(model).expanduser()
    if model and path.is_dir():
        return f"{path.resolve().name}@{_digest(path)}"
    if model.startswith((".", "/", "~")) or not _HUB_ID.fullmatch(model) or model.startswith("models/"):
        raise JudgeUnavailable(
            f"there is no model at {model or '(none is set)'}",
            "set judge_options.model to a directory, a hub id (owner/name) or a URL; "
            "scripts/get_model.py installs a small one",
        )
    return f"{model}@{revision or 'main'}"


def local_model(model: str, cache: str | None = None) -> str:
    """The directory or hub id for vLLM. A model at a URL is copied to this machine once.

    Args:
        model: as configured.
        cache: where copies go; None takes ``~/.cache/dlcot_ray/models``.

    Raises:
        JudgeUnavailable: it cannot be fetched, or its directory is incomplete.
    """
    if "://" in model:
        model = str(_fetched(model, Path(cache).expanduser() if cache else _default_cache()))
    path = Path(model).expanduser()
    if not path.is_dir():
        model_identity(model)
        return model
    if not (path / "config.json").is_file():
        raise JudgeUnavailable(f"{path} holds no config.json", "give a Hugging Face model directory")
    if not any(file.suffix in _WEIGHTS for file in path.iterdir()):
        raise JudgeUnavailable(
            f"{path} holds no weights (*.safetensors)", "download the model again: its copy is incomplete"
        )
    return str(path)


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path.iterdir()):
        if not file.is_file() or file.suffix in (".md", ".lock") or file.name.startswith("."):
            continue
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_HEADER) if file.suffix in _WEIGHTS else stream.read())
    return digest.hexdigest()


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "dlcot_ray" / "models"


_Listing = dict[str, dict[str, Any]]
"""Name below the URL -> what the store says of the object."""


def _listed(url: str) -> tuple[Any, _Listing]:
    """The store of a URL, and the objects below it."""
    try:
        files, root = fsspec.core.url_to_fs(url)
        files.invalidate_cache()
        found = files.find(root, detail=True)
        names = {name.removeprefix(root.rstrip("/")).lstrip("/"): info for name, info in found.items()}
        listing = {name: info for name, info in names.items() if name and info["type"] == "file"}
        if not listing:
            raise FileNotFoundError("nothing is there")
    except Exception as error:
        # Stores raise their own kinds of errors; those of botocore are no OSErrors.
        raise _unfetched(url, error) from error
    return files, listing


def _listing_digest(listing: _Listing) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, info in sorted(listing.items()):
        version = info.get("ETag") or info.get("etag") or info.get("md5Hash") or ""
        digest.update(f"{name}\0{info['size']}\0{version}\0".encode())
    return digest.hexdigest()


def _fetched(url: str, cache: Path) -> Path:
    """A copy of the model at `url` as it is now, made by one process of this machine while others wait."""
    files, listing = _listed(url)
    name = url.rstrip("/").rsplit("/", 1)[-1]
    place = hashlib.blake2b(url.encode(), digest_size=6).hexdigest()
    target = cache / f"{name}-{place}-{_listing_digest(listing)}"
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f".{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                _copy(files, listing, target)
    except Exception as error:
        raise _unfetched(url, error) from error
    return target


def _copy(files: Any, listing: _Listing, target: Path) -> None:
    """Fetch into a directory beside `target`, and rename it when it is complete."""
    partial = Path(tempfile.mkdtemp(prefix=".fetching-", dir=target.parent))
    try:
        for name, info in listing.items():
            if ".." in PurePosixPath(name).parts or name.startswith("/"):
                raise ValueError(f"{name!r} is not a name below the model")
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            files.get_file(info["name"], str(partial / name))
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unfetched(url: str, error: Exception) -> JudgeUnavailable:
    cause = reason_of(error, 200)
    return JudgeUnavailable(f"the model {url} cannot be fetched ({cause})", "check the URL and credentials")
