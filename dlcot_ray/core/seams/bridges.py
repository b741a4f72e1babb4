"""What a text must be to serve as a bridge over a seam."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.trace import Trace

BRIDGE_CHARS = 300
"""Maximum length of a bridge: one or two sentences."""

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_MARKUP = re.compile(r"</?think>|<\||\n\s*\n|\\boxed")


def bridge_fault(trace: Trace, text: str, accepted: Sequence[str]) -> str:
    """Why a text cannot serve as a bridge, or an empty string.

    A bridge only joins two segments. It has at most two sentences, no markup, and no number that is in
    neither the trace nor the problem.
    """
    bridge = text.strip()
    if not bridge:
        return "it is empty"
    if len(bridge) > BRIDGE_CHARS or len(sentences(bridge)) > 2:
        return "it is longer than two sentences"
    if _MARKUP.search(bridge):
        return "it contains markup"
    known = set(_FIGURE.findall(trace.reasoning)) | set(_FIGURE.findall(trace.problem)) | set(accepted)
    new = next((figure for figure in _FIGURE.findall(bridge) if figure not in known), None)
    if new is not None:
        return f"it states {new}, which the trace does not"
    return ""
