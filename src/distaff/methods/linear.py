"""Linear codes: what PCA and ICA share."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Fitted
from distaff.methods.state import State, unfitted


class LinearFit(NamedTuple):
    """`mean` (p,), `encoder` (d, p), `decoder` (p, d), and how many iterations they took."""

    mean: NDArray[np.float64]
    encoder: NDArray[np.float64]
    decoder: NDArray[np.float64]
    iterations: int


@dataclass(frozen=True)
class LinearDecoding(Fitted):
    """A method whose codes z are decoded by x = mean + A z, cut to 0..1."""

    #: the module that holds `mean` (C, H, W), and what A (p, d) is called in it
    decoder: ClassVar[tuple[str, str]]

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """Images in 0..1."""
        mean, columns = self._mean_and_columns(modules)
        images: Tensor = (codes @ columns.T).unflatten(1, mean.shape) + mean
        return images.clamp(0, 1)

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """One layer of weights A and bias `mean`, and the cut to 0..1."""
        mean, columns = self._mean_and_columns(modules)
        layer = nn.Linear(columns.shape[1], len(columns), device="meta")  # it draws no weights of its own
        fixed = (nn.Parameter(each, requires_grad=False) for each in (columns, mean.flatten()))
        layer.weight, layer.bias = fixed
        return [layer, nn.Unflatten(1, mean.shape), nn.Hardtanh(0, 1)]

    def atoms(self, modules: nn.ModuleDict) -> Tensor:
        """The columns of A as pictures."""
        mean, columns = self._mean_and_columns(modules)
        pictures: Tensor = columns.T.unflatten(1, mean.shape)
        return pictures

    def _mean_and_columns(self, modules: nn.ModuleDict) -> tuple[Tensor, Tensor]:
        module, columns = self.decoder
        return modules[module].get_buffer("mean"), modules[module].get_buffer(columns)


@dataclass(frozen=True)
class LinearCode(LinearDecoding):
    """z = W (x - mean) and back."""

    decoder: ClassVar = ("linear", "decoder")

    def check(self, facts: Facts) -> None:
        """There can be no more components than pixels or images."""
        pixels = math.prod(facts.image_shape)
        for most, what in ((pixels, "pixels"), (self.images, "images it is fitted to")):
            if self.latents > most:
                raise BadInput(f"latents={self.latents} is more than the {most} {what}")

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """Zeros, until it is fitted."""
        pixels, d = math.prod(facts.image_shape), self.latents
        return unfitted("linear", mean=facts.image_shape, encoder=(d, pixels), decoder=(pixels, d))

    @abstractmethod
    def solve(self, pixels: NDArray[np.float64], seed: int) -> LinearFit:
        """The code of pixels (n, p)."""

    def fit(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, float]:
        """Solve for the matrices. The history keeps the error per image, in squared pixels."""
        pixels = batch.images.flatten(1).double().cpu().numpy()
        seed = int(torch.randint(2**31, (), generator=rng))
        found = self.solve(pixels, seed)
        for name, buffer in state.modules["linear"].named_buffers():
            buffer.copy_(torch.from_numpy(getattr(found, name).copy()).reshape(buffer.shape))
        back = found.mean + (pixels - found.mean) @ found.encoder.T @ found.decoder.T
        return {
            "squared_error": float(((pixels - back) ** 2).sum(axis=1).mean()),
            "iterations": found.iterations,
        }

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The projections (n, d), which are their own samples."""
        linear = modules["linear"]
        codes = (images - linear.get_buffer("mean")).flatten(1) @ linear.get_buffer("encoder").T
        return Codes(codes, None, codes)
