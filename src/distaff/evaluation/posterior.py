"""What posteriors say: the nats of every latent, which are active, and how likely a VAE finds images."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional as F

from distaff.errors import BadInput
from distaff.evaluation.decomposition import total_correlation
from distaff.evaluation.encode import Encoding
from distaff.files import write_json
from distaff.methods.base import Codes
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.terms import sampled
from distaff.methods.variational import Variational
from distaff.metrics.posterior import ACTIVE_KL, latent_information, mean_kl
from distaff.settings import whole_number
from distaff.training.lock import only_one
from distaff.training.run import ENCODE_BATCH, Run, load_run

ACTIVE_SHARE = 0.01  # of the largest variance, where codes have no posterior and so no unit
DECODED = 1000  # images behind the reconstruction of a study
FILE = "likelihood.json"
IMAGES, SAMPLES = 1000, 100


def latent_kl(codes: Codes | Encoding) -> NDArray[np.float64] | None:
    """The mean KL of every latent (d,) to a standard normal prior, nats; None without a logvar."""
    return None if codes.logvar is None else mean_kl(codes.mean, codes.logvar)


def carried(codes: Codes | Encoding) -> NDArray[np.float64]:
    """What orders latents (d,): their KL, nats, or without a logvar their variance, in code units^2."""
    kl = latent_kl(codes)
    return np.asarray(codes.mean.var(axis=0, dtype=np.float64)) if kl is None else kl


def active(codes: Codes | Encoding) -> NDArray[np.bool_]:
    """Which latents (d,) carry something: above .05 nats, or .01 of the largest latent's variance."""
    each = carried(codes)
    return each > (ACTIVE_SHARE * each.max() if codes.logvar is None else ACTIVE_KL)


def informative(codes: Codes | Encoding) -> NDArray[np.bool_]:
    """Which latents (d,) tell images apart: by above .05 nats; without a logvar, those that are active.

    A latent may be active and tell nothing: its posterior is far from the prior and the same for all images.
    """
    if codes.logvar is None:
        return active(codes)
    return latent_information(codes.mean, codes.logvar) > ACTIVE_KL


def of_the_model(run: Run, encoding: Encoding) -> dict[str, float]:
    """Numbers of a run that belong to no representation, as far as its method has them.

    `kl` (of all layers), `reconstruction` (of the first 1,000 images), `elbo`, minus their sum, and
    `total_correlation` (of 2,000 codes): nats per image at the encoded samples. `active` and `informative`:
    how many latents are so.
    """
    found = {"active": float(active(encoding).sum()), "informative": float(informative(encoding).sum())}
    if encoding.logvar is not None:
        found["kl"] = _total_kl(run, encoding)
        found["total_correlation"] = total_correlation(encoding.sample, encoding.mean, encoding.logvar)
    try:
        found["reconstruction"] = reconstruction(run, encoding.rows[:DECODED], encoding.sample[:DECODED])
    except BadInput:  # nothing decodes
        return found
    return found | ({"elbo": -found["reconstruction"] - found["kl"]} if "kl" in found else {})


@torch.inference_mode()
def reconstruction(run: Run, rows: NDArray[np.int64], samples: NDArray[np.float32]) -> float:
    """-log p(x|z) of the images `rows` (n,) of a run's data by their codes' samples (n, d), nats per image.

    By the method's own likelihood. What has none, as PCA or a VAE that compares features, is judged by the
    Bernoulli likelihood of what it decodes to, kept 1e-7 away from 0 and 1.
    """
    total = 0.0
    for start in range(0, len(rows), ENCODE_BATCH):
        some = slice(start, start + ENCODE_BATCH)
        (images,) = run.batches(run.data.images(rows[some]))
        codes = torch.from_numpy(samples[some]).to(run.device)
        total += len(images) * float(_negative_log_likelihood(run, images, codes))
    return total / len(rows)


def _negative_log_likelihood(run: Run, images: Tensor, codes: Tensor) -> Tensor:
    method = run.method.at(run.config.steps)  # with the values that schedules end at
    if isinstance(method, EncoderDecoder) and method.compares_pixels:
        return method.reconstruction(run.modules["decoder"](codes), images)
    p = method.decode(run.modules, codes).double().clamp(1e-7, 1 - 1e-7)
    return F.binary_cross_entropy(p, images.double(), reduction="sum") / len(images)


@torch.inference_mode()
def _total_kl(run: Run, encoding: Encoding) -> float:
    """The KL of all layers, nats per image; in closed form, but for a deep VAE's lower ones."""
    if not isinstance(run.method, Variational):
        return float(carried(encoding).sum())
    codes = Codes(*(torch.from_numpy(a).to(run.device) for a in encoding[1:]))
    layers = run.method.layer_kls(run.modules, codes, torch.Generator().manual_seed(0))
    return float(torch.stack(layers).sum(dim=0).double().mean())


def likelihood(
    run: Run | str | os.PathLike[str], *, images: int | None = IMAGES, samples: int = SAMPLES, seed: int = 0
) -> dict[str, Any]:
    """The ELBO and the bound of `samples` samples, nats per image, kept in the run's folder.

    Means over `images` images of the run's data set, drawn by `seed` without replacement (None: all). The
    ELBO is that of beta = 1 whatever the run was trained with, by one sample of every posterior.
    """
    run = run if isinstance(run, Run) else load_run(run)
    seed = whole_number("seed", seed, 0)
    count = len(run.data) if images is None else min(whole_number("images", images, 1), len(run.data))
    index = np.sort(np.random.default_rng(seed).choice(len(run.data), size=count, replace=False))
    with only_one(run.folder), run.threads():
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

    Burda et al. 2016, arXiv:1509.00519, eq. 8. On average the bound of one sample is the ELBO; more make it
    higher, in the limit log p(x). Images are as the data set gives them; of grey ones a Bernoulli likelihood
    is their cross-entropy, which is no probability. Raises BadInput for what is not a VAE.
    """
    method, samples = run.method.at(run.config.steps), whole_number("samples", samples, 1)
    if not isinstance(method, Variational):
        raise BadInput(f"{run.config.method} is not a VAE: it gives images no likelihood")
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
