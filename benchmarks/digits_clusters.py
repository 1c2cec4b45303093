"""Why do digits cluster less in a VAE's means than in ten principal components? A weaker pull of the prior.

    python benchmarks/digits_clusters.py   # six minutes of a core

The VAE of desiderata_on_digits (scikit-learn's digits, 16x16; 10 latents, 6,000 steps) with its KL weighted
by BETAS, three seeds. The prior asks the codes of all images together to be one Gaussian without gaps, and
the silhouette is of gaps. Predicted before the first run: were that the reason, the silhouette would rise as
the weight falls, and at a tenth of it or less be within .02 of the .22 of ten components, or above; were it
that a VAE's map is bent, or its latents as wide as each other, it would stay below .2 at every weight.

Writes benchmarks/results/digits_clusters.csv: silhouette, that of the codes divided by their deviations,
the accuracy of five neighbours, and the KL in nats.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import keep_table

import distaff
from distaff.evaluation.desiderata import knn_accuracy, silhouette
from distaff.evaluation.posterior import latent_kl
from distaff.methods.base import Codes
from distaff.metrics.arrays import Ints, standardised

BETAS = (0.01, 0.1, 0.3, 1.0)
SEEDS, STEPS = range(3), 6000


def rows() -> Iterator[dict[str, Any]]:
    """The lines of the table."""
    data = distaff.load_dataset("digits")
    every = np.arange(len(data))
    images, labels = data.images(every), data.labels(every)
    assert labels is not None
    vaes = [("beta_vae", {"beta": beta, "learning_rate": 1e-3}, seed) for beta in BETAS for seed in SEEDS]
    with tempfile.TemporaryDirectory() as folder:
        for n, (name, settings, seed) in enumerate([("pca", {}, 0), *vaes]):
            out = Path(folder) / str(n)
            run = distaff.train(
                name, data, latents=10, steps=STEPS, seed=seed, out=out, show=False, **settings
            )
            told = {"codes": name, "beta": settings.get("beta"), "seed": seed}
            yield told | seen(run.encode(images, seed), labels[:, 0])


def seen(codes: Codes, classes: Ints) -> dict[str, float | None]:
    """How the codes of images (n,) of some classes cluster."""
    means = codes.mean.astype(np.float64)
    kl = latent_kl(codes)
    return {
        "silhouette": silhouette(means, classes),
        "silhouette, standardised": silhouette(standardised(means), classes),
        "k-NN": knn_accuracy(means, classes),
        "kl": None if kl is None else float(kl.sum()),
    }


if __name__ == "__main__":
    keep_table("digits_clusters.csv", rows())
