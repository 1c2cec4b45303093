"""Chairs and faces by beta-VAE, VAE, InfoGAN and a plain GAN: leg style, and interpolation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from distaff.evaluation.desiderata import interpolation
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_label
from distaff.experiments.infogan_mutual_information import variety
from distaff.methods.info_gan import InfoGAN
from distaff.metrics.information import binned_information, entropy, gap
from distaff.pages.figures import bars
from distaff.pages.images import image_grid
from distaff.randomness import derived
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run

NAMES = {"chairs3d": "chairs", "faces3d": "faces"}
GANS = ("InfoGAN", "GAN")
BINS = 20  # of latents
DRAWN, MADE = 2000, 300  # latents that are drawn, and between which is interpolated
WEIGHT = 16.0  # of the reconstruction, at 16 pixels: betas are those of 64


class Scale(base.Scale, frozen=True):
    """The grids; beta on either; steps of VAEs and of GANs; seeds."""

    chairs: Mapping[str, Any]
    faces: Mapping[str, Any]
    betas: tuple[float, float] = (5, 20)
    steps: int = 1000
    adversarial_steps: int = 800
    seeds: int = 3


#: chairs of one seat width and back height, and faces
QUICK = ({"legs": 2, "back": 1, "arms": 1, "azimuth": 16}, {"identity": 2, "azimuth": 4, "elevation": 3})
NANO = ({"elevation": 1}, {"identity": 4, "azimuth": 11, "elevation": 6, "lighting": 6})


class ChairsAndFaces(Experiment[Scale]):
    """Only beta-VAE learns the style of a chair's legs, says a figure; and what lies between a GAN's latents.

    Higgins et al. 2017 (openreview Sy2fzU9gl), section 4.1 and the figures of 3D Chairs (beta = 5) and of 3D
    Faces (beta = 20): traversals of beta-VAE, VAE, InfoGAN and DC-GAN, of which only beta-VAE learnt the
    unlabelled factor of leg style. Here the chairs are drawn and have that factor, so what a figure says
    becomes a number that any generator has. 2,000 latents are drawn from the prior, and each image made has
    the factors of the real image nearest to it; of the bits of a factor the largest share that one latent
    tells, less the second largest (latents in 20 bins), is the factor's gap, and MIG is their mean. InfoGAN
    has five continuous codes and 62 numbers of noise, of which each counts as a latent; the GAN is InfoGAN
    with lambda = 0.

    A lecture asks that linear interpolation between latents gives meaningful images: of 500 pairs of images
    made the decoded midpoint's distance from the nearest other one, over that of the midpoint of the pixels.
    Below 1 interpolation is better than fading. A generator that has collapsed interpolates as well: its
    variety, the mean distance of two of its images over that of two real ones, stands beside it.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 20 seconds", *QUICK, steps=10, adversarial_steps=5, seeds=1),
        "nano": Scale("two cores, five minutes", *NANO),
        "small": Scale("two cores, an hour", *NANO, steps=4000, adversarial_steps=3000, seeds=10),
        "paper": Scale("one GPU, a week", *NANO, steps=300_000, adversarial_steps=50_000, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        shared = {"learning_rate": 1e-3, "reconstruction_weight": WEIGHT}
        codes = {"categorical": 0, "latents": 5, "batch_size": 64}
        plain = _called("VAE", scale.steps, method("vae", **shared))
        weights = dict(zip(GANS, (1.0, 0.0), strict=True))
        gans = [
            _called(name, scale.adversarial_steps, method("info_gan", **codes, information_weight=weight))
            for name, weight in weights.items()
        ]
        grids = {"chairs3d": scale.chairs, "faces3d": scale.faces}
        parts = []
        for (data, grid), beta in zip(grids.items(), scale.betas, strict=True):
            strong = _called("beta-VAE", scale.steps, method("beta_vae", beta=beta, **shared))
            own = {"seat_width": 1, "back_height": 1} if data == "chairs3d" else {}
            parts.append(product(dataset(data, resolution=16, **own, **grid), chain(strong, plain, *gans)))
        return product(chain(*parts), each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        table = lab.table(
            "What single latents tell, and interpolation",
            [{"model": name, **described(run)} for name, run in runs.named()],
        )
        means = table.groupby(["model", "data"], sort=False)
        lab.figure("MIG, means over seeds", bars(means["MIG"].mean().unstack("data"), "MIG"))
        legs = means["legs"].mean().unstack("data")[["chairs"]]
        lab.figure("Leg style, told by one latent more than by any other", bars(legs, "share of the bits"))
        for name in GANS:
            rows = [between(run, 6, 9) for run in runs[name][:: lab.scale.seeds]]
            title = f"{name}: images between two latents, chairs and faces, seed 0"
            lab.figure(title, image_grid(np.concatenate(rows), 9))
        of = {str(data): part.set_index("seed") for data, part in table.groupby("data")}
        yield self.found("legs", over_others(of["chairs"], "legs"))
        for data, part in of.items():
            yield self.found(f"{data}_mig", over_others(part, "MIG"))
            for name, key in zip(GANS, ("info_gan", "gan"), strict=True):
                yield self.found(f"{data}_{key}", part.loc[part["model"] == name, "interpolation"])


def _called(name: str, steps: int, part: Part) -> Part:
    return product(part, each(name=[name], steps=[steps]))


def described(run: Run) -> dict[str, Any]:
    """What single latents tell of the images made from them: of every factor, and MIG, their mean.

    And the ratio of interpolation, and variety.
    """
    rows = np.arange(len(run.data))
    real, labels = run.data.unit_images(rows), every_label(run.data)
    latents = drawn(run, DRAWN)
    made = generated(run, latents)
    gaps = factor_gaps(latents, labels[nearest(made, real)], entropy(labels))
    assert run.data.factors is not None
    few = interpolation(lambda some: generated(run, some), latents[:MADE], made[:MADE], run.config.seed)
    return {
        "data": NAMES[run.data.name],
        "seed": run.config.seed,
        "MIG": gaps.mean(),
        "variety": variety(made[:MADE]) / variety(real),
        "interpolation": few["ratio"],
        **dict(zip(run.data.factors.names, gaps, strict=True)),
    }


def nearest(images: NDArray[np.floating], real: NDArray[np.floating]) -> NDArray[np.intp]:
    """Which of the real images (m, C, H, W) is nearest to each image (n, C, H, W) in pixels: (n,)."""
    return cdist(images.reshape(len(images), -1), real.reshape(len(real), -1)).argmin(axis=1)


def factor_gaps(
    latents: NDArray[np.floating], factors: NDArray[np.int64], entropies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of every factor (k,) the largest share of its `entropies` one latent (n, d) tells, less the second.

    Latents are in 20 bins.
    """
    information, _ = binned_information(latents.astype(np.float64), factors, BINS, False)
    return np.asarray(gap(information) / entropies)


def over_others(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """For every seed what beta-VAE has of `column` more than the best of the other models."""
    wide = rows.pivot_table(column, "seed", "model")
    return (wide["beta-VAE"] - wide.drop(columns="beta-VAE").max(axis=1)).to_numpy()


def drawn(run: Run, count: int) -> NDArray[np.float32]:
    """Latents (count, d) from the prior of a VAE; of a GAN its codes and then its noise."""
    rng = torch.Generator().manual_seed(derived(run.config.seed, "latents"))
    if isinstance(run.method, InfoGAN):
        return torch.cat(run.method.draw(count, rng), dim=1).numpy()
    return torch.randn((count, run.code_size), generator=rng).numpy()


@torch.inference_mode()
def generated(run: Run, latents: ArrayLike) -> NDArray[np.float32]:
    """The images (n, C, H, W) in 0..1 of latents (n, d) as `drawn` gives them."""
    method = run.method
    given = np.asarray(latents, dtype=np.float32)
    if not isinstance(method, InfoGAN):
        return run.decode(given)
    codes, noise = torch.from_numpy(given).split([method.code_size(run.facts), method.noise_dims], dim=1)
    return method.generate(run.modules, codes, noise).numpy()


def between(run: Run, rows: int, columns: int) -> NDArray[np.float32]:
    """Images at even steps along lines between pairs of latents: (rows * columns, C, H, W)."""
    ends = drawn(run, 2 * rows).reshape(rows, 2, 1, -1)
    share = np.linspace(0, 1, columns, dtype=np.float32)[:, None]
    return generated(run, ((1 - share) * ends[:, 0] + share * ends[:, 1]).reshape(rows * columns, -1))
