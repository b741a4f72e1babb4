"""The language of a text, from its scripts and its most frequent words.

In: a text. Out: an ISO 639-1 code. Formulas and code are left out first. A script that belongs to one
language decides. Latin text is told apart by words that stand in nearly every paragraph of a language. It is
no library, because they bring trained models, and only one question counts here: is it English, the language
of all cues and gates? Other codes only name what was found.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

ENGLISH = "en"
UNKNOWN_LANGUAGE = "unknown_language"
"""The status reason of a trace that is not read; its language follows a colon."""
UNKNOWN = "und"
"""ISO 639-2 for a text in no language that is known here."""

FEW_WORDS = 12
"""A text with fewer words tells no language; formulas have none."""

ENOUGH = 5
"""Frequent words from which Latin text counts as a language."""

SHARE = 0.4
"""Share of letters from which a script other than Latin decides."""

_SCRIPTS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "zh": re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "ru": re.compile(r"[\u0400-\u052f]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "bn": re.compile(r"[\u0980-\u09ff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
}
"""Scripts by the language that is most frequent in them; Greek is missing, because formulas use it."""
_GREEK = re.compile(r"[\u0370-\u03ff]{3,}")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FORMULA = re.compile(r"\\[A-Za-z]+|\$[^$\n]{1,300}\$|```[^`]{0,4000}```|`[^`\n]{1,200}`")
_WEIGHT = 3
_NO_LETTERS = bytes(sorted(set(range(128)) - set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")))
"""One character of Chinese, Japanese or Korean counts as so many letters."""

_WORDS = {
    "en": """
        the and that this is are of to we so it have can be with for which then but not as if there
        let wait now from get because each check answer would what these need where think also okay
        by yes or good thus hence
    """,
    "de": """
        der die das und ist nicht wir ein eine den dem mit für auf sich auch dass also wenn aber
        dann sind zu von werden haben kann wie jetzt noch nun oder einen gleich muss prüfen
    """,
    "fr": """
        le la les et est une un des du de nous que qui dans pour pas sur donc avec ce cette sont
        alors mais on par plus ou si il je vérifions maintenant soit aussi
    """,
    "es": """
        el la los las y es una un de que en por para con se no entonces pero como del hay son si lo
        su esto tenemos ahora más también cada
    """,
    "pt": """
        o os as e é uma um de que em por para com se não então mas como do da dos das são isso temos
        agora mais também ou cada
    """,
    "it": """
        il lo la gli e è una un di che in per con non si quindi ma come del della sono se questo
        abbiamo ora più anche ogni allora dobbiamo
    """,
    "nl": """
        de het een en is van dat niet we zijn met voor op te dus maar als dan er die kan nu ook wat
        deze hebben moet
    """,
    "pl": """
        i w na jest nie że się to z do jak ale więc tak czy dla mamy są co przez teraz każdy który
    """,
    "cs": """
        a je se na že to v není ale jak tak pro jsou co máme takže nyní který být
    """,
    "sv": """
        och är att det en ett som vi inte på med för av den men så om har till kan nu eller också
        måste
    """,
    "tr": """
        ve bir bu için ile değil ama daha çok olarak ise her gibi var o da de şimdi olur kadar sonra
    """,
    "vi": """
        là và của có không ta một các cho được này vậy với số nên khi thì những trong bằng
    """,
    "id": """
        yang dan di ini itu dengan untuk adalah tidak kita dari ke pada maka jadi akan ada jika
        kalau atau juga
    """,
    "ro": """
        și este nu că un o de la pe cu în să din pentru sunt dar deci avem care mai
    """,
    "hu": """
        a az és nem hogy egy is van meg ha de akkor ez így tehát mert már csak
    """,
}
"""The most frequent words of languages in Latin script; a word may be one of several languages."""
_WORD_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}


@lru_cache(maxsize=8)
def language_of(text: str) -> str:
    """The ISO 639-1 code of the language in which most of `text` is written.

    Returns an empty string for a text with hardly any words, and `UNKNOWN` where no language is recognised.
    """
    bare = _FORMULA.sub(" ", text)
    script = _script_of(bare)
    if script:
        return script
    words = Counter(map(str.lower, _WORD.findall(bare)))
    total = words.total()
    if total < FEW_WORDS:
        return ""
    hits = {code: sum(map(words.__getitem__, words.keys() & known)) for code, known in _WORD_SETS.items()}
    best = max(hits, key=hits.__getitem__)
    if hits[ENGLISH] >= max(ENOUGH, hits[best] * 0.9):
        return ENGLISH
    return UNKNOWN if hits[best] < ENOUGH or hits[best] * 30 < total else best


def has_cues(language: str) -> bool:
    """Whether cues and gates can read a language; text with hardly any words needs none."""
    return language in ("", ENGLISH)


def is_foreign(text: str) -> bool:
    """Whether a piece of a trace is plainly in a language without cues.

    By its script, or by five different words of another language and hardly any English one.
    """
    bare = _FORMULA.sub(" ", text)
    if _script_of(bare):
        return True
    words = set(map(str.lower, _WORD.findall(bare)))
    english = len(words & _WORD_SETS[ENGLISH])
    if len(words) < ENOUGH or len(words) <= 2 * english:
        return False
    best = max(len(words & known) for code, known in _WORD_SETS.items() if code != ENGLISH)
    return best >= ENOUGH and best > 2 * english


def _hardly_any_other(text: str) -> bool:
    """Whether ASCII letters are so many that all other characters together are too few for a script."""
    ascii_only = text.encode("ascii", "ignore")
    letters = len(ascii_only.translate(None, _NO_LETTERS))
    return (len(text) - len(ascii_only)) * _WEIGHT <= SHARE * letters


def _script_of(text: str) -> str:
    """The language of a script other than Latin in which enough letters are written, or an empty string."""
    if text.isascii() or _hardly_any_other(text):
        return ""
    counts = {code: len(pattern.findall(text)) for code, pattern in _SCRIPTS.items()}
    east = counts["ja"] + counts["zh"] + counts["ko"]
    letters = {code: n * (_WEIGHT if code in ("ja", "zh", "ko") else 1) for code, n in counts.items()}
    letters["el"] = sum(map(len, _GREEK.findall(text)))
    total = sum(letters.values()) + len(_LATIN.findall(text))
    if not total:
        return ""
    if east * _WEIGHT > SHARE * total:
        if counts["ko"] * 2 > east:
            return "ko"
        return "ja" if counts["ja"] * 10 > east else "zh"
    best = max(letters, key=letters.__getitem__)
    return best if letters[best] > SHARE * total else ""
