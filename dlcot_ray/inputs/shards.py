"""Finds the input files of a job (its shards), names them, and opens them.

Shards are found once, at planning time. Their names come from where they lie below the place that the user
gave. So the names of outputs do not depend on the machine, nor on what else is in the directory.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fsspec.utils import glob_translate

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.readers.protocol import FileMetadata, Reader
from dlcot_ray.inputs.readers.registry import open_reader, stem_of, suffix_list, suffix_of
from dlcot_ray.storage.backend import ObjectInfo
from dlcot_ray.storage.failures import without_credentials
from dlcot_ray.storage.store import Store


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file.

    Attributes:
        store_url: URL of the `Store` that holds it. It may contain credentials: never print it.
        relative: its name in that store.
        name: the name of its outputs: the relative path without its suffix, unique within the job.
        size: in bytes.
        version: changes when the content does (see `ObjectInfo`).
        file: its full name for messages, without credentials.
    """

    store_url: str
    relative: str
    name: str
    size: int
    version: str
    file: str


def find_shards(input_url: str | Sequence[str], options: Mapping[str, object] | None = None) -> list[Shard]:
    """The input files of a job, ordered by name.

    In directories, which are searched at any depth, only files with a registered suffix count. Names that
    begin with ``.`` or ``_`` are skipped, as Hive and Spark do. A file that two inputs contain is taken once.
    If two files have the same name, a short hash of their place is appended to both names.

    Args:
        input_url: directories, files and globs.
        options: fsspec options of their stores.

    Raises:
        JobError: an input does not exist, holds no shards, or cannot be listed.
    """
    urls = [input_url] if isinstance(input_url, str) else list(input_url)
    if not urls:
        raise JobError("no input given", "set input= to a directory, a file or a glob")
    found: dict[str, Shard] = {}
    for url in urls:
        for shard in _shards_of(url, options):
            found.setdefault(shard.file, shard)
    names = Counter(shard.name for shard in found.values())
    return sorted(
        (_renamed(shard) if names[shard.name] > 1 else shard for shard in found.values()),
        key=lambda shard: shard.name,
    )


def open_shard(
    shard: Shard, options: Mapping[str, object] | None = None, known: FileMetadata | None = None
) -> Reader:
    """Open an input file. The caller closes the reader.

    Args:
        shard: the file.
        options: fsspec options of its store.
        known: its metadata, or that of the part that is to be read, if it is known.

    Raises:
        InputFault: it is missing, or cannot be read.
    """
    return open_reader(Store(shard.store_url, options), shard.relative, shard.file, known)


def _shards_of(url: str, options: Mapping[str, object] | None) -> list[Shard]:
    whole = Store(url, options)
    whole.check_readable()
    head, slash, tail = url.rpartition("/")
    if tail and not head.endswith(":/"):
        parent = Store(_root(head, slash), options)
        info = parent.info(tail)
        if info is not None:
            return [_shard(parent, info)]
    objects = whole.list()
    if not objects and _is_glob(url):
        return _shards_of_glob(url, options)
    shards = [_shard(whole, info) for info in objects if _is_shard(info.relative)]
    if not shards:
        if not objects and whole.is_missing_directory():
            raise JobError(f"input {whole.display_url} does not exist", "check the path")
        seen = f"{len(objects)} other files" if objects else "nothing"
        raise JobError(
            f"no input shards in {whole.display_url}: looked for {suffix_list()} at any depth, found {seen}",
            "check the path (and bucket), or give a glob such as data/*.parquet",
        )
    return shards


def _shards_of_glob(url: str, options: Mapping[str, object] | None) -> list[Shard]:
    parts = url.split("/")
    first = next(number for number, part in enumerate(parts) if _is_glob(part))
    wanted = parts[first:]
    pattern = re.compile(glob_translate("/".join(wanted)))
    named_hidden = any(part.startswith((".", "_")) for part in wanted)
    store = Store(_root("/".join(parts[:first]), "/" if first else ""), options)
    shards = [
        _shard(store, info)
        for info in store.list()
        if pattern.match(info.relative) and (named_hidden or not _is_hidden(info.relative))
    ]
    if not shards:
        raise JobError(f"no input shards match {without_credentials(url)}", "check the pattern")
    return shards


def _root(head: str, slash: str) -> str:
    return head or slash or "."


def _is_glob(text: str) -> bool:
    return any(character in text for character in "*?[")


def _is_shard(relative: str) -> bool:
    return suffix_of(relative) is not None and not _is_hidden(relative)


def _is_hidden(relative: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(relative).parts)


def _shard(store: Store, info: ObjectInfo) -> Shard:
    return Shard(store.given_url, info.relative, stem_of(info.relative), info.size, info.version, info.url)


def _renamed(shard: Shard) -> Shard:
    digest = hashlib.sha256(shard.file.encode()).hexdigest()[:8]
    return replace(shard, name=f"{shard.name}-{digest}")
