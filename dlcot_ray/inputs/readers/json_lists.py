"""The entries of a JSON list and where each stands, read in pieces, so that a large file needs little memory.

The standard library's decoder finds where an entry ends. It reads the bytes as Latin-1, one character per
byte, so that its positions are byte offsets; the entries themselves are parsed as UTF-8 afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers.text_sources import BOM, Line, TextSource

_DECODER = json.JSONDecoder(strict=False, parse_float=str, parse_int=str)
_NEAR_END = 16
"""An error this near to the end of what was read may be one of a value that goes on."""
_BLANK = " \t\r\n"


class ListedValues:
    """The entries of a file that holds one JSON list.

    Args:
        source: the file.
        label: names the file in faults.
    """

    def __init__(self, source: TextSource, label: str) -> None:
        self._source, self._label = source, label

    def values(self, offset: int = 0, length: int | None = None, number: int = 1) -> Iterator[Line]:
        """The entries of a range, each as a `Line` with the number of the line where it starts.

        Args:
            offset: of the first byte, at an entry; 0 for the start of the list.
            length: number of bytes, up to the start of an entry; None reads to the end of the list.
            number: of the first line.

        Raises:
            InputFault: it is no JSON list, or ends before the list does.
            OSError: the file cannot be read, or is cut short.
        """
        window = _Window(self._source, offset, length, number)
        if offset == 0:
            window.expect("[")
        is_first = True
        while True:
            mark = window.next_character()
            if mark == "]":
                window.at += 1
                if window.next_character():
                    raise self._broken("something follows the list", window.line())
                return
            if not mark and length is not None:
                return
            if not is_first:
                if mark != ",":
                    raise self._broken("a comma or the end of the list is missing", window.line())
                window.at += 1
                if not window.next_character() and length is not None:
                    return
            is_first = False
            try:
                yield self._entry(window)
            except json.JSONDecodeError as error:
                raise self._broken(error.msg, window.line()) from error

    def _entry(self, window: _Window) -> Line:
        line = window.line()
        while True:
            try:
                _, stop = _DECODER.raw_decode(window.text, window.at)
            except json.JSONDecodeError as error:
                goes_on = error.msg.startswith("Unterminated") or error.pos > len(window.text) - _NEAR_END
                if not goes_on or not window.extend():
                    raise
            except RecursionError:
                raise self._broken("an entry is nested too deeply", line) from None
            else:
                # A number at the very end may go on.
                if stop < len(window.text) or not window.extend():
                    break
            self._source.check_length(len(window.text), f"the entry in line {line}")
        return window.taken(stop, line)

    def _broken(self, reason: str, line: int) -> InputFault:
        return InputFault(
            self._label,
            f"it is no whole JSON list ({reason}, line {line})",
            "write it again, or as JSON lines, of which a bad one costs one row",
        )


class _Window:
    """The part of a range that is in memory, as Latin-1.

    Attributes:
        text: the part.
        base: offset of its first byte in the file.
        at: the position reached.
    """

    def __init__(self, source: TextSource, offset: int, length: int | None, line: int) -> None:
        self._chunks = source.chunks(offset, length)
        self.text = ""
        self.base = offset
        self.at = 0
        self._line, self._counted = line, 0

    def extend(self) -> bool:
        """Read on, at least as much as is in memory; False at the end."""
        self.line()
        parts, size = [self.text[self.at :]], 0
        for chunk in self._chunks:
            parts.append(chunk.decode("latin-1"))
            size += len(chunk)
            if size >= len(parts[0]):
                break
        if size:
            self.base += self.at
            self.text, self.at, self._counted = "".join(parts), 0, 0
        return bool(size)

    def next_character(self) -> str:
        """Skip white space; the character behind it, or an empty text at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _BLANK:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.extend():
                return ""

    def expect(self, mark: str) -> None:
        """Skip a byte order mark, white space and this character, which is known to be there."""
        self.next_character()
        if self.text.startswith(BOM.decode("latin-1")):
            self.at = len(BOM)
        if self.next_character() == mark:
            self.at += 1

    def taken(self, stop: int, line: int) -> Line:
        """The text up to `stop`, which is passed."""
        start, self.at = self.at, stop
        return Line(line, self.base + start, self.base + stop, self.text[start:stop].encode("latin-1"))

    def line(self) -> int:
        """The number of the line reached."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
