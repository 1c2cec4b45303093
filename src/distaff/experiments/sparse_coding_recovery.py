"""Sparse coding finds a planted dictionary, and oriented atoms in photographs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.ista import correlation, fista, ista, lipschitz, objective
from distaff.methods.sparse_coding import learn
from distaff.pages.figures import curves
from distaff.pages.images import one_picture

Array = NDArray[np.float64]

PIXELS, ATOMS, NON_ZEROS, NOISE, PENALTY = 16, 32, 2, 0.01, 0.15
SIDE, PATCH_ATOMS, PATCH_PENALTY = 12, 128, 2.0
BORDER = 16  # pixels of a whitened photograph
ACROSS = 16  # pictures in a row
DESCENT = 300  # steps of ISTA whose objective is watched
OCTANT = np.pi / 4


class Scale(base.Scale, frozen=True):
    """Rows of planted sums and passes over them; patches of photographs."""

    rows: int = 4000
    passes: int = 100
    patches: int = 30_000
    seeds: int = 5


EXACT: Any = {"since": "quick", "exact": True}  # residuals: of every code, step or weight


class SparseCodingRecovery(Experiment[Scale]):
    """Sparse coding finds a planted dictionary, and the atoms of photographs are oriented edges.

    Olshausen and Field 1996 (doi:10.1038/381607a0). Planted: rows of 16 numbers are sums of 2 of 32 random
    atoms of length 1, with weights of random sign and size 0.5 to 1.5, and noise 0.01. The dictionary is
    learned with penalty 0.15, and a planted atom counts as found where some learned one has |cos| > 0.95 with
    it. The codes are checked against the conditions of the minimum, ISTA against its promise never to raise
    the objective, and its first step against the encoder soft(D'x / L, penalty / L), whose weights are the
    decoder's.

    Photographs: the two that scikit-learn ships, grey, halved in size (which averages blocks of JPEG away),
    whitened by |f| exp(-(f / 0.4)^4) with f in cycles a pixel, as Olshausen and Field did. Patches of 12 x 12
    lose their mean and are divided by sqrt(s^2 + s0^2 / 10), s their standard deviation and s0 its median. An
    atom is oriented where more than half of its Fourier energy, in 0 < |f| < 0.5, lies within an octant: 45
    degrees of orientation, wherever they begin. White noise is the control, whose atoms should not be.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", 2000, 20, 2000, seeds=2),
        "nano": Scale("one core, three minutes"),
        "small": Scale("one core, ten minutes", seeds=10),
        "paper": Scale("one core, an hour", passes=300, patches=300_000, seeds=10),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        scale, seeds = lab.scale, range(lab.scale.seeds)
        planted = pd.DataFrame([_planted(scale.rows, scale.passes, seed) for seed in seeds])
        _show_planted(lab, planted)
        for key in ("atoms", "optimality", "support", "non_zeros", "rise", "tied"):
            yield self.found(key, planted[key])
        oriented = _photographs(lab)
        for key in ("photographs", "white_noise"):
            yield self.found(key, oriented[f"atoms of {key.replace('_', ' ')}"])


def _show_planted(lab: Lab[Scale], planted: pd.DataFrame) -> None:
    descents = np.stack(list(planted["descent"]))
    words = {"atoms": "atoms found", "non_zeros": "mean non-zeros", "optimality": "|D_j'(x - D h)| / penalty"}
    table = planted[list(words)].rename(columns=words).rename_axis("seed")
    table["objective after a step"], table[f"after {DESCENT}"] = descents[:, 0], descents[:, -1]
    lab.table("Planted dictionaries", table.reset_index())
    lines = {f"seed {n}": each for n, each in enumerate(descents)}
    figure = curves(np.arange(1, DESCENT + 1), lines, "step", "mean objective", log=True)
    lab.figure("ISTA on the learned dictionaries", figure)


def _photographs(lab: Lab[Scale]) -> dict[str, list[float]]:
    """The share of oriented pictures of each kind, a number for each seed."""
    kinds: dict[str, list[Array]] = {"atoms of photographs": [], "patches": [], "atoms of white noise": []}
    for seed in range(lab.scale.seeds):
        patches = photograph_patches(lab.scale.patches, seed)
        noise = torch.randn(patches.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        kinds["atoms of photographs"].append(_patch_atoms(patches, seed))
        kinds["patches"].append(patches[: 10 * PATCH_ATOMS].numpy())
        kinds["atoms of white noise"].append(_patch_atoms(noise, seed))
    shares = {name: [octant_shares(rows) for rows in each] for name, each in kinds.items()}
    oriented = {name: [float(np.mean(one > 0.5)) for one in each] for name, each in shares.items()}
    rows = [
        {"what": name, "oriented": np.median(oriented[name]), "median share in an octant": np.median(each)}
        for name, each in shares.items()
    ]
    lab.table("Orientation, medians over seeds", rows)
    atoms = _drawn(kinds["atoms of photographs"][0])
    lab.figure("Atoms of photographs, the most oriented first (seed 0)", atoms)
    lab.figure("Whitened patches they are learned from (seed 0)", _drawn(kinds["patches"][0][:32]))
    return oriented


def _planted(count: int, passes: int, seed: int) -> dict[str, Any]:
    """What the claims say of one planted dictionary, by key; `descent` is ISTA's mean objective by step."""
    generator = torch.Generator().manual_seed(seed)
    truth = normalize(torch.randn(PIXELS, ATOMS, generator=generator, dtype=torch.float64), dim=0)
    x = _sums(truth, count, generator)
    dictionary = learn(x, ATOMS, passes, partial(fista, penalty=PENALTY, iterations=50), generator)
    h = fista(x, dictionary, PENALTY, 1000)
    cosines = normalize(dictionary, dim=0).T @ truth
    descent, rise = _descent(x, dictionary)
    curvature = float(lipschitz(dictionary))
    inner = x.numpy() @ dictionary.numpy() / curvature
    tied = np.sign(inner) * np.maximum(np.abs(inner) - PENALTY / curvature, 0)
    return {
        "atoms": float((cosines.abs().amax(dim=0) > 0.95).double().mean()),
        "non_zeros": float((h != 0).sum(dim=1).double().mean()),
        "optimality": float(correlation(x, dictionary, h).abs().max()) / PENALTY,
        "support": on_support(x, dictionary, h),
        "rise": rise,
        "tied": float(np.abs(ista(x, dictionary, PENALTY, 1).numpy() - tied).max()),
        "descent": descent,
    }


def on_support(x: Tensor, dictionary: Tensor, h: Tensor) -> float:
    """The largest |D_j'(x - D h) - penalty sign(h_j)| / penalty over the h_j that are not 0.

    It is 0 at the minimum. That |D_j'(x - D h)| <= penalty does not say it: least squares do that too.
    """
    apart = (correlation(x, dictionary, h) - PENALTY * h.sign())[h != 0]
    return float(apart.abs().max()) / PENALTY


def _sums(dictionary: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Sparse sums of the atoms, with noise (count, p)."""
    chosen = torch.rand(count, ATOMS, generator=generator).argsort(dim=1)[:, :NON_ZEROS]
    sizes = 0.5 + torch.rand(chosen.shape, generator=generator, dtype=torch.float64)
    signs = 2 * torch.randint(2, chosen.shape, generator=generator) - 1
    h = torch.zeros(count, ATOMS, dtype=torch.float64).scatter_(1, chosen, sizes * signs)
    noise = torch.randn(count, PIXELS, generator=generator, dtype=torch.float64)
    return h @ dictionary.T + NOISE * noise


def _descent(x: Tensor, dictionary: Tensor) -> tuple[Array, float]:
    """The mean objective after every step of ISTA from 0, and the largest rise of any row's in one step."""
    h = torch.zeros(len(x), dictionary.shape[1], dtype=torch.float64)
    before, means, rise = objective(x, dictionary, h, PENALTY), [], -np.inf
    for _ in range(DESCENT):
        h = ista(x, dictionary, PENALTY, 1, start=h)
        now = objective(x, dictionary, h, PENALTY)
        rise = max(rise, float((now - before).max()))
        means.append(float(now.mean()))
        before = now
    return np.array(means), rise


def photograph_patches(count: int, seed: int) -> Tensor:
    """Whitened, contrast-normalised patches (count, SIDE * SIDE), half of each photograph."""
    from sklearn.datasets import load_sample_images

    photographs = [_whitened(_halved(image.mean(axis=2) / 255)) for image in load_sample_images().images]
    rng = np.random.default_rng(seed)
    patches = np.empty((count, SIDE * SIDE))
    for n in range(count):
        photograph = photographs[n % len(photographs)]
        top, left = (rng.integers(length - SIDE + 1) for length in photograph.shape)
        patches[n] = photograph[top : top + SIDE, left : left + SIDE].ravel()
    patches -= patches.mean(axis=1, keepdims=True)
    spread = patches.std(axis=1, keepdims=True)
    return torch.from_numpy(patches / np.sqrt(spread**2 + 0.1 * np.median(spread) ** 2))


def _halved(grey: Array) -> Array:
    """The means of 2 x 2 pixels; an odd last row or column is left out."""
    h, w = (length // 2 for length in grey.shape)
    halved: Array = grey[: 2 * h, : 2 * w].reshape(h, 2, w, 2).mean(axis=(1, 3))
    return halved


def _whitened(grey: Array) -> Array:
    """The filter of Olshausen and Field, which flattens the 1/f spectrum of photographs; variance 1.

    It meets itself around the border, which is cut off.
    """
    frequency = np.hypot(np.fft.fftfreq(grey.shape[0])[:, None], np.fft.fftfreq(grey.shape[1]))
    filtered = np.fft.ifft2(np.fft.fft2(grey) * frequency * np.exp(-((frequency / 0.4) ** 4))).real
    inner = filtered[BORDER:-BORDER, BORDER:-BORDER]
    whitened: Array = inner / inner.std()
    return whitened


def _patch_atoms(patches: Tensor, seed: int) -> Array:
    """The atoms (m, p) learned from patches in two passes."""
    codes = partial(fista, penalty=PATCH_PENALTY, iterations=50)
    return learn(patches, PATCH_ATOMS, 2, codes, torch.Generator().manual_seed(seed)).T.numpy()


def octant_shares(pictures: Array) -> Array:
    """The share of Fourier energy of pictures (n, SIDE * SIDE) in their best octant of orientation (n,).

    Energy is taken at 0 < |f| < 0.5 cycles a pixel, on 64 x 64 frequencies, without the mean of a picture.
    Octants, 45 degrees wide, begin at every 32nd of pi. Energy of no orientation gives 1/4.
    """
    across = np.fft.fftfreq(64)
    size, angle = np.hypot(across[:, None], across), np.arctan2(across[:, None], across) % np.pi
    used = (size > 0) & (size < 0.5)
    pictures = pictures - pictures.mean(axis=1, keepdims=True)
    energy = np.abs(np.fft.fft2(pictures.reshape(-1, SIDE, SIDE), s=(64, 64))[:, used]) ** 2
    starts = np.arange(32) * np.pi / 32
    inside = (angle[used][:, None] - starts) % np.pi < OCTANT
    shares: Array = (energy @ inside).max(axis=1) / energy.sum(axis=1)
    return shares


def _drawn(pictures: Array) -> Figure:
    """Pictures in grey, each at its own contrast, in the order of their share in an octant."""
    pictures = pictures[np.argsort(-octant_shares(pictures))]
    scaled = 0.5 + 0.5 * pictures / np.abs(pictures).max(axis=1, keepdims=True)
    return one_picture(scaled.reshape(-1, SIDE, SIDE), ACROSS)
