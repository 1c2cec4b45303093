"""The vision that SCAN stands on: a denoising autoencoder, and a beta-VAE that looks through its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distaff.studies.plan import Part, chain, each, method, product

ATTRIBUTES = ("wall_colour", "floor_colour", "object_colour", "object")
#: 8 of the 16 colours; all three objects, all views of them, and all views of the room
ROOMS = {"resolution": 32, "wall_colour": 8, "floor_colour": 8, "object_colour": 8}
LATENTS = 16
PAPER_BETA = 53.0
#: what stands for it falls from the first to the second in three quarters of the steps. Where it begins
#: strong, wall, floor and object colour get a latent each; at .5 throughout they are spread over several.
STRENGTH = (6.0, 0.5)
#: with a Bernoulli likelihood it hardly sees the object
DENOISER: dict[str, Any] = {
    "corruption": "rectangle",
    "corruption_level": 0.5,
    "latents": 100,
    "likelihood": "gaussian",
    "sigma": 0.1,
    "learning_rate": 1e-3,
}
VISION: dict[str, Any] = {"latents": LATENTS, "learning_rate": 1e-3}


def denoiser(steps: int) -> Part:
    """The denoising autoencoder, called so."""
    return product(method("autoencoder", **DENOISER), each(name=["denoiser"], steps=[steps]))


def visions(steps: int, betas: Sequence[float] = (PAPER_BETA,)) -> Part:
    """A beta-VAE on the denoiser's features for each beta of the paper, called "vision 53"."""
    parts = [
        product(
            method("beta_vae", **VISION, features="@denoiser", beta=strength(beta, steps)),
            each(name=[f"vision {beta:g}"], steps=[steps]),
        )
        for beta in betas
    ]
    return chain(*parts)


def strength(beta: float, steps: int) -> str:
    """The schedule that stands for a beta of the paper, which is STRENGTH at 53 and its share at others."""
    first, last = (each * beta / PAPER_BETA for each in STRENGTH)
    return f"linear:{first:.6g}:{last:.6g}:{max(1, 3 * steps // 4)}"
