"""Finds the input files of a job (its shards), names them, and opens them.

Shards are found once, at planning time. Their names come from where they lie below the place that the user
gave. So the names of outputs do not depend on the machine, nor on what else is in the directory.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fsspec.utils import glob_translate

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.files.listing import (
    Skipped,
    check_no_output,
    check_no_table_format,
    may_match,
    skip_reason,
)
from dlcot_ray.inputs.readers.protocol import FileMetadata, Reader
from dlcot_ray.inputs.readers.registry import open_reader, stem_of, suffix_list
from dlcot_ray.storage.backend import ObjectInfo
from dlcot_ray.storage.failures import without_credentials
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import normal_form

_FOLDER_BYTES = 240
"""Most bytes of a folder in the name of outputs: file systems take 255, and a partition may get a prefix."""
_FILE_BYTES = 190
"""Most bytes of the name of a file's outputs: the rows of a unit, a suffix and a hash stand behind it."""


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


@dataclass(frozen=True, slots=True)
class Found:
    """What an input names.

    Attributes:
        shards: the input files, ordered by name.
        skipped: what lies beside them and is not read, with reasons.
        faults: what should be read and cannot be reached.
        commits: the place of a hub's repository -> the commit that is read.
    """

    shards: tuple[Shard, ...]
    skipped: tuple[Skipped, ...] = ()
    faults: tuple[InputFault, ...] = ()
    commits: Mapping[str, str] = field(default_factory=dict)


def find_shards(input_url: str | Sequence[str], options: Mapping[str, object] | None = None) -> list[Shard]:
    """The input files alone; see `find_inputs`."""
    return list(find_inputs(input_url, options).shards)


def find_inputs(input_url: str | Sequence[str], options: Mapping[str, object] | None = None) -> Found:
    """The input files of a job.

    In directories, which are searched at any depth, files with a registered suffix count, unless they or
    their directories are hidden or begin with ``_`` as those of Hive and Spark do. A file that two inputs
    contain is taken once. If two files have the same name, a short hash of their place is appended to both
    names.

    Args:
        input_url: directories, files and globs.
        options: fsspec options of their stores.

    Raises:
        JobError: an input does not exist, holds no shards, is a table format, or cannot be listed.
    """
    urls = [input_url] if isinstance(input_url, str) else list(input_url)
    if not urls:
        raise JobError("no input given", "set input= to a directory, a file or a glob")
    parts = [_of_place(url, options) for url in urls]
    shards = {shard.file: shard for part in reversed(parts) for shard in part.shards}
    names = Counter(shard.name for shard in shards.values())
    renamed = (_renamed(shard) if names[shard.name] > 1 else shard for shard in shards.values())
    skipped = {item.file: item for part in parts for item in part.skipped if item.file not in shards}
    faults = {fault.file: fault for part in parts for fault in part.faults}
    return Found(
        tuple(sorted(renamed, key=lambda shard: shard.name)),
        tuple(sorted(skipped.values(), key=lambda item: item.file)),
        tuple(faults.values()),
        {place: commit for part in parts for place, commit in part.commits.items()},
    )


def reads_below(source: str, place: str, folders: Sequence[str]) -> bool:
    """Whether an input would read files that lie in some folders of a place.

    Args:
        source: the input: a directory, a file or a glob.
        place: the place, in its normal form.
        folders: names of folders in the place.
    """
    if f"{place}/".startswith(f"{normal_form(source).rstrip('/')}/"):
        return True
    if not _is_glob(source):
        return False
    parts = source.split("/")
    first = next(number for number, part in enumerate(parts) if _is_glob(part))
    root = normal_form(_root("/".join(parts[:first]), "/" if first else "")).rstrip("/")
    if not f"{place}/".startswith(f"{root}/"):
        return False
    inside = place[len(root) :].strip("/")
    return any(may_match(f"{inside}/{folder}", parts[first:]) for folder in folders)


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


def _of_place(url: str, options: Mapping[str, object] | None) -> Found:
    """What one place names; a repository of the hub is read at the commit that it has now."""
    given = Store(url, options)
    whole, commit = given.pinned()
    if not commit:
        return _of_store(given, url, options)
    found = _of_store(whole, whole.given_url, options)
    # Both places end with the path inside the repository.
    head, _, inside = whole.display_url.partition(commit)
    now, before = f"{head}{commit}", given.display_url.removesuffix(inside)
    return Found(
        tuple(replace(item, file=_relabelled(item.file, now, before)) for item in found.shards),
        tuple(replace(item, file=_relabelled(item.file, now, before)) for item in found.skipped),
        tuple(
            InputFault(_relabelled(item.file, now, before), item.message, item.remedy)
            for item in found.faults
        ),
        {before: commit},
    )


def _relabelled(label: str, now: str, before: str) -> str:
    """A label with the place that the user gave instead of the commit, which changes with other files."""
    return f"{before}{label[len(now) :]}" if label.startswith(now) else label


