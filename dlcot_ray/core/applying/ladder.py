"""The ladder: the largest part of a policy's drops that leaves no seam open and passes every gate.

In: a trace, its settled annotation and a policy's drops. Out: an `Enhancement` without repairs. If the
policy's choice fails, another check is kept; then the first items are given back, until what is left of the
drops passes. What stays then stands in a row, so that no kept item follows a dropped one that it speaks of.
An item is a whole approach, a whole check, or the text between two of them, so that no check is cut through.
The conclusion is never an item, so redundancy goes before closing words do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation, ReferenceKind, VerificationKind
from dlcot_ray.core.applying.closing import declared_answer, kept_outcome, list_before, needless_closing
from dlcot_ray.core.applying.needless import (
    affirming_stop,
    behind_answer,
    ending_at,
    needless_run,
)
from dlcot_ray.core.applying.settling import settling
from dlcot_ray.core.applying.standalone import speaks_of_another, stands_alone
from dlcot_ray.core.edits import (
    Edit,
    EditOp,
    EditScript,
    apply_script,
    drop_script,
    keep_all,
    replace_segments,
    segments_of,
)
from dlcot_ray.core.enhancement import Enhancement, ErrorOutcome, GateResult, Status
from dlcot_ray.core.error_edits.handling import delete_errors
from dlcot_ray.core.evidence.loops import without_loop
from dlcot_ray.core.gates import evaluate_gates, keeps_answer
from dlcot_ray.core.gating.wholeness import MENDING
from dlcot_ray.core.policies.base import LOOP, Drops, Policy, drop_range
from dlcot_ray.core.policies.reasons import owners, with_reasons
from dlcot_ray.core.policies.redundancy import REDUNDANT
from dlcot_ray.core.policies.scores import has_scores
from dlcot_ray.core.policies.standing import standing
from dlcot_ray.core.seams.closing import close_seams
from dlcot_ray.core.seams.kinds import Closed, Seam, SeamNeed
from dlcot_ray.core.stating.stated import accepted_answers, states
from dlcot_ray.core.trace import Trace

TAILS = 12
"""Maximum number of places from which on the ladder tries to drop."""

GIVING_BACK = 4
"""Maximum rounds of giving back what is dropped before an open seam."""

OTHER_CHECKS = 2
"""Maximum number of other checks that are tried as the one that stays."""

NO_SCORES = "no_scores"
"""The reason of a trace without the scores that the policy reads."""

NO_REFERENCE = "no_reference"
"""The reason of a trace without a known answer, of which the policy cannot tell what is behind the answer."""

NEEDED = "needed"
"""The reason of a trace whose whole text a reader would keep, by the judge's chances."""

CLOSES = "ends or sums up what is dropped, or plans the reply"
"""The reason for dropping sentences of the conclusion."""

