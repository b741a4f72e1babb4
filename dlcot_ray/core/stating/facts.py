"""How a text puts a value: stated, or only asked, supposed, denied, one of several, recalled.

In: a text and an answer found in it. Out: whether it is stated there, the name that it is given, and the
sentence around it. Only a stated value can be a result: "is it 7?", "if x = 7", "it can't be 7" and "x is 7
or 8" state nothing. Only the sentence and its close surroundings are read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.core.stating.question import EXTREME, Question, content_words, plain_name

OUTRIGHT = frozenset({AnswerForm.BOXED, AnswerForm.PHRASE, AnswerForm.BOLD, AnswerForm.OPTION})
"""Forms that give an answer outright."""

SENTENCE_REACH = 300
"""Characters before and after a value that are searched for the ends of its sentence."""

_END = re.compile(
    r"[.!?](?<![.][.].)(?!(?<=\d!)[$ ]{0,2}[a-z=+*/×·÷\\<>≤≥-])(?!\s?[-+*/=×÷]\s?[\d(])(?=[\s*\"')\]]|$)|\n"
)
"""The end of a sentence. Each branch begins with its sign, for fast search."""
_ASKED = re.compile(r"[\s$*)\]}\\]*\?")
_CONDITION = re.compile(
    r"\b(?:if|suppose|assum(?:e|ing)|whether|unless|imagine|pretend|guess|wonder\w*|maybe|perhaps|(?:might|could)(?=\W+(?:\w+\W+)?(?:be|equal|have|give|get|make|work|mean)\b)|try|trying|"
    r"(?:initial|first|original|previous|earlier) (?:thought|idea|impression) (?:was|is)|hypothetical\w*|for example|e\.g\.|let['’]?s (?:say|try|test|set|take)|(?:let|set|put|choose) (?=[$\\(a-zA-Z]{1,3}\s?=)"
    r"|(?:let me|let['’]?s|to) (?:check|verify|test|confirm) (?=[$\\(]{0,3}\s?[\\a-zA-Zα-ω]{1,6}\s?=)|(?:in|for) (?:the (?:first|second|third) )?case"
    r"|(?:for|with|when|where)(?: an?| the)? (?:[^\W\d_]{1,8} is )?(?:odd|even))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor|rather than|instead of|isn|wasn|if|when|for|suppose|let|try|[a-z]{2,6}n['’]t)\b|n['’]t|≠|\\neq?)"
    r"\W{0,4}(?:(?:be|equal|equals|exactly|just|the|have been|get|is|give)\W{1,3}){0,2}(?:\w{1,3}\W{0,4})?$",
    re.IGNORECASE,
)
_CONDITIONAL = [
    "if",
    "suppos",
    "assum",
    "whether",
    "unless",
    "imagin",
    "pretend",
    "guess",
    "wonder",
    "maybe",
    "perhaps",
    "might",
    "could",
    "try",
    "hypothetical",
    "thought",
    "idea",
    "impression",
    "example",
    "e.g.",
    "let",
    "set",
    "put",
    "choose",
    "check",
    "verify",
    "test",
    "confirm",
    "case",
    "odd",
    "even",
]
_COMPARED = re.compile(
    r"\b(?:less|more|greater|fewer|larger|smaller|higher|lower|bigger) than\W{0,4}$", re.IGNORECASE
)
"""Text before a value that something is only compared with."""
_DENYING = [
    "not",
    "never",
    "neither",
    "nor",
    "rather",
    "instead",
    "isn",
    "wasn",
    "if",
    "when",
    "for",
    "suppose",
    "let",
    "try",
    "n't",
    "n’t",
    "≠",
    "\\ne",
]
"""One of these is in every match of `_CONDITION` and of `_DENIED`; looking for them first is cheaper."""
_REFUTED = re.compile(
    r"[\s$*)\]}\\,]{0,6}(?:(?:is|was|are|would be|seems|looks|must be)\s)?"
    r"(?:not\b|n['’]t|wrong|incorrect|impossible|invalid|too (?:big|small|large|low|high|many|few))",
    re.IGNORECASE,
)
_ANOTHER_BEFORE = re.compile(r"\d[\s$\\)°]{0,4}\bor\s(?:[\\$(]{0,3}\s?[^\W\d]\s?=\s?)?[\\$(]{0,3}\s?$")
_ANOTHER_BEHIND = re.compile(
    r"[\s$\\)°]{0,4}or\s(?:[\\$(]{0,3}\s?(?:[^\W\d]|\\){1,7}\s?=\s?)?[\\$(]{0,3}\s?[-−\d]"
)
_LETTER = re.compile(r"[\s$*(]{0,4}[A-J][\s$*)]{0,4}")
_OPTION_BEFORE = re.compile(
    r"(?<![\w'])\(?[A-J]\)?(?: or (?:maybe |perhaps |possibly |option |choice )?|/)[\s*$(]{0,3}$"
    r"|\b(?:in (?:the )?(?:answer|option|choice)s?|(?:close|closer|closest|near|nearer|nearest|similar) to"
    r"(?: (?:answer|option|choice))?) [\s*$(]{0,3}$"
)
_OPTION_BEHIND = re.compile(
    r"[\s*$)]{0,3}(?:, [A-J])*,? ?(?:or (?:maybe |perhaps |possibly )?(?:option |choice |\()?(?:[A-J](?![\w'])|another|something|one of)"
    r"|/ ?[A-J](?![\w']))"
)
"""Around the letter of an option: another one of which the same is said ("F or D"), or an option that only
holds what is spoken of, or is near it ("compound A in answer (B)", "closest to option C")."""
_COMPANY = re.compile(
    r"[\s$\\)°]{0,4}and\s[\\$(]{0,3}\s?[-−]?\d[\d.,]*[\s$\\)]{0,4}"
    r"(?:satisf(?:y|ied)|work|remain|are|fit|meet|qualify|hold|survive)\b"
)
"""Behind a value: another one of which the same is said ("only 41 and 47 work")."""
_RANGE_BEFORE = re.compile(
    r"\b(?:from|between)\b[^.\n]{1,16}\b(?:to|and)\s[$\\(]{0,3}\s?$|\d\s?(?:–|to)\s?$", re.IGNORECASE
)
_RANGING = ("to", "and", "–")
"""One of these ends every match of `_RANGE_BEFORE`, with layout behind it."""
_PART_BEFORE = re.compile(
    r"(?:(?<![a-zA-Z])\\?(?:sin|cos|tan|cot|sec|csc|log|ln|exp|sqrt|mod|times|cdot|frac)|(?<=[\w)}\]])\s?[-+−]|(?<!\*)\*|[/×·÷^])\s?[$(]?$"
)
_PART_BEHIND = re.compile(
    r"\s?(?:\*(?!\*)|/(?!(?:mol|mole|s|sec|h|hr|hour|min|minute|day|week|month|year|kg|m|cm|L|l)\b)|[×·÷^+]|\\(?:times|cdot|div)\b|[-−]\s?\d"
    r"|(?<=\s)(?:divided by|times|plus|minus|multiplied by|out of)\b)"
)
_SIGN_BEFORE = re.compile(r"(?:\d|[)}\]°]|(?<![^\W\d_])[^\W\d_])\s?$")
_TRIED = re.compile(r"[\s$\\)]{0,4}:")
_NAME_TIE = re.compile(r"(?:^|[\s$\\(*])[^\W\d_](?:_\{?\w+\}?)?\s?=\s?$")
"""``n = 4:`` opens a case; it states nothing."""
_OPERATION = re.compile(
    r"(?:[\d)}!%]\s?(?:[+*×·÷]|\\(?:times|cdot|div)\b|[-−])|(?<![^\W\d_])[ei]\s?[-+−])\s?(?=[\d(\\])"
)
_OPERATOR = re.compile(r"[-+*×·÷−\\]")
"""One of these signs is in every operation."""
_ATOM = r"(?:\\[a-zA-Z]+|[^\W\d_]{1,2})(?![^\W\d_])(?:_\{?\w+\}?)?(?:\([^()=\n]{0,12}\))?(?:\^\{?\w+\}?)?"
_RELATION = r"(?:=|≡|≈|\\equiv|\\approx)"
_SCIENTIFIC = re.compile(r"(?:x|×|·|\*|\\times|\\cdot)\s?10\s?\^\s?\{?\s?[-−+]?\d+\}?")
_NAMED = re.compile(
    rf"(?<![\w\\])(?P<name>{_ATOM}(?:\s?[-+*]\s?(?:{_ATOM}|\d+)){{0,6}})[\s$\\)]{{0,5}}"
    rf"(?:{_RELATION}(?:(?:[^;:.,\n]|[.,](?=\d)){{0,150}}{_RELATION})?|is|equals|must be|should be|to be)[\s$\\(*]{{0,6}}$"
)
"""A name with the value behind it, directly or at the end of a chain of equations."""
_TIES = ("=", "≡", "≈", "\\equiv", "\\approx", "is", "equals", "must be", "should be", "to be")
"""One of these ends every match of `_NAMED`, with layout behind it."""
_LAYOUT = "$\\(*" + "".join(filter(str.isspace, map(chr, range(0x3001))))
_LINKED = re.compile(
    r"(?:\b(?:is|are|be|was|equals?|gives?|get|only|exactly|have|has|totall?ing|total of|just|yields?)|['’]s|[=:≈≡])[\s$*\\(]{0,6}$",
    re.IGNORECASE,
)
_FACTORIAL = re.compile(
    r"(?<![\w)}])(?P<name>\d{1,3}!)[\s$\\)]{0,5}(?:=|is|equals)\s(?:[^.;\n]{0,60}?(?:=|is|equals?))?[\s$\\(*]{0,6}$"
)
"""A factorial with the value behind it."""
_OPERATIONS = re.compile(r"\\(?:times|cdot|div|d?frac|sqrt)")
_OPERATES = re.compile(r"[-+*/·×÷^−]")
_SUCH = re.compile(
    r"\s(?:such|of them|of these|in (?:total|all)|altogether|valid|possible|different|distinct)\b",
    re.IGNORECASE,
)
_THERE = re.compile(r"\b(?:there (?:are|is)|there['’]s|total of|makes|only|exactly) $", re.IGNORECASE)
_NEXT_WORDS = re.compile(r"[\s$*\\)]{0,4}(?:\s?[\w-]+){1,3}")
_SENTENCE_REST = re.compile(r"[\s$*)\]}\\]{0,6}(?:[a-zA-Z]{1,12}[\s$*)\]}\\]{0,4})?(?:[.!;,]|\n|$)")
_COUNTS = re.compile(r"\b(?:there|number|that['’]s|total|count|ways?|how many)\b", re.IGNORECASE)
_RECALLED = re.compile(
    r"\b(?:already|earlier|previously|initially|originally|as before|before)\b", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def sentence_of(text: str, answer: StatedAnswer) -> tuple[int, int]:
    """Start and stop of the sentence around an answer, in `text`."""
    low = max(0, answer.start - SENTENCE_REACH)
    start = low
    for end in _END.finditer(text, low, answer.start):
        start = end.end()
    behind = _END.search(text, answer.stop, min(len(text), answer.stop + SENTENCE_REACH))
    return start, behind.end() if behind else min(len(text), answer.stop + SENTENCE_REACH)


def is_stated(text: str, answer: StatedAnswer) -> bool:
    """Whether a value is put as a fact. A box always is."""
    if answer.form is AnswerForm.BOXED:
        return True
    start, stop = sentence_of(text, answer)
    before, behind = text[start : answer.start], text[answer.stop : answer.stop + 40]
    if text[stop - 1 : stop] == "?" or _ASKED.match(behind):
        return False
    lower = before.lower()
    if any(map(lower.__contains__, _CONDITIONAL)) and _CONDITION.search(before):
        return False
    if any(map(lower[-40:].__contains__, _DENYING)) and _DENIED.search(before[-30:]):
        return False
    if _REFUTED.match(behind) or (" than" in lower[-10:] and _COMPARED.search(before[-16:])):
        return False
    if _is_part(text, answer):
        return False
    if _TRIED.match(behind) and _NAME_TIE.search(before):
        return False
    several = _ANOTHER_BEFORE.search(before[-24:]) or _ANOTHER_BEHIND.match(behind) or _COMPANY.match(behind)
    if _is_letter(answer) and (_OPTION_BEFORE.search(before[-30:]) or _OPTION_BEHIND.match(behind)):
        return False
    ranges = lower.rstrip(_LAYOUT).endswith(_RANGING) and _RANGE_BEFORE.search(before[-40:])
    return not (several or ranges)


def _is_letter(answer: StatedAnswer) -> bool:
    """Whether an answer is the letter of an option."""
    return _LETTER.fullmatch(answer.text) is not None


def _is_part(text: str, answer: StatedAnswer) -> bool:
    """Whether a value is an operand of a longer expression."""
    before, behind = text[max(0, answer.start - 12) : answer.start], text[answer.stop : answer.stop + 16]
    signed = answer.text[:1] in "-−" and _SIGN_BEFORE.search(before) is not None
    return signed or _PART_BEFORE.search(before) is not None or _PART_BEHIND.match(behind) is not None


def is_unfinished(answer: StatedAnswer, reference: str) -> bool:
    """Whether a value is still to be computed: it holds more operations than the reference."""
    if _OPERATOR.search(answer.text) is None:
        return False
    return _operations(answer.text) > _operations(reference)


def _operations(text: str) -> int:
    """How many operations a value holds, apart from a power of ten behind it."""
    return len(_OPERATION.findall(_SCIENTIFIC.sub("", text)))


def is_linked(text: str, answer: StatedAnswer) -> bool:
    """Whether a verb or a relation ties the value to what stands before it."""
    return "=" in answer.text or _LINKED.search(text[max(0, answer.start - 20) : answer.start]) is not None


def ends_sentence(text: str, answer: StatedAnswer) -> bool:
    """Whether only punctuation, markup or a unit follows the value in its sentence."""
    return _SENTENCE_REST.match(text, answer.stop) is not None


def is_recalled(text: str, answer: StatedAnswer) -> bool:
    """Whether the sentence repeats what stood before, so that it is no new result."""
    start, _ = sentence_of(text, answer)
    return _RECALLED.search(text, start, answer.start) is not None


def name_of(text: str, answer: StatedAnswer) -> str | None:
    """The symbol or expression that is given this value, as `plain_name` writes it; None without one."""
    before = text[max(0, answer.start - 200) : answer.start]
    if "=" in answer.text[1:]:
        return plain_name(answer.text.split("=")[0])
    line = before.rpartition("\n")[2]
    # The words and signs that tie a name to its value are looked for first, because most values have no name.
    found = _NAMED.search(line) if line.rstrip(_LAYOUT).endswith(_TIES) else None
    return plain_name(found["name"]) if found else None


def is_asked(text: str, answer: StatedAnswer, question: Question) -> bool:
    """Whether a value is one for what the problem asks: its name is asked for, or its sentence says so."""
    start, stop = sentence_of(text, answer)
    sentence = text[start:stop]
    if question.extreme and not EXTREME.search(sentence):
        return False
    name = name_of(text, answer)
    if name is not None and name in question.names:
        return True
    if question.counted and _THERE.search(text, start, answer.start) and _SUCH.match(text, answer.stop):
        return True
    words = content_words(sentence)
    share = len(question.words & words)
    if question.counted & words and _COUNTS.search(sentence):
        return share * 2 >= len(question.words)
    return len(question.words) > 0 and share * 3 >= len(question.words) * 2


def is_headed(text: str, answer: StatedAnswer, question: Question) -> bool:
    """Whether the sentence names the kind of quantity that is asked before the value: weaker than `is_asked`."""
    start, _ = sentence_of(text, answer)
    before = text[start : answer.start]
    if question.counted and _COUNTS.search(before):
        return bool(question.counted & content_words(before))
    if question.counted and (_LINKED.search(before[-20:]) or before.endswith((" all ", "All "))):
        behind = _NEXT_WORDS.match(text, answer.stop)
        return behind is not None and bool(question.counted & content_words(behind.group()))
    return bool(question.head) and question.head <= content_words(before)


def is_other_name(text: str, answer: StatedAnswer, question: Question) -> bool:
    """Whether a value belongs to something else than what is asked for.

    That is another member of its family, ``a_3`` where it is ``a_5``, or a part of the expression that is
    asked for, ``3!`` where it is ``\\sqrt{3! + 3!}``.
    """
    if not question.names:
        return False
    name = name_of(text, answer) or _factorial_of(text, answer)
    if name is None or name in question.names:
        return False
    return any(_siblings(name, asked) or _is_operand(name, asked) for asked in question.names)


def _factorial_of(text: str, answer: StatedAnswer) -> str | None:
    """The factorial that is given this value: ``3!`` in "3! equals 3 * 2 * 1, which is 6"."""
    start, _ = sentence_of(text, answer)
    found = _FACTORIAL.search(text, start, answer.start)
    return plain_name(found["name"]) if found else None


def _siblings(name: str, asked: str) -> bool:
    return (
        name != asked
        and name.count("_") == asked.count("_") == 1
        and name.split("_")[0] == asked.split("_")[0]
    )


def _is_operand(name: str, asked: str) -> bool:
    """Whether a name is a whole operand of the expression that is asked for."""
    if len(name) >= len(asked):
        return False
    asked = _OPERATIONS.sub("*", asked)
    found = re.search(rf"(?<![\w\\.]){re.escape(name)}(?![\w!^_(.])", asked)
    return found is not None and _OPERATES.search(asked[: found.start()] + asked[found.end() :]) is not None
