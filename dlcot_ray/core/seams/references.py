"""References of a kept text to several methods, or to text directly before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, segments_of
from dlcot_ray.core.seams import cues


@dataclass(frozen=True, slots=True)
class Ways:
    """How many approaches and checks a trace has, and how many of them an edit keeps."""

    approaches: int
    checks: int
    kept_approaches: int
    kept_checks: int

    def lacks(self, claim: str) -> bool:
        """Whether a claim of several methods or checks was true of the trace and is no longer."""
        needed = 3 if cues.OF_THREE.search(claim) else 2
        if cues.OF_METHODS.search(claim) and self.approaches > 1:
            return self.kept_approaches < min(needed, self.approaches)
        if cues.OF_METHODS.search(claim) and self.kept_checks < self.checks:
            # The other method may be what the judge calls a check, and that check may be gone.
            return True
        before, left = self.approaches + self.checks, self.kept_approaches + self.kept_checks
        return left < min(needed, max(2, before))


def ways_left(annotation: Annotation, script: Sequence[Edit]) -> Ways:
    """The approaches and checks of a trace, and those of which a script keeps any segment."""
    kept = set(segments_of(script, (EditOp.KEEP, EditOp.REPLACE)))
    approaches = [not kept.isdisjoint(range(a.start, a.stop)) for a in annotation.approaches]
    checks = [not kept.isdisjoint(range(v.start, v.stop)) for v in annotation.verifications]
    return Ways(len(approaches), len(checks), sum(approaches), sum(checks))


_ALONE = Ways(2, 0, 1, 0)
_SEVERAL = Ways(9, 9, 9, 9)


def refers_back(text: str, *, adjacent: bool, single: bool) -> re.Match[str] | None:
    """A reference to something that may be dropped, in a kept text after a drop.

    Args:
        text: the kept text.
        adjacent: the text directly follows the drop, so "the previous method" refers to dropped text.
        single: at most one approach or check is kept, so that there is no "both".
    """
    return dangling_reference(text, _ALONE if single else _SEVERAL, adjacent=adjacent)


def dangling_reference(text: str, ways: Ways, *, adjacent: bool) -> re.Match[str] | None:
    """The first claim of several methods that are no longer there, or a reference to text directly before.

    Args:
        text: a kept text after a drop.
        ways: what is left of approaches and checks.
        adjacent: as for `refers_back`.
    """
    for found in _claims(text):
        if ways.lacks(found.group()):
            return found
    return cues.EARLIER.search(text) if adjacent else None


@lru_cache(maxsize=1024)
def _claims(text: str) -> tuple[re.Match[str], ...]:
    """The claims of several methods or checks in a text."""
    return (*cues.BOTH.finditer(text), *cues.MANY.finditer(text))
