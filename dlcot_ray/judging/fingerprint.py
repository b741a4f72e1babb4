"""Identity by content: what an annotation depends on, hashed.

Two runs that agree on the fingerprint agree on the annotation, so a nightly refresh may reuse it.
"""

from __future__ import annotations

import hashlib

from dlcot_ray.core.trace import Trace


def fingerprint(trace: Trace, judge_identity: str) -> str:
    """32 hex digits over everything of the trace that a judge sees, and the judge's identity."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (judge_identity, trace.problem, trace.reasoning, trace.ground_truth, trace.response):
        data = b"\xff" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
