"""Which reader opens a file: the one that is registered for the end of the file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.readers.parquet import ParquetReader
from dlcot_ray.inputs.readers.protocol import Reader
from dlcot_ray.storage.store import Store

ReaderFactory = Callable[[BinaryIO, str], Reader]
"""Opens a seekable file; the text names the file in faults. Raises `InputFault` if it cannot."""

READERS: dict[str, ReaderFactory] = {
    ".parquet": ParquetReader,
}
"""Suffix -> its reader. Directories are searched for files with these suffixes."""


def suffix_of(name: str) -> str | None:
    """The longest registered suffix of a file's name, or None."""
    return max((suffix for suffix in READERS if name.endswith(suffix)), key=len, default=None)


def stem_of(name: str) -> str:
    """A file's name without its registered suffix, or without its last suffix if it has no such one."""
    return name.removesuffix(suffix_of(name) or PurePosixPath(name).suffix)


def suffix_list() -> str:
    """The registered suffixes as patterns for people, for example ``*.parquet``."""
    return " and ".join(f"*{suffix}" for suffix in READERS)


def open_source(source: BinaryIO, name: str, label: str) -> Reader:
    """Open a file by its name. A name without a registered suffix is opened as Parquet.

    Args:
        source: the file, seekable.
        name: chooses the reader.
        label: names the file in faults.

    Raises:
        InputFault: it cannot be read.
    """
    return READERS.get(suffix_of(name) or "", ParquetReader)(source, label)


def open_reader(store: Store, relative: str, label: str) -> Reader:
    """Open a file of a store. The caller closes the reader.

    Raises:
        InputFault: it is missing, or cannot be read.
    """
    source = store.open(relative)
    try:
        return open_source(source, relative, label)
    except JobError as error:
        source.close()
        raise InputFault(label, error.message, error.remedy) from error
    except BaseException:
        source.close()
        raise
