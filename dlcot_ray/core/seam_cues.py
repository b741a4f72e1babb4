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
    rf"^\W*(?:(?:okay|ok|so|but|and|now|well|hmm+|wait|alright|yeah|yes|still|though|however|also|just|alternatively)\b[\s,.…-]*)*"
    rf"(?:"
    rf"(?:just )?(?:to (?:be )?|for )(?:(?:absolutely|extra|completely|really|more) )?(?:thorough|sure|safe|certain|double|cross|verify|confirm|check|completeness)\b[^.!?]*[.!?]?\W*$"
    rf"|(?:let(?:'s| us| me)|i(?:'ll| will| should| can| could| want to| need to| might| have to)|we(?:'ll| should| can| could| need to| might| must)|"
    rf"(?:maybe|perhaps) (?:i|we) (?:should|can|could|need to)|(?:maybe|perhaps) i'm)(?: \w+){{0,3}}? {_CHECKING}\b"
    rf"|(?:let(?:'s| me)|i|we|maybe|perhaps|there)\b[^.!?]{{0,80}}{_OTHER_WAY}\b(?![^.!?]*\b(?:gives?|gave|is|was|yields?)\b)"
    rf"|[^.!?]*\?\W*$"
    rf"|(?:a |one )?(?:moment|minute|second|sec)\W*$|hold on\W*$|alternatively\W*$|wait\W*$"
    rf")",
    re.IGNORECASE,
)
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
    r"\beither (?:way|method|approach)\b|\bmultiple (?:methods|approaches|ways)\b|"
    r"\b(?:across|by|with|using|via|from) (?:the )?(?:two|three|several|different|various|other)(?: different)? (?:methods|approaches)\b",
    re.IGNORECASE,
)
EARLIER = re.compile(
    r"\b(?:second|other|third|alternative|previous|last) (?:method|approach|way|check)\b|"
    r"\b(?:as|like|which) (?:i |we )?(?:just )?(?:computed|found|showed|shown|verified|checked|calculated|confirmed|did) (?:above|before|earlier|just now)\b",
    re.IGNORECASE,
)
