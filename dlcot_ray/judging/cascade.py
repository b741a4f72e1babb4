"""The `cascade` judge: rules first, a model only where the rules are unsure.

Most of a large set is easy: one approach, a checked answer, a short tail. Sending only the rest to a model
cuts its share of the job; the price is that an easy-looking trace is never seen by it. Which judge decided
stands in every step of the annotation, so that the share sent on can be counted.
"""

from __future__ import annotations

from dataclasses import replace

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.protocol import Judge, Writer

VERSION = 1

MIN_CONFIDENCE = 0.6
"""With the rules' own figures (`rules/confidence.py`): sent on is what has no ground truth and no response to
compare with, an answer that only the CAS could tell, methods hardly told apart, boundaries on weak cues."""


_DECISIVE = frozenset({JudgeStep.APPROACHES, JudgeStep.LABELS, JudgeStep.CLUSTERS})


def confidence_of(annotation: Annotation) -> float:
    """How sure a judge is of a trace: of the step that it is least sure of, among those that decide a cut."""
    return min((status.confidence for status in annotation.steps if status.step in _DECISIVE), default=1.0)


class CascadeJudge:
    """Ask `first`; where any of its steps that counts is below `min_confidence`, ask `second`.

    Args:
        first: cheap.
        second: dear.
        min_confidence: 0..1; 0 sends nothing on, above 1 everything.

    Raises:
        ValueError: the confidence is no number in that range.
    """

    def __init__(self, first: Judge, second: Judge, *, min_confidence: float = MIN_CONFIDENCE) -> None:
        if not 0 <= min_confidence <= 2:
            raise ValueError(f"min_confidence cannot be {min_confidence}: give a number from 0 to 2")
        self._first, self._second = first, second
        self._min_confidence = min_confidence

    @property
    def identity(self) -> str:
        """Both judges' identities and the bar between them."""
        judges = f"{self._first.identity} | {self._second.identity}"
        return f"cascade/{VERSION} below {self._min_confidence:g}: {judges}"

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
            JudgeUnavailable: one of them cannot be had.
        """
        self._first.start()
        self._second.start()

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace.

        Raises:
            JudgeError: the judge in charge could not.
            JudgeDied: the model's engine is gone.
        """
        annotation = await self._first.judge(trace)
        if self.is_unsure(annotation):
            annotation = await self._second.judge(trace)
        # The identity of whoever answered stays in `judge`; what makes it reproducible is the cascade's.
        return replace(annotation, fingerprint=fingerprint(trace, self.identity))

    def is_unsure(self, annotation: Annotation) -> bool:
        """Whether a trace so annotated goes to the second judge: a step's doubt counts if it found anything.

        Errors are left out: rules find none where they cannot compute, at the same low confidence for all.
        """
        return confidence_of(annotation) < self._min_confidence

    def close(self) -> None:
        """Close both."""
        self._first.close()
        self._second.close()
