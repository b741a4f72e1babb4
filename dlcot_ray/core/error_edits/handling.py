"""Located errors in what a policy keeps: which stay, are deleted or repaired (DLCoT step 5.2).

In: a trace, its annotation, an edit script and a policy. Out: a new script, what became of each error, and
the repairs to ask for. An error that the trace itself corrects stays by default: seeing it corrected is worth
learning. Other erroneous sentences are deleted (`errors=delete`) or given to a writer (`errors=repair`). An
error stays if the kept text rests on its wrong value or doubts it (`error_edits/uses.py`). A trace that
does not reach a known answer is not repaired, because nothing would show that repairs lead to the truth.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation, ErrorSpan, Label, ReferenceKind
from dlcot_ray.core.arithmetic.claims import ArithmeticClaim
from dlcot_ray.core.arithmetic.corrections import is_corrected, plain
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.core.edits import Edit, EditOp, EditScript, replace_segments, segments_of
from dlcot_ray.core.enhancement import ErrorOutcome
from dlcot_ray.core.error_edits.sentences import ErrorSentences
from dlcot_ray.core.error_edits.uses import ErrorUses, claim_of, is_noticed
from dlcot_ray.core.evidence.expression import evaluate
from dlcot_ray.core.policies.base import CorrectedMode, ErrorMode, Policy
from dlcot_ray.core.stating.stated import accepted_answers, states
from dlcot_ray.core.trace import Trace


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """A request to rewrite segments `[start, stop)` without `errors`; the new text must not be longer."""

    start: int
    stop: int
    errors: tuple[ErrorSpan, ...]


_MARKUP = re.compile(r"</?think>|<\|")
LONGER = 0.1
LONGER_CHARS = 8
"""How much longer a repair may be than the original: a tenth, and some characters for layout."""


def located_errors(trace: Trace, annotation: Annotation, *, evidence: bool = True) -> tuple[ErrorSpan, ...]:
    """Every located error once, in order, with `corrected` completed by evidence.

    Evidence: the trace returns to the claim and states its right value (see `corrections.py`). Without
    `evidence`, `corrected` is what the judge found.
    """
    found = {(e.char_start, e.char_stop): e for a in annotation.approaches for e in a.errors}
    errors = [error for _, error in sorted(found.items())]
    if not evidence:
        return tuple(errors)
    return tuple(
        error if error.corrected or not _is_corrected(trace, error) else replace(error, corrected=True)
        for error in errors
    )


def is_repairable(annotation: Annotation) -> bool:
    """Whether the trace reaches an answer that is known from outside, so that repairs lead to the truth."""
    known = annotation.reference_kind in (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)
    return known and any(approach.label is Label.CORRECT for approach in annotation.approaches)


def delete_errors(
    trace: Trace, annotation: Annotation, script: Sequence[Edit], policy: Policy
) -> tuple[EditScript, tuple[ErrorOutcome, ...]]:
    """Remove the erroneous sentences from the text that `script` keeps; also return the outcome per error.

    In any mode but `delete` the script is unchanged, and the outcomes are those without a writer.
    """
    if not any(approach.errors for approach in annotation.approaches):
        return tuple(script), ()
    kept = set(segments_of(script, (EditOp.KEEP,)))
    found = located_errors(trace, annotation, evidence=policy.errors is not ErrorMode.KEEP)
    errors = [e for e in found if kept.issuperset(range(e.start, e.stop))]
    stays = policy.errors is ErrorMode.KEEP
    stays = stays or (policy.errors is ErrorMode.REPAIR and not is_repairable(annotation))
    uses, holding = ErrorUses(trace, annotation, kept), ErrorSentences(trace, annotation)
    outcomes: list[ErrorOutcome] = []
    cuts: dict[int, list[tuple[int, int]]] = {}
    for error in errors:
        if error.corrected and policy.corrected is CorrectedMode.KEEP:
            outcomes.append(ErrorOutcome.CORRECTED)
        elif stays or is_noticed(trace, error):
            outcomes.append(ErrorOutcome.KEPT)
        elif uses.is_carried(error):
            outcomes.append(ErrorOutcome.CARRIED)
        elif policy.errors is ErrorMode.REPAIR:
            outcomes.append(ErrorOutcome.REFUSED)
        elif (spans := holding.of(error)) is None:
            outcomes.append(ErrorOutcome.KEPT)
        else:
            outcomes.append(ErrorOutcome.DELETED)
            for segment, start, stop in spans:
                cuts.setdefault(segment, []).append((start, stop))
    if not cuts:
        return tuple(script), tuple(outcomes)
    texts = {
        segment: _cut(_text(trace, annotation, segment, segment + 1), spans)
        for segment, spans in cuts.items()
    }
    return replace_segments(script, texts, "error deleted"), tuple(outcomes)


def repair_requests(
    trace: Trace, annotation: Annotation, script: Sequence[Edit], policy: Policy
) -> tuple[RepairRequest, ...]:
    """The segments of `script` that must be rewritten; neighbouring errors share a request."""
    if policy.errors is not ErrorMode.REPAIR or not is_repairable(annotation):
        return ()
    kept = set(segments_of(script, (EditOp.KEEP,)))
    uses = ErrorUses(trace, annotation, kept)
    groups: list[list[ErrorSpan]] = []
    stop = 0
    for error in located_errors(trace, annotation):
        if error.corrected and policy.corrected is CorrectedMode.KEEP:
            continue
        if not kept.issuperset(range(error.start, error.stop)) or is_noticed(trace, error):
            continue
        if uses.is_carried(error):
            continue
        if groups and error.start < stop:
            groups[-1].append(error)
        else:
            groups.append([error])
        stop = max(stop, error.stop)
    return tuple(
        RepairRequest(group[0].start, max(error.stop for error in group), tuple(group)) for group in groups
    )


def checked_repair(
    trace: Trace, annotation: Annotation, request: RepairRequest, text: str | None
) -> tuple[str, str]:
    """The text that replaces the segments of a request, and the reason if there is none.

    The checks use the evidence that found the errors. The text must hold no new false arithmetic, none of the
    quoted errors and no new markup. It must state the right value of every computed error, and the answer if
    the segments did. It may be a little longer, because layout is no fault.
    """
    old = _text(trace, annotation, request.start, request.stop)
    new = (text or "").strip()
    fault = _form_fault(old.rstrip(), new) or _value_fault(trace, request, old, new)
    if fault:
        return "", fault
    accepted = accepted_answers(annotation)
    if accepted and states(old, accepted) and not states(new, accepted):
        return "", "it no longer states the answer"
    return new + old[len(old.rstrip()) :], ""


def _form_fault(old: str, new: str) -> str:
    """What is wrong with the form of a repair, or an empty text."""
    if not new:
        return "nothing was offered"
    if len(new) > len(old) * (1 + LONGER) + LONGER_CHARS:
        return f"longer than the original ({len(new)} against {len(old)} characters)"
    if _MARKUP.search(new) and not _MARKUP.search(old):
        return "it contains markup"
    if "\n\n" in new and "\n\n" not in old:
        return "it contains new paragraphs"
    return ""


def _value_fault(trace: Trace, request: RepairRequest, old: str, new: str) -> str:
    """What is wrong with the values of a repair, or an empty text."""
    claims = find_claims(new)
    before = {_sides(claim) for claim in find_claims(old)}
    wanted = [(error, claim_of(trace, error)) for error in request.errors]
    wrong = {_sides(claim) for _, claim in wanted if claim is not None}
    for error, claim in wanted:
        quote = trace.reasoning[error.char_start : error.char_stop]
        if _contains(new, quote) or (claim is not None and any(_sides(c) in wrong for c in claims)):
            return "the error is still in it"
    for claim in claims:
        if claim.holds is False and _sides(claim) not in before - wrong:
            return f"it states {claim.left} = {claim.right}, which is {claim.expected}"
    for _, claim in wanted:
        if claim is not None and not _states_value(new, claim):
            return f"it does not state {claim.expected}"
    return ""


def _sides(claim: ArithmeticClaim) -> tuple[str, str]:
    return plain(claim.left), plain(claim.right)


def _contains(text: str, quote: str) -> bool:
    """Whether a text holds a quote as a whole: ``5*2 = 10`` does not hold ``5*2 = 1``."""
    return re.search(rf"(?<![\w.]){re.escape(quote)}(?![\w]|\.\d)", text) is not None


def _states_value(text: str, claim: ArithmeticClaim) -> bool:
    """Whether a repaired text states the right value of a false claim."""
    value = evaluate(claim.left) or evaluate(claim.expected)
    found = (evaluate(other.left) for other in find_claims(text) if other.holds is True)
    if value is not None and any(left is not None and left.number == value.number for left in found):
        return True
    return _contains(text, claim.expected)


def apply_repairs(script: Sequence[Edit], repaired: Iterable[tuple[RepairRequest, str]]) -> EditScript:
    """The script with the segments of each request replaced, where all of them are still kept.

    `repaired` is in the order of the segments, and no two requests share one.
    """
    edits: list[Edit] = []
    waiting = deque(repaired)
    for edit in script:
        at = edit.start
        while waiting and waiting[0][0].start < edit.stop:
            request, text = waiting.popleft()
            if edit.op is not EditOp.KEEP or request.start < at or request.stop > edit.stop:
                continue
            if at < request.start:
                edits.append(Edit(EditOp.KEEP, at, request.start))
            messages = "; ".join(dict.fromkeys(error.message or error.kind for error in request.errors))
            edits.append(
                Edit(EditOp.REPLACE, request.start, request.stop, text, f"error repaired: {messages}")
            )
            at = request.stop
        if at == edit.start:
            edits.append(edit)
        elif at < edit.stop:
            edits.append(Edit(EditOp.KEEP, at, edit.stop))
    return tuple(edits)


def _is_corrected(trace: Trace, error: ErrorSpan) -> bool:
    claim = claim_of(trace, error)
    return claim is not None and is_corrected(trace.reasoning, error.char_stop, claim)


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, stop in sorted(set(spans)):
        parts.append(text[at:start])
        at = stop
    left = "".join([*parts, text[at:]])
    if not left.strip():
        return ""
    return left.rstrip() + text[len(text.rstrip()) :]


def _text(trace: Trace, annotation: Annotation, start: int, stop: int) -> str:
    return trace.reasoning[annotation.segment_offsets[start] : annotation.segment_offsets[stop]]
