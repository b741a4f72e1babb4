"""The `cascade` judge: a cheap judge first, an expensive one only where the first is unsure.

In: a trace. Out: an annotation, whose `judge` says which judge made it. Most traces of a large set are easy
(one approach, a checked answer, a short tail), so sending only the rest to a model saves most of its cost.
A trace that only looks easy is never seen by the model.
"""

from __future__ import annotations

from dataclasses import replace

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.protocol import Judge, Writer

VERSION = 2

MIN_CONFIDENCE = 0.6
"""Default threshold. With the confidences of `rules/confidence.py`, the second judge gets these traces: no
ground truth and no response, answers that only the CAS could compare, methods close to the threshold, or
boundaries on weak cues."""


_DECISIVE = frozenset({JudgeStep.APPROACHES, JudgeStep.LABELS, JudgeStep.CLUSTERS})


def confidence_of(annotation: Annotation) -> float:
    """The lowest confidence of the steps that decide a cut, 0..1."""
    return min((status.confidence for status in annotation.steps if status.step in _DECISIVE), default=1.0)


def abstained(annotation: Annotation) -> Annotation:
    """The annotation with no confidence in its labels, so that policies cut nothing but loops on it."""
    steps = tuple(
        replace(status, confidence=0.0) if status.step is JudgeStep.LABELS else status
        for status in annotation.steps
    )
    return replace(annotation, steps=steps)


class CascadeJudge:
    """Ask `first`; if a step that decides a cut has less than `min_confidence`, ask `second`.

    Args:
        first: the cheap judge.
        second: the expensive judge.
        min_confidence: 0..1; 0 sends nothing to `second`, a value above 1 everything.
        floor: 0..1; an annotation that is less sure, whoever made it, lets nothing but loops be cut.

    Raises:
        ValueError: one of the two is no number in its range.
    """

    def __init__(
        self, first: Judge, second: Judge, *, min_confidence: float = MIN_CONFIDENCE, floor: float = 0.0
    ) -> None:
        if not 0 <= min_confidence <= 2:
            raise ValueError(f"min_confidence cannot be {min_confidence}: give a number from 0 to 2")
        if not 0 <= floor <= 1:
            raise ValueError(f"floor cannot be {floor}: give a number from 0 to 1")
        self._first, self._second = first, second
        self._min_confidence, self._floor = min_confidence, floor

    @property
    def identity(self) -> str:
        """Both judges' identities and the thresholds."""
        judges = f"{self._first.identity} | {self._second.identity}"
        floor = f", floor {self._floor:g}" if self._floor else ""
        return f"cascade/{VERSION} below {self._min_confidence:g}{floor}: {judges}"

    @property
    def writer(self) -> Writer | None:
        """The second judge's writer."""
        found: Writer | None = getattr(self._second, "writer", None)
        return found

    @property
    def busy_seconds(self) -> float:
        """Seconds in which the second judge's engine had work; 0 where it has none."""
        found: float = getattr(self._second, "busy_seconds", 0.0)
        return found

    def start(self) -> None:
        """Start both.

        Raises:
            JudgeUnavailable: one of them cannot start.
        """
        self._first.start()
        self._second.start()

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace.

        Raises:
            JudgeError: the judge that was asked could not.
            JudgeDied: the engine of the model has stopped.
        """
        annotation = await self._first.judge(trace)
        if self.is_unsure(annotation):
            annotation = await self._second.judge(trace)
        if confidence_of(annotation) < self._floor:
            annotation = abstained(annotation)
        # `judge` names the judge that answered; the fingerprint is made from the identity of the cascade.
        return replace(annotation, fingerprint=fingerprint(trace, self.identity))

    def is_unsure(self, annotation: Annotation) -> bool:
        """Whether a trace with this annotation goes to the second judge; a step counts if it found anything.

        The step of errors does not count: the rules find only computed errors, and give all traces the same
        low confidence there.
        """
        return confidence_of(annotation) < self._min_confidence

    def close(self) -> None:
        """Close both."""
        self._first.close()
        self._second.close()
