"""The concepts of a run that knows symbols, in pictures and in latents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.batches.lessons import Lessons
from distaff.concepts import OPERATORS, Concept, attributes, in_words
from distaff.evaluation.concepts.imagined import Imagined, combine, has_operators, imagine, lessons_of, result
from distaff.evaluation.concepts.scores import agreement, specificity
from distaff.pages import parts
from distaff.pages.figures import heat_map, matrix_table
from distaff.pages.page import Section
from distaff.pages.seen import Seen
from distaff.pages.traversals import SHOWN_LATENTS

SHOWN_CONCEPTS = 8
IMAGES = 10


def concepts(seen: Seen) -> Section | None:
    """Images of some concepts, and what each says of every latent; none of a run without symbols."""
    if not seen.run.facts.words:
        return None
    lessons = lessons_of(seen.run)
    chosen, synonyms = _spread(lessons.taught), [*lessons.vocabulary.synonyms]
    names = [*map(lessons.vocabulary.describe, chosen), *synonyms]
    made = [imagine(seen.run, concept, IMAGES) for concept in chosen]
    made += [imagine(seen.run, word, IMAGES) for word in synonyms]
    told = (
        f"{len(chosen)} of the {len(lessons.taught)} concepts that were taught{_stand_for(lessons)}, and "
        f"images decoded from samples of each. {_reading(seen, lessons)}"
    )
    operators = _operators(seen, lessons) if has_operators(seen.run) else ()
    return Section("Concepts", [told, *_pictures(names, made), *operators, *_specificity(seen, names, made)])


def _stand_for(lessons: Lessons) -> str:
    """Its synonyms and what they stand for, where there are any."""
    say, synonyms = lessons.vocabulary.describe, lessons.vocabulary.synonyms
    meanings = "; ".join(f"{word} for {say(meaning)}" for word, meaning in synonyms.items())
    return f" and its synonyms ({meanings})" if synonyms else ""


def _spread(taught: Sequence[Concept]) -> list[Concept]:
    """A few of them from all levels."""
    ordered = sorted(taught, key=lambda concept: (len(concept), sorted(concept)))
    places = np.linspace(0, len(ordered) - 1, min(SHOWN_CONCEPTS, len(ordered))).astype(np.int64)
    return [ordered[place] for place in places]


def _reading(seen: Seen, lessons: Lessons) -> str:
    """How well words are read from images."""
    rows, space = seen.encoding.rows, lessons.vocabulary.space
    right = agreement(seen.run.decode_symbols(seen.encoding.mean), space.rows(rows), lessons.vocabulary)
    chance = np.mean([1 / lessons.vocabulary.size(name) for name in lessons.vocabulary.named])
    return (
        f"Of {len(rows):,} images the surest word of each attribute is right in {right:.0%} of cases; "
        f"chance is {chance:.0%}."
    )


def _pictures(names: Sequence[str], made: Sequence[Imagined]) -> Iterator[str]:
    for name, each in zip(names, made, strict=True):
        yield parts.labelled("", parts.picture(each.images, f"Images of {name}"), name)


def _operators(seen: Seen, lessons: Lessons) -> Iterator[str]:
    """What each learned operator makes of a concept and a part of it, above images of the exact result."""
    several = [concept for concept in lessons.taught if len(attributes(concept)) > 1]
    if not several:
        return
    whole, say = several[0], lessons.vocabulary.describe
    first, *others = (frozenset([value]) for value in sorted(whole))
    asked = {
        "and": (first, frozenset().union(*others)),
        "in_common": (whole, first),
        "ignore": (whole, first),
    }
    yield "What the learned operators make of two concepts, and below it the concept that it should be."
    for operator in OPERATORS:
        one, other = asked[operator]
        exact = result(lessons.vocabulary, one, operator, other)
        title = in_words(say(one), operator, say(other))
        learned = combine(seen.run, one, operator, other, IMAGES)
        yield from _pictures([title, say(exact)], [learned, imagine(seen.run, exact, IMAGES)])


def _specificity(seen: Seen, names: Sequence[str], made: Sequence[Imagined]) -> Iterator[str]:
    """What each concept says of the latents that carry most."""
    shown = seen.order[:SHOWN_LATENTS]
    values = specificity(2 * np.log(np.stack([each.sigma for each in made])))[:, shown]
    told = "Specificity of latents, 1 / sigma, for each concept"
    yield f"{told}; it is 1 where a concept says nothing of a latent."
    words: list[Any] = [[f"{value:.1f}" for value in row] for row in values]
    columns = [seen.names[j] for j in shown]
    figure = heat_map(np.log(values), names, columns, span=_span(values), words=words)
    yield parts.drawing(told, figure, matrix_table(values, names, columns))


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Colours from 1, white, to the most that is said, on the scale of logarithms."""
    return 0.0, max(float(np.log(values).max()), 0.1)
