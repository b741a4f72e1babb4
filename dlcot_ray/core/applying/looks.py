"""What one segment does in a look at a standing answer: opens it, works, gives its verdict.

In: text. Out: small facts about it that `core/applying/examinations.py` puts together. A look that only
announces, recalls what was done or says the answer again has done no work of its own. English only; every
pattern is linear.
"""

from __future__ import annotations

import re

from dlcot_ray.core.seams import cues
from dlcot_ray.core.seams.sentences import sentences

END_CHARS = 300
"""Characters at the end of a look that hold its verdict."""

_COMPUTES = re.compile(
    r"\d[\s)}\\$]{0,4}(?:[-+*/×·÷^%−]|\\(?:times|cdot|div|pm)\b)\s*[\d({\\$√]"
    r"|[=≈≡⇒→][^=≈≡⇒→\n]{1,160}[=≈≡⇒→]|\\(?:times|cdot|div|binom|sqrt|equiv)\b|\d!|\bC\(\d"
    r"|\d (?:divided by|times|plus|minus|mod|modulo|choose|over) \d"
)
_RECALLS = re.compile(
    r"\b(?:already|previously) (?:have|had|know|knew|found|did|checked|calculated|computed|used|considered)\b"
    r"|\b(?:we|i) already\b"
    r"|\b(?:earlier|before|initially|previously),? (?:when )?(?:i|we)\b"
    r"|(?<!what )\b(?:i|we) (?:used|got|had|found|calculated|computed|obtained|derived|applied|followed)\b",
    re.IGNORECASE,
)
"""A sentence that recalls work instead of doing it."""
_OPENS = re.compile(
    r"^\W*(?:(?:okay|ok|so|but|and|now|well|yes|right|alright)\b[\s,.]*)*"
    r"(?:wait|hold on|hmm+|alternatively|another\b|additionally|furthermore|moreover|besides|"
    r"just to\b|to be\b|for (?:thoroughness|completeness)|is there\b|are there\b|what (?:if|about)\b|"
    r"how about\b|what's\b|"
    r"as (?:a|another) (?:final |further |quick |sanity |double )*(?:check|test)|"
    r"also,? (?:let|i|we|to|just)\b|"
    r"(?:maybe|perhaps) (?:i|we) (?:should|can|could)\b|"
    r"(?:let(?:'s| me| us)|i(?:'ll| will| should| could| can| want to| need to)|we (?:should|can|could))"
    r"(?: \w+){0,3}? (?:also|again|another|double|check|verify|confirm|consider|test|cross|think|re\w+|"
    r"make sure|see if|see whether)\b)",
    re.IGNORECASE,
)
_LISTS = re.compile(r"\s*(?:[-*•]|\(?\d{1,2}[.)]|step \d)\s", re.IGNORECASE)
_WORK = r"works|(?<!the )(?<!their )(?<!his )(?<!her )(?<!of )(?<!my )(?<!total )(?<!more )work"
"""The verb: "it works", "does work", and not "their work"."""
_SETTLED = re.compile(
    r"\b(?:right|correct(?:ly)?|consistent|fine|valid|safe|"
    + _WORK
    + r"|holds?|match(?:es)?|confirm(?:s|ed)?|"
    r"reasonable|agrees?|(?<!all )(?<!all the )same(?! or\b)|makes sense|checks? out|adds? up|yes|yep|yeah|"
    r"no (?:mistakes?|problem|errors?|others?)|still|sure|confident|good(?! to\b)|perfect|regardless|"
    r"doesn't (?:matter|affect|change)|satisf\w+|okay|so no|already|exactly (?:what|as|the|equal)|"
    r"true|verified|as (?:calculated|computed|found|before|above|earlier|expected|given|required|needed|"
    r"the problem (?:says|states)|we (?:had|found|saw)))\b|[✓✔]",
    re.IGNORECASE,
)
_EXPECTS = re.compile(
    r"\b(?:should|would|might|may|could) (?:\w+ )?"
    r"(?:work|hold|match|fit|add up|check out|be (?:fine|okay|valid))\b",
    re.IGNORECASE,
)
"""A sentence that expects an agreement, and has not found it."""
_REQUIRES = re.compile(
    r"\b(?:must|needs? to|has to|have to) (?:also )?satisfy\b|\bconditions? (?:that|for)\b|"
    r"\b(?:valid|true|holds|works) (?:only )?(?:if|when)\b",
    re.IGNORECASE,
)
"""A sentence that says what is required, and not that it is met."""
_VERDICT = re.compile(
    r"\b(?:correct(?:ly)?|consistent|valid|"
    + _WORK
    + r"|holds?|match(?:es)?|confirm(?:s|ed)?|agrees?|makes sense|"
    r"checks? out|adds? up|verified|satisf(?:y|ies|ied)|yes|yep|that's right|is right|"
    r"same (?:result|answer|value|number|thing)|exactly (?:what|as|the|equal)|as (?:calculated|computed|"
    r"found|before|above|expected|given|"
    r"required|we (?:had|found|saw)))\b|[✓✔]",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:n't|\bnot) (?:\w+ )?(?:match|work|add up|right|correct|make sense|hold|fit|agree|possible|"
    r"consistent)\b|"
    r"\b(?:messed|mixed) (?:\w+ )?up\b|\bcan't be\b|\bcontradict|\bdiscrepanc|\b(?:is|was|must be|"
    r"seems) (?:wrong|off)\b",
    re.IGNORECASE,
)
"""Finds fault."""
_CONFLICT = re.compile(
    r"\bbut (?:earlier|before|previously)\b[^.?!\n]{0,120}\b(?:got|had|found|calculated|computed|said)\b"
    r"[^.?!\n]{0,60}\b(?:but|now|whereas|while)\b|"
    r"\b(?:there(?:'s| is| seems to be)|that's|this is) an? (?:\w+ )?"
    r"(?:discrepancy|contradiction|inconsistency)\b",
    re.IGNORECASE,
)
_DISAGREES = re.compile(
    r"\bcontradict(?:s|ed|ing|ion|ions)?\b|\b(?:discrepanc|inconsisten)(?:y|ies|cy|cies)\b|"
    r"\beither (?:my|the|this) (?:approach|method|calculation|reasoning|result)s? (?:is|was|are) wrong\b|"
    r"\b(?:methods|approaches|ways|calculations|formulas|results|they)\b[^.!?\n]{0,20} "
    r"(?:giv(?:e|es|ing)|gave|lead(?:s|ing)? to|led to|have|are) (?:me )?(?:\w+ )?"
    r"(?:different|differing|conflicting) (?:results|answers|values|numbers|totals|probabilities)\b|"
    r"^\W*(?:(?:wait|hmm+|oh|no)\b[\s,.]*)*but (?:earlier|before|according to|(?:using|with|in|by|from) "
    r"(?:the|my) (?:first|second|other|previous))\b[^.!?\n]{0,120}\d|"
    r"(?:\bnot|n't) match(?:ing)? (?:\w+ ){0,2}(?:previous|earlier|first|other) "
    r"(?:result|answer|value|calculation)",
    re.IGNORECASE,
)
"""A sentence that finds two results in conflict."""
_NO_CONFLICT = re.compile(
    r"\b(?:no|not an?|without|resolv\w+|proof by|by|assum\w+|leads? to|for|would|suppos\w+|gives?|avoid\w*) "
    r"(?:\w+ )?(?:contradict|discrepanc|inconsisten)|n't contradict|"
    r"\bcontradict\w* (?:our|the|my|that) (?:assum|given|condition|requirement|fact that)",
    re.IGNORECASE,
)
"""A proof by contradiction, or the absence of a conflict."""
_LEADS_FURTHER = re.compile(
    r"^\W*(?:(?:and|so|also|okay|but|wait)\b[,\s]*)*(?:"
    r"(?:now|next|then|second(?:ly)?|third(?:ly)?|similarly|likewise|finally|lastly)\b,?\s+"
    r"(?:(?:let(?:'s| me| us)|i(?:'ll| will)|we(?:'ll| will| can)?)\s+)?(?:also )?"
    r"(?:check|verify|confirm|test|for|the|compute|calculate|with|if|when|in|part|look at)\b"
    r"|also,? (?:let(?:'s| me| us) )?(?:also )?(?:check|verify|confirm|test)\b"
    r"|(?:alternatively,? |or )?(?:if|when|for) [$\\\\(]{0,3}[a-z]\w?\s?="
    r"|another example\b|for (?:the )?(?:second|other|next|third)\b"
    r"|(?:the )?(?:second|third|fourth|other|next|last|remaining) (?:condition|equation|constraint|"
    r"requirement|part|property|case|inequality|term|factor|root|solution|value|number|one)\b"
    r"|(?:there(?:'s| is)|we (?:also )?have|i (?:also )?have) (?:another|one more|also an?) "
    r"(?:condition|constraint|requirement|restriction)\b"
    r"|(?:we|i) (?:still |also )?(?:need|have) to (?:take|find|add|subtract|multiply|divide|convert|simplify|"
    r"compute|calculate|express|round)\b)",
    re.IGNORECASE,
)
"""Goes on with the next of several things that are examined, or with a step that is still to be made."""
_ANSWERS_ITSELF = re.compile(
    r"^\W*(?:is|are|does|do)\b[^?\n]{0,80}\d[^?\n]{0,40}\?\s*(?:yes|no)\b", re.IGNORECASE
)
_RESOLVES = re.compile(
    r"\b(?:i see|ah|oh|my mistake|the (?:mistake|error|issue|problem|confusion) (?:is|was|here|lies)|"
    r"i (?:made|forgot|missed|mis\w+|double[- ]counted|overlooked|confused|mixed)|should (?:be|have)|"
    r"so (?:the )?(?:correct|right)|actually|"
    r"(?:is|are|that's|it's|was) (?:\w+ )?(?:right|correct|consistent|fine|valid))\b",
    re.IGNORECASE,
)
"""A sentence that finds what was wrong."""
_REWRITES = re.compile(
    r"^\W*(?:(?:alternatively|or|also|and|so|now|equivalently)\b[\s,]*)*(?:i|we|this|it|that|you) "
    r"(?:can|could|may) (?:also )?(?:be )?(?:re)?(?:writ\w+|express\w*|stated?|put)\b",
    re.IGNORECASE,
)
_EXAMINES = re.compile(
    r"\b(?:(?:re|double|cross)?[- ]?(?:check|verif|examin|calculat|comput|test)\w*|confirm\w*|plug\w*|"
    r"substitut\w+|again|sanity|make sure|thorough\w*|see (?:if|whether)|go (?:over|through|back)|"
    r"(?:another|different|alternative) (?:way|method|approach|angle|perspective))\b",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"\b\d+/\d+\b")
