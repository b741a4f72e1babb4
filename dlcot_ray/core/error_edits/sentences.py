"""The sentences that hold errors, read once for all errors of a trace."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from dlcot_ray.core.annotation import Annotation, ErrorSpan
from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.stating.stated import accepted_answers, states
from dlcot_ray.core.trace import Trace


class ErrorSentences:
    """The sentences of a trace.

    Args:
        trace: its text.
        annotation: its segments, and the accepted answers.
    """

    def __init__(self, trace: Trace, annotation: Annotation) -> None:
        self._text, self._offsets = trace.reasoning, annotation.segment_offsets
        self._accepted = accepted_answers(annotation)
        self._spans = cache(self._find_spans)
        self._answers = cache(self._states_answer)

    def of(self, error: ErrorSpan) -> list[tuple[int, int, int]] | None:
        """Segment and span of the sentences that hold an error; None if one of them states the answer."""
        found: list[tuple[int, int, int]] = []
        for segment in range(error.start, error.stop):
            base, spans = self._offsets[segment], self._spans(segment)
            first = bisect_right(spans, error.char_start - base, key=lambda span: span[1])
            for start, stop in spans[first:]:
                if base + start >= error.char_stop:
                    break
                if self._answers(base + start, base + stop):
                    return None
                found.append((segment, start, stop))
        return found or None

    def _find_spans(self, segment: int) -> tuple[tuple[int, int], ...]:
        return sentences(self._text[self._offsets[segment] : self._offsets[segment + 1]])

    def _states_answer(self, start: int, stop: int) -> bool:
        return bool(self._accepted) and states(self._text[start:stop], self._accepted)
