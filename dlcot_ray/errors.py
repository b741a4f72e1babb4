"""The error taxonomy of the job: a bad row is data, a bad file is reported, the rest stops the job.

Three levels, by what they cost: a `RowFault` is a value that ends up in `rejected/`, an `InputFault`
takes one file (or row range) out of the job and the job goes on, a `JobError` stops it. All of them
say what to do about it. Causes are short stable words, because dashboards and `rejected/` readers
group by them; the sentence for people is the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where in the job a row was found to be bad."""

    READ = "read"
    """Its cells could not be decoded."""
    MAP = "map"
    """The dataset preset could not make a trace of it."""
    PLAN = "plan"
    """It clashes with another row of the input."""
    JUDGE = "judge"
    """It killed the process that judged it, again and again."""
    POLICY = "policy"
    """The policy does not want it."""


class Cause(StrEnum):
    """Why a row is rejected."""

    NULL_REASONING = "null_reasoning"
    EMPTY_REASONING = "empty_reasoning"
    NULL_ID = "null_id"
    DUPLICATE_ID = "duplicate_id"
    INVALID_UTF8 = "invalid_utf8"
    WRONG_TYPE = "wrong_type"
    NULL_MESSAGES = "null_messages"
    NO_ASSISTANT = "no_assistant"
    NO_THINKING = "no_thinking"
    SEVERAL_THINKING = "several_thinking"
    POISON_ROW = "poison_row"
    UNSOLVED = "unsolved"


REMEDIES: dict[str, str] = {
    Cause.NULL_REASONING: "fill the reasoning in, drop the row, or name another column in the preset",
    Cause.EMPTY_REASONING: "fill the reasoning in, drop the row, or name another column in the preset",
    Cause.NULL_ID: "give every row an id, or use a preset without an id column",
    Cause.DUPLICATE_ID: "make ids unique, or use a preset without an id column (ids are then file#row)",
    Cause.INVALID_UTF8: "re-encode the cell as UTF-8",
    Cause.WRONG_TYPE: "store the value as text",
    Cause.NULL_MESSAGES: "fill the conversation in or drop the row",
    Cause.NO_ASSISTANT: "add an assistant message, or list its role name in the preset",
    Cause.NO_THINKING: "keep the thinking in the reply, or list its delimiters in the preset",
    Cause.SEVERAL_THINKING: "split the row so that each reply has one thinking block",
    Cause.POISON_ROW: "see the worker's log in Ray; shorten the trace, or give the judge more memory",
    Cause.UNSOLVED: "set unsolved=keep or unsolved=flag to have such traces in enhanced/",
}
"""What a user can do about each cause."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One input row that cannot become a trace; it is written to `rejected/`.

    Attributes:
        file: the input file, as the user would name it.
        row: 0-based row number within that file.
        trace_id: the row's id where it could be read.
        stage: where it was found (`Stage`).
        cause: short stable word (`Cause`).
        message: one sentence for people.
        raw_reply: what a model said, where one did.
    """

    file: str
    row: int
    trace_id: str | None
    stage: str
    cause: str
    message: str
    raw_reply: str | None = None

    @property
    def remedy(self) -> str:
        """What to do about it, or an empty string for an unknown cause."""
        return REMEDIES.get(self.cause, "")

    def __str__(self) -> str:
        return _line(f"{self.file}, row {self.row}: {self.message}", self.remedy)


class InputFault(Exception):
    """A whole input file, or a range of its rows, cannot be used; the job goes on without it."""

    def __init__(self, file: str, message: str, remedy: str = "") -> None:
        super().__init__(file, message, remedy)
        self.file = file
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return _line(f"{self.file}: {self.message}", self.remedy)


class JobError(Exception):
    """The job cannot start or go on."""

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
    """The configuration cannot be used: a usage error, exit status 2."""


def reason_of(error: BaseException) -> str:
    """What an error says, on one line of at most 300 characters and without a full stop at its end."""
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