HEDGES = re.compile(
    r"^\W*(?:(?:but|so|and|wait|hmm+|well|then|therefore|thus|or)\b[\s,.]*)*"
    r"(?:maybe|perhaps|probably|alternatively)\b(?! (?:because|i (?:was|just|confused|mixed)))",
    re.IGNORECASE,
)
UNSURE = re.compile(r"\b(?:maybe|perhaps|might (?:be|have|need)|not sure|unsure)\b", re.IGNORECASE)
_OF_THIS = re.compile(
    r"^\W*(?:(?:wait|so|but|okay|hmm+)\b[,\s]*)*"
    r"(?:let(?:'s| me| us)|i(?:'ll| will| should))\s+(?:\w+\s+){0,2}?"
    r"(?:check|verify|confirm|test|see)\s+(?:if |whether )?(?:this|that)\b",
    re.IGNORECASE,
)


def opens(text: str) -> bool:
    """Whether a segment begins a new look."""
    return _OPENS.match(text) is not None


def notes_conflict(text: str) -> bool:
    """Whether a segment says that two results before it do not agree."""
    return _CONFLICT.search(text) is not None


def leads_further(text: str) -> bool:
    """Whether a segment goes on with the next thing to examine, or with a step that the task still asks."""
    return _LEADS_FURTHER.match(text) is not None


