"""Sum-ups that name dropped work: "the density argument gives 4/15" where no such argument is kept.

In: kept sentences behind a drop. Out: the word by which a sentence names what only dropped text speaks of.
Words are compared by their stems. Words in which any trace speaks of its answer name nothing. English only.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, segments_of
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
    """What a script drops of a text, apart from repetition loops.

    Attributes:
        text: the whole text in lower case.
        offsets: of its segments.
        gone: the dropped segments.
        kept: the others.
    """

    text: str
    offsets: Sequence[int]
    gone: frozenset[int]
    kept: frozenset[int]

    def named(self, segment: int, text: str) -> str:
        """The word by which a sentence of a kept segment sums up what is dropped, or an empty string.

        Args:
            segment: where the text stands.
            text: one sentence or more.
        """
        if not self.gone or not _SUMS_UP.search(text):
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
        """Whether a word stands in dropped text, and in no kept segment before this one."""
        gone = False
        for match in re.finditer(rf"\b{re.escape(stem)}", self.text):
            place = bisect_right(self.offsets, match.start()) - 1
            if place in self.kept and place < segment:
                return False
            gone = gone or place in self.gone
        return gone


def dropped_words(reasoning: str, annotation: Annotation, script: Sequence[Edit]) -> Dropped:
    """What a script drops and keeps, for the words in it."""
    gone = segments_of((edit for edit in script if edit.reason != LOOP), (EditOp.DROP,))
    kept = segments_of(script, (EditOp.KEEP, EditOp.REPLACE))
    text = reasoning.lower()
    # A few capital letters are longer in lower case.
    text = text if len(text) == len(reasoning) else reasoning
    return Dropped(text, annotation.segment_offsets, frozenset(gone), frozenset(kept))


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
