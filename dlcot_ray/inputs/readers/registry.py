"""Which reader opens a file: the one that is registered for the end of the file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.readers.arrow import ArrowReader
from dlcot_ray.inputs.readers.csv_rows import CsvReader
from dlcot_ray.inputs.readers.json_lines import JsonReader
from dlcot_ray.inputs.readers.parquet import ParquetReader
from dlcot_ray.inputs.readers.protocol import FileMetadata, Reader
from dlcot_ray.storage.store import Store

ReaderFactory = Callable[[BinaryIO, str, FileMetadata | None], Reader]
"""Opens a seekable file; the text names the file in faults. The metadata is what the reader said of the file
or of a part of it before, or None; it matters to formats that need a pass over the file to find it. Raises
`InputFault` if it cannot."""

_COMPRESSED = ("", ".gz", ".zst", ".bz2")

READERS: dict[str, ReaderFactory] = {
    ".parquet": ParquetReader,
    ".pq": ParquetReader,
    **{f"{kind}{end}": JsonReader for kind in (".jsonl", ".ndjson", ".json") for end in _COMPRESSED},
    ".arrow": ArrowReader,
    ".feather": ArrowReader,
    **{f"{kind}{end}": CsvReader for kind in (".csv", ".tsv") for end in _COMPRESSED},
}
"""Suffix in lower case -> its reader. Directories are searched for files with these suffixes, in any case."""


def suffix_of(name: str) -> str | None:
    """The longest registered suffix of a file's name, as it is written there, or None.

    The name of a file on a web server may have a query behind it.
    """
    for part in (name, name.partition("?")[0]):
        lower = part.lower()
        length = max((len(suffix) for suffix in READERS if lower.endswith(suffix)), default=0)
        if length:
            return part[-length:]
    return None


def is_text(name: str) -> bool:
    """Whether files of this name are text, of which an empty file is one without rows."""
    return READERS.get((suffix_of(name) or "").lower()) in (JsonReader, CsvReader)


def stem_of(name: str) -> str:
    """A file's name without its registered suffix, or without its last suffix if it has no such one.

    A query behind it goes, too: it may be a signature.
    """
    suffix = suffix_of(name)
    if suffix is None or not name.endswith(suffix):
        name = name.partition("?")[0]
    return name.removesuffix(suffix or PurePosixPath(name).suffix)


def suffix_list() -> str:
    """The registered suffixes for people, without those of compressed files."""
    plain = [f"*{suffix}" for suffix in READERS if not suffix.endswith(_COMPRESSED[1:])]
    return f"{', '.join(plain)} (text formats also as {', '.join(_COMPRESSED[1:])})"


def open_source(source: BinaryIO, name: str, label: str, known: FileMetadata | None = None) -> Reader:
    """Open a file by its name. A name without a registered suffix is opened as Parquet.

    Args:
        source: the file, seekable.
        name: chooses the reader.
        label: names the file in faults.
        known: metadata of the file, or of the part that is to be read, if it is known.

    Raises:
        InputFault: it cannot be read.
    """
    reader = READERS.get((suffix_of(name) or "").lower(), ParquetReader)
    return reader(source, label, known)


def open_reader(store: Store, relative: str, label: str, known: FileMetadata | None = None) -> Reader:
    """Open a file of a store. The caller closes the reader.

    Args:
        store: where it is.
        relative: its name there.
        label: names the file in faults.
        known: see `open_source`.

    Raises:
        InputFault: it is missing, or cannot be read.
    """
    source = store.open(relative)
    try:
        return open_source(source, relative, label, known)
    except JobError as error:
        source.close()
        raise InputFault(label, error.message, error.remedy) from error
    except (pa.ArrowException, OSError) as error:
        source.close()
        raise InputFault(label, f"it cannot be read ({reason_of(error)})", "write it again") from error
    except BaseException:
        source.close()
        raise
