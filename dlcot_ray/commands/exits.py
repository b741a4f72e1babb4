"""The exit statuses of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of every command."""

    OK = 0
    FAILED = 1
    """It could not start, or was stopped."""
    USAGE = 2
    WITH_FAULTS = 3
    """It finished, but with unusable inputs, failed units, or too many rejected rows."""
    HELD = 4
    """A snapshot is finished but not published: it exceeds a bound, or was withdrawn."""
    BUSY = 5
    """Another job or refresh writes there now."""
