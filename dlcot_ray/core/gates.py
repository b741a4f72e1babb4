"""The gates: checks that an edit must pass before its text replaces a trace.

In: a trace, its annotation and an edit script. Out: one `GateResult` per gate. No gate asks a model. A gate
that does not apply (no reference, nothing dropped) passes. An answer that only a CAS could compare counts
where the judge had found it equal. So a gate may stop a good edit, but it lets no lost answer through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dlcot_ray.core.annotation import Annotation, Approach, Label
from dlcot_ray.core.edits import Edit, EditOp, EditScriptError, apply_script, check_script, segments_of
from dlcot_ray.core.enhancement import GateResult
from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer, find_answers, last_answer
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.gating.cases import incomplete_cases
from dlcot_ray.core.gating.reliance import missing_result
from dlcot_ray.core.gating.support import lost_outcome, unsupported_reply
from dlcot_ray.core.gating.wholeness import Cut, broken_check, cut_of, cut_through, lost_ending
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.policies.standing import trunk_stop
from dlcot_ray.core.seams import cues
from dlcot_ray.core.seams.loose_ends import loose_end
from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.stating.stated import accepted_answers, ends_on, is_accepted, states
from dlcot_ray.core.trace import Trace

ANSWER = "answer_preserved"
NEAR = 1000
FAR = 6000
"""Characters at the end of a text that are searched for its final answer, in any form and boxed."""

_LAST_WORDS = 300
_AT_THE_END = 100
"""Characters from the end within which no weaker statement can replace a stronger one (see `last_answer`)."""


def evaluate_gates(
    trace: Trace, annotation: Annotation, script: Sequence[Edit], min_keep: float
) -> tuple[GateResult, ...]:
    """Evaluate every gate on a script; order is fixed."""
    accounting = _span_accounting(annotation, script)
    if not accounting.passed:
        return (accounting,)
    text = apply_script(trace.reasoning, annotation.segment_offsets, script)
    return (
        accounting,
        _answer_preserved(trace, annotation, script, text),
        _correct_approach_left(annotation, script),
        _cut_bounds(trace, annotation.segment_offsets, script, text, min_keep),
        _gate("no_dangling_reference", loose_end(trace.reasoning, annotation, script)),
        _results_kept(trace, annotation, script),
        *_whole(trace, annotation, script),
        _gate("outcome_kept", lost_outcome(trace, annotation, script)),
        _gate("reply_supported", unsupported_reply(trace, annotation, script)),
    )


def keeps_answer(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> bool:
    """Whether a total script passes the gate `ANSWER`; cheaper than all gates."""
    text = apply_script(trace.reasoning, annotation.segment_offsets, script)
    return _answer_preserved(trace, annotation, script, text).passed


def _span_accounting(annotation: Annotation, script: Sequence[Edit]) -> GateResult:
    try:
        check_script(script, len(annotation.segment_offsets) - 1)
    except EditScriptError as error:
        return GateResult("span_accounting", False, str(error))
    return GateResult("span_accounting", True)


def _answer_preserved(trace: Trace, annotation: Annotation, script: Sequence[Edit], text: str) -> GateResult:
    """The kept text states a correct answer of the trace, unaltered, as its last answer."""
    accepted = accepted_answers(annotation)
    if not accepted or all(edit.op is EditOp.KEEP or edit.reason == LOOP for edit in script):
        # A repetition states nothing that the text before it does not state.
        return GateResult(ANSWER, True)
    stated = {a.answer_segment for a in annotation.approaches if a.label is Label.CORRECT}
    stated.add(annotation.first_correct_segment)
    stated.discard(None)
    standing = set(segments_of(script, (EditOp.KEEP,)))
    offsets = annotation.segment_offsets
    for edit in script:
        if edit.op is EditOp.REPLACE:
            old = trace.reasoning[offsets[edit.start] : offsets[edit.stop]]
            if states(edit.text, accepted):
                standing.update(range(edit.start, edit.stop))
            elif states(old, accepted) and not _is_shortened(old, edit.text):
                return GateResult(ANSWER, False, f"segment {edit.start} no longer states the answer")
        elif edit.op is EditOp.INSERT and (other := _other_answer(edit.text, accepted)) is not None:
            return GateResult(ANSWER, False, f"the text put in at segment {edit.start} states {other.text!r}")
    if stated and stated.isdisjoint(standing):
        return GateResult(ANSWER, False, "no kept segment states the correct answer")
    return _ends_as_before(trace, accepted, script, text, offsets, solved=bool(stated))


def _is_shortened(old: str, new: str) -> bool:
    """Whether `new` is `old` without some sentences; a later check tests that the answer is still stated."""
    return all(new[start:stop].strip() in old for start, stop in sentences(new))


def _ends_as_before(
    trace: Trace,
    accepted: Sequence[str],
    script: Sequence[Edit],
    text: str,
    offsets: Sequence[int],
    *,
    solved: bool,
) -> GateResult:
    """The text ends on the answer if the trace did.

    If the trace certainly ended on something else, the text may do so too. If only a CAS could tell, the
    text must end on the same words as the trace.
    """
    last = script[-1]
    if last.op is EditOp.KEEP and offsets[last.stop] - offsets[last.start] >= FAR:
        return GateResult(ANSWER, True)
    final = final_answer(text)
    if final is not None and is_accepted(final.text, accepted):
        return GateResult(ANSWER, True)
    before = final_answer(trace.reasoning)
    same = (final and final.text) == (before and before.text) or (
        final is not None and before is not None and quick_equivalent(final.text, before.text) is True
    )
    if last.op is EditOp.KEEP and _says(
        trace.reasoning[offsets[last.stop - 1] : offsets[last.stop]], accepted
    ):
        return GateResult(ANSWER, True)
    otherwise = before is None or quick_equivalent(before.text, accepted[0]) is False
    if before is not None and is_accepted(before.text, accepted):
        passed = False
    elif otherwise:
        passed = same or not solved or ends_on(text, accepted)
    else:
        passed = same
    detail = f"the text would end on {final.text!r}" if final else "no answer is left"
    return GateResult(ANSWER, passed, "" if passed else detail)


def _says(words: str, accepted: Sequence[str]) -> bool:
    """Whether closing words contain the reference as written, as a whole word or number."""
    reference = accepted[0].strip("$ ")
    start = words.find(reference)
    while start >= 0:
        before, after = words[max(0, start - 1) : start], words[start + len(reference) :][:2]
        if not (before.isalnum() or before in ("-", ".", ",", "−", "/", "^")) and not _LONGER.match(after):
            return True
        start = words.find(reference, start + 1)
    return False


_LONGER = re.compile(r"\w|[.,/^]\w")
"""Text after a value that makes it another one."""


def final_answer(text: str) -> StatedAnswer | None:
    """`last_answer` of the end of a text, with shortcuts that give the same result.

    No statement is stronger than a box in the last words or, without any box, a statement right at the end.
    Weak forms lose their strength within `NEAR` characters, so text farther away is not searched for them.
    """
    tail = text[-FAR:].rstrip()
    words = tail[-_LAST_WORDS:]
    if "box" in tail:
        boxed = [a for a in find_answers(words, passing=False) if a.form is AnswerForm.BOXED]
        if boxed:
            return boxed[-1]
        return last_answer(tail if "box" in tail[:-NEAR] else tail[-NEAR:])
    found = last_answer(words)
    if found is not None and found.form is not AnswerForm.EQUATION and len(words) - found.stop <= _AT_THE_END:
        return found
    return last_answer(tail[-NEAR:])


def _other_answer(text: str, accepted: Sequence[str]) -> StatedAnswer | None:
    outright = (
        AnswerForm.BOXED,
        AnswerForm.PHRASE,
        AnswerForm.BOLD,
        AnswerForm.OPTION,
        AnswerForm.CONCLUSION,
    )
    stated = (answer for answer in find_answers(text) if answer.form in outright)
    return next((answer for answer in stated if not is_accepted(answer.text, accepted)), None)


def _correct_approach_left(annotation: Annotation, script: Sequence[Edit]) -> GateResult:
    """One correct approach must be kept from its start to its answer; single sentences may be edited.

    Where the answer stands before the first correct approach, the way to there serves as well, if the correct
    approaches go whole.
    """
    correct = [a for a in annotation.approaches if a.label is Label.CORRECT]
    if not correct:
        return GateResult("correct_approach_left", True)
    cut = cut_of(annotation, script)
    standing = set(segments_of(script, (EditOp.KEEP, EditOp.REPLACE))) | cut.harmless
    trunk = trunk_stop(annotation)
    later = trunk is not None and all(a.start >= trunk and cut.takes(a.start, a.stop) for a in correct)
    if trunk is not None and later and standing.issuperset(range(trunk)):
        # A check found the error and the right answer before any approach is correct.
        return GateResult("correct_approach_left", True)
    for start, stop in _ways(annotation, correct, cut):
        if standing.issuperset(range(start, stop)):
            return GateResult("correct_approach_left", True)
    return GateResult("correct_approach_left", False, "no approach is kept from its start to the answer")


def _ways(annotation: Annotation, correct: Sequence[Approach], cut: Cut) -> Iterator[tuple[int, int]]:
    """Segment ranges that lead to the answer."""
    for approach in correct:
        yield (
            approach.start,
            approach.stop if approach.answer_segment is None else approach.answer_segment + 1,
        )
    first, start = annotation.first_correct_segment, annotation.approaches[0].start
    early = first is not None and start <= first < correct[0].start
    if first is not None and early and all(cut.takes(a.start, a.stop) for a in correct):
        yield start, first + 1


def _cut_bounds(
    trace: Trace, offsets: Sequence[int], script: Sequence[Edit], text: str, min_keep: float
) -> GateResult:
    """Enough is left of the text apart from its loops."""
    loops = sum(
        offsets[e.stop] - offsets[e.start] for e in script if e.op is EditOp.DROP and e.reason == LOOP
    )
    share = len(text) / max(1, len(trace.reasoning) - loops)
    passed = share >= min_keep and bool(text.strip())
    return GateResult("cut_bounds", passed, "" if passed else f"only {share:.1%} of the characters left")


def _whole(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> Iterator[GateResult]:
    """What is kept is whole: approaches, checks, cases and the ending."""
    cut = cut_of(annotation, script)
    yield _gate("nothing_cut_through", cut_through(trace.reasoning, annotation, cut))
    yield _gate("checks_supported", broken_check(annotation, cut))
    yield _gate("cases_complete", incomplete_cases(trace.reasoning, annotation.segment_offsets, cut))
    yield _gate("ending_kept", _ending(trace, annotation, script, cut))


def _gate(name: str, fault: str) -> GateResult:
    return GateResult(name, not fault, fault)


def _ending(trace: Trace, annotation: Annotation, script: Sequence[Edit], cut: Cut) -> str:
    """Why the text no longer ends, or an empty string: its closing words are dropped, and what is last now
    does not state the answer.
    """
    last = lost_ending(annotation, script, cut)
    if last is None:
        return ""
    accepted, stated = accepted_answers(annotation), last
    while stated > 0 and cues.ASSURES.match(annotation.segment_text(trace.reasoning, stated)):
        stated -= 1
    if accepted and ends_on(annotation.segment_text(trace.reasoning, stated), accepted):
        return ""
    closing = max(cut.gone)
    return f"the closing words (segment {closing}) are dropped, segment {last} would be the last"


def _results_kept(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> GateResult:
    """The kept text uses no value, symbol or named thing that only dropped text introduced."""
    found = missing_result(trace, annotation, script)
    if found is None:
        return GateResult("results_kept", True)
    uses = f"segment {found.segment} uses the {found.thing} {found.value!r}"
    detail = f"{uses}, which dropped segment {found.source} introduces"
    return GateResult("results_kept", False, detail)
