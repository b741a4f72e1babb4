"""The errors of a job, and how they are shown: one line with a remedy.

There are three levels. A `RowFault` is a row that cannot be used: it is written to `rejected/`. An
`InputFault` takes one file, or a range of its rows, out of the job; the job continues. A `JobError` stops
the job. Causes are short stable words, because dashboards and readers of `rejected/` group by them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dlcot_ray.credentials import redacted, scrubbed


class Stage(StrEnum):
    """The stage of the job at which a row was rejected."""

    READ = "read"
    """Its cells could not be decoded."""
    MAP = "map"
    """The dataset preset could not make a trace of it."""
    PLAN = "plan"
    """Its id and its text repeat those of an earlier row."""
    JUDGE = "judge"
    """It crashed its worker, repeatedly and alone, or took too long."""
    POLICY = "policy"
    """The policy rejects it (``unsolved=reject``)."""


class Cause(StrEnum):
    """Why a row is rejected."""

    NULL_REASONING = "null_reasoning"
    EMPTY_REASONING = "empty_reasoning"
    NULL_ID = "null_id"
    DUPLICATE_ID = "duplicate_id"
    INVALID_UTF8 = "invalid_utf8"
    BAD_LINE = "bad_line"
    WRONG_TYPE = "wrong_type"
    NULL_MESSAGES = "null_messages"
    NO_ASSISTANT = "no_assistant"
    NO_THINKING = "no_thinking"
    SEVERAL_THINKING = "several_thinking"
    MARKUP = "markup"
    POISON_ROW = "poison_row"
    TOO_SLOW = "too_slow"
    UNSOLVED = "unsolved"


REMEDIES: dict[str, str] = {
    Cause.NULL_REASONING: "fill the reasoning in, drop the row, or name another column in the preset",
    Cause.EMPTY_REASONING: "fill the reasoning in, drop the row, or name another column in the preset",
    Cause.NULL_ID: "give every row an id, or use a preset without an id column",
    Cause.DUPLICATE_ID: "remove the repeated row, or set check_duplicate_ids=false to keep both",
    Cause.INVALID_UTF8: "re-encode the cell as UTF-8",
    Cause.BAD_LINE: "repair the line (raw_reply has it) or remove it",
    Cause.WRONG_TYPE: "store the conversation as a list of messages (role, content), or as JSON text of it",
    Cause.NULL_MESSAGES: "fill the conversation in or drop the row",
    Cause.NO_ASSISTANT: "add an assistant message, or list its role name in the preset",
    Cause.NO_THINKING: "keep the thinking in the reply, or list its delimiters in the preset",
    Cause.SEVERAL_THINKING: (
        "close every block and begin each on a line of its own, keep the thinking of a turn in one place, or "
        "put a tag that is text into backticks"
    ),
    Cause.MARKUP: "set markup=keep, or escape the control word in the data",
    Cause.POISON_ROW: "see the worker's log in Ray; shorten the trace, or give the judge more memory",
    Cause.TOO_SLOW: "set slow_rows=keep, or a larger row_seconds",
    Cause.UNSOLVED: "set unsolved=keep or unsolved=flag to have such traces in enhanced/",
}
"""What a user can do about each cause; the key is a `Cause`."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One input row that cannot become a trace; it is written to `rejected/`.

    Attributes:
        file: path or URL of the input file.
        row: 0-based row number within that file.
        trace_id: the row's id; None if it could not be read.
        stage: where it was found (`Stage`).
        cause: short stable word (`Cause`).
        message: one sentence for people.
        raw_reply: the model's reply, or the line of a text file, that could not be used; else None.
        part: which of the row's traces, from 0.
    """

    file: str
    row: int
    trace_id: str | None
    stage: str
    cause: str
    message: str
    raw_reply: str | None = None
    part: int = 0

    @property
    def remedy(self) -> str:
        """What a user can do about the row; empty for an unknown cause."""
        return REMEDIES.get(self.cause, "")

    def __str__(self) -> str:
        return _line(f"{self.file}, row {self.row}: {self.message}", self.remedy)


class InputFault(Exception):
    """An input file, or a range of its rows, cannot be used; the job continues without it."""

    def __init__(self, file: str, message: str, remedy: str = "") -> None:
        super().__init__(file, message, remedy)
        self.file = file
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return _line(f"{self.file}: {self.message}", self.remedy)


class JobError(Exception):
    """The job cannot start or continue."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return _line(self.message, self.remedy)


def _line(message: str, remedy: str) -> str:
    text = f"{message}; {remedy}" if remedy else message
    return " ".join(text.split())


class ConfigError(JobError):
    """A setting cannot be used: a usage error, exit status 2."""


class Busy(JobError):
    """Another job or refresh is writing there now: exit status 5."""


def reason_of(
    error: BaseException,
    limit: int = 300,
    *,
    named: bool = False,
    line: int | None = None,
    secrets: Iterable[str] = (),
) -> str:
    """The text of an error on one line, without credentials.

    They are struck out here, before the text is cut: of half a secret nobody can tell that it is one.

    Args:
        error: any exception.
        limit: maximum number of characters.
        named: put the class before the text (``ValueError: ...``) and keep a full stop at the end.
        line: number of the only line to take, 0 for the first, -1 for the last; None takes all lines.
        secrets: further texts that are replaced by ``***``.

    Returns:
        The text with single spaces; the name of the class if there is no text.
    """
    name, text = type(error).__name__, scrubbed(redacted(str(error), secrets))
    lines = [stripped for part in text.splitlines() if (stripped := " ".join(part.split()))]
    text = " ".join(lines if line is None else lines[line:][:1])
    if not text:
        return name
    return f"{name}: {text}"[:limit] if named else text[:limit].rstrip(".")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt name: the nearest known name, or all of them if none is near."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"valid: {', '.join(sorted(names))}"
