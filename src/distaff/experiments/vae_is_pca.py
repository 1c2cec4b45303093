"""Why VAEs align with axes: with a diagonal posterior they do what PCA does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from distaff.evaluation.orthogonality import run_orthogonality
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code
from distaff.methods.base import Codes
from distaff.metrics.posterior import active_by_variance, mean_kl
from distaff.pages.figures import heat_map
from distaff.studies.plan import Part, chain, dataset, each, method, product

Array = NDArray[np.float64]
DEVIATIONS = np.array([3.0, 2.0, 1.2])  # of the data along its principal directions, beside the noise
PIXELS, NOISE, ROWS = 10, 0.1, 4000


class Scale(base.Scale, frozen=True):
    """Steps of the linear VAEs; pixels of the sprites and steps on them."""

    linear_steps: int = 2000
    resolution: int = 32
    steps: int = 1500
    seeds: int = 3


class VAEIsPCA(Experiment[Scale]):
    """A linear VAE with a diagonal posterior finds PCA's directions, and with a full covariance any rotation.

    Rolinek et al. 2019 (arXiv:1812.06775); Zietlow et al. 2020, sections 3 and 4. On Gaussian data in ten
    dimensions with three strong directions a linear VAE with known noise is trained on its exact ELBO: the
    columns of its decoder are compared with the principal directions by |cos|, and its posterior variances
    with theory, noise / eigenvalue. The control differs in one thing, a full posterior covariance.

    Then convolutional VAEs on sprites: in the polarised regime each latent is active, with a small posterior
    variance, or switched off, with variance 1 and mean 0, and the KL is nearly that of the active latents
    alone without their variance's own term, sum of (mu^2 - ln sigma^2 - 1) / 2. The columns of the decoder's
    Jacobian are orthogonal for a VAE and not for an autoencoder; the distance is Rolinek's (section 4.2),
    over that of random directions of as many latents.

    The - 1 is not in the papers' formula, which leaves constants out; they count at a KL of some nats. The
    linear VAE is written here, in closed form: the VAE of the methods samples its latents and ends its
    decoder in a sigmoid, and is neither exact nor linear.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", 100, 16, 20, seeds=2),
        "nano": Scale("two cores, five minutes"),
        "small": Scale("two cores, 45 minutes", steps=5000, seeds=10),
        "paper": Scale("one GPU, ten hours", 20_000, 64, 300_000, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        squares = {"shape": [1], "orientation": 1, "x": 16, "y": 16}
        kinds = [
            product(each(name=[kind]), method(kind, learning_rate=1e-3)) for kind in ("vae", "autoencoder")
        ]
        return product(
            dataset("dsprites", resolution=scale.resolution, **squares),
            chain(*kinds),
            each(steps=[scale.steps], seed=range(scale.seeds)),
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        for part in (_linear(lab), _polarised(lab, runs)):
            for key, values in part.items():
                yield self.found(key, values)


class LinearVAE(nn.Module):
    """x ~ N(W z, noise I) with the posterior N(M x, L L'); L is diagonal or lower triangular."""

    def __init__(self, pixels: int, latents: int, full: bool, generator: torch.Generator) -> None:
        super().__init__()
        self.full = full
        self.decoder = nn.Parameter(0.3 * torch.randn(pixels, latents, generator=generator).double())
        self.encoder = nn.Parameter(0.3 * torch.randn(latents, pixels, generator=generator).double())
        self.log_scale = nn.Parameter(torch.zeros(latents).double())
        self.lower = nn.Parameter(torch.zeros(latents, latents).double())

    def root(self) -> Tensor:
        """L."""
        scales = torch.diag(self.log_scale.exp())
        return scales + self.lower.tril(-1) if self.full else scales

    def negative_elbo(self, covariance: Tensor, noise: float) -> Tensor:
        """Mean over centred data of that covariance (p, p), nats, without p ln(2 pi noise) / 2.

        The expectations over x and z are closed: every term is quadratic in both.
        """
        root = self.root()
        left = torch.eye(len(covariance)) - self.decoder @ self.encoder
        error = (left @ covariance @ left.T).trace() + (self.decoder @ root).square().sum()
        means = (self.encoder @ covariance @ self.encoder.T).trace()
        return 0.5 * (error / noise + means + root.square().sum() - len(root)) - self.log_scale.sum()


class LinearFound(NamedTuple):
    """|cos| of decoder columns (in the order of the directions) with directions, and relative variances."""

    cosines: Array
    variances: Array
    expected: Array


def fitted(covariance: Array, latents: int, noise: float, full: bool, steps: int, seed: int) -> LinearVAE:
    """The linear VAE of the best ELBO on centred data of that covariance, from weights drawn by `seed`.

    By L-BFGS on the ELBO itself, which has no batches and no samples, so that what is left is the objective.
    """
    model = LinearVAE(len(covariance), latents, full, torch.Generator().manual_seed(seed))
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=steps,
        tolerance_grad=1e-9,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> float:
        optimiser.zero_grad()
        value = model.negative_elbo(torch.from_numpy(covariance), noise)
        value.backward()
        return float(value.detach())

    optimiser.step(loss)
    return model


def fit_linear(seed: int, full: bool, steps: int) -> LinearFound:
    """A linear VAE of data drawn by `seed`, beside what theory says of it."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((PIXELS, PIXELS)))[0]
    spread = np.sqrt(np.r_[DEVIATIONS**2, np.zeros(PIXELS - len(DEVIATIONS))] + NOISE)
    covariance = np.cov((rng.standard_normal((ROWS, PIXELS)) * spread @ directions.T).T)
    values, vectors = np.linalg.eigh(covariance)
    latents = len(DEVIATIONS)
    values, vectors = values[::-1][:latents], vectors[:, ::-1][:, :latents]
    model = fitted(covariance, latents, NOISE, full, steps, seed)
    columns = model.decoder.detach().numpy()
    cosines = np.abs(vectors.T @ (columns / np.linalg.norm(columns, axis=0)))
    order = linear_sum_assignment(-cosines)[1]
    root = model.root().detach().numpy()
    return LinearFound(cosines[:, order], np.diag(root @ root.T)[order], NOISE / values)


def _linear(lab: Lab[Scale]) -> dict[str, list[float]]:
    """What the claims about linear VAEs speak of, by their keys: a number for each seed."""
    steps, seeds = lab.scale.linear_steps, range(lab.scale.seeds)
    found, control = ([fit_linear(seed, full, steps) for seed in seeds] for full in (False, True))
    one = found[0]
    numbers = [str(k + 1) for k in range(len(DEVIATIONS))]
    columns = {"|cos|": np.diag(one.cosines), "variance": one.variances, "theory": one.expected}
    lab.table("Diagonal posterior, seed 0", pd.DataFrame({"direction": numbers} | columns))
    for title, one in (("diagonal", found[0]), ("full", control[0])):
        lab.figure(
            f"|cos| of decoder columns and principal directions, {title} posterior (seed 0)",
            heat_map(one.cosines, numbers, numbers, ("principal direction", "latent"), span=(0, 1)),
        )
    return {
        "own": [np.diag(f.cosines).min() for f in found],
        "others": [_off(f.cosines) for f in found],
        "variances": [np.abs(f.variances / f.expected - 1).max() for f in found],
        "full": [_off(f.cosines) for f in control],
    }


def _off(cosines: Array) -> float:
    return float((cosines - np.diag(np.diag(cosines))).max())


def kl_forms(mean: Array, logvar: Array) -> tuple[float, float]:
    """The KL to the prior of posteriors (n, d), nats per image: exact, and as the polarised regime has it."""
    active = active_by_variance(logvar)
    polarised = 0.5 * (mean**2 - logvar - 1)[:, active].sum(axis=1).mean()
    return float(mean_kl(mean, logvar).sum()), float(polarised)


def _polarised(lab: Lab[Scale], runs: Runs) -> dict[str, Any]:
    """What the claims about the trained runs speak of, by their keys: a number for each seed."""
    rows = []
    for kind, run in runs.named():
        codes = every_code(run)
        distance, chance = run_orthogonality(run, codes)
        distances = {"distance": distance, "over chance": distance / chance if chance else 0.0}
        rows.append({"method": kind, "seed": run.config.seed, **distances, **_regime(codes)})
    title = "Ten latents on sprites: KL in nats, distance to orthogonality of the active latents"
    table = lab.table(title, rows)
    vae, plain = table[table["method"] == "vae"], table[table["method"] == "autoencoder"]
    return {
        "KL": np.abs(1 - vae["polarised KL"] / vae["KL"]),
        "active": np.abs(vae["active by variance"] - vae["active by means"]),
        "orthogonal": vae["over chance"].to_numpy() / plain["over chance"].to_numpy(),
    }


def _regime(codes: Codes) -> dict[str, float]:
    """Active latents by both rules, and both forms of the KL; nothing for codes without variances."""
    if codes.logvar is None:
        return {}
    mean, logvar = codes.mean.astype(np.float64), codes.logvar.astype(np.float64)
    exact, polarised = kl_forms(mean, logvar)
    return {
        "active by variance": int(active_by_variance(logvar).sum()),
        "active by means": int((mean.std(axis=0) > 0.5).sum()),
        "KL": exact,
        "polarised KL": polarised,
    }
