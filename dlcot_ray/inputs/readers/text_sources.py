"""Text files as bytes: decompressed where they are compressed, and their lines with offsets.

The first bytes tell the compression, not the name: many tools decompress a download and keep its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from dlcot_ray.errors import InputFault

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4 << 10
_CHUNK = 8 << 20
LONGEST_LINE = 256 << 20
"""The longest line or JSON value, in bytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank.

    Attributes:
        number: in the file, from 1; blank lines count.
        offset, stop: of its first byte, and behind its end of line.
        text: without white space around it.
    """

    number: int
    offset: int
    stop: int
    text: bytes


class TextSource:
    """The bytes of a text file, from the start or from an offset.

    Args:
        source: the file, seekable.
        label: names the file in faults.

    Raises:
        InputFault: it is UTF-16.
        OSError: it cannot be read.
    """

    def __init__(self, source: BinaryIO, label: str) -> None:
        self._source, self._label = source, label
        source.seek(0)
        self._head = source.read(_HEAD)
        self.codec = next((codec for magic, codec in _MAGIC.items() if self._head.startswith(magic)), None)
        if self._head.startswith(_OTHER_ENCODINGS):
            raise InputFault(label, "it is UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8")

    def first_character(self) -> bytes:
        """The first byte that is no white space; empty if there is none nearby.

        Raises:
            OSError: the file cannot be decompressed.
        """
        head = self._head if self.codec is None else b"".join(self.chunks(0, _HEAD))
        return _stripped(head)[:1]

    def chunks(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a range.

        Of a compressed file the range counts decompressed bytes, and all before it is decompressed too.

        Args:
            offset: of the first byte.
            length: number of bytes; None reads to the end.

        Raises:
            OSError: the file cannot be read, or is cut short.
        """
        self._source.seek(0 if self.codec else offset)
        stream = self._opened()
        skip = offset if self.codec else 0
        left = length
        while left is None or left > 0:
            chunk = stream.read(_CHUNK if left is None or skip else min(_CHUNK, left))
            if not chunk:
                return
            skip, chunk = max(0, skip - len(chunk)), chunk[skip:]
            if left is not None:
                chunk = chunk[:left]
                left -= len(chunk)
            if chunk:
                yield chunk

    def lines(self, offset: int = 0, length: int | None = None, number: int = 1) -> Iterator[Line]:
        """The lines of a range that are not blank, without byte order marks.

        Args:
            offset: of the first byte, where line `number` starts.
            length: number of bytes; None reads to the end.
            number: of the first line.

        Raises:
            InputFault: a line is longer than `LONGEST_LINE`.
            OSError: the file cannot be read, or is cut short.
        """
        for whole in self.raw_lines(offset, length):
            stop = offset + len(whole)
            if text := _stripped(whole):
                yield Line(number, offset, stop, text)
            offset, number = stop, number + 1

    def raw_lines(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """All lines of a range with their ends.

        Raises:
            InputFault: a line is longer than `LONGEST_LINE`.
            OSError: the file cannot be read, or is cut short.
        """
        parts: list[bytes] = []
        for chunk in self.chunks(offset, length):
            *ended, rest = chunk.split(b"\n")
            for piece in ended:
                yield b"".join((*parts, piece, b"\n"))
                parts.clear()
            if rest:
                parts.append(rest)
                self.check_length(sum(map(len, parts)), "a line")
        if parts:
            yield b"".join(parts)

    def check_length(self, length: int, what: str) -> None:
        """Refuse a line or value of more than `LONGEST_LINE` bytes.

        Raises:
            InputFault: it is longer.
        """
        if length > LONGEST_LINE:
            raise InputFault(self._label, f"{what} is longer than 256 MiB", "write one object per line")

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _opened(self) -> Any:
        if self.codec is None:
            return self._source
        return pa.CompressedInputStream(unclosed(self._source), self.codec)


def unclosed(source: BinaryIO) -> pa.NativeFile:
    """A file for Arrow that leaves `source` open when Arrow closes it, as it does when it is done."""
    return pa.PythonFile(_Unclosed(source), mode="r")


class _Unclosed:
    closed = False

    def __init__(self, source: BinaryIO) -> None:
        self.read, self.seek, self.tell = source.read, source.seek, source.tell

    def close(self) -> None:
        """Leave the file open."""


def _stripped(line: bytes) -> bytes:
    return line.removeprefix(BOM).strip(b" \t\r\n")
