"""Hand-made annotations whose right answer is obvious: one segment is one line."""

from __future__ import annotations

from collections.abc import Sequence

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
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace

CORRECT, WRONG, OPEN = Label.CORRECT, Label.INCORRECT, Label.INCOMPLETE
CHECK, AFFIRMS, DOUBTS = VerificationKind.CHECK, VerificationKind.AFFIRMATION, VerificationKind.NEGATION


def annotated(
    lines: list[str],
    approaches: Sequence[tuple[int, int, Label, int]],
    checks: Sequence[tuple[int, int, int | None, int]] | None = None,
    *,
    conclusion: int | tuple[int, int] | None = None,
    reference: str = "42",
    loops: tuple[tuple[int, int], ...] = (),
    truncated: bool = False,
    kinds: tuple[VerificationKind, ...] = (),
    kind: ReferenceKind = ReferenceKind.GROUND_TRUTH,
) -> tuple[Trace, Annotation]:
    """Approaches as (start, stop, label, cluster), checks as (start, stop, approach, cluster).

    `kinds` are those of the checks, in order; a check without one is an open CHECK. A conclusion ends
    with the trace unless its stop is given.
    """
    segments = [line + "\n\n" for line in lines]
    offsets = [0]
    for segment in segments:
        offsets.append(offsets[-1] + len(segment))
    count = len(segments)
    end, stop = conclusion if isinstance(conclusion, tuple) else (conclusion, count)
    end = count if end is None else end
    sections = [Section(SectionKind.SOLUTION_EXPLORE, 0, end)]
    if end < count:
        sections.append(Section(SectionKind.CONCLUSION, end, stop))
    if stop < count:
        sections.append(Section(SectionKind.VERIFY, stop, count))
    made = tuple(
        Approach(a, b, label, Source.EVIDENCE, reference if label is CORRECT else None, b - 1, cluster)
        for a, b, label, cluster in approaches
    )
    hits = [a.answer_segment for a in made if a.label is CORRECT]
    annotation = Annotation(
        "t",
        "f",
        "rules/1",
        tuple(offsets),
        tuple(sections),
        made,
        tuple(
            Verification(a, b, kinds[i] if i < len(kinds) else VerificationKind.CHECK, of, c)
            for i, (a, b, of, c) in enumerate(checks or [])
        ),
        reference,
        kind,
        hits[0] if hits else None,
        loops,
        truncated,
        (),
    )
    return Trace("t", "What is it?", "".join(segments), reference), annotation


def drops_of(policy: str, *args: object, **kwargs: object) -> dict[int, str]:
    """What a policy drops of a hand-made annotation, and why; arguments as for `annotated`."""
    _, annotation = annotated(*args, **kwargs)  # type: ignore[arg-type]
    return parse_policy(policy).drops(annotation)


def dropped(policy: str, *args: object, **kwargs: object) -> set[int]:
    """The segments that a policy drops of a hand-made annotation."""
    return set(drops_of(policy, *args, **kwargs))
