"""Texts of others as a terminal or a log may show them: control characters become visible escapes.

A trace, an id or a file name may hold escape sequences that move the cursor, change the title, write to the
clipboard (OSC 52) or answer in the user's place, and bidi controls that show words in another order. Nothing
else in the package prints, apart from the console of rich in `telemetry/cleaned_console.py`.
"""

from __future__ import annotations

import os
import re
import sys
from io import TextIOWrapper
from pathlib import Path

from dlcot_ray.credentials import scrubbed

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_OTHERS = "\u2028\u2029\ufeff\ud800-\udfff\U000e0000-\U000e007f"
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}{_OTHERS}]")
_IN_LINE = re.compile(f"[\x00-\x08\x0a-\x1f\x7f-\x9f{_BIDI}{_OTHERS}]")


def printable(text: str) -> str:
    """The text with control characters, except line feeds and tabs, as escapes such as ``\\x1b``."""
    return _CONTROL.sub(_escaped, text.replace("\r\n", "\n"))


def printable_line(text: str) -> str:
    """The same for one line: line feeds become escapes too."""
    return _IN_LINE.sub(_escaped, text)


def printable_json(text: str) -> str:
    """JSON with the same characters as ``\\uXXXX``; they stand inside its strings only."""
    return _CONTROL.sub(_json_escape, text)


def tell(text: str, *, error: bool = False) -> None:
    """Print a text to stdout, or with `error` to stderr, cleaned."""
    print(printable(text), file=sys.stderr if error else sys.stdout, flush=True)


def note(text: str, descriptor: int | None = None) -> None:
    """Print one line for the user, cleaned and without credentials: what a command does, or a warning.

    Args:
        text: the line.
        descriptor: a file descriptor to write to; None takes stderr.

    Raises:
        OSError: it cannot be written.
    """
    line = f"dlcot: {printable_line(scrubbed(text))}"
    if descriptor is None:
        print(line, file=sys.stderr, flush=True)
    else:
        os.write(descriptor, f"{line}\n".encode("utf-8", "backslashreplace"))


def prepare_streams() -> None:
    """Let stdout and stderr take every text: in another encoding as escapes; closed ones drop it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def stdout_fault() -> str:
    """Why stdout cannot be written, or an empty text; tried with a line feed."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def drop_stdout() -> None:
    """Let the rest of stdout go nowhere: the interpreter would try to write it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
