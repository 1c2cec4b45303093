"""Sparse coding of the pixels."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes
from distaff.methods.ista import ALGORITHMS, correlation, objective
from distaff.methods.linear import LinearDecoding
from distaff.methods.state import State, unfitted
from distaff.settings import setting

MEASURED = 1000  # images that the history speaks of
ROWS = 256  # images in a step of the dictionary
DEAD = 1e-6  # an atom of less than this share of the mean use is dead


@dataclass(frozen=True)
class SparseCoding(LinearDecoding):
    """Sparse coding: images as sums of few atoms of a learned dictionary (Olshausen and Field 1996).

    min over D and h of |x - D h|^2 / 2 + penalty |h|_1 over centred images x, with |D_j| <= 1 for every atom
    (column) D_j. The code is h, in pixels: the minimum for given D, by ISTA or FISTA. The dictionary is
    learned online as in Mairal et al. 2009, doi:10.1145/1553374.1553463: codes of 256 images, running means
    of h h' and x h', and one pass of block-coordinate descent over the atoms. Atoms no longer used start
    again from an image.

    The history keeps, of at most 1,000 images, the objective and the squared error per image, the mean number
    of non-zeros, and how far the codes are from the minimum: the largest |D_j'(x - D h)| / penalty, which is
    1 there.

    Differences from the paper, doi:10.1038/381607a0: Olshausen and Field use the penalty log(1 + h^2),
    gradient descent, and whitened patches of photographs; |h|_1 is what is usual since. Mairal et al. weigh
    all batches alike; here the weight of a batch grows with its number, so that codes of early dictionaries
    are forgotten.
    """

    latents: int = setting(64, "atoms; there may be more than pixels", low=1, high=10_000)
    penalty: float = setting(0.5, "weight of |h|_1, in pixels", above=0)
    algorithm: str = setting("fista", "how codes are found", choices=tuple(ALGORITHMS))
    iterations: int = setting(200, "iterations for a code", low=1)
    passes: int = setting(5, "passes over the images to learn the dictionary", low=1)

    decoder: ClassVar = ("dictionary", "atoms")

    def check(self, facts: Facts) -> None:
        """Atoms start from images, so there can be no more of them."""
        if self.latents > self.images:
            raise BadInput(f"latents={self.latents} is more than the {self.images} images it is fitted to")

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """Zeros, until it is fitted."""
        atoms = (math.prod(facts.image_shape), self.latents)
        return unfitted("dictionary", mean=facts.image_shape, atoms=atoms)

    def fit(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, float]:
        """Learn the dictionary."""
        found = state.modules["dictionary"]
        images = batch.images.cpu()
        found.get_buffer("mean").copy_(images.mean(dim=0))
        x = (images - images.mean(dim=0)).flatten(1)
        dictionary = learn(x, self.latents, self.passes, self._codes, rng)
        found.get_buffer("atoms").copy_(dictionary)
        x = x[:MEASURED].double()
        h = self._codes(x, dictionary)
        return {
            "objective": float(objective(x, dictionary, h, self.penalty).mean()),
            "squared_error": float((x - h @ dictionary.T).square().sum(1).mean()),
            "non_zeros": float((h != 0).sum(1).double().mean()),
            "optimality": float(correlation(x, dictionary, h).abs().max()) / self.penalty,
        }

    def _codes(self, x: Tensor, dictionary: Tensor) -> Tensor:
        return ALGORITHMS[self.algorithm](x, dictionary, self.penalty, self.iterations)

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The sparse codes (n, d), which are their own samples."""
        found = modules["dictionary"]
        codes = self._codes((images - found.get_buffer("mean")).flatten(1), found.get_buffer("atoms"))
        return Codes(codes, None, codes)


def learn(
    x: Tensor, atoms: int, passes: int, codes: Callable[[Tensor, Tensor], Tensor], rng: torch.Generator
) -> Tensor:
    """A dictionary (p, atoms) for centred rows x (n, p), in double precision; h = `codes`(x, dictionary)."""
    dictionary = _from_rows(x, atoms, rng)
    hh = torch.zeros(atoms, atoms, dtype=torch.float64)
    xh = torch.zeros(x.shape[1], atoms, dtype=torch.float64)
    step = 0
    for _ in range(passes):
        for rows in torch.randperm(len(x), generator=rng).split(ROWS):
            some = x[rows].double()
            h = codes(some, dictionary)
            step += 1
            hh.lerp_(h.T @ h / len(h), 2 / (step + 1))  # step t weighs as t
            xh.lerp_(some.T @ h / len(h), 2 / (step + 1))
            descend(dictionary, hh, xh)
            use = hh.diagonal()
            dead = use <= DEAD * use.mean()
            if dead.any():
                dictionary[:, dead] = _from_rows(some, int(dead.sum()), rng)
                hh[dead] = hh[:, dead] = xh[:, dead] = 0
    return dictionary


def descend(dictionary: Tensor, hh: Tensor, xh: Tensor) -> None:
    """One pass over the atoms: each becomes, within |D_j| <= 1, the best for the others as they are now.

    It lowers the mean of |x - D h|^2 / 2, which is tr(D hh D') / 2 - tr(D' xh) and a constant; hh (m, m) and
    xh (p, m) are the means of h h' and x h'.
    """
    for j in hh.diagonal().nonzero().flatten():
        best = dictionary[:, j] + (xh[:, j] - dictionary @ hh[:, j]) / hh[j, j]
        dictionary[:, j] = best / best.norm().clamp(min=1)


def _from_rows(x: Tensor, atoms: int, rng: torch.Generator) -> Tensor:
    """Random rows as atoms of length 1, with a little noise so that no two are the same."""
    rows = x[torch.randint(len(x), (atoms,), generator=rng)].double()
    noise = torch.randn(rows.shape, generator=rng, dtype=torch.float64)
    return normalize(normalize(rows) + 0.1 * normalize(noise)).T.contiguous()