def _of_store(whole: Store, url: str, options: Mapping[str, object] | None) -> Found:
    whole.check_readable()
    path, mark, query = url.partition("?") if url.startswith(("http://", "https://")) else (url, "", "")
    head, slash, tail = path.rpartition("/")
    tail += mark + query
    if tail and not head.endswith(":/"):
        parent = Store(_root(head, slash), options)
        info = parent.info(tail)
        # Some tools mark a folder with an empty object of its name.
        if info is not None and (info.size or not whole.list()):
            fault = _unnameable(info)
            return Found((), faults=(fault,)) if fault is not None else Found((_shard(parent, info),))
    listing = _Listing(whole, lambda folder: True)
    if not listing.objects and _is_glob(path):
        return _of_glob(url, options)
    found = listing.found(skip_reason)
    if not found.shards and not found.faults:
        objects = listing.objects
        if not objects and whole.is_missing_directory():
            raise JobError(f"input {whole.display_url} does not exist", "check the path")
        seen = f"{len(objects)} other files" if objects else "nothing"
        raise JobError(
            f"no input shards in {whole.display_url}: looked for {suffix_list()} at any depth, found {seen}",
            "check the path (and bucket), or give a glob such as data/*.parquet",
        )
    return found


def _of_glob(url: str, options: Mapping[str, object] | None) -> Found:
    parts = url.split("/")
    first = next(number for number, part in enumerate(parts) if _is_glob(part))
    wanted = parts[first:]
    pattern = re.compile(glob_translate("/".join(wanted)))
    named_hidden = any(part.startswith((".", "_")) for part in wanted)
    store = Store(_root("/".join(parts[:first]), "/" if first else ""), options)

    def reason(relative: str) -> str:
        return "" if named_hidden else skip_reason(relative, by_glob=True)

    listing = _Listing(store, lambda folder: may_match(folder, wanted))
    found = listing.found(reason, lambda relative: pattern.match(relative) is not None)
    if not found.shards and not found.faults:
        raise JobError(f"no input shards match {without_credentials(url)}", "check the pattern")
    return found


class _Listing:
    """The objects below an input, and what could not be listed.

    Args:
        store: the input.
        concerns: whether a folder that cannot be read matters, by its name.
    """

    def __init__(self, store: Store, concerns: Callable[[str], bool]) -> None:
        self._store = store
        self._concerns = concerns
        self._skipped: list[Skipped] = []
        self._faults: list[InputFault] = []
        self.objects = store.list(on_skip=self._note)

    def found(
        self, reason: Callable[[str], str], wanted: Callable[[str], bool] = lambda relative: True
    ) -> Found:
        """The input files among the objects.

        Args:
            reason: why an object is left out; empty if it is not.
            wanted: whether an object is asked for at all.

        Raises:
            JobError: they belong to a table format, or to a whole output.
        """
        shards = []
        for info in self.objects:
            if not wanted(info.relative):
                continue
            why = reason(info.relative)
            if why:
                self._skipped.append(Skipped(_in_unicode(info.url), why))
            elif (fault := _unnameable(info)) is not None:
                self._faults.append(fault)
            else:
                shards.append(_shard(self._store, info))
        inputs = [shard.relative for shard in shards]
        for check in (check_no_table_format, check_no_output):
            check(self._store.display_url, (info.relative for info in self.objects), inputs)
        return Found(tuple(shards), tuple(self._skipped), tuple(self._faults))

    def _note(self, relative: str, why: str, is_fault: bool) -> None:
        label = _in_unicode(self._store.url(relative))
        if not is_fault:
            self._skipped.append(Skipped(label, why))
        elif self._concerns(relative):
            self._faults.append(InputFault(label, why, "correct its permissions, or name the other inputs"))


def _root(head: str, slash: str) -> str:
    return head or slash or "."


def _is_glob(text: str) -> bool:
    return any(character in text for character in "*?[")


def _shard(store: Store, info: ObjectInfo) -> Shard:
    return Shard(store.given_url, info.relative, _name_of(info.relative), info.size, info.version, info.url)


def _unnameable(info: ObjectInfo) -> InputFault | None:
    """Why outputs cannot have the name of a file, or None."""
    label = _in_unicode(info.url)
    if "//" in f"/{info.relative}":
        fault = "its key has an empty part (//), which no name of an output can have"
        return InputFault(label, fault, "copy it to a key without //")
    if label != info.url:
        return InputFault(label, "its path is not UTF-8, which names of outputs must be", "rename it")
    return None


def _in_unicode(label: str) -> str:
    """A label with escapes for bytes of a path that are no UTF-8; Python has surrogates for them."""
    return label.encode("utf-8", "backslashreplace").decode()


def _name_of(relative: str) -> str:
    """The name of a file's outputs.

    Readers of Parquet folders would skip a partition called ``_key=``. No part is longer than a file system
    takes once the rows of a unit stand behind it.
    """
    *folders, name = stem_of(relative).split("/")
    folders = [part.lstrip("_") if "=" in part else part for part in folders]
    return "/".join([*(_fitting(part, _FOLDER_BYTES) for part in folders), _fitting(name, _FILE_BYTES)])


def _fitting(part: str, most: int) -> str:
    """A part of a name; one of more than `most` bytes is cut, and a hash of it appended."""
    data = part.encode()
    if len(data) <= most:
        return part
    digest = hashlib.sha256(data).hexdigest()[:8]
    return f"{data[: most - 9].decode(errors='ignore')}-{digest}"


def _renamed(shard: Shard) -> Shard:
    digest = hashlib.sha256(shard.file.encode()).hexdigest()[:8]
    return replace(shard, name=f"{shard.name}-{digest}")
