from __future__ import annotations

import random
import time

from dlcot_ray.profiling.copies import find_copies, mark_of


def text_of(seed: int, words: int = 300) -> list[str]:
    generator = random.Random(seed)
    return [f"w{generator.randrange(2000)}" for _ in range(words)]


def test_a_text_with_other_spaces_case_and_punctuation_is_the_same() -> None:
    found = find_copies([mark_of("So, the answer is 42."), mark_of("so the answer\n\nis 42")])
    assert found.exact == (-1, 0)


def test_a_text_with_a_few_other_words_is_a_near_copy() -> None:
    words = text_of(1)
    changed = [*words[:100], "other", *words[101:]]
    found = find_copies([mark_of(" ".join(words)), mark_of(" ".join(text_of(2))), mark_of(" ".join(changed))])
    assert found.exact == (-1, -1, -1)
    assert found.near == (-1, -1, 0)


def test_texts_that_share_half_are_no_copies() -> None:
    one, other = text_of(3), text_of(4)
    found = find_copies([mark_of(" ".join(one)), mark_of(" ".join([*one[:150], *other[150:]]))])
    assert found.near == (-1, -1)


def test_short_and_empty_texts_have_marks() -> None:
    found = find_copies([mark_of(""), mark_of("yes"), mark_of("no"), mark_of("yes")])
    assert found.exact == (-1, -1, -1, 1)
    assert found.near[2] == -1


def test_many_copies_of_one_text_take_linear_time() -> None:
    mark = mark_of(" ".join(text_of(5)))
    began = time.process_time()
    found = find_copies([mark] * 5000)
    assert set(found.exact[1:]) == {0}
    assert time.process_time() - began < 20
