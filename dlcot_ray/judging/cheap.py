"""The judges that can come first in a cascade: they need no engine."""

from __future__ import annotations

from dlcot_ray.judging.learned.judge import LearnedJudge
from dlcot_ray.judging.rules.judge import RulesJudge

NAMES = ("rules", "learned")


def cheap_judge(name: str, model: str | None = None) -> RulesJudge | LearnedJudge:
    """The judge of that name.

    Args:
        model: the weights of ``learned``; None: those of the package.

    Raises:
        ValueError: there is no such judge, or the weights cannot be used.
    """
    if name not in NAMES:
        raise ValueError(f"the first judge cannot be {name!r}: choose rules or learned")
    return LearnedJudge(model) if name == "learned" else RulesJudge()
