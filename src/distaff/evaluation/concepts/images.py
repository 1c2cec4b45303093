"""Images that a model makes of concepts, and how well a classifier finds the concepts in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.concepts import Concept, Vocabulary
from distaff.evaluation.concepts.classifier import FactorClassifier
from distaff.evaluation.concepts.scores import accuracy, diversity
from distaff.methods.base import Codes
from distaff.training.run import Run

Row = NDArray[np.float32]


def images_of(run: Run, posteriors: Codes, count: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """`count` images (count, C, H, W) in 0..1 of every concept, decoded from samples of its posterior (n, d).

    Sym2img of Higgins et al. 2018 (arXiv:1707.03389, section 4): z_y ~ q(z_y|y), then p(x|z_y).
    """
    rng = np.random.default_rng(seed)
    assert posteriors.logvar is not None
    for mean, logvar in zip(posteriors.mean, posteriors.logvar, strict=True):
        yield run.decode(samples_of(mean, logvar, count, rng))


def samples_of(mean: Row, logvar: Row, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Samples (count, d) of the Gaussian posterior of one row: its mean and log-variance (d,)."""
    return (mean + np.exp(logvar / 2) * rng.standard_normal((count, len(mean)))).astype(np.float32)


def image_scores(
    images: Iterator[NDArray[np.float32]],
    concepts: Sequence[Concept],
    vocabulary: Vocabulary,
    classifier: FactorClassifier,
) -> pd.DataFrame:
    """Accuracy and diversity of the images of every concept, one row each, in the order of `concepts`."""
    shown = map(classifier.shown, images)
    return pd.DataFrame(
        [
            {
                "accuracy": accuracy(each, concept, vocabulary),
                "diversity": diversity(each, concept, vocabulary),
            }
            for each, concept in zip(shown, concepts, strict=True)
        ]
    )
