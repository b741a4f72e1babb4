"""The wording of loose ends, as compiled patterns over one sentence: announcements, answers, references.

The patterns are anchored at the start of a sentence where position matters. They are English only and do not
depend on the habits of one teacher. One pattern per line is easier to read than a wrapped one.
"""

from __future__ import annotations

import re

_CHECKING = (
    r"(?:verif\w+|(?:double|cross)[- ]?(?:check|verif)\w*|check\w*|confirm\w*|make sure|be (?:sure|certain|safe|thorough)|test|"
    r"re-?(?:check|examine|calculate|compute|read|think|visit|consider|cap)\w*|see (?:if|whether)|go (?:over|through|back)|"
    r"think (?:again|about (?:this|it|that) (?:again|differently))|consider (?:this|that|it|if|whether|another|other|a different|the other)|"
    r"try (?:another|a different|it)|approach (?:it|this)|look at (?:it|this) (?:another|differently|from)|"
    r"(?:plug|substitute|put) [^.!?]{1,24}? back|recap|summari[sz]e)"
)
_OTHER_WAY = (
    r"\b(?:another|different|alternative|second|other) (?:way|approach|method|angle|perspective|strategy)"
)
ANNOUNCES = re.compile(
    rf"^\W{{0,40}}(?:(?:okay|ok|so|but|and|now|well|hmm+|wait|alright|yeah|yes|still|though|however|also|just|alternatively)\b[\s,.…-]{{0,20}}){{0,8}}"
    rf"(?:"
    rf"(?:just )?(?:to (?:be )?|for )(?:(?:absolutely|extra|completely|really|more) )?(?:thorough|sure|safe|certain|double|cross|verify|confirm|check|completeness)\b[^.!?]*[.!?]?\W{{0,40}}$"
    rf"|(?:let(?:'s| us| me)|i(?:'ll| will| should| can| could| want to| need to| might| have to)|we(?:'ll| should| can| could| need to| might| must)|"
    rf"(?:maybe|perhaps) (?:i|we) (?:should|can|could|need to)|(?:maybe|perhaps) i'm)(?: \w+){{0,3}}? {_CHECKING}\b"
    rf"|(?:let(?:'s| me)|i|we|maybe|perhaps|there)\b[^.!?]{{0,80}}{_OTHER_WAY}\b(?![^.!?]*\b(?:gives?|gave|is|was|yields?)\b)"
    rf"|[^.!?]*\?\W{{0,40}}$"
    rf"|(?:let(?:'s| me) (?:think|see))\W{{0,40}}$"
    rf"|(?:double[- ]?|re-?)?(?:checking|examining|reviewing|verifying|reading|looking at|going (?:over|back to|through)) (?:all |each of )?"
    rf"(?:the|these|those|my|each|every|all)\b[^.!?,:=]{{0,60}}[.:]\W{{0,40}}$"
    rf"|(?:a |one )?(?:moment|minute|second|sec)\W{{0,40}}$|hold on\W{{0,40}}$|alternatively\W{{0,40}}$|wait\W{{0,40}}$"
    rf")",
    re.IGNORECASE,
)
ANNOUNCES_AT_END = re.compile(
    r"[,;]? (?:but|and|so) (?:let(?:'s| me| us)|i(?:'ll| will| should| need to| want to)) (?:just |quickly |also )?"
    r"(?:re-?check|(?:double|cross)[- ]?check|check|verify|confirm|make sure)\b[^.!?=\d]*[.!…]?\s*$",
    re.IGNORECASE,
)
"""The end of a sentence that announces a check, and computes nothing."""
LONE = re.compile(
    r"^\W*(?:(?:oh|no|ok|okay|but|so|wait|hold on|hmm+|alternatively|a (?:minute|second|moment)|one (?:moment|second))\b\W*)+$",
    re.IGNORECASE,
)
CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|gives|yields|equals|is (?:correct|right|indeed|exactly)|matches|we (?:get|have|find))\b(?=[^?]*$)|=[^=]*=",
    re.IGNORECASE,
)
ANSWERS = re.compile(
    r"^\W*(?:(?:ok|okay|so|and|but|ah|oh|well|great|good|perfect|nice|excellent|phew)\b[\s,.!]*)*"
    r"(?:(?:yes|yep|yeah|right|no|nope|indeed|exactly)\b[,.!\s]*)?(?:so )?"
    r"(?:(?:that|this|it|they|which|these|those|everything|all of (?:that|this|it))\b(?:'s|'re)?(?: also| all| both| again| still| indeed)*(?: (?:is|are))?"
    r"(?: doesn't| does not| don't| didn't)? (?:match(?:es)?|checks? out|works?|confirms?|agrees?|consistent|the same|verif\w+|holds?|adds? up|wrong|incorrect|not right)\b"
    r"|(?:doesn't|does not|don't|didn't) (?:match|work|add up|hold)\b"
    r"|same (?:reasoning|logic|answer|result|thing|as (?:before|above|earlier)|number|value)\b"
    r"|(?:consistent|matches|checks out|verified|confirmed)\b"
    r"|(?:yes|yep|nope)\W*$)",
    re.IGNORECASE,
)
BOTH = re.compile(
    r"\b(?:both|all three|all two|the two|these two|all) (?:of )?(?:the |these |my )?(?:methods|approaches|ways|calculations|results|answers|techniques|checks)\b|"
    r"\bin both cases,? (?:i|we) (?:get|got|have|find|found|arrive)\b|"
    r"\beither (?:way|method|approach)\b|\bmultiple (?:methods|approaches|ways)\b|"
    r"\b(?:across|by|with|using|via|from) (?:the )?(?:two|three|several|different|various|other)(?: different)? (?:methods|approaches)\b",
    re.IGNORECASE,
)
EARLIER = re.compile(
    r"(?<!\bany )(?<!\bno )(?<!\bsome )\b(?:second|other|third|alternative|previous|last) (?:method|approach|way|check)\b|"
    r"\b(?:as|like|which) (?:i |we )?(?:just )?(?:computed|found|showed|shown|verified|checked|calculated|confirmed|did) (?:above|before|earlier|just now)\b",
    re.IGNORECASE,
)
LEADS_ON = re.compile(r":[\s*_)\]]*$")
"""A sentence that ends in a colon announces what follows it."""
DOUBTS = re.compile(
    r"^\W*(?:(?:but|hmm+|oh|okay|ok|so|and|now|well|however|although|though)\b[\s,.…-]*)*(?:wait|hold on|hmm+)\b"
    r"[^.!]{0,200}\b(?:but|maybe|perhaps|not|never|earlier|previously|before|should|could|might|may|if|mistake|wrong|different|"
    r"forg[oe]t|miss(?:ed|ing)?|again|what about|how|why|which)\b"
    r"|\b(?:(?:i'm|i am|still) (?:not (?:entirely |quite |completely |totally |so |too |very )?(?:sure|certain|convinced)|unsure|(?:a (?:bit|little) )?confused)"
    r"|(?:i|we) (?:may|might|must|could) have (?:made|missed|miscounted|misread|miscalculated|overlooked|forgotten)"
    r"|(?:doesn't|does not|don't|didn't) (?:seem|look|sound|feel|match|add up|make sense)"
    r"|(?:seems?|looks?|sounds?|feels?) (?:off|wrong|odd|strange|suspicious|contradictory|inconsistent|incorrect|too (?:big|small|large|high|low|easy|simple))"
    r"|something(?:'s| is| must be| seems) (?:off|wrong|missing))\b",
    re.IGNORECASE,
)
"""A sentence that raises a doubt and does not settle it."""
HALF_SURE = re.compile(
    r"\bbut (?:maybe|perhaps|possibly) (?:that|this|it)(?:'s| is| may be| might be) (?:correct|right|okay|fine)\W*$",
    re.IGNORECASE,
)
"""A sentence that doubts a result and takes it for right all the same."""
POINTS_BACK = re.compile(
    r"^\W*(?:(?:so|and|but|then|therefore|thus|hence|now|okay|well|since|because|here)\b[\s,]*)*"
    r"(?:(?:this|that|these|those|the (?:above|previous|preceding|latter|former|second|other)) "
    r"(?:values?|formulas?|equations?|expressions?|numbers?|sums?|counts?|totals?|calculations?|computations?|methods?|approach(?:es)?|ways?|"
    r"techniques?|patterns?|identit(?:y|ies)|relations?|ratios?|discrepanc(?:y|ies)|contradictions?|mistakes?|errors?|checks?|"
    r"verifications?|substitutions?|alternatives?)\b"
    r"|(?:this|that|which) (?:also |again |then |all |only |further )*(?:confirms|verifies|matches|agrees|contradicts|shows|proves|means|implies|gives|yields|"
    r"equals|simplifies|is (?:the same|consistent|exactly what|what i|because|due to|equal to|also))\b"
    r"|(?:this|that)(?:'s| is| makes| would be) (?:exactly |only |a total of |still )?\d)",
    re.IGNORECASE,
)
"""A first sentence whose subject is what stands directly before it."""
GOES_ON = re.compile(r"^\s*(?!(?:so|therefore|thus|hence)\b)[a-z]{2,}\b(?!\s*[=(\[])")
"""A text that begins inside a sentence."""
SAYS_YES = re.compile(
    r"^(?P<lead>\W*(?:(?:okay|ok|so|and|ah|great|good)\b[\s,.!]*)*)"
    r"(?P<yes>(?:yes|yep|yeah|right|exactly|indeed|correct|perfect|great|good|nice)\s*[,.!;—–-]+\s*)(?P<rest>\S[\s\S]*)$",
    re.IGNORECASE,
)
"""A sentence that begins by answering a question."""
MANY = re.compile(
    r"\b(?:confirmed|checked|verified|double-?checked|tested|done|solved|computed|calculated) (?:it |this |that |everything )?"
    r"(?:(?:in|by|with|using) )?(?:enough|multiple|several|many|a few|a couple of|different|various|two|three|both)(?: different| separate| other)? "
    r"(?:ways|times|methods|approaches|angles)\b"
    r"|\b(?:confirmed|checked|verified|double-?checked|tested) (?:it |this |that |everything )?(?:in|by|with|using) "
    r"(?:another|a (?:second|different|separate)) (?:way|method|approach)\b"
    r"|\b(?:every|each|whichever) (?:way|method|approach) (?:i|we|gives|leads)\b|\bno matter (?:which|what|how) (?:method|way|approach|i|we)\b"
    r"|\bregardless of (?:the|which|what) (?:method|approach|way)\b"
    r"|\bmultiple (?:ways|checks|verifications|times|methods|approaches)\b"
    r"|\b(?:two|three|several|different|various|all) (?:different )?(?:methods|ways|approaches|checks) (?:all )?"
    r"(?:agree|give|gave|confirm|lead|led|yield|match|point|show|arrive)\w*"
    r"|\bfrom (?:different|several|multiple|various) angles\b|\ball (?:the |these |my )?(?:checks|verifications|tests)\b",
    re.IGNORECASE,
)
"""A claim that several methods or checks were made."""
OF_METHODS = re.compile(r"\b(?:methods?|approach(?:es)?|ways?|techniques?|angles)\b", re.IGNORECASE)
OF_THREE = re.compile(r"\b(?:three|several|many|various|enough|all (?!two))\b", re.IGNORECASE)
VERDICT = re.compile(
    r"\b(?:checks? out|(?:is|are|seems?|looks?|that's|it's) (?:indeed |all |also )?(?:right|correct|consistent|good|fine|solid|valid)|"
    r"works?|makes sense|match(?:es)?|confirm(?:s|ed)|verified|agrees?|holds?|correct|perfect|yes|yep)\b[^.!?\n]{0,60}[.!]?\W*$",
    re.IGNORECASE,
)
"""The end of a text that says that something is right."""
ASSURES = re.compile(
    r"^\W*(?:(?:so|and|yes|yep|okay|therefore|thus|hence)\b[,\s]*)*"
    r"(?:i(?:'m| am)|that(?:'s| is)|this is|i think)\b"
    r"[^.!?\n]{0,60}\b(?:confident|sure|answer|it|correct|right|result|solution|done)\b[^.!?\n]{0,30}[.!]?\W*$",
    re.IGNORECASE,
)
"""A sentence that only says that the answer is right, or that the work is done."""
EITHER_WAY = re.compile(
    r"^(?P<lead>\s*)(?:(?:so|and|but|anyway|okay)\b[,\s]*)*"
    r"(?:(?:in )?(?:either|both) (?:ways?|cases?|methods?)|"
    r"(?:regardless of (?:the|which)|no matter which) (?:approach|method|way)"
    r"(?: (?:i|we) (?:use|take|choose|try))?)\s*,\s*"
    r"(?P<rest>\S[\s\S]*)$",
    re.IGNORECASE,
)
"""A sentence that can stand without "either way" before it."""
LED = re.compile(
    r"(?P<lead>\s*)(?:(?:so|and|but|thus|therefore|hence|okay|anyway)\b[,\s]{0,3}){0,3}"
    r"[^,.;:!?$\\\n]{3,100},\s+"
    r"(?P<rest>(?:so\s+)?(?:i|i'm|i am|we|the|it|it's|this|my)\s(?:[^,;]|,(?=\d))*)$",
    re.IGNORECASE,
)
"""A sentence that can stand without its first words, up to a comma."""
EXEMPLIFIES = re.compile(
    r"^\W*(?:for (?:example|instance)|such as|that is|in other words|e\.g\.)\b", re.IGNORECASE
)
"""A sentence that needs the one before it."""
