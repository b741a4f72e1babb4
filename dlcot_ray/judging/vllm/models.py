"""Where a judge's model is, and what it is: a local directory, a hub id, or object storage.

The identity takes part in every fingerprint, so it must not load anything: for a directory it is a digest
over the small files and over names, sizes and headers of the weights, for a hub id its name and revision
(pin one: a name alone is whatever the hub serves that day).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import fsspec

from dlcot_ray.judging.protocol import JudgeUnavailable

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")
_HEADER = 65_536
"""Bytes of a weight file that are hashed: a safetensors header names every tensor and its place."""


def model_identity(model: str, revision: str | None = None) -> str:
    """Name and content of a model, without loading it.

    Raises:
        JudgeUnavailable: neither a directory with a model nor a hub id nor a URL.
    """
    if "://" in model:
        return f"{model}@{revision or 'latest'}"
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
    """What vLLM is given: a directory or a hub id. A URL is copied to this machine once.

    Args:
        model: as configured.
        cache: where copies go; None takes ``~/.cache/dlcot_ray/models``.

    Raises:
        JudgeUnavailable: it cannot be had, or its directory lacks what a model needs.
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


def _fetched(url: str, cache: Path) -> Path:
    """A copy of the model at `url`, made by one process and seen by others only when it is whole."""
    target = (
        cache
        / f"{url.rstrip('/').rsplit('/', 1)[-1]}-{hashlib.blake2b(url.encode(), digest_size=6).hexdigest()}"
    )
    if target.is_dir():
        return target
    try:
        files, root = fsspec.core.url_to_fs(url)
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".fetching-", dir=cache))
        try:
            names = [name for name in files.find(root) if not name.endswith("/")]
            if not names:
                raise FileNotFoundError("nothing is there")
            for name in names:
                place = partial / name.removeprefix(root.rstrip("/")).lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                files.get_file(name, str(place))
            try:
                partial.rename(target)
            except OSError:
                # Another process of this machine was faster; its copy is the same.
                if not target.is_dir():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except (OSError, ValueError, ImportError) as error:
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        raise JudgeUnavailable(
            f"the model {url} cannot be fetched ({cause})", "check the URL and credentials"
        ) from error
    return target
