"""What one segment shows at a glance: wording and notation that a reader goes by, as named patterns.

In: a segment. Out: which signs it shows. The signs are features of the model, so their order is part of its
weights: append, and train again. They are apart from the cues of the rules judge, which may change without
the weights. English only, in lower case: a search that ignores case takes three times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LEAD = r"^\W*(?:(?:okay|ok|so|but|and|now|hmm+|wait|alright|well|actually|yes|yeah|also|then|just|maybe)\b[,.!…\s]*)*"

_OTHER_WAY = re.compile(
    r"\b(?:another|different|alternative|second|third|other|new) (?:way|approach|method|strategy|idea|route|solution|angle)"
    r"|\b(?:start (?:over|again|afresh)|from scratch)",
)

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("other way", _OTHER_WAY),
    (
        "headed",
        re.compile(
            r"^\W*(?:approach|method|solution|strategy|option|attempt|way) ?#?(?:\d+|[a-c]|one|two|three)\b",
        ),
    ),
    (
        "alternatively",
        re.compile(_LEAD + r"(?:alternatively|or alternatively|instead,|on second thought)"),
    ),
    (
        "check",
        re.compile(
            _LEAD
            + r"(?:(?:let me|let's|let us|i should|i'll|we should|we can|i can|to|i want to|i need to|should|could|"
            r"better|maybe|perhaps|need to|just|also|quickly|double)\W+){0,4}"
            r"(?:verif|re-?verif|check|double[- ]?check|re-?check|confirm|make sure|be sure|be careful|sanity|test|"
            r"validat|cross[- ]?(?:check|verif)|re-?examine|re-?calculate|recompute|go (?:over|through)|see if (?:that|this|it)|"
            r"plug(?:ging)? (?:it |this |that |them |these )?(?:back|in)|substitut\w+ (?:it |this |them )?back)",
        ),
    ),
    (
        "reconsider",
        re.compile(r"^\W*(?:wait|hold on|hmm|but wait|actually|is (?:that|this|it) (?:right|correct|all))\b"),
    ),
    (
        "questioning",
        re.compile(
            r"\?|\b(?:check|verif\w+|make sure|sure|certain|confirm|correct|right|mistake\w*|miss(?:ed|ing)|wrong|consistent|"
            r"sense|confident|careful|recheck|double|overlook\w*)\b",
        ),
    ),
    (
        "looks back",
        re.compile(
            r"(?:^|[.!?]\s{1,9})\W{0,20}(?:wait|hold on|let me (?:just )?(?:check|verify|double|make sure|recheck|recap|think again|reconsider)"
            r"|but (?:wait|check|let)|(?:that|this) (?:seems|looks|makes sense|matches|checks)|(?:does|is) (?:that|this)"
            r"|(?:yes|yep|yeah|good|perfect|great)\b)",
        ),
    ),
    ("answer", re.compile(r"\b(?:answer|final result|solution is|what we (?:want|need))\b")),
    (
        "fault",
        re.compile(
            r"\b(?:that(?:'s| is| was) (?:not right|wrong|incorrect|not correct)|i made (?:a|an) (?:mistake|error)|"
            r"(?:doesn't|does not|don't|didn't) (?:match|add up|work|hold|satisfy|fit|make sense)|"
            r"contradict\w*|can't be right|cannot be right|mistaken|not valid|something(?:'s| is) (?:off|wrong))",
        ),
    ),
    (
        "agreement",
        re.compile(
            r"\b(?:that(?:'s| is) (?:right|correct)|(?:seems|looks|is|it's|are) (?:all )?(?:right|correct|consistent|good|valid|fine)|"
            r"correct[.!]|checks? out|that works|(?:it|this|which) (?:matches|works|confirms|holds)|same (?:answer|result|as before)|"
            r"consistent|confirmed|yep\b|no mistakes?|i'm (?:confident|sure)|all (?:good|conditions))",
        ),
    ),
    (
        "concludes",
        re.compile(
            r"^\W{0,40}(?:so,? |therefore,? |thus,? |hence,? |in (?:conclusion|summary),? |to (?:conclude|sum up|summari[sz]e),? |"
            r"ok(?:ay)?,? |alright,? |i(?:'m| am) (?:confident|sure)|overall,? |finally,? |yes,? )*"
            r"(?:\**final answer|the (?:final )?answer (?:is|should be|must be|would be)|answer\s*:|"
            r"i(?:'m| am) (?:pretty |quite |now |fairly )?(?:confident|sure|convinced)|in (?:conclusion|summary)|"
            r"the (?:correct |final |required )?(?:answer|result|solution|value)\b[^.\n]{0,60}\bis\b|\\boxed|\$+\\boxed|"
            r"(?:we|i)(?:'ll| will| can|'d)? (?:answer|respond|present|write|produce|output|give))",
        ),
    ),
    (
        "task",
        re.compile(
            r"\b(?:(?:this|the|a|my|our) (?:math |geometry |algebra |word )?(?:problem|question|puzzle|task|exercise)\b"
            r"|(?:we|i)(?:'re| are|'m| am|'ve been)? (?:given|asked|told)\b|(?:we|i) (?:need|have|want) to \w+"
            r"|(?:we|let us|let's) (?:find|compute|prove|show|determine|solve)\b|(?:our|my|the) (?:goal|task|aim) is)",
        ),
    ),
    (
        "ending",
        re.compile(
            r"^\W*(?:so|therefore|thus|hence|consequently|in (?:conclusion|summary|short)|to (?:conclude|sum up|summari[sz]e)|overall"
            r"|finally|(?:after|given|based on|considering) [^.\n]{0,80}?,? (?:i'll|i will|i would|i can|we can)|(?:thus|so) (?:we|i))\b",
        ),
    ),
    (
        "relation",
        re.compile(
            r"[=≈≤≥<>]|\\frac|\\sum(?![a-z])|\b(?:compute|calculate|substitut|solve for|set up|plug)\w*"
        ),
    ),
    (
        "hedge",
        re.compile(
            r"\b(?:maybe|perhaps|might|could|seems|probably|not sure|i think|guess|unless|confus\w*|complicated|messy|tricky|stuck)\b",
        ),
    ),
    (
        "gives up",
        re.compile(
            r"\b(?:complicated|messy|tedious|not helpful|stuck|dead end|too vague|not sure|doesn't help|better (?:way|approach)|"
            r"overcomplicat\w*|step back|confus\w*|not working)\b",
        ),
    ),
    (
        "sets up",
        re.compile(
            r"\b(?:let (?:me |us |\\?\(?\$?[a-zA-Z]\b)|let's|denote|define|suppose|assume|consider|start by|first|parametri|set up|"
            r"using the|recall|formula|theorem|express)\b",
        ),
    ),
    (
        "backward",
        re.compile(
            r"\b(?:earlier|before|again|previous|above|original|same (?:answer|result|as)|back|already|confirm\w*|consistent|matches|"
            r"verif\w+|check\w*|double)\b",
        ),
    ),
    (
        "given",
        re.compile(
            r"\b(?:given|problem|question|asked|asks|says|states|we have|we need|need to|want|find|figure out|goal|means|understand|"
            r"so,? (?:the|we|i)|there (?:are|is)|okay|alright)\b",
        ),
    ),
    ("result", re.compile(r"^\W*(?:so|therefore|thus|hence|which|that gives|this gives|then)\b")),
    ("operation", re.compile(r"\d\s*(?:[+*/×÷·^]|\\times|\\cdot|-\s)\s*\\?[\d(]|\\frac|\\sqrt|c\(\d|\d!")),
    (
        "calculates",
        re.compile(
            r"\b(?:calculat\w*|comput\w*|simplif\w*|plug\w*|substitut\w*|solve|multiply|divid\w*|subtract\w*|add(?:ing)?|factor\w*|"
            r"expand\w*|rearrang\w*|list|count|try|test|start(?:ing)? (?:with|by|from))\b",
        ),
    ),
    (
        "first",
        re.compile(
            r"^\W*(?:okay,? |ok,? |so,? |alright,? |now,? )*(?:first|to (?:solve|find|start|begin)|let me start|let's start|"
            r"let me (?:try|write|calculate|compute|find)|let's (?:compute|calculate|find|consider|try|count|list|start))\b",
        ),
    ),
    (
        "names",
        re.compile(
            r"\b(?:denote|let (?:\\\(|\$)?\s*\\?[a-zA-Z]\w{0,2}\s*(?:\\\)|\$)?\s*(?:be|=)|call (?:it|this|the))",
        ),
    ),
    (
        "recalls",
        re.compile(
            r"\b(?:recall|remember|know that|formula|theorem|property|properties|definition|means that|understand|visuali[sz]e|sketch)\b",
        ),
    ),
)

ANCHORED = frozenset(
    {"headed", "alternatively", "check", "reconsider", "concludes", "ending", "result", "first"}
)
"""Signs that count only at the start of a segment."""

SIGNS: tuple[str, ...] = tuple(name for name, _ in PATTERNS)
"""Names of all signs, in the order of `signs_of`."""

OPENING_CHARS = 100
"""Another way is announced at the start of a segment; deeper in it, the words mean something else."""

STEM = 4
"""Letters of a word that `NEEDS` goes by."""

NEEDS: dict[str, str] = {
    "other way": "another different alternative second third other new start from",
    "questioning": "check verify sure certain confirm correct right mistake miss wrong consistent sense"
    " confident careful recheck double overlook",
    "answer": "answer final solution what",
    "fault": "wrong incorrect right correct made does don didn contradict mistaken valid something",
    "agreement": "right correct consistent good valid fine checks works matches confirms holds same yep"
    " mistakes sure conditions",
    "task": "problem question puzzle task exercise given asked told need have want find compute prove show"
    " determine solve goal aim",
    "given": "given problem question asked asks says states we need want find figure goal means understand so"
    " there okay alright",
    "relation": "frac sum compute calculate substitute solve set plug",
    "hedge": "maybe perhaps might could seems probably sure think guess unless confuse complicated messy"
    " tricky stuck",
    "gives up": "complicated messy tedious helpful stuck dead vague sure better overcomplicate step confuse"
    " working",
    "sets up": "let denote define suppose assume consider start first parametrize set using recall formula"
    " theorem express",
    "backward": "earlier before again previous above original same back already confirm consistent matches"
    " verify check double",
    "calculates": "calculate compute simplify plug substitute solve multiply divide subtract add adding"
    " factor expand rearrange list count try test start",
    "names": "denote let call",
    "recalls": "recall remember know formula theorem property definition means understand visualize sketch",
}
"""Words of which a segment has at least one, by their first letters, wherever it shows the sign. To look them
up is many times faster than to search for the pattern, which nearly always fails."""

_STEM = re.compile(rf"([a-z]{{1,{STEM}}})[a-z]*")
_WRITTEN = {
    "questioning": re.compile(r"\?"),
    "relation": re.compile("[=≈≤≥<>]"),
}
"""Signs that a single character shows, too."""

_COUNTED = re.compile(r"[\d\\]")
"""What every operation is written with."""

Finder = Callable[[str], object]


def _finder(name: str, pattern: re.Pattern[str]) -> Finder:
    if name == "other way":
        return lambda segment: pattern.search(segment, 0, OPENING_CHARS)
    if name == "operation":
        return lambda segment: _COUNTED.search(segment) and pattern.search(segment)
    return pattern.match if name in ANCHORED else pattern.search


def _stems(words: str) -> frozenset[str]:
    return frozenset(word[:STEM] for word in words.split())


_FINDERS: tuple[tuple[Finder, frozenset[str]], ...] = tuple(
    (_finder(name, pattern), _stems(NEEDS.get(name, ""))) for name, pattern in PATTERNS
)
_BY_CHARACTER = tuple((SIGNS.index(name), pattern.search) for name, pattern in _WRITTEN.items())


def signs_of(segment: str) -> list[bool]:
    """Which of `SIGNS` a segment shows."""
    lower = segment.lower()
    stems = set(_STEM.findall(lower))
    shown = [not (needs and needs.isdisjoint(stems)) and find(lower) is not None for find, needs in _FINDERS]
    for place, find in _BY_CHARACTER:
        shown[place] = shown[place] or find(lower) is not None
    return shown
