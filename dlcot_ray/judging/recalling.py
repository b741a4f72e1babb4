"""A judge that reuses annotations which an earlier run made of the same content.

The fingerprint of the content decides, never an id or a place. A trace that was renamed or moved keeps its
annotation; after a change of one character, or of the judge, it is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.protocol import Judge


class RecallingJudge:
    """Uses known annotations, and asks another judge for the rest. The caller starts and closes that judge.

    Args:
        judge: asked about traces whose annotation is not known.
        known: fingerprint -> annotation.
        fingerprints: trace -> fingerprint, of every trace that will be judged.

    Attributes:
        asked: fingerprints of the traces that `judge` was asked about.
    """

    def __init__(
        self, judge: Judge, known: Mapping[str, Annotation], fingerprints: Mapping[Trace, str]
    ) -> None:
        self._judge = judge
        self._known = known
        self._fingerprints = fingerprints
        self.asked: set[str] = set()

    @property
    def identity(self) -> str:
        """The identity of the other judge, because a reused annotation equals a new one."""
        return self._judge.identity

    def start(self) -> None:
        """Do nothing: the owner of the other judge starts it."""

    async def judge(self, trace: Trace) -> Annotation:
        """The known annotation of this content under this trace's id, or a new one.

        Raises:
            JudgeError, JudgeDied: as the other judge.
        """
        fingerprint = self._fingerprints[trace]
        known = self._known.get(fingerprint)
        # An annotation that does not cover the text was damaged. Judging again is cheaper than a wrong cut.
        if known is not None and known.segment_offsets[-1:] == (len(trace.reasoning),):
            return replace(known, trace_id=trace.trace_id)
        self.asked.add(fingerprint)
        return await self._judge.judge(trace)

    def close(self) -> None:
        """Do nothing: the owner of the other judge closes it."""
