"""Sum-ups that name dropped work: "the density argument gives 4/15" where no such argument is kept.

In: kept sentences behind a drop. Out: the word by which a sentence names what only dropped text speaks of.
Words are compared by their stems. Words in which any trace speaks of its answer name nothing. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.seams.sentences import sentences

_WORD = re.compile(r"[a-z]{3,}(?:-[a-z]{2,})*")
_LEAST = 5
"""Minimum letters of a word that names something."""
_ENDINGS = (
    "ations",
    "ation",
    "utions",
    "ution",
    "ions",
    "ion",
    "ings",
    "ing",
    "uted",
    "ated",
    "ed",
    "es",
    "s",
    "ly",
)
_STEM = 4
_DONE = (
    r"(?:saw|seen|noted|mentioned|found|show(?:ed|n)|discussed|established|derived|computed|calculated|"
    r"determined)"
)
_SUMS_UP = re.compile(
    r"\b(?:agree[sd]?|match(?:es|ed)?|confirm(?:s|ed)|consistent(?: with)?|coincides?|verified|"
    r"check(?:s|ed)? out|"
    r"g[ai]ves?(?: me| us)?|giving|given by|yield(?:s|ed)|led to|leads to|"
    r"same (?:answer|result|number|value|thing|probability|count|total|conclusion)|"
    r"(?:good|nice|useful|quick) (?:check|sanity check|confirmation)|works? with|helped?|"
    rf"as (?:we |i )?(?:have |had |just )?{_DONE}|{_DONE} (?:above|before|earlier)|earlier,? (?:i|we))\b",
    re.IGNORECASE,
)
"""What a sentence says that sums up work, or points back at it."""
_SAYS_NOTHING = frozenset(
    re.findall(
        r"[\w-]+",
        "about above actual add after again all already also alternative although always amount analys "
        "answer any anything apply approach approximate arithmetic because before being better boxed "
        "calcul carefully case certain check choose clear common compar complete complet comput "
        "conclusion condit confid confirm confus consider consistent correct could count denote derived "
        "detail determin differ different direct does doing done double double-check earlier easy either "
        "enough equal equat error even every everything exact exactly example express fact figure final "
        "find fine first fits follow found further gave general get give given good have having help "
        "hence here hold hopefully however implies important inde initial instead integer involv just "
        "know last least less like logic look make making match math maybe mean meaning means might minus "
        "miss mistake more multipl must necessary need never next nice none nothing number obtain once "
        "only order original other otherwise overall own part perfect perhap place plus point positive "
        "possibility possible previous prob problem process proper quest quick quite quotient rather "
        "reach realiz really reason recall remember requir result review right same satisf second see "
        "seem sense separate set should show side similar simpl simple simplify since single solid solut "
        "solve some someone something sometim specific start state statement step still straightforward "
        "suppose sure take tell term terms test than that their them then there therefore these thing "
        "think third this those though thought three through thus time together total true truth twice "
        "under understand unless until used using usual valid value various verif very want well what "
        "whatever when where whether which while whole will with within without work would write wrong "
        "yes zero ",
    )
)
"""Stems of words in which any trace speaks of its answer."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The words that name something, by where they stand.

    Attributes:
        gone: stems of words in dropped text.
        kept: by stem, the first kept segment with the word.
        first: the first dropped segment.
    """

    gone: frozenset[str]
    kept: Mapping[str, int]
    first: int

    def named(self, segment: int, text: str) -> str:
        """The word by which a sentence of a kept segment sums up what is dropped, or an empty string.

        Args:
            segment: where the text stands.
            text: one sentence or more.
        """
        if segment < self.first or not _SUMS_UP.search(text):
            return ""
        for span in sentences(text):
            sentence = text[slice(*span)]
            if "?" in sentence or not _SUMS_UP.search(sentence):
                continue
            for word, stem in _stems(sentence):
                if self._is_gone(stem, segment):
                    return word
        return ""

    def _is_gone(self, stem: str, segment: int) -> bool:
        return stem in self.gone and self.kept.get(stem, segment) >= segment


def dropped_words(reasoning: str, annotation: Annotation, script: Sequence[Edit]) -> Dropped:
    """The words that a script drops, apart from repetition loops, and those that it keeps."""
    offsets = annotation.segment_offsets
    gone: set[str] = set()
    kept: dict[str, int] = {}
    first = len(offsets)
    for edit in script:
        for segment in range(edit.start, edit.stop):
            words = _words(reasoning[offsets[segment] : offsets[segment + 1]])
            if edit.op is not EditOp.DROP:
                for word in words:
                    kept.setdefault(word, segment)
            elif edit.reason != LOOP:
                gone |= words
                first = min(first, segment)
    return Dropped(frozenset(gone), kept, first)


def _stems(text: str) -> Iterator[tuple[str, str]]:
    """The words of a text that may name something, with their stems."""
    for match in _WORD.finditer(text.lower()):
        word = match.group()
        stem = _stem(word)
        if len(word) >= _LEAST and stem not in _SAYS_NOTHING and word not in _SAYS_NOTHING:
            yield word, stem


def _stem(word: str) -> str:
    ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _STEM), "")
    return word[: len(word) - len(ending)]


@lru_cache(maxsize=2048)
def _words(text: str) -> frozenset[str]:
    return frozenset(stem for _, stem in _stems(text))
