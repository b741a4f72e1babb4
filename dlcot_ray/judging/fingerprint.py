"""Identity by content: a hash of everything that an annotation depends on.

Two runs with the same fingerprint have the same annotation, so a nightly refresh may reuse it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from dlcot_ray.core.trace import Trace


def fingerprint(trace: Trace, judge_identity: str) -> str:
    """32 hex digits over everything of the trace that a judge sees, and the judge's identity."""
    digest = hashlib.blake2b(digest_size=16)
    parts = (judge_identity, trace.problem, trace.reasoning, trace.ground_truth, trace.response)
    for part in (*parts, *trace.other_truths):
        data = b"\xff" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def fingerprints_of(traces: Iterable[Trace | None], judge_identity: str) -> list[str | None]:
    """The fingerprint of each trace, None where there is none."""
    return [None if trace is None else fingerprint(trace, judge_identity) for trace in traces]
