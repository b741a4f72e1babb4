"""What the answers of a trace are compared with: the ground truth, else its final answer (DLCoT step 3).

In: a trace. Out: the reference and where it comes from. An open task (a proof, an explanation, code) has no
reference, so nothing in such a trace counts as its answer. Neither has a problem of several questions without
a ground truth: the answer to one of them is not the end. A placeholder such as "N/A" is no reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.evidence.answers import AnswerForm, find_answers
from dlcot_ray.core.evidence.equivalence import is_closed, quick_equivalent
from dlcot_ray.core.stating.facts import OUTRIGHT, is_stated
from dlcot_ray.core.stating.task import is_comparable, task_of
from dlcot_ray.core.trace import Trace

_LETTER = re.compile(r"[A-J]")
_OPTIONS = re.compile(r"(?<![\w'])([A-J])(?=\)|\.\s|:|\*\*)|\b(?:[Oo]ption|[Cc]hoice) \(?([A-J])\b")
"""Letters of options as a list or a sentence names them."""
LAST_WORDS = 300
"""Characters at the end of a text that hold its final answer."""
BARE_CHARS = 40
"""Maximum characters of a response that can be a bare value."""
_PLACEHOLDER = re.compile(
    r"\W*(?:(?:text|mathrm|textbf|boxed)\W{1,3}){0,2}"
    r"(?:proof|prove|to be (?:proven|proved|shown|determined|added)|not ?found|n/?a|none|null|unknown|omitted"
    r"|no (?:final |known |reference )?(?:answer|solution provided|ground truth|reference)"
    r"|see (?:the )?(?:solution|proof|above|below)"
    r"|(?:final |ground truth )?answer (?:is )?not (?:found|available|provided|given|known)"
    r"|open(?:[- ]ended)?|nan|not (?:available|applicable|provided|given)|todo|tbd|tba|-+|\?+)\W*|\W+",
    re.IGNORECASE,
)
"""What data sets write where there is no answer to compare with."""


_UNSETTLED = re.compile(
    r"\b(?:confus\w+|not (?:entirely |really |quite |completely )?(?:sure|certain)|unsure|no idea|give up)\b",
    re.IGNORECASE,
)
"""Words at the end of a trace that leaves its own answer open."""


def find_reference(trace: Trace) -> tuple[str | None, ReferenceKind]:
    """The answer to compare with: ground truth, else the response's answer, else the trace's own.

    The trace's own counts beside a response only where that states the same value, though not outright.

    An open task (a proof, an explanation, code) or one of several questions has none without a ground truth,
    nor has a trace that ends unsure. A placeholder like "N/A", code or a page of prose is no answer. Of
    several truths the one counts on which response or trace end; the first, if they end on none.
    """
    given = [truth.strip() for truth in (trace.ground_truth or "", *trace.other_truths) if truth.strip()]
    truths = [truth for truth in given if not _PLACEHOLDER.fullmatch(truth) and is_comparable(truth)]
    if truths:
        return _arrived_at(truths, trace) or truths[0], ReferenceKind.GROUND_TRUTH
    if given:
        return None, ReferenceKind.NONE
    if not task_of(trace.problem, trace.response).closed:
        return None, ReferenceKind.NONE
    given_out = _bare(trace.response or "") or _final(trace.response or "")
    if given_out:
        return given_out, ReferenceKind.RESPONSE
    end = trace.reasoning[-2000:]
    found = None if _UNSETTLED.search(end[-LAST_WORDS:]) else _final(end)
    if found is None or (trace.response and not _says(trace.response, found)):
        return None, ReferenceKind.NONE
    return found, ReferenceKind.TRACE


def _arrived_at(truths: Sequence[str], trace: Trace) -> str | None:
    """The one of several truths that the response or the end of the trace gives, or None."""
    if len(truths) == 1:
        return truths[0]
    ends = [_final(trace.reasoning[-2000:]), _final(trace.response or ""), _bare(trace.response or "")]
    finals = [end for end in ends if end]
    return next((truth for truth in truths for end in finals if quick_equivalent(end, truth)), None)


def _says(response: str, value: str) -> bool:
    """Whether the end of a response, which gives no answer outright, states a value of the trace.

    The letter of an option counts if it is the last one that the response names.
    """
    end = response.rstrip()[-LAST_WORDS:]
    if _LETTER.fullmatch(value.strip(" $*()")):
        named = ["".join(letters) for letters in _OPTIONS.findall(end)]
        return bool(named) and named[-1] == value.strip(" $*()")
    return any(quick_equivalent(answer.text, value) for answer in find_answers(end) if is_stated(end, answer))


def _bare(response: str) -> str | None:
    """A response that is a value and nothing else."""
    value = response.strip()
    return value if len(value) <= BARE_CHARS and is_closed(value) else None


def _final(text: str) -> str | None:
    """The answer that a text gives outright as its last one, or None."""
    outright = [a for a in find_answers(text, passing=False) if a.form in OUTRIGHT and is_stated(text, a)]
    boxed = [a for a in outright if a.form is AnswerForm.BOXED]
    chosen = boxed or [a for a in outright if len(text) - a.stop <= LAST_WORDS]
    return chosen[-1].text if chosen else None
