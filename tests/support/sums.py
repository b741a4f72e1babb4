"""The thoughts of a trace that every judge understands alike: two approaches to one sum, a check, a conclusion."""

from __future__ import annotations


def sum_thought(a: int, b: int, total: int, aside: str = "") -> str:
    """Reasoning that arrives at `total`, right or wrong; `aside` follows its first sentence."""
    return "\n\n".join(
        [
            f"Okay, so I need to add {a} and {b}.{aside}",
            f"Let me just add them directly. {a} + {b} = {total}. So the answer is {total}.",
            f"Alternatively, I could count up from {a} in steps of one, {b} times. "
            f"That gives {a} + {b} = {total} again, so the answer is {total}.",
            f"Wait, let me double-check by subtracting: {total} - {b} = {a}. Yes, that works.",
            f"So the final answer is \\boxed{{{total}}}.",
        ]
    )
