"""The words of a command line, put together from usual ones and those of one test."""

from __future__ import annotations


def later_wins(*words: str) -> list[str]:
    """The words without settings that a later word sets again, because a command refuses a setting given twice."""
    return list({word.partition("=")[0]: word for word in words}.values())