def answers_itself(text: str) -> bool:
    """Whether a segment asks about the figures before it and answers at once ("Is 21 > 17? Yes")."""
    return _ANSWERS_ITSELF.match(text) is not None


def leaves_conflict(text: str) -> bool:
    """Whether a text finds two results in conflict, and nothing behind that settles it."""
    conflict = False
    for said in _said(text):
        if _DISAGREES.search(said) and not _NO_CONFLICT.search(said):
            conflict = True
        elif conflict and _RESOLVES.search(said):
            conflict = False
    return conflict


def rewrites(text: str) -> bool:
    """Whether a segment begins to write a result in another form, which examines nothing."""
    return _REWRITES.match(text) is not None


def announces_check(text: str) -> bool:
    """Whether a text says that something is checked, done again or done in another way."""
    return _EXAMINES.search(text) is not None


def is_listed(text: str) -> bool:
    """Whether a segment begins as an entry of a list."""
    return _LISTS.match(text) is not None


def is_settled(text: str) -> bool:
    """Whether the end of a look, as given, holds a verdict; what it announces or asks is none."""
    return any(_SETTLED.search(said) and not _NEGATED.search(said) for said in _told(text))


def is_settled_surely(text: str) -> bool:
    """As `is_settled`, by words that hardly mean anything else."""
    return any(_VERDICT.search(said) and not _NEGATED.search(said) for said in _told(text))


def _told(text: str) -> list[str]:
    """The sentences that neither ask, announce, only expect, require nor only suppose."""
    return [
        said
        for said in map(str.strip, _said(text))
        if not said.endswith("?")
        and not _EXPECTS.search(said)
        and not HEDGES.match(said)
        and not _REQUIRES.search(said)
        and (not cues.ANNOUNCES.match(said) or cues.CONCLUDES.search(said))
    ]


def computes(text: str) -> bool:
    """Whether a text works something out, apart from what it only recalls or announces."""
    return any(_COMPUTES.search(_worked(said)) and not _RECALLS.search(said) for said in _said(text))


def _worked(said: str) -> str:
    """A sentence without its fractions, where it equates nothing: "it is 3/4" computes nothing."""
    return said if "=" in said else _FRACTION.sub("", said)


def words_of_its_own(text: str) -> int:
    """Characters of the sentences that neither announce, doubt, recall nor only muse ("maybe we can ...")."""
    own = (
        said.strip()
        for said in _said(text)
        if not (
            cues.ANNOUNCES.match(said)
            or cues.LONE.match(said)
            or cues.DOUBTS.search(said)
            or _RECALLS.search(said)
            or UNSURE.search(said)
            or HEDGES.match(said.strip())
        )
    )
    return sum(map(len, own))


def refers_to_remark(text: str) -> bool:
    """Whether a segment opens by examining what the segment before it says ("let me verify this")."""
    return _OF_THIS.match(text) is not None


def _said(text: str) -> list[str]:
    return [text[start:stop] for start, stop in sentences(text)]