Bridges = Mapping[SeamNeed, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """A script with its seams; `needs` are those left open, `gates` its verdicts.

    `checked` is False where closing seams took away the whole check that was to stay.
    """

    drops: Drops
    script: EditScript
    seams: tuple[Seam, ...]
    needs: tuple[SeamNeed, ...]
    errors: tuple[ErrorOutcome, ...]
    gates: tuple[GateResult, ...]
    checked: bool = True

    @property
    def passes(self) -> bool:
        """Whether no seam is open, the check stands and every gate passes."""
        return self.checked and not self.needs and all(gate.passed for gate in self.gates)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What every step of the ladder works on."""

    trace: Trace
    annotation: Annotation
    policy: Policy
    bridges: Bridges

    def drops(self) -> Drops:
        """What the policy drops, with the sentences that sum up what is dropped."""
        return self._summed(self._without_spoken_of(self.policy.drops(self.annotation)))

    def cut(self, drops: Drops) -> Cut:
        """Drops, with the errors deleted, the seams closed and the bridges in place.

        A sentence with a loose end that states the answer is removed only if the kept text states it
        elsewhere.
        """
        trace, annotation = self.trace, self.annotation
        accepted = accepted_answers(annotation)
        outcome = kept_outcome(trace, annotation, [i for i, why in drops.items() if why == CLOSES])
        if not outcome:
            outcome = declared_answer(trace, annotation, [i for i, why in drops.items() if why != LOOP])
        left = {segment: why for segment, why in drops.items() if segment not in outcome}
        script = drop_script(left, len(annotation.segment_offsets) - 1)
        shorter = {
            i: text for i, text in outcome.items() if text != annotation.segment_text(trace.reasoning, i)
        }
        script = replace_segments(script, shorter, {i: drops[i] for i in shorter})
        if self.policy.drops_loops:
            script = _without_inner_loops(trace, annotation, script)
        script, errors = delete_errors(trace, annotation, script, self.policy)
        closed = close_seams(trace.reasoning, annotation, script, lambda text: False)
        if closed.seams and accepted and not keeps_answer(trace, annotation, closed.script):
            closed = close_seams(trace.reasoning, annotation, script, lambda text: states(text, accepted))
        script, seams, needs = closed.script, closed.seams, closed.needs
        for need in needs:
            if need in self.bridges:
                script = _inserted(script, need, self.bridges[need])
                seams = (*seams, Seam(need.kind, need.segment, Closed.BRIDGE))
        opened = tuple(need for need in needs if need not in self.bridges)
        gates = evaluate_gates(trace, annotation, script, self.policy.min_keep)
        return Cut(drops, script, seams, opened, errors, gates, self._is_checked(drops, script))

    def _is_checked(self, drops: Drops, script: EditScript) -> bool:
        """Whether something is left of each check of the answer that the drops do not touch."""
        stays = standing(self.annotation)
        left = set(segments_of(script, (EditOp.KEEP, EditOp.REPLACE)))
        return stays is None or all(
            not left.isdisjoint(range(check.start, check.stop))
            for check in self.annotation.verifications
            if check.kind is VerificationKind.AFFIRMATION
            and check.start >= stays.trunk
            and not any(segment in drops for segment in range(check.start, check.stop))
        )

    def climb(self, first: Cut) -> Enhancement:
        """The first cut, or the part of it that passes."""
        if _keeps_all(first.script):
            return self.unchanged(self._nothing_to_cut(), (), first.errors)
        if first.passes:
            return self.enhanced(first, "", first.gates, ())
        given: tuple[Seam, ...] = ()
        cut = first
        for _ in range(GIVING_BACK):
            if not cut.needs:
                break
            given += tuple(Seam(need.kind, need.segment, Closed.KEPT) for need in cut.needs)
            cut = self.cut(self._behind_seams(cut.drops, cut.needs))
        gates = cut.gates
        if given:
            gates = _with_stop(gates, "no_dangling_reference", f"{len(given)} given back")
        failed = (gate.name for gate in (*gates, *first.gates) if not gate.passed)
        stopped = next(failed, "check_kept")
        if not cut.passes:
            less = next((trial for trial in self._less(first, cut) if trial.passes), None)
            if less is None:
                return self.unchanged(f"gate:{stopped}", gates, cut.errors)
            cut = less
        if _keeps_all(cut.script):
            return self.unchanged(f"gate:{stopped}", gates, cut.errors)
        return self.enhanced(cut, f"fallback:{stopped}", gates, given)

    def as_read(self, made: Enhancement) -> Enhancement:
        """A result whose cut behind the answer begins and ends where a reader's would, if that passes.

        `made` stays where the judge gives no chances, where they change nothing, or where a gate refuses. If
        no check would affirm the answer any more, the cut begins behind the one that does in `made`.
        """
        gone = {i: e.reason for e in made.script if e.op is EditOp.DROP for i in range(e.start, e.stop)}
        affirms = affirming_stop(self.annotation, gone)
        for least in (0,) if affirms is None else (0, affirms):
            run = needless_run(self.trace, self.annotation, gone, least)
            if run is None:
                break
            ladder = replace(self, annotation=ending_at(self.trace, self.annotation, run))
            drops = self._with_run(gone, run)
            if affirms is None or affirming_stop(ladder.annotation, drops) is not None:
                return made if drops.keys() == gone.keys() else ladder._read(drops, made)
        return made

    def _with_run(self, gone: Mapping[int, str], run: range) -> Drops:
        """Drops with a run in the place of everything behind the answer but loops.

        Loose ends and errors that were taken out are no drops of a policy: they are found anew.
        """
        behind = behind_answer(self.annotation)
        drops = {
            i: LOOP if why == LOOP else REDUNDANT
            for i, why in gone.items()
            if why == LOOP or (i < behind and not why.startswith(MENDING))
        }
        drop_range(drops, run.start, run.stop, REDUNDANT)
        return drops

    def _read(self, drops: Drops, made: Enhancement) -> Enhancement:
        """The result of the drops that a reader would make, or `made` where they do not pass."""
        cut = self.cut(drops)
        if not drops or _keeps_all(cut.script):
            return self.unchanged(NEEDED, cut.gates, cut.errors)
        if not cut.passes:
            return made
        return self.enhanced(cut, "", cut.gates, ())

    def _nothing_to_cut(self) -> str:
        """Why the policy chose nothing."""
        if self.policy.scores and not has_scores(self.annotation, self.policy.scores):
            return NO_SCORES
        if not self.annotation.approaches:
            return "no_approach"
        unknown = self.annotation.reference_kind is ReferenceKind.NONE
        return NO_REFERENCE if unknown and self.policy.reads_answer else "nothing_to_cut"

    def _less(self, first: Cut, cut: Cut) -> Iterator[Cut]:
        """Cuts that drop less than the policy chose, those that drop most first."""
        if CLOSES in cut.drops.values():
            yield self.cut({segment: why for segment, why in cut.drops.items() if why != CLOSES})
        for drops in self._with_other_checks():
            yield self.cut(drops)
        for start in self._tails(cut.drops):
            yield self.cut(_with_cause({i: why for i, why in cut.drops.items() if i >= start or why == LOOP}))
        if any(why == LOOP for why in cut.drops.values()):
            yield self.cut({segment: why for segment, why in cut.drops.items() if why == LOOP})

    def _with_other_checks(self) -> Iterator[Drops]:
        """The drops if the check that stays were another one, which neither breaks off nor ends in a loop."""
        annotation, count = self.annotation, len(self.annotation.segment_offsets) - 1
        for _ in range(OTHER_CHECKS):
            stays = standing(annotation)
            if stays is None or stays.check is None:
                return
            checks = list(annotation.verifications)
            checks[stays.check] = replace(checks[stays.check], kind=VerificationKind.CHECK)
            annotation = replace(annotation, verifications=tuple(checks))
            after = standing(annotation)
            if after is None or after.check is None:
                return
            stop = annotation.verifications[after.check].stop
            if any(start < stop <= end for start, end in annotation.loops) or (
                annotation.truncated and stop == count
            ):
                return
            if not stands_alone(self._text_of_check(annotation, after.check)):
                return
            yield self._summed(self.policy.drops(annotation))

    def _without_spoken_of(self, drops: Drops) -> Drops:
        """The drops without what stands before the check that stays, if that check speaks of it."""
        stays = standing(self.annotation)
        if stays is None or stays.check is None:
            return drops
        if not speaks_of_another(self._text_of_check(self.annotation, stays.check)):
            return drops
        before = range(stays.trunk, self.annotation.verifications[stays.check].start)
        return {i: why for i, why in drops.items() if why == LOOP or i not in before}

    def _text_of_check(self, annotation: Annotation, check: int) -> str:
        offsets, found = annotation.segment_offsets, annotation.verifications[check]
        return self.trace.reasoning[offsets[found.start] : offsets[found.stop]]

    def _tails(self, drops: Drops) -> list[int]:
        """Where the dropped items begin, without the first one and without loops, in order; `TAILS` at most.

        A loop only repeats what stands before it, so nothing is mended by giving it back.
        """
        owned = owners(self.annotation)
        starts: list[int] = []
        last: tuple[str, int] | None = None
        before = -1
        for segment in sorted(segment for segment, why in drops.items() if why != LOOP):
            key = owned[segment]
            if key != last or (not key[0] and before != segment - 1):
                starts.append(segment)
            last, before = key, segment
        later = starts[1:]
        step = max(1, -(-len(later) // TAILS))
        return later[::step]

    def _behind_seams(self, drops: Drops, needs: tuple[SeamNeed, ...]) -> Drops:
        """The drops behind the last open seam, and loops: what stays before it stands in a row."""
        last = max(need.right for need in needs)
        return _with_cause({i: why for i, why in drops.items() if i >= last or why == LOOP})

    def _summed(self, drops: Drops) -> Drops:
        """The drops with the closing sentences that go with them, without what settles a doubt that stays."""
        stays = standing(self.annotation)
        if stays is None or not any(stays.trunk <= segment < stays.closing for segment in drops):
            return drops
        settled = settling(self.trace, self.annotation)
        if settled is not None:
            drops = {s: why for s, why in drops.items() if why == LOOP or s not in settled}
            if stays.check is not None and self.annotation.verifications[stays.check].start >= settled.stop:
                check = self.annotation.verifications[stays.check]
                drop_range(drops, check.start, check.stop, REDUNDANT)
        listed = list_before(self.trace, self.annotation, stays.closing)
        drops = {segment: why for segment, why in drops.items() if segment not in listed}
        last = next((i for i in range(stays.closing - 1, -1, -1) if i not in drops), None)
        cut = drops.get(stays.closing - 1, LOOP) != LOOP
        needless = needless_closing(self.trace, self.annotation, last if cut else None)
        return drops | dict.fromkeys(needless, CLOSES)

    def enhanced(
        self, cut: Cut, reason: str, gates: tuple[GateResult, ...], given: tuple[Seam, ...]
    ) -> Enhancement:
        """The result of a cut, with the reasons of its drops written out."""
        script = with_reasons(self.annotation, cut.script)
        text = apply_script(self.trace.reasoning, self.annotation.segment_offsets, script)
        seams = (*cut.seams, *given)
        return Enhancement(
            Status.ENHANCED, reason, script, text, gates, self.policy.expression, seams, cut.errors
        )

    def unchanged(
        self, reason: str, gates: tuple[GateResult, ...], errors: tuple[ErrorOutcome, ...]
    ) -> Enhancement:
        """The trace as it is, with the reason."""
        script = keep_all(len(self.annotation.segment_offsets) - 1)
        return Enhancement(
            Status.UNCHANGED,
            reason,
            script,
            self.trace.reasoning,
            gates,
            self.policy.expression,
            errors=errors,
        )


def _keeps_all(script: EditScript) -> bool:
    return all(edit.op is EditOp.KEEP for edit in script)


def _with_cause(drops: Drops) -> Drops:
    """The drops without closing words, if nothing goes any more that they could sum up."""
    caused = any(why not in (CLOSES, LOOP) for why in drops.values())
    return drops if caused else {segment: why for segment, why in drops.items() if why != CLOSES}


def _with_stop(gates: tuple[GateResult, ...], name: str, detail: str) -> tuple[GateResult, ...]:
    """The gates, with the one that stopped the first choice appended as failed."""
    return (*(gate for gate in gates if gate.name != name), GateResult(name, False, detail))


def _without_inner_loops(trace: Trace, annotation: Annotation, script: EditScript) -> EditScript:
    """The script whose kept segments lose the loops inside them, behind the first pass."""
    offsets = annotation.segment_offsets
    texts: dict[int, str] = {}
    for edit in script:
        for segment in range(edit.start, edit.stop) if edit.op is EditOp.KEEP else ():
            text = trace.reasoning[offsets[segment] : offsets[segment + 1]]
            if (shorter := without_loop(text)) is not None:
                texts[segment] = shorter
    return replace_segments(script, texts, LOOP) if texts else script


def _inserted(script: EditScript, need: SeamNeed, text: str) -> EditScript:
    """The script with a bridge after the drops that precede segment `need.right`."""
    edits: list[Edit] = []
    bridge = Edit(EditOp.INSERT, need.right, need.right, f"{text}\n\n", f"bridge: {need.kind}")
    placed = False
    for edit in script:
        if not placed and edit.start == need.right and edit.op is not EditOp.DROP:
            edits.append(bridge)
            placed = True
        edits.append(edit)
    if not placed:
        edits.append(bridge)
    return tuple(edits)
