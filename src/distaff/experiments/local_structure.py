"""Data whose global and local axes differ: linear VAEs follow the first, other VAEs the second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.terms import kl_to_prior, sampled
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.palette import COLOURS

Array = NDArray[np.float64]
WIDE, NARROW = 1.0, 0.85  # half the ranges of u and v
NOISE = 3e-3
FREQUENCY = 8.0
POINTS = 20_000
KINDS = {"non-linear": (0.3, False), "linear": (0.3, True), "non-linear, no ripple": (0.0, False)}


class Scale(base.Scale, frozen=True):
    """How many VAEs of each kind, and how long they train."""

    seeds: int
    steps: int


class LocalStructure(Experiment[Scale]):
    """A non-linear VAE follows the axes of the small ripple in the data, a linear one those of the whole.

    Zietlow et al. 2020, figure 1; its formula is lost, this is ours. Points are x = (u, v, .3 cos 8 s,
    .3 sin 8 s) with u and v uniform, u a little wider, and s = (u + v) / sqrt 2, t = (u - v) / sqrt 2. Over
    the whole set u and v are the principal directions; from point to neighbour x changes most along s. VAEs
    with two latents: an encoder and a decoder of 64 and 64 tanh units, linear ones, and the first again on
    points without the ripple.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 5 seconds", 1, 100),
        "nano": Scale("one core, five minutes", 3, 5000),
        "small": Scale("one core, twenty minutes", 10, 5000),
        "paper": Scale("one core, one hour", 20, 20_000),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        seeds, steps = range(lab.scale.seeds), lab.scale.steps
        found = {name: [fit(seed, *kind, steps) for seed in seeds] for name, kind in KINDS.items()}
        rows = [
            {"VAE": name, "seed": seed, "with s and t": each.local, "with u and v": each.whole}
            for name, fitted in found.items()
            for seed, each in enumerate(fitted)
        ]
        lab.table("Least |correlation| of a latent with its axis", rows)
        title = "The ripple in the data, and points (u, v) by the value of a latent, seed 0"
        lab.figure(title, _picture(found))
        yield self.found("non_linear", [each.local for each in found["non-linear"]])
        yield self.found("linear", [each.whole for each in found["linear"]])
        yield self.found("no_ripple", [each.whole for each in found["non-linear, no ripple"]])


class Found(NamedTuple):
    """Some points (u, v), their codes, and the least matched |correlation| with (s, t) and with (u, v)."""

    points: Array
    codes: Array
    local: float
    whole: float


def turned(uv: Array) -> Array:
    """(s, t) of points (u, v)."""
    return np.column_stack([uv[:, 0] + uv[:, 1], uv[:, 0] - uv[:, 1]]) / 2**0.5


def observed(uv: Array, ripple: float) -> Array:
    """x (n, 4) of points (u, v)."""
    phase = FREQUENCY * turned(uv)[:, 0]
    return np.column_stack([uv, ripple * np.cos(phase), ripple * np.sin(phase)])


def least_match(codes: Array, axes: Array) -> float:
    """Two codes matched with two axes: the smaller |correlation| of the better matching."""
    c = absolute_correlation(codes, axes, "pearson")
    return float(max(min(c[0, 0], c[1, 1]), min(c[0, 1], c[1, 0])))


def _network(inputs: int, outputs: int, linear: bool) -> nn.Module:
    if linear:
        return nn.Linear(inputs, outputs)
    hidden = [nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(64, outputs))


def _loss(encoder: nn.Module, decoder: nn.Module, x: Tensor, generator: torch.Generator) -> Tensor:
    mean, logvar = encoder(x).chunk(2, dim=1)
    z = sampled(mean, logvar, generator).sample
    kl = kl_to_prior(mean, logvar).sum(1).mean()
    return (decoder(z) - x).square().sum(1).mean() / (2 * NOISE) + kl


def fit(seed: int, ripple: float, linear: bool, steps: int) -> Found:
    """Train a VAE with a known noise of .003 on points drawn by `seed`."""
    rng = np.random.default_rng(seed)
    uv = rng.uniform(-1, 1, (POINTS, 2)) * [WIDE, NARROW]
    x = torch.from_numpy(observed(uv, ripple)).float()
    with torch.random.fork_rng(devices=[]):  # nn.Linear draws from the global generator
        torch.manual_seed(seed)
        encoder, decoder = _network(4, 4, linear), _network(2, 4, linear)
    generator = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], fused=True)
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = 3e-3 if step < 0.6 * steps else 5e-4
        batch = x[torch.randint(POINTS, (256,), generator=generator)]
        adam.zero_grad()
        _loss(encoder, decoder, batch, generator).backward()
        adam.step()
    with torch.no_grad():
        codes = encoder(x)[:, :2].double().numpy()
    shown = slice(0, 4000)
    return Found(uv[shown], codes[shown], least_match(codes, turned(uv)), least_match(codes, uv))


def _picture(found: dict[str, list[Found]]) -> Figure:
    """The ripple with both pairs of axes, and the latents of every VAE over the points, seed 0."""
    figure = Figure((2.6 * (len(found) + 1), 5.4), layout="constrained")
    grid = figure.add_gridspec(2, len(found) + 1)
    ax = figure.add_subplot(grid[0, 0])
    points = found["linear"][0].points
    ripple = np.cos(FREQUENCY * turned(points)[:, 0])
    ax.scatter(points[:, 0], points[:, 1], c=ripple, s=2, cmap="gray")
    arrows = {"u": (1, 0), "v": (0, 0.85), "s": (0.6, 0.6), "t": (0.6, -0.6)}
    for name, (across, up) in arrows.items():
        colour = COLOURS[1 if name in "st" else 0]
        ax.annotate("", (across, up), (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        ax.text(1.08 * across, 1.08 * up, name, color=colour, fontweight="bold")
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.set_title("the data: u is widest,\nthe ripple cos 8 s runs along s", fontsize=8)
    for n, (name, runs) in enumerate(found.items()):
        for latent in range(2):
            ax = figure.add_subplot(grid[latent, n + 1])
            each = runs[0]
            ax.scatter(each.points[:, 0], each.points[:, 1], c=each.codes[:, latent], s=2, cmap="viridis")
            ax.set(xticks=[], yticks=[], aspect="equal", xlabel="u", ylabel="v")
            ax.set_title(f"{name}, z{latent + 1}", fontsize=8)
            if not latent:
                with_st = " ".join(f"{run.local:.2f}" for run in runs)
                with_uv = " ".join(f"{run.whole:.2f}" for run in runs)
                seeds = f"|corr| of each seed with s, t: {with_st}\nwith u, v: {with_uv}"
                ax.set_title(f"{name}, z1\n{seeds}", fontsize=7)
    return figure
