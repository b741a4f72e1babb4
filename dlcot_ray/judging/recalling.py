"""A judge that remembers: annotations that an earlier run made of the same content are not made again.

Identity by content decides, never an id or a place: a trace that was renamed or moved keeps its annotation,
and one of which a single character or the judge changed does not find it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.protocol import Judge


class RecallingJudge:
    """Another judge behind what is known already; that judge stays its owner's to start and close.

    Attributes:
        asked: fingerprints of the traces that were put to the judge behind.
    """

    def __init__(self, judge: Judge, known: Mapping[str, Annotation]) -> None:
        """`known`: fingerprint -> annotation."""
        self._judge = judge
        self._known = known
        self.asked: set[str] = set()

    @property
    def identity(self) -> str:
        """That of the judge behind: recalled or asked, the annotation is the same."""
        return self._judge.identity

    def start(self) -> None:
        """Nothing: the judge behind is started by its owner."""

    async def judge(self, trace: Trace) -> Annotation:
        """The known annotation of this content under this trace's id, or a new one.

        Raises:
            JudgeError, JudgeDied: as the judge behind.
        """
        mark = fingerprint(trace, self.identity)
        known = self._known.get(mark)
        # One that does not cover the text was damaged; asking again costs a judgement, using it a trace.
        if known is not None and known.segment_offsets[-1:] == (len(trace.reasoning),):
            return replace(known, trace_id=trace.trace_id)
        self.asked.add(mark)
        return await self._judge.judge(trace)

    def close(self) -> None:
        """Nothing: the judge behind is closed by its owner."""
