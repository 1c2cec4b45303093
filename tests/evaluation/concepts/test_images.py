"""Images of concepts are decoded from samples of their posteriors, and scored one concept after the other."""

import numpy as np
import pytest
import torch

from distaff.concepts import Vocabulary
from distaff.evaluation.concepts.classifier import FactorClassifier
from distaff.evaluation.concepts.images import image_scores, images_of
from distaff.evaluation.concepts.scores import from_uniform
from distaff.factors import FactorSpace
from distaff.methods.base import Codes


class Told:
    """A run whose images are their codes."""

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return codes[:, :, None, None].astype(np.float32)


class Signs(torch.nn.Module):
    """Two factors of two values each: the signs of the two channels."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        a, b = images[:, :, 0, 0].unbind(dim=1)
        return torch.stack([-a, a, -b, b], dim=1)


def posteriors(mean: list[list[float]], sigma: list[list[float]]) -> Codes:
    return Codes(np.array(mean, np.float32), 2 * np.log(np.array(sigma, np.float32)), None)


def test_images_are_of_samples_of_each_posterior() -> None:
    given = posteriors([[3, -1], [0, 5]], [[0.1, 2], [1, 0.5]])
    first, second = images_of(Told(), given, 20_000, seed=100)
    assert first.shape == (20_000, 2, 1, 1)
    for found, mean, sigma in ((first, [3, -1], [0.1, 2]), (second, [0, 5], [1, 0.5])):
        assert found[:, :, 0, 0].mean(axis=0) == pytest.approx(mean, abs=0.05)
        assert found[:, :, 0, 0].std(axis=0) == pytest.approx(sigma, rel=0.03)
    again = next(images_of(Told(), given, 20_000, seed=100))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, next(images_of(Told(), given, 20_000, seed=101)))


def test_concepts_are_scored_each_by_its_own_images() -> None:
    vocabulary = Vocabulary(FactorSpace(("a", "b"), (2, 2)))
    classifier = FactorClassifier(("a", "b"), (2, 2), Signs(), torch.device("cpu"))
    one, two, full = (vocabulary.read(words) for words in ("1 a", "0 b", "1 a, 1 b"))
    given = posteriors([[2, 0], [0, -2], [2, -2]], [[0.1, 1], [0.001, 0.1], [0.1, 0.1]])
    made = images_of(Told(), given, 400, seed=100)
    found = image_scores(made, [one, two, full], vocabulary, classifier)
    assert found["accuracy"].tolist() == [1, 1, 0.5]
    assert found["diversity"][:2].to_numpy() == pytest.approx([0, 0], abs=0.01), "signs of noise are even"
    assert np.isnan(found["diversity"][2]), "it leaves nothing open"
    alike = image_scores(images_of(Told(), given, 400, 100), [two, one, full], vocabulary, classifier)
    assert alike["accuracy"][2] == 0.5
    assert alike["accuracy"][:2].to_numpy() == pytest.approx([0.5, 0.5], abs=0.1), (
        "the other attribute's noise"
    )
    assert alike["diversity"][:2].to_numpy() == pytest.approx([from_uniform([400, 0])] * 2, rel=1e-6)
