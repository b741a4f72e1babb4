"""The annotation of one trace: its structure, labels, clusters, errors and what judging it cost.

The vocabulary is that of DLCoT (arXiv 2503.16385, section 3): five kinds of section, approaches inside the
exploration, verifications of three kinds, labels by final answer, clusters by method. An annotation names
segments by number (half-open ranges over the offsets of `segments.split_segments`) and holds no text, so it
cannot alter a character. It is made once per trace, and every policy derives from it.

Sections of kind SOLUTION_EXPLORE and VERIFY may alternate here, unlike in the paper's prompt: teachers check
between approaches, and a single verification section behind the last approach would misplace most checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SectionKind(StrEnum):
    """The five macro-sections of DLCoT step 1."""

    QUESTION_REPEAT = "question_repeat"
    PROBLEM_UNDERSTAND = "problem_understand"
    SOLUTION_EXPLORE = "solution_explore"
    VERIFY = "verify"
    CONCLUSION = "conclusion"


class VerificationKind(StrEnum):
    """How a verification ends (DLCoT step 2.2)."""

    CHECK = "check"
    """Recomputes or substitutes, and does not say whether the approach is right."""
    AFFIRMATION = "affirmation"
    """Confirms the approach that it checks."""
    NEGATION = "negation"
    """Finds an error in the approach that it checks."""


class Label(StrEnum):
    """How an approach is labelled by its final answer (DLCoT step 3)."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    INCOMPLETE = "incomplete"
    """Reaches no final answer."""
    UNKNOWN = "unknown"
    """Reaches an answer, but there is nothing to compare it with."""


class Source(StrEnum):
    """What decided a step: computed evidence, the rules judge, or a model."""

    EVIDENCE = "evidence"
    RULES = "rules"
    MODEL = "model"


class ReferenceKind(StrEnum):
    """What the labels were compared with."""

    GROUND_TRUTH = "ground_truth"
    RESPONSE = "response"
    """No ground truth: the final answer of the teacher's own visible response."""
    TRACE = "trace"
    """Neither exists: the last answer in the trace itself."""
    NONE = "none"


class ErrorKind(StrEnum):
    """The kinds of error that a span can hold (DLCoT step 3)."""

    CALCULATION = "calculation"
    DERIVATION = "derivation"


class JudgeStep(StrEnum):
    """The steps of the method that a judge answers, in order."""

    MACRO = "macro_structure"
    APPROACHES = "approaches"
    VERIFICATIONS = "verifications"
    COMPLETE = "complete_answer"
    LABELS = "labels"
    ERRORS = "errors"
    CLUSTERS = "clusters"


@dataclass(frozen=True, slots=True)
class Section:
    """Segments `[start, stop)` belong to one macro-section. Sections partition the trace."""

    kind: SectionKind
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class ErrorSpan:
    """A located error inside segments `[start, stop)`.

    Attributes:
        char_start, char_stop: the exact quote, as offsets (code points) into the reasoning.
        corrected: True where the trace itself notices and repairs the error later on.
        message: what is wrong, e.g. ``12*17 = 214 (is 204)``.
    """

    kind: ErrorKind
    start: int
    stop: int
    char_start: int
    char_stop: int
    source: Source
    corrected: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Approach:
    """One line of attack on the problem, segments `[start, stop)`, inside SOLUTION_EXPLORE.

    Attributes:
        answer: the final answer it arrives at, as the trace writes it, or None.
        answer_segment: the segment that states that answer (for a correct approach: where it first stands),
            or None.
        cluster: number of its method; equal numbers mean fundamentally the same method. Clusters are
            numbered 0, 1, ... in order of first appearance, over approaches.
        completed_segments: how many segments at its end were taken from the following verification because
            the approach alone did not reach its answer (DLCoT step 2.3).
        confidence: 0..1, how sure the source is of label and cluster together.
    """

    start: int
    stop: int
    label: Label
    label_source: Source
    answer: str | None
    answer_segment: int | None
    cluster: int
    errors: tuple[ErrorSpan, ...] = ()
    completed_segments: int = 0
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Verification:
    """One check, segments `[start, stop)`, inside VERIFY.

    Attributes:
        approach: index of the approach that it checks (the one before it), or None if none precedes.
        cluster: number of its method among the verifications, as for approaches.
    """

    start: int
    stop: int
    kind: VerificationKind
    approach: int | None
    cluster: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What asking a model cost, in tokens of its tokenizer; zero for `rules`.

    Attributes:
        prefill: prompt tokens that were computed.
        cached: prompt tokens that the prefix cache supplied; a prompt's length is the sum of both.
        decode: tokens generated.
    """

    prefill: int = 0
    cached: int = 0
    decode: int = 0


@dataclass(frozen=True, slots=True)
class StepStatus:
    """How one step of the method was decided.

    Attributes:
        source: what gave the final answer.
        confidence: 0..1.
        note: why a fallback was used, or empty.
        tokens: what the step's questions cost.
        questions, reasked: how many were put to a model, and how many of them were asked again.
    """

    step: JudgeStep
    source: Source
    confidence: float = 1.0
    note: str = ""
    tokens: Tokens = Tokens()
    questions: int = 0
    reasked: int = 0


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The verbatim answer of a model to one question of a step."""

    step: JudgeStep
    text: str


