"""Approaches: where a new line of attack opens, before and after an answer stands.

In: segments. Out: yes or no. A word like "alternatively" opens nothing by itself. Before an answer stands, an
approach opens where the one before is given up, or another way is announced, and something is worked out
there. Once an answer stands, another way counts as an approach only if it brings figures of its own and
arrives at an answer again; a way that repeats the figures of the standing solution is a check of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dlcot_ray.judging.rules import checks, cues

MIN_WORK = 400
"""Characters of work behind and ahead of a new approach."""

MIN_AGAIN = 180
"""Characters of a second way to a standing answer."""

MUCH, MORE, MANY = 1200, 600, 4
"""Characters (of an announced way, of another) and relations from which a way without new figures counts."""

OWN = 6
"""Formulas of its own from which a short way counts too."""

BACK = 200
"""Number of segments before a way in which its formulas are looked for."""

AHEAD = 60
"""Maximum number of segments ahead that are examined."""

NEAR = 8
"""Number of segments in which a new approach must show work."""

_GIVES_UP = re.compile(
    r"\b(?:(?:seems?|looks?|is|'s|getting|gets|becom(?:es|ing)) (?:(?:a bit|quite|too|very|rather"
    r"|pretty|really|still|extremely|more|overly|to be|like a) )*"
    r"(?:complicated|messy|tedious|involved|vague|cumbersome|complex|unwieldy|daunting|lengthy|time-consuming"
    r"|impractical)"
    r"|(?:another|a different|a better) (?:approach|way|method) (?:is|might be|would be|could be) (?:better"
    r"|needed|easier)"
    r"|go back to the (?:earlier|original|first)|i(?:'m| am) stuck|leads? nowhere|is(?:n't| not) (?:leading"
    r"|getting) anywhere)",
    re.IGNORECASE,
)
_BURDENS = re.compile(
    "compl|mess|tedi|invol|vague|cumb|unw|daunt|leng|time-c|impra"
    "|better|needed|easier|stuck|nowhere|anywhere|go back"
)
"""One of these is in every text that gives up."""

_GOES_ON = re.compile(r"\b(?:simplif\w+|continue|proceed|manageable|as above|directly)\b", re.IGNORECASE)
_END = 160
"""Characters at the end of a segment that may give up."""

_SETS_UP = re.compile(
    r"^\W*(?:(?:so|but|and|wait|okay|hmm+|now|maybe|perhaps|actually|alternatively|instead|first"
    r"|then|given|since)\b[,.\s]*)*"
    r"(?:let me|let's|let us|i can|we can|i could|we could|i'll|perhaps|maybe|consider\w*|suppose"
    r"|note|using|if|for|in|taking"
    r"|starting|think|write|define|denote|look|try|recall|go|use|model|express|set|parametri[sz]e"
    r"|i (?:recall|remember|need|should|want)|the|an(?:other)?|a)\b",
    re.IGNORECASE,
)
_OTHER_WAY = re.compile(
    r"(?:^|[.!?,:;—]\s*|\b(?:(?:let me|let's|let us|i can|we can|i could|we could|try|trying|use"
    r"|using|perhaps|maybe|with|is there|there's|there is"
    r"|think of|take|check|by|also|consider|solve this|it|now|just|but|or|guess|to|if|see) (?:it "
    r"|this |that |n )?(?:in |by |using |with )?(?:also |perhaps )?))"
    r"(?:another|a different|a second|a third|a new|an alternative|a better|some other) (?:\w+ ){0,2}"
    r"(?:approach|method|strategy|route|way(?! (?:someone|people|one might|this could|it could|is to (?:check"
    r"|verify|see)|to (?:express|write|confirm"
    r"|check|verify|remember|see if))))\b"
    r"|\b(?:consider|try|take|from) (?:another|a different|a new) (?:angle|perspective|viewpoint)\b"
    r"|\bapproach (?:this|it) (?:\w+ )?differently|\bstart (?:over|again|afresh)\b|\bfrom scratch\b"
    r"|\bwithout coordinates\b",
    re.IGNORECASE,
)
_WAYS = (
    "way",
    "approach",
    "angle",
    "perspective",
    "viewpoint",
    "method",
    "strategy",
    "route",
    "start ",
    "scratch",
    "coordinates",
)
_OTHERS = (
    "another ",
    "a different ",
    "a second ",
    "a third ",
    "a new ",
    "an alternative ",
    "a better ",
    "some other ",
    "differently",
    "start ",
    "from scratch",
    "without coordinates",
)
"""One of `_WAYS` and one of `_OTHERS` are in every text that announces another way."""
_TECHNIQUE = re.compile(
    r"^\W*(?:(?:but|so|and|wait|hmm+|okay|now)\b[,.\s]*)*(?:alternatively|maybe|perhaps|instead"
    r"|let me|let's|let us|i could|we could)\b[^.\n]{0,60}?\b"
    r"(?:param\w*[sz](?:e|ing|ation)|model (?:this|it) as|recursive (?:formula|relation|\w+ problem)"
    r"|generating functions?|(?:use|using) (?:vectors|complex numbers|coordinates|induction|calculus)"
    r"|polar coordinates|complementary counting|inclusion[- ]exclusion|lagrange multipliers|matri(?:x"
    r"|ces)|modular arithmetic)",
    re.IGNORECASE,
)
"""Names the technique that it turns to."""
_LISTS = re.compile(
    r"\b(?:(?:let me|let's|let us|try(?:ing)?|we can|i can|should|by|need to) (?:\w+ )?"
    r"(?:list(?:ing)? (?:them|all|out|the|every)|enumerat(?:e|ing)"
    r"|direct(?:ly)? count\w*|expand \S+ explicitly)|brute force)\b",
    re.IGNORECASE,
)
_LISTING = ("list", "enumerat", "count", "expand", "brute")
"""One of these is in every match of `_LISTS`."""
_SUBSTITUTES = re.compile(
    r"\b(?:numerical(?:ly)?|plug\w*|substitut\w*|(?:small|smaller|simpler|specific|particular) (?:case"
    r"|example|number|version|problem|range|value|point|instance)s?|for example|sanity|check (?:if"
    r"|that|whether))\b",
    re.IGNORECASE,
)
"""Looks at the answer with special values, which is a check."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RELATION = re.compile(r"[=≈≡≤≥]|\\(?:approx|equiv|leq?|geq?)(?![a-z])")
_FORMULA = re.compile(_RELATION.pattern + r"|\d\s?[*×·+/^−-]\s?\d|\d!|\d choose \d")
_SAME = re.compile(
    r"\bsame (?:answer|result|value|number|conclusion|probability|count)\b|\bmatch(?:es|ing) (?:what"
    r"|my|our|the (?:previous|earlier|first))"
    r"|\b(?:this|which) confirms\b",
    re.IGNORECASE,
)
"""Says that the standing answer has come out again."""
_HOPES = re.compile(
    r"\b(?:if|whether|to get|should)\b[^.?!\n]{0,60}\b(?:same|match\w*|confirms)\b", re.IGNORECASE
)
"""Only hopes so, at the start of a way."""
_OPENING = 300
"""Characters of a segment that may announce another way."""


