"""How likely a VAE finds images: bounds on log p(x)."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput
from distaff.files import write_json
from distaff.methods.terms import sampled
from distaff.methods.variational import Variational
from distaff.settings import whole_number
from distaff.training.device import torch_threads
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

FILE = "likelihood.json"
IMAGES, SAMPLES = 1000, 100


def likelihood(
    run: Run | str | os.PathLike[str], *, images: int | None = IMAGES, samples: int = SAMPLES, seed: int = 0
) -> dict[str, Any]:
    """The ELBO and the bound of `samples` samples, nats per image, kept in the run's folder.

    Means over `images` images of the run's data set, drawn by `seed` without replacement (None: all). The
    ELBO is that of beta = 1 whatever the run was trained with, by one sample of every posterior.
    """
    run = run if isinstance(run, Run) else load_run(run)
    images, seed = (
        None if images is None else whole_number("images", images, 1),
        whole_number("seed", seed, 0),
    )
    count = len(run.data) if images is None else min(images, len(run.data))
    index = np.sort(np.random.default_rng(seed).choice(len(run.data), size=count, replace=False))
    with only_one(run.folder), torch_threads(run.config["threads"]):
        pixels = run.data.images(index)
        one, many = (log_likelihood_bound(run, pixels, k, seed).mean() for k in (1, samples))
        found = {"images": count, "samples": samples, "seed": seed, "elbo": one, "bound": many}
        write_json(run.folder / FILE, found)
    return found


@torch.inference_mode()
def log_likelihood_bound(
    run: Run, images: ArrayLike, samples: int = SAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """A lower bound (n,) of log p(x) of images (n, C, H, W), nats: log mean_k p(x, z_k) / q(z_k|x).

    Burda et al. 2016, eq. 8. On average the bound of one sample is the ELBO; more make it higher, in the
    limit log p(x). Images are as the data set gives them; of grey ones a Bernoulli likelihood is their
    cross-entropy, which is no probability. Raises BadInput for what is not a VAE.
    """
    method, samples = run.method, whole_number("samples", samples, 1)
    if not isinstance(method, Variational):
        raise BadInput(f"{run.config['method']} is not a VAE: it gives images no likelihood")
    generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
    bounds = []
    for batch in run.batches(images):
        codes = method.encode(run.modules, batch, generator)
        total = torch.full((len(batch),), -math.inf, dtype=torch.float64)
        for _ in range(samples):
            weights = method.log_weights(run.modules, batch, codes, generator)
            total = torch.logaddexp(total, weights.double().cpu())
            codes = sampled(codes.mean, codes.logvar, generator)
        bounds.append(total - math.log(samples))
    return torch.cat(bounds).numpy()
