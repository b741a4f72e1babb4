"""What gates, reasons and rules mean, in one sentence each, as the report shows them."""

from __future__ import annotations

from dlcot_ray.inputs.choices import PASSED_NOTES

GATES = {
    "span_accounting": "The edits account for every character of the source, once and in order.",
    "answer_preserved": "The text still states the right answer, and still ends on it.",
    "correct_approach_left": "One correct approach is kept whole, from its start to its answer.",
    "cut_bounds": "At least the share min_keep of the characters is left.",
    "no_dangling_reference": "No kept sentence announces or refers to what is gone.",
    "results_kept": "Every value and symbol that kept text uses is still worked out.",
    "nothing_cut_through": "No case, enumeration, list or sentence is cut in the middle.",
    "checks_supported": "Every kept check keeps what it examines, and is whole.",
    "cases_complete": "No case of a case analysis is missing.",
    "ending_kept": "The text still ends: its closing words are there.",
    "outcome_kept": "The figures of the final answer, as the closing words give them, still have their work.",
    "reply_supported": "The verification that the visible reply reports is still there.",
    "repair": "The text of a repair passes the checks of repairs.",
}
REASONS = {
    "nothing_to_cut": "The policy found nothing to remove.",
    "needed": "By the judge's chances a reader would keep all of it.",
    "no_reference": "No right answer is known, so nothing counts as text behind it.",
    "no_scores": "No model scored the segments, which the policy reads.",
    "no_approach": "The judge found no approach to the problem.",
    "unsolved": "The trace does not arrive at its reference answer.",
    "judge_failed": "The judge failed on this trace; it passed through.",
    "ungated": "A baseline cut by length or chance; no gate looked at it.",
    "too_long": "The trace is longer than max_trace_chars; it passed through.",
    "unsure:low_confidence": "The judge was not sure enough of its labels to cut.",
    "mixed_language": "Text in another language follows, so nothing before it was cut.",
}
_PREFIXES = {
    "gate:": "This gate stopped the cut, so the trace stays as it was.",
    "fallback:": "A gate stopped the first choice; this smaller cut passed.",
    "unsure:": "The judge was not sure, so nothing was cut.",
    "unknown_language:": "The judge does not read this language; the trace passed through.",
}


def gate_help(name: str) -> str:
    """What a gate asks; empty for an unknown one."""
    return GATES.get(name, "")


def reason_help(word: str) -> str:
    """What a status reason means; empty for an unknown one."""
    exact = REASONS.get(word) or PASSED_NOTES.get(word)
    if exact:
        return exact
    return next((text for prefix, text in _PREFIXES.items() if word.startswith(prefix)), "")


def rule_of(reason: str) -> str:
    """The rule that a reason of an edit names: ``redundant: approach 2 ...`` is of ``redundant``."""
    return reason.partition(":")[0].strip() or "other"
