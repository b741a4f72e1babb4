"""What a check found: fine, a warning, or something that would stop a job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How good it is."""

    OK = "ok"
    WARNING = "warning"
    """A job runs, but slower or less safely."""
    FAULT = "fault"
    """A job would end with an error."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was looked at.
        verdict: how good it is.
        found: what was found.
        remedy: what to do; empty if it is fine.
    """

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:<8} {self.name:<10} {self.found}"
        return f"{line}; {self.remedy}" if self.remedy else line


def fine(name: str, found: str) -> Check:
    """A check that found nothing wrong."""
    return Check(name, Verdict.OK, found)


def judged(name: str, found: str, remedy: str, *, worse: bool, verdict: Verdict = Verdict.WARNING) -> Check:
    """A check that found a fault, or a warning, if `worse`."""
    return Check(name, verdict, found, remedy) if worse else fine(name, found)
