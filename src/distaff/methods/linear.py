"""Linear codes: what PCA and ICA share."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Fitted, State


class LinearFit(NamedTuple):
    """`mean` (p,), `encoder` (d, p), `decoder` (p, d), and how many iterations they took."""

    mean: NDArray[np.float64]
    encoder: NDArray[np.float64]
    decoder: NDArray[np.float64]
    iterations: int


class Linear(nn.Module):
    """The numbers of a linear code."""

    mean: Tensor
    encoder: Tensor
    decoder: Tensor

    def __init__(self, image_shape: tuple[int, int, int], latents: int) -> None:
        super().__init__()
        pixels = math.prod(image_shape)
        self.register_buffer("mean", torch.zeros(image_shape))
        self.register_buffer("encoder", torch.zeros(latents, pixels))
        self.register_buffer("decoder", torch.zeros(pixels, latents))


@dataclass(frozen=True)
class LinearCode(Fitted):
    """z = W (x - mean) and back: x = mean + A z, cut to 0..1."""

    def check(self, facts: Facts) -> None:
        """There can be no more components than pixels or images."""
        pixels = math.prod(facts.image_shape)
        for most, what in ((pixels, "pixels"), (self.images, "images it is fitted to")):
            if self.latents > most:
                raise BadInput(f"latents={self.latents} is more than the {most} {what}")

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """Zeros, until it is fitted."""
        return State(nn.ModuleDict({"linear": Linear(facts.image_shape, self.latents)}))

    @abstractmethod
    def solve(self, pixels: NDArray[np.float64], seed: int) -> LinearFit:
        """The code of pixels (n, p)."""

    def fit(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, float]:
        """Solve for the matrices. The history keeps the error per image, in squared pixels."""
        pixels = batch.images.flatten(1).double().cpu().numpy()
        seed = int(torch.randint(2**31, (), generator=rng))
        found = self.solve(pixels, seed)
        linear = cast(Linear, state.modules["linear"])
        for name in ("mean", "encoder", "decoder"):
            buffer, value = getattr(linear, name), torch.from_numpy(getattr(found, name).copy())
            buffer.copy_(value.reshape(buffer.shape))
        back = found.mean + (pixels - found.mean) @ found.encoder.T @ found.decoder.T
        return {
            "squared_error": float(((pixels - back) ** 2).sum(axis=1).mean()),
            "iterations": found.iterations,
        }

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The projections (n, d), which are their own samples."""
        linear = cast(Linear, modules["linear"])
        codes = (images - linear.mean).flatten(1) @ linear.encoder.T
        return Codes(codes, None, codes)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """Images in 0..1."""
        linear = cast(Linear, modules["linear"])
        return linear_images(codes, linear.decoder, linear.mean)

    def atoms(self, modules: nn.ModuleDict) -> Tensor:
        """The columns of the decoder as pictures."""
        linear = cast(Linear, modules["linear"])
        columns: Tensor = linear.decoder.T.unflatten(1, linear.mean.shape)
        return columns


def linear_images(codes: Tensor, columns: Tensor, mean: Tensor) -> Tensor:
    """mean + columns z, cut to 0..1, for codes (n, d), columns (p, d) and a mean image (C, H, W)."""
    images: Tensor = (codes @ columns.T).unflatten(1, mean.shape) + mean
    return images.clamp(0, 1)
