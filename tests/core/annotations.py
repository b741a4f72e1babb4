"""Hand-made annotations whose right answer is obvious: one unit is one line."""

from __future__ import annotations

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.trace import Trace

CORRECT, WRONG, OPEN = Label.CORRECT, Label.INCORRECT, Label.INCOMPLETE


def annotated(
    lines: list[str],
    approaches: list[tuple[int, int, Label, int]],
    checks: list[tuple[int, int, int | None, int]] | None = None,
    *,
    conclusion: int | None = None,
    reference: str = "42",
    loops: tuple[tuple[int, int], ...] = (),
    truncated: bool = False,
) -> tuple[Trace, Annotation]:
    """Approaches as (start, stop, label, cluster), checks as (start, stop, approach, cluster)."""
    units = [line + "\n\n" for line in lines]
    offsets = [0]
    for unit in units:
        offsets.append(offsets[-1] + len(unit))
    count = len(units)
    end = count if conclusion is None else conclusion
    sections = [Section(SectionKind.SOLUTION_EXPLORE, 0, end)]
    if end < count:
        sections.append(Section(SectionKind.CONCLUSION, end, count))
    made = tuple(
        Approach(a, b, label, Source.EVIDENCE, reference if label is CORRECT else None, b - 1, cluster)
        for a, b, label, cluster in approaches
    )
    hits = [a.answer_unit for a in made if a.label is CORRECT]
    annotation = Annotation(
        "t",
        "f",
        "rules/1",
        tuple(offsets),
        tuple(sections),
        made,
        tuple(Verification(a, b, VerificationKind.CHECK, of, c) for a, b, of, c in checks or []),
        reference,
        ReferenceKind.GROUND_TRUTH,
        hits[0] if hits else None,
        loops,
        truncated,
        (),
    )
    return Trace("t", "What is it?", "".join(units), reference), annotation
