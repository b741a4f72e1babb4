"""The final answer's figures and the reply's reports have their work in the kept text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.edits import drop_script
from dlcot_ray.core.gating.support import lost_outcome, unsupported_reply
from tests.support.annotations import AFFIRMS, CORRECT, annotated

LINES = [
    "There are 6 rows of 7 pens, 42 of 126.",
    "So the share is 42/126.",
    "But 42 and 126 have the factor 14 in common: 42 / 14 = 3 and 126 / 14 = 9, so 3/9, that is 13/39.",
    "Counting the pens by columns with a tally: 7 columns of 6 pens.",
    "So the answer is 13/39.",
]


def lost(lines: list[str], dropped: set[int]) -> str:
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4, kinds=(AFFIRMS, AFFIRMS)
    )
    return lost_outcome(trace, annotation, drop_script(dict.fromkeys(dropped, "redundant"), len(lines)))


def test_the_form_in_which_the_answer_is_given_has_its_work() -> None:
    assert "39" in lost(LINES, {2}) or "13" in lost(LINES, {2})
    assert lost(LINES, {3}) == ""
    assert lost([*LINES[:4], "So the answer is 42/126."], {2}) == ""


def test_without_closing_words_nothing_is_lost() -> None:
    trace, annotation = annotated(LINES[:4], [(0, 2, CORRECT, 0)], [(2, 3, 0, 0)])
    assert lost_outcome(trace, annotation, drop_script({2: "redundant"}, 4)) == ""


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("The answer is 42. I verified it by a tally of columns.", "columns"),
        ("The answer is 42. This was confirmed by a tally of columns.", "columns"),
        ("The answer is 42.\n\n**Verification by a tally of columns:**\n\n6 times 7 is 42.", ""),
        ("Verification by columns: 6 times 7. Both methods give 42.", ""),
        ("The answer is 42. I verified it.", ""),
        ("The answer is 42. Counting by columns gives it.", ""),
        ("The answer is 42. This was verified with rows of pens.", ""),
        ("Both methods give 42.", "Both methods"),
        ("", ""),
    ],
)
def test_a_verification_that_the_reply_reports_stays(reply: str, fault: str) -> None:
    trace, annotation = annotated(
        LINES, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4, kinds=(AFFIRMS, AFFIRMS)
    )
    script = drop_script({3: "redundant"}, len(LINES))
    found = unsupported_reply(replace(trace, response=reply), annotation, script)
    assert bool(found) is bool(fault)
    assert fault in found
    assert unsupported_reply(replace(trace, response=reply), annotation, drop_script({}, len(LINES))) == ""
