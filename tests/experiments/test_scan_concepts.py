"""Perfect vision, what samples show, and what is measured of concepts that are as they should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from distaff.concepts import Value, attributes
from distaff.experiments.scan_concepts import (
    EMPTY,
    HELD_OUT,
    LATENTS,
    SIGMA,
    SPACE,
    TAUGHT,
    VOCABULARY,
    Scale,
    ScanConcepts,
    judged,
    known,
    learned,
    of_concepts,
    of_operators,
    shown,
)
from distaff.methods.base import Codes

EVERY = SPACE.rows(np.arange(len(SPACE)))
TINY = Scale("", steps=3, operator_steps=2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_codes_are_spread_like_the_prior_and_show_their_rows() -> None:
    means, logvar = known(EVERY)
    assert means.shape == logvar.shape == (len(EVERY), LATENTS)
    np.testing.assert_allclose(means.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(means.numpy().std(axis=0), [1] * len(SPACE.sizes) + [0] * EMPTY, atol=1e-6)
    for j, size in enumerate(SPACE.sizes):
        places = [float(means[EVERY[:, j] == value, j].unique()) for value in range(size)]
        steps = np.diff(places)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
    sigmas = torch.exp(logvar / 2).numpy()
    np.testing.assert_allclose(sigmas[:, : len(SPACE.sizes)], SIGMA, rtol=1e-6)
    assert (sigmas[:, len(SPACE.sizes) :] == 1).all()
    np.testing.assert_array_equal(shown(means), EVERY[:, :4])
    assert shown(torch.full((1, LATENTS), 9.0)).tolist() == [[4, 4, 4, 2]], "beyond the last is the last"


def as_they_should_be(concepts: list[frozenset[Value]], open_sigma: float) -> Codes:
    mean, logvar = (
        torch.zeros(len(concepts), LATENTS),
        torch.full((len(concepts), LATENTS), 2 * np.log(open_sigma)),
    )
    for n, concept in enumerate(concepts):
        row = np.zeros((1, len(SPACE.sizes)), dtype=np.int64)
        for attribute, value in concept:
            row[0, attribute] = value
        for attribute in attributes(concept):
            mean[n, attribute] = known(row)[0][0, attribute]
            logvar[n, attribute] = 2 * np.log(0.1)
    return Codes(mean, logvar, mean)


@pytest.mark.parametrize(("open_sigma", "low", "high"), [(1.0, 0.02, 0.15), (0.1, 1.5, 3)])
def test_concepts_are_accurate_and_free_or_accurate_and_alike(
    open_sigma: float, low: float, high: float
) -> None:
    concepts = list(VOCABULARY.concepts(2))
    found = judged(as_they_should_be(concepts, open_sigma), concepts, seeded())
    assert found["accuracy"] > 0.99
    assert low < found["diversity"] < high
    assert found["sigma named"] == pytest.approx(0.1)
    assert found["sigma not named"] == pytest.approx(open_sigma)
    assert found["sigma empty"] == pytest.approx(open_sigma)


def test_accuracy_of_concepts_that_know_nothing_is_that_of_chance() -> None:
    concepts = [concept for concept in VOCABULARY.concepts(1) if concept <= {Value(0, 2), Value(3, 0)}]
    nothing = Codes(torch.zeros(2, LATENTS), torch.full((2, LATENTS), 20.0), None)  # ends only: 0 or the last
    assert judged(nothing, concepts, seeded())["accuracy"] == pytest.approx(0.25, abs=0.06)


def test_a_world_is_of_its_seed_and_every_claim_has_a_number() -> None:
    first, same, other = (learned("forward", TINY, seed) for seed in (100, 100, 101))
    assert of_concepts(first, 100) == of_concepts(same, 100)
    assert of_concepts(first, 100) != of_concepts(other, 101)
    assert len(first.lessons.taught) == TAUGHT
    assert len(first.lessons.held_out) == HELD_OUT
    found = of_operators(first, TINY, 100)
    assert [row["operator"] for row in found] == ["and", "in_common", "ignore"]
    assert all(np.isfinite(row["sigma not named"]) for row in found)
    assert len(ScanConcepts().claims) == 13


@pytest.mark.slow
def test_concepts_are_learned() -> None:
    """A quarter of nano's steps tell the groundings apart."""
    scale = Scale("", steps=1000)
    forward, reverse = (of_concepts(learned(kind, scale, 100), 100) for kind in ("forward", "reverse"))
    assert forward["accuracy"] > 0.9
    assert forward["sigma not named"] > 0.8 > 0.3 > reverse["sigma not named"]
    assert reverse["diversity"] > 10 * forward["diversity"]
