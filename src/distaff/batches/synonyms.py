"""Synonyms: words that stand for a concept of several values, and when they are said instead of these.

As the word "dub" of Higgins et al. 2018 (SCAN, arXiv:1707.03389) stands for {ice lolly, white wall}. It does
not tell how such words were taught; what is here is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from distaff.concepts import Concept, Vocabulary
from distaff.errors import BadInput


def with_synonyms(vocabulary: Vocabulary, text: str) -> Vocabulary:
    """A vocabulary with the synonyms of a text such as "dub = hat, white wall; woog = red floor, ball"."""
    found: dict[str, Concept] = {}
    for word, words in _pairs(text):
        if word in found:
            raise BadInput(f"the synonym '{word}' is given twice")
        try:
            found[word] = vocabulary.read(words)
        except BadInput as error:
            raise BadInput(f"the synonym '{word}' is not allowed; {error}") from None
        if not found[word]:
            raise BadInput(f"the synonym '{word}' has no meaning; say '{word} = VALUE, VALUE'")
    return replace(vocabulary, synonyms=found)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Each word with the words of its meaning."""
    for part in filter(str.strip, text.split(";")):
        word, _, words = part.partition("=")
        yield word.strip(), words


def say_synonyms(
    symbols: NDArray[np.float32], vocabulary: Vocabulary, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Symbols (n, m) of values as they are said in training, half of the synonyms by their own words.

    Wherever a symbol says all that a synonym means, a coin of its own decides whether the synonym is said.
    Values that a synonym says are not said by their own words too; all others are. Without synonyms nothing
    is drawn.
    """
    if not vocabulary.synonyms:
        return symbols
    values = symbols[:, : len(vocabulary.values)]
    meanings = vocabulary.symbols([*vocabulary.synonyms.values()])[:, : len(vocabulary.values)]  # (s, v)
    fits = values @ meanings.T == meanings.sum(axis=1)  # (n, s)
    synonyms = fits & (rng.random(fits.shape) < 0.5)
    return np.concatenate([values * (synonyms @ meanings == 0), synonyms], axis=1, dtype=np.float32)
