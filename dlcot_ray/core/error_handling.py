"""Located errors in what a policy keeps: which stay, are deleted or repaired (DLCoT step 5.2).

In: a trace, its annotation, an edit script and a policy. Out: a new script, what became of each error, and
the repairs to ask for. An error that the trace itself corrects stays by default: seeing it corrected is worth
learning. Other erroneous sentences are deleted (`errors=delete`) or given to a writer (`errors=repair`). An
error whose wrong value is used further on stays, because without it the rest has no ground. Values are
compared as written numbers, so in doubt an error stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dlcot_ray.core.annotation import Annotation, ErrorSpan
from dlcot_ray.core.arrival import accepted_answers, states
from dlcot_ray.core.edits import Edit, EditOp, EditScript, replace_segments, segments_of
from dlcot_ray.core.evidence.arithmetic import find_claims
from dlcot_ray.core.policies.base import CorrectedMode, ErrorMode, Policy
from dlcot_ray.core.seams import sentences
from dlcot_ray.core.trace import Trace


class ErrorOutcome(StrEnum):
    """The outcome for a located error in the kept text."""

    CORRECTED = "corrected"
    """It stays, because the trace corrects it later."""
    KEPT = "kept"
    """It stays as it is."""
    CARRIED = "carried"
    """It stays, because its wrong value is used further on."""
    DELETED = "deleted"
    REPAIRED = "repaired"
    REFUSED = "refused"
    """It stays, because no repair passed its checks."""


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """A request to rewrite segments `[start, stop)` without `errors`; the new text must not be longer."""

    start: int
    stop: int
    errors: tuple[ErrorSpan, ...]


_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
_RELATION = re.compile(r"=|≈|\\approx|\bis\b")
_NOTICED = re.compile(
    r"\b(?:mistake|wrong|incorrect|error|correction|oops|sorry|not right|that's off|"
    r"miscalculat\w+|i mis\w+)\b|"
    r"(?:^|[.!?\n])\W*(?:wait|no|hold on|hmm)\b",
    re.IGNORECASE,
)
_NOTICED_WITHIN = 400
"""Characters after an error within which a trace must notice it, for a correction by cues."""
_RESTATED_WITHIN = 3000
"""Characters after an error within which the same left side with the right value counts as a correction."""
_MARKUP = re.compile(r"</?think>|<\|")


def located_errors(trace: Trace, annotation: Annotation, *, evidence: bool = True) -> tuple[ErrorSpan, ...]:
    """Every located error once, in order, with `corrected` completed by evidence and by cues.

    Evidence: the same left side is stated with its right value afterwards. Cues: the trace says directly
    behind the error that something is wrong. Without `evidence`, `corrected` is what the judge found.
    """
    found = {(e.char_start, e.char_stop): e for a in annotation.approaches for e in a.errors}
    errors = [error for _, error in sorted(found.items())]
    if not evidence:
        return tuple(errors)
    return tuple(
        error if error.corrected or not _is_corrected(trace, error) else replace(error, corrected=True)
        for error in errors
    )


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
    outcomes: list[ErrorOutcome] = []
    cuts: dict[int, list[tuple[int, int]]] = {}
    for error in errors:
        if error.corrected and policy.corrected is CorrectedMode.KEEP:
            outcomes.append(ErrorOutcome.CORRECTED)
        elif policy.errors is ErrorMode.KEEP:
            outcomes.append(ErrorOutcome.KEPT)
        elif _is_carried(trace, annotation, error, kept):
            outcomes.append(ErrorOutcome.CARRIED)
        elif policy.errors is ErrorMode.REPAIR:
            outcomes.append(ErrorOutcome.REFUSED)
        elif (spans := _sentences_of(trace, annotation, error)) is None:
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
    if policy.errors is not ErrorMode.REPAIR:
        return ()
    kept = set(segments_of(script, (EditOp.KEEP,)))
    requests: list[RepairRequest] = []
    for error in located_errors(trace, annotation):
        if error.corrected and policy.corrected is CorrectedMode.KEEP:
            continue
        if not kept.issuperset(range(error.start, error.stop)) or _is_carried(trace, annotation, error, kept):
            continue
        last = requests[-1] if requests else None
        if last is not None and error.start < last.stop:
            requests[-1] = RepairRequest(last.start, max(last.stop, error.stop), (*last.errors, error))
        else:
            requests.append(RepairRequest(error.start, error.stop, (error,)))
    return tuple(requests)


def checked_repair(
    trace: Trace, annotation: Annotation, request: RepairRequest, text: str | None
) -> tuple[str, str]:
    """The text that replaces the segments of a request, and the reason if there is none.

    The checks use the evidence that found the errors. The text must have no false arithmetic, none of the
    quoted errors and no new markup. It must not be longer, and must state the answer if the segments did.
    """
    old = _text(trace, annotation, request.start, request.stop)
    new = (text or "").strip()
    if not new:
        return "", "nothing was offered"
    if len(new) > len(old.rstrip()):
        return "", f"longer than the original ({len(new)} against {len(old.rstrip())} characters)"
    if _MARKUP.search(new) and not _MARKUP.search(old):
        return "", "it contains markup"
    if "\n\n" in new and "\n\n" not in old.rstrip():
        return "", "it contains new paragraphs"
    quotes = [trace.reasoning[error.char_start : error.char_stop] for error in request.errors]
    if any(quote in new for quote in quotes):
        return "", "the error is still in it"
    false = next((claim for claim in find_claims(new) if claim.holds is False), None)
    if false is not None:
        return "", f"it states {false.left} = {false.right}, which is {false.expected}"
    accepted = accepted_answers(annotation)
    if accepted and states(old, accepted) and not states(new, accepted):
        return "", "it no longer states the answer"
    return new + old[len(old.rstrip()) :], ""


def apply_repairs(script: Sequence[Edit], repaired: Iterable[tuple[RepairRequest, str]]) -> EditScript:
    """The script with the segments of each request replaced, where all of them are still kept."""
    result = tuple(script)
    for request, text in repaired:
        result = _replace_range(result, request, text)
    return result


def _replace_range(script: EditScript, request: RepairRequest, text: str) -> EditScript:
    edits: list[Edit] = []
    for edit in script:
        inside = edit.op is EditOp.KEEP and edit.start <= request.start and request.stop <= edit.stop
        if not inside:
            edits.append(edit)
            continue
        if edit.start < request.start:
            edits.append(Edit(EditOp.KEEP, edit.start, request.start))
        messages = "; ".join(dict.fromkeys(error.message or error.kind for error in request.errors))
        edits.append(Edit(EditOp.REPLACE, request.start, request.stop, text, f"error repaired: {messages}"))
        if request.stop < edit.stop:
            edits.append(Edit(EditOp.KEEP, request.stop, edit.stop))
    return tuple(edits)


def _is_corrected(trace: Trace, error: ErrorSpan) -> bool:
    after = trace.reasoning[error.char_stop : error.char_stop + _RESTATED_WITHIN]
    if _NOTICED.search(after[:_NOTICED_WITHIN]):
        return True
    left = _side(trace.reasoning[error.char_start : error.char_stop], left=True)
    if not left or left not in "".join(after.split()):
        return False
    return any(claim.holds is True and "".join(claim.left.split()) == left for claim in find_claims(after))


def _is_carried(trace: Trace, annotation: Annotation, error: ErrorSpan, kept: set[int]) -> bool:
    """Whether the kept text after the error's sentence uses a number of the error's right side."""
    quote = trace.reasoning[error.char_start : error.char_stop]
    wrong = set(_NUMBER.findall(_side(quote, left=False) or quote))
    if not wrong:
        return False
    offsets = annotation.segment_offsets
    end = next((a.stop for a in annotation.approaches if a.start <= error.start < a.stop), error.stop)
    behind = trace.reasoning[error.char_stop : offsets[error.stop]]
    segments = [segment for segment in range(error.stop, end) if segment in kept]
    texts = [behind, *(trace.reasoning[offsets[segment] : offsets[segment + 1]] for segment in segments)]
    return any(not wrong.isdisjoint(_NUMBER.findall(text)) for text in texts)


def _side(quote: str, *, left: bool) -> str:
    """One side of the last relation in a quote, without white space; empty if there is no relation."""
    relations = list(_RELATION.finditer(quote))
    if not relations:
        return ""
    side = quote[: relations[-1].start()] if left else quote[relations[-1].end() :]
    return "".join(side.split())


def _sentences_of(
    trace: Trace, annotation: Annotation, error: ErrorSpan
) -> list[tuple[int, int, int]] | None:
    """Segment and span of the sentences that contain an error; None if one of them states the answer."""
    accepted = accepted_answers(annotation)
    spans: list[tuple[int, int, int]] = []
    for segment in range(error.start, error.stop):
        text, base = _text(trace, annotation, segment, segment + 1), annotation.segment_offsets[segment]
        for start, stop in sentences(text):
            if base + start < error.char_stop and base + stop > error.char_start:
                if accepted and states(text[start:stop], accepted):
                    return None
                spans.append((segment, start, stop))
    return spans or None


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> str:
    left = text
    for start, stop in sorted(set(spans), reverse=True):
        left = left[:start] + left[stop:]
    if not left.strip():
        return ""
    return left.rstrip() + text[len(text.rstrip()) :]


def _text(trace: Trace, annotation: Annotation, start: int, stop: int) -> str:
    return trace.reasoning[annotation.segment_offsets[start] : annotation.segment_offsets[stop]]