def first_figures(problem: str, segments: Sequence[str]) -> dict[str, int]:
    """For each number written in digits, the first segment that writes it; -1 where the problem does."""
    figures = dict.fromkeys(_NUMBER.findall(problem), -1)
    for i, segment in enumerate(segments):
        for number in _NUMBER.findall(segment):
            figures.setdefault(number, i)
    return figures


def announces(segment: str) -> bool:
    """Whether a segment announces another way in its opening. Looks first for words of every match."""
    opening = segment[:_OPENING].lower()
    if not (any(map(opening.__contains__, _OTHERS)) and any(map(opening.__contains__, _WAYS))):
        return False
    return _OTHER_WAY.search(opening) is not None


def opens_instead(segments: Sequence[str], start: int, i: int, tail: int) -> bool:
    """Whether an approach opens at i, while the one from `start` has reached no answer."""
    if _SETS_UP.match(segments[i]) is None:
        return False
    if not (
        announces(segments[i])
        or _TECHNIQUE.match(segments[i]) is not None
        or _given_up(segments[i - 1].rstrip()[-_END:].lower())
    ):
        return False
    return _works(segments, start, i) and _works(segments, i, min(tail, i + NEAR))


def opens_again(
    segments: Sequence[str],
    answered: Sequence[bool],
    figures: Callable[[], Mapping[str, int]],
    i: int,
    tail: int,
    *,
    exploring: bool,
) -> bool:
    """Whether a second way to a standing answer opens at i. `figures` gives `first_figures`.

    Without a verdict before it, inside a check (not `exploring`), only an announced way opens.
    """
    opening = segments[i][:_OPENING]
    announced, listed = announces(segments[i]), _lists(opening)
    if not (announced or listed or cues.ALTERNATIVELY.match(opening)) or _SUBSTITUTES.search(opening):
        return False
    settled = exploring or checks.settles(segments[i - 1], answered=answered[i - 1])
    if not (announced or listed or settled):
        return False
    stop = _arrival(segments, answered, i, i + 1 if listed else i, tail, patient=announced)
    if stop is None:
        return False
    text = "".join(segments[i:stop])
    relations = len(_RELATION.findall(text))
    if (relations or listed) and any(figures()[number] >= i for number in _NUMBER.findall(text)):
        return True
    if not settled or relations < MANY:
        return False
    return len(text) >= (MUCH if announced else MORE) or _new_formulas(segments, i, text) >= OWN


