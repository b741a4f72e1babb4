"""The measures of a profile: what each is called, says, and which paper it comes from.

Definitions with their sources are in docs/reference/profile-figures.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One number per trace, or none where it is not defined.

    Attributes:
        name: its key in the JSON, and the field of `TraceFigures`.
        title: for people.
        help: what it says, in one line.
        is_share: it is a share from 0 to 1.
    """

    name: str
    title: str
    help: str
    is_share: bool = True


MEASURES: tuple[Measure, ...] = (
    Measure("tokens", "tokens", "estimated length of the thinking", is_share=False),
    Measure("segments", "segments", "paragraphs, long ones cut at sentence ends", is_share=False),
    Measure("approaches", "approaches", "ways to the answer that are tried", is_share=False),
    Measure("methods", "methods", "different methods among the approaches", is_share=False),
    Measure("checks", "checks", "verifications of a result", is_share=False),
    Measure(
        "outcome_efficiency",
        "outcome efficiency",
        "tokens up to the first right answer, of all; 0 where none is right (arXiv 2412.21187)",
    ),
    Measure(
        "process_efficiency",
        "process efficiency",
        "approaches and checks whose method is new there, of all their text (after arXiv 2412.21187)",
    ),
    Measure(
        "underthinking",
        "underthinking",
        "of traces that end wrong: text behind a right approach that was left (arXiv 2501.18585)",
    ),
    Measure(
        "failed_steps",
        "failed-step fraction",
        "segments in wrong or unfinished approaches, of all (after arXiv 2509.19284)",
    ),
    Measure("review_ratio", "review ratio", "characters of checks, of all (arXiv 2509.19284)"),
    Measure(
        "branch_density",
        "branches per 1,000 tokens",
        "approaches behind the first one (after arXiv 2604.01702)",
        is_share=False,
    ),
    Measure("behind_answer", "behind the answer", "text behind the first right answer, of all"),
    Measure("loops", "loops", "text that only repeats what stands before it, of all"),
    Measure("unclosed", "unclosed", "traces that stop before their end"),
    Measure("control_words", "control words", "traces with a control word of a chat template"),
    Measure(
        "arithmetic_errors", "arithmetic errors", "false numeric claims inside approaches", is_share=False
    ),
)
