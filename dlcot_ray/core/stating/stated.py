"""Which answer a text states or ends on.

In: a text, or a trace and its annotation, and the accepted answers. Out: whether they are stated.
A value that is asked, supposed or denied is stated nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
)
from dlcot_ray.core.evidence.answers import AnswerForm, find_answers
from dlcot_ray.core.evidence.equivalence import is_closed, quick_equivalent
from dlcot_ray.core.stating.facts import OUTRIGHT, is_stated
from dlcot_ray.core.trace import Trace

WINDOW = 500
"""Characters at the end of a text that are searched for its last statement."""
LAST_CHARS = 400
"""Characters at the end of a trace that are searched for the sentence that gives its answer."""
_VERY_END = 24
"""Characters at the end of a trace in which the digits of the answer count as the answer."""
IN_PASSING = AnswerForm.EQUATION
SAID = OUTRIGHT
_ENDS = re.compile(
    r"(?:[\s$*)\]}]|\\[)\]])*(?:[.!,;\n]|$)|\*\*"
    r"|\)?(?: \([^()\n]{1,60}\))? (?:is|was|must be|should be|would be)(?: \w{1,12})? the (?:\w{1,12} )?(?:correct|right|best|final)\b"
)
"""Text after a value that ends the statement."""
_CONFIRMED = re.compile(
    r"\b(?:checks? out|seems? (?:right|correct)|is (?:right|correct)|that works|makes sense|"
    r"consistent|correct[.!]|matches|confirm(?:s|ed)|confident|good[.!]|perfect)\b[^.\n]{0,60}\W*$",
    re.IGNORECASE,
)


def states(text: str, accepted: Sequence[str]) -> bool:
    """Whether a text states one of the accepted answers anywhere."""
    return any(is_accepted(found.text, accepted) and is_stated(text, found) for found in find_answers(text))


def ends_on(text: str, accepted: Sequence[str]) -> bool:
    """Whether the last value that a text states, in any form, is an accepted answer.

    `accepted` begins with the reference; it is not empty.
    """
    tail = text[-WINDOW:]
    reference = accepted[0]
    if reference.isdecimal() and len(accepted) == 1 and reference not in tail.replace(",", ""):
        # Fast exit for most segments: a whole number is rarely written with other digits.
        return False
    stated = [answer for answer in find_answers(tail) if is_stated(tail, answer)]
    if not stated:
        return False
    outright = [answer for answer in stated if answer.form is not IN_PASSING]
    if len(reference.strip("$ .-+−")) == 1:
        # If the reference is 1 or 5, an intermediate "x = 1" or "5 sets * 6 = 30" is usually a coincidence.
        outright = [answer for answer in outright if _ENDS.match(tail, answer.stop)]
    elif is_accepted(stated[-1].text, accepted):
        return True
    if outright and is_accepted(outright[-1].text, accepted):
        return True
    confirmed = _CONFIRMED.search(tail.rstrip()[-200:]) is not None
    return confirmed and any(is_accepted(answer.text, accepted) for answer in outright)


def accepted_answers(annotation: Annotation, approach: Approach | None = None) -> tuple[str, ...]:
    """The reference, and answers that the judge found equal to it by a comparison that needs a CAS."""
    reference = annotation.reference
    if reference is None:
        return ()
    approaches = annotation.approaches if approach is None else (approach,)
    others = {a.answer for a in approaches if a.label is Label.CORRECT and a.answer is not None}
    return (reference, *sorted(text for text in others if quick_equivalent(text, reference) is None))


def is_accepted(text: str, accepted: Sequence[str]) -> bool:
    """Whether an answer is one of the accepted ones, as written or by certain equality."""
    return any(text == answer or quick_equivalent(text, answer) is True for answer in accepted)


def ends_otherwise(trace: Trace, annotation: Annotation) -> bool:
    """Whether the end of the trace states another answer outright."""
    tail = trace.reasoning[-LAST_CHARS:]
    reference = annotation.reference or ""
    if len(reference) > 1 and reference.isdecimal() and _shows(tail[-_VERY_END:], reference):
        return False
    outright = [a for a in find_answers(tail, passing=False) if a.form in SAID and is_stated(tail, a)]
    if not outright or annotation.truncated:
        return False
    accepted = accepted_answers(annotation)
    last = outright[-1]
    if is_letter(last.text) or (is_closed(reference) and is_wording(last.text)):
        return False
    same = is_accepted(last.text, accepted) or quick_equivalent(last.text, accepted[0])
    if same or (same is None and last.form is not AnswerForm.BOXED):
        return False
    # "The answer is 9/4, so m + n = 13" ends on 13; "4 are not enough, so the answer is 5" does not on 4.
    sentence = max(map(tail[: last.start].rfind, (". ", "\n", "? ", "! ")))
    around = last.text if last.form is AnswerForm.BOXED else tail[sentence + 1 :]
    return not states(around, accepted)


def is_letter(text: str) -> bool:
    """Whether an answer is the letter of an option, which no value contradicts."""
    bare = text.strip("()")
    return len(bare) == 1 and bare.isalpha()


def is_wording(text: str) -> bool:
    """Whether an answer holds words only, so that it is no other value than a number."""
    return not any(map(str.isdigit, text)) and len(text.split()) > 1


def _shows(text: str, number: str) -> bool:
    """Whether a whole number stands in a text, not only its digits inside a longer one."""
    return re.search(rf"(?<![\d.,]){number}(?![\d]|[.,]\d)", text) is not None