@dataclass(frozen=True, slots=True)
class SegmentScore:
    """What a model thought of the tokens of one segment, before it was asked anything.

    Attributes:
        tokens: of the segment that were scored: without its mark; 0 where it was not shown.
        surprisal: sum of the tokens' negative log-likelihoods, in nats.
        first: the first token's.
        ranks: sum of the tokens' ranks in the vocabulary, each at least 1 and at most `MAX_RANK`.
        entropy: sum of the entropies of the predictions at the tokens, in nats, or None where the model's
            engine was not asked for them. A lower bound: the unlikely rest of the vocabulary counts as one.
    """

    tokens: int = 0
    surprisal: float = 0.0
    first: float = 0.0
    ranks: int = 0
    entropy: float | None = None


MAX_RANK = 100
"""Ranks beyond it count as it, so that one odd token does not decide (arXiv 2601.14249)."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Everything that a judge found in one trace.

    Attributes:
        segment_offsets: n+1 code-point offsets; segment i is ``reasoning[offsets[i]:offsets[i+1]]``.
        sections: partition of all segments, in order.
        approaches, verifications: in order; they lie inside the sections of their kind.
        reference: the answer that labels were compared with, or None; see `reference_kind`.
        first_correct_segment: first segment whose result is the reference or equivalent to it, or None.
        loops: segment ranges that exactly repeat the text before them.
        truncated: the trace stops before it has ended.
        steps: one entry per step of the method.
        fingerprint: identity by content: 32 hex digits.
        judge: the judge's identity, e.g. ``rules/1``.
        tokens: the cost of all steps.
        replies: raw replies, where they were to be kept.
        scores: one entry per segment, or none where no model scored the trace.
        scored_by: the model that did, or empty.
        needless: for each segment the chance, 0..1, that a careful reader would drop it; none where the judge
            gives none.
    """

    trace_id: str
    fingerprint: str
    judge: str
    segment_offsets: tuple[int, ...]
    sections: tuple[Section, ...]
    approaches: tuple[Approach, ...]
    verifications: tuple[Verification, ...]
    reference: str | None
    reference_kind: ReferenceKind
    first_correct_segment: int | None
    loops: tuple[tuple[int, int], ...]
    truncated: bool
    steps: tuple[StepStatus, ...]
    tokens: Tokens = Tokens()
    replies: tuple[ModelReply, ...] = ()
    scores: tuple[SegmentScore, ...] = ()
    scored_by: str = ""
    needless: tuple[float, ...] = ()

    def segment_text(self, reasoning: str, segment: int) -> str:
        """The text of one segment of the trace."""
        return reasoning[self.segment_offsets[segment] : self.segment_offsets[segment + 1]]
