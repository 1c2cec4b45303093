"""Is the total correlation of chairs in true_total_correlation one of too few images?

    python benchmarks/chairs_images.py   # half an hour of a core

chairs_longer and chairs_tree leave a riddle. The total correlation of FactorVAE's codes of chairs rises from
1,500 steps to 3,000, to 4.7 nats at gamma 0 and 12,000 steps, and then stands still; yet pairs of latents
share less and less. The KL is information on the image, total correlation and what the marginals are off
the prior. Information cannot exceed the ln 1,488 = 7.3 nats of the experiment's 1,488 images, and at 12,000
steps the KL less the total correlation is 7.3 at gammas 4 and 16: a code that spends more than it takes to
tell so few images apart has to be dependent, however the factors are coded, as narrow posteriors of few
images are points that no product of marginals looks like.

Predicted before the first run. (1) Of a random half of the images the mixture of the same posteriors has at
3,000 steps a total correlation higher by .3 nats or more at every gamma, of the ln 2 = .69 that halving can
add; at 1,500 steps by less than half of that at gammas 4 and 16. Dependence of the factors' codes would be
there in both: if halving adds less than .1, the explanation is wrong. (2) On all 17,856 chairs, with three
seat widths and four heights of the back, the total correlation gains less from 1,500 steps to 3,000 than on
the 1,488, at gammas 4 and 16, and halving adds less at all three. If it gains as much on twelve times the
images, their number is not the reason.

Writes benchmarks/results/chairs_images.csv: a line for each number of images, gamma, seed and number of
steps; nats, `of_half` the mean over four random halves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from chairs_longer import chosen, trained
from circumstances import keep_table

from distaff.datasets import load_dataset
from distaff.evaluation.decomposition import total_correlation
from distaff.experiments.base import every_code
from distaff.methods.base import Codes
from distaff.metrics.posterior import mean_kl

STEPS = (1500, 3000)
HALVES = 4


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table, of runs in a folder that are gone on with."""
    few = load_dataset("chairs3d", **chosen()[0].options)
    every = load_dataset("chairs3d", resolution=few.image_shape[1])
    for data in (few, every):
        for told, run in trained(folder, data, STEPS):
            codes = every_code(run, seed=1)
            yield {
                "images": len(data),
                **told,
                "kl": float(mean_kl(codes.mean, codes.logvar).sum()),
                "total_correlation": of(codes, np.arange(len(data))),
                "of_half": float(np.mean([of(codes, half(len(data), draw)) for draw in range(HALVES)])),
            }


def of(codes: Codes, some: np.ndarray) -> float:
    """The total correlation of the mixture of some images' posteriors, in nats."""
    assert codes.logvar is not None
    return total_correlation(codes.sample[some], codes.mean[some], codes.logvar[some])


def half(images: int, draw: int) -> np.ndarray:
    """Half of the images, at random."""
    return np.random.default_rng([draw, images]).permutation(images)[: images // 2]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as kept:
        keep_table("chairs_images.csv", rows(Path(kept)))
