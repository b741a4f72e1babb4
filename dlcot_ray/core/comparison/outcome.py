"""What a comparison of two answers can find."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Three verdicts; only the first two decide anything.

    ``UNKNOWN``: the texts do not tell, for example 3:30 against 3:30 PM, or 2.67 against 8/3.
    """

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