def _arrival(
    segments: Sequence[str], answered: Sequence[bool], i: int, first: int, tail: int, *, patient: bool
) -> int | None:
    """Behind the segment where a way that opens at i states an answer, or None.

    An announced way may look back on its steps; any other ends at the first look behind a verdict.
    """
    for j in range(first, min(tail, i + AHEAD)):
        if j > i and announces(segments[j]) and _long(segments, i, j):
            return None
        if (
            j > i
            and not patient
            and checks.looks_back(segments[j])
            and checks.settles(segments[j - 1], answered=answered[j - 1])
        ):
            return None
        if (answered[j] or says_same(segments[j])) and _long(segments, i, j + 1):
            return j + 1
    return None


def _new_formulas(segments: Sequence[str], i: int, text: str) -> int:
    """How many relations of a text, with the signs around them, the segments before i lack."""
    before = "".join("".join(segments[max(0, i - BACK) : i]).split())
    flat = "".join(text.split())
    around = {flat[max(0, m.start() - 5) : m.end() + 5] for m in _RELATION.finditer(flat)}
    return sum(formula not in before for formula in around)


def says_same(segment: str) -> bool:
    """Whether a segment says that the standing answer came out again, and does not only hope so."""
    return _SAME.search(segment) is not None and _HOPES.search(segment) is None


def _lists(opening: str) -> bool:
    """Whether an opening turns to listing, counting or expanding."""
    lower = opening.lower()
    return any(map(lower.__contains__, _LISTING)) and _LISTS.search(opening) is not None


def _given_up(end: str) -> bool:
    """Whether the end of a segment, in lower case, gives up what it was trying."""
    if _BURDENS.search(end) is None or _GIVES_UP.search(end) is None:
        return False
    return _GOES_ON.search(end[-80:]) is None


def _long(segments: Sequence[str], start: int, stop: int) -> bool:
    return sum(map(len, segments[start:stop])) >= MIN_AGAIN


def _works(segments: Sequence[str], start: int, stop: int) -> bool:
    """Whether segments `[start, stop)` are long enough and two of them hold formulas."""
    part = segments[start:stop]
    if sum(map(len, part)) < MIN_WORK:
        return False
    with_formula = (segment for segment in part if _FORMULA.search(segment) is not None)
    # The second one is enough; the others are not searched.
    return next(with_formula, None) is not None and next(with_formula, None) is not None
