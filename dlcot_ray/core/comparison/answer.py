"""One answer, read once for all comparisons.

In: an answer as written. Out: its `Reading`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.comparison.notation import plain_answer, squeeze
from dlcot_ray.core.comparison.readings import based_number, clock_of, date_of, meaning_of, option_of
from dlcot_ray.core.comparison.units import split_measure

_NAME = re.compile(r"^(?:[a-zA-Z]|\\[a-z]+ )(?:_?\{?\w\}?)?(?:\(\w\))?\s*=\s*(?=[^=]+$)")
_ABOUT = re.compile(
    r"^(?:\\approx|≈|\\simeq|\\sim|about|approximately|approx\.?|roughly|=)\s*(?=[-\\\d.(])", re.IGNORECASE
)
_PERCENT = re.compile(r"(?:%\s*)?(?:percent(?:age)?(?: points?)?|per cent|pct)\.?$", re.IGNORECASE)
_SCALE = re.compile(
    r"(?<![\d.,])(\d[\d,.]{0,30})\s*(hundred|thousand|million|billion|trillion|dozen)(?![a-z])", re.IGNORECASE
)
_SCALES = {
    "hundred": "100",
    "thousand": "10^3",
    "million": "10^6",
    "billion": "10^9",
    "trillion": "10^12",
    "dozen": "12",
}
PROSE_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z']{2,}")
"""A word of prose: letters that no backslash, letter or brace precedes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer, read once.

    Attributes:
        written: as it stands in its source.
        plain: without wrappers.
        value: also without the name of the value and words such as "about".
        squeezed: the value's normal form.
        prose: a text in which a CAS must first find the answer.
    """

    written: str
    plain: str
    value: str
    squeezed: str
    prose: bool


@lru_cache(maxsize=65536)
def read_answer(answer: str) -> Reading:
    """Read one answer."""
    plain = plain_answer(answer)
    value = plain
    if not plain[:1].isdigit():
        value = _ABOUT.sub("", _NAME.sub("", plain))
    if plain[-1:].isalpha() or plain[-1:] == ".":
        value = _SCALE.sub(lambda m: f"{m[1]}*{_SCALES[m[2].lower()]}", value)
        value = _PERCENT.sub("%", value)
    prose = _is_prose(answer) and not _has_form(plain, value)
    return Reading(answer, plain, value, squeeze(value), prose)


def _has_form(plain: str, value: str) -> bool:
    """Whether a text of several words is one answer by its form."""
    read = meaning_of(plain) or clock_of(plain) or date_of(plain) or based_number(value) or option_of(plain)
    return read is not None or split_measure(value) is not None


def _is_prose(answer: str) -> bool:
    """Whether an answer is a text in which a CAS must first find the answer."""
    return (
        len(answer) > 200
        or answer.count("$") > 2
        or sum(word not in ("and", "or") for word in PROSE_WORD.findall(answer)) > 2
    )
