"""What DLCoT's own procedure asks and must answer, per trace: the baseline of the model judge.

The procedure of the paper's reference code (arXiv 2503.16385): (1) re-emit the whole reasoning, section by
section; (2.1) re-emit the exploration, approach by approach; (2.2) re-emit the verification, check by check;
(2.3) ask whether the last approach is complete; (3) label each approach, quoting its errors; (4) cluster
approaches and checks from their full texts; (6) rewrite the answer without what was removed. Each prompt
holds the text that it speaks of, after the instructions of its own step, so that no two share a prefix
beyond these. Prompts and outputs are taken from one annotation; outputs have the length that the
instructions demand (a text re-emitted is that text), labels a sentence, clusters a line per item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation, SectionKind
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.core.trace import Trace

Encode = Callable[[str], list[int]]

INSTRUCTIONS = {
    "macro": "Split the reasoning below into Question_Repeat, Problem_Understand, Solution_Explore, Verify and "
    "Conclusion. Repeat the original text of every section word for word, under its name, leaving out nothing.",
    "approaches": "Split the exploration below into Solution 1, Solution 2, ... A new one begins where the strategy "
    "changes fundamentally. Repeat the original text of each word for word, under its name.",
    "verifications": "Split the verification below into checks. Name each one, say whether it affirms or negates, and "
    "repeat its original text word for word.",
    "complete": "Does the last solution below reach an answer? Reply yes or no; if no, name the part of the "
    "verification that completes it.",
    "label": "Judge the solution below by its final answer against the ground truth: Correct, Incorrect or Incomplete. "
    "Quote each calculation or derivation error exactly.",
    "clusters": "Group the solutions and checks below: those that are fundamentally the same method go together. "
    "Reply with one line per item.",
    "rewrite": "The text below lacks the parts that were removed. Rewrite it as a fluent whole, changing as little as "
    "possible and leaving out nothing.",
}
LABEL_TOKENS = 40
"""A label and, where there is an error, its quote: one sentence."""
CLUSTER_TOKENS = 8
YES_NO_TOKENS = 2


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt (token ids), how many tokens must come back, and the instruction's share of the prompt."""

    prompt: tuple[int, ...]
    decode: int
    instruction: int


def requests_of(trace: Trace, annotation: Annotation, encode: Encode) -> list[Request]:
    """The requests of one trace, in order."""
    segments = segment_texts(trace.reasoning, annotation.segment_offsets)

    def text(start: int, stop: int) -> str:
        return "".join(segments[start:stop])

    def section(kind: SectionKind) -> str:
        return "".join(text(s.start, s.stop) for s in annotation.sections if s.kind is kind)

    made: list[Request] = []

    def ask(step: str, body: str, decode: int) -> None:
        instruction = encode(f"{INSTRUCTIONS[step]}\n\n")
        made.append(Request((*instruction, *encode(body)), decode, len(instruction)))

    problem = f"{trace.problem}\n{annotation.reference or ''}\n\n"
    ask("macro", f"{problem}{trace.reasoning}", len(encode(trace.reasoning)))
    explored, verified = section(SectionKind.SOLUTION_EXPLORE), section(SectionKind.VERIFY)
    ask("approaches", f"{problem}{explored}", len(encode(explored)))
    if verified:
        ask("verifications", f"{problem}{verified}", len(encode(verified)))
    if annotation.approaches:
        last = annotation.approaches[-1]
        ask("complete", f"{problem}{text(last.start, last.stop)}{verified}", YES_NO_TOKENS)
    for approach in annotation.approaches:
        ask("label", f"{problem}{text(approach.start, approach.stop)}", LABEL_TOKENS)
    items = len(annotation.approaches) + len(annotation.verifications)
    if items > 1:
        ask("clusters", f"{problem}{explored}{verified}", items * CLUSTER_TOKENS)
    kept = enhance(trace, annotation, parse_policy("delete_multi_all", {})).reasoning
    if kept != trace.reasoning:
        ask("rewrite", f"{problem}{kept}", len(encode(kept)))
    return made


def prefill(requests: Sequence[Request], instructions_cached: bool = True) -> int:
    """Prompt tokens to compute; the instructions are in the prefix cache after the first trace."""
    return sum(len(r.prompt) - (r.instruction if instructions_cached else 0) for r in requests)


def decode(requests: Sequence[Request]) -> int:
    """Tokens to generate."""
    return sum(r.decode for r in requests)
