"""Data whose global and local axes differ: linear VAEs follow the first, other VAEs the second."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from distaff.batches.batch import Batch
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.vae_is_pca import fitted
from distaff.methods.state import State, adam
from distaff.methods.vae import VAE
from distaff.metrics.mcc import absolute_correlation
from distaff.networks import fresh
from distaff.pages.figures import Plot
from distaff.pages.palette import COLOURS

Array = NDArray[np.float64]
WIDE, NARROW = 0.5, 0.375  # deviations of u and v
NOISE = 3e-3
RIPPLE, FREQUENCY = 0.35, 6.0
POINTS = 20_000
BATCH, RATE = 256, 1e-2
WIDTH = 64  # units of each of two hidden layers
KINDS = {"non-linear": (RIPPLE, False), "linear": (RIPPLE, True), "non-linear, no ripple": (0.0, False)}


class Scale(base.Scale, frozen=True):
    """How many VAEs of each kind, and how long they train."""

    seeds: int
    steps: int


class LocalStructure(Experiment[Scale]):
    """A non-linear VAE follows the axes of the small ripple in the data, a linear one those of the whole.

    Zietlow et al. 2020, figure 1; its formula is lost, this is ours. Points are x = (u, v, .35 cos 6 s,
    .35 sin 6 s) with u and v normal, u a little wider, and s = (u + v) / sqrt 2, t = (u - v) / sqrt 2. Over
    the whole set u and v are the principal directions; from point to neighbour x changes 2.3 times as much
    along s as along t. VAEs with two latents and a known noise: with an encoder and a decoder of 64 and 64
    tanh units, trained by sampling; linear, at the best of the exact ELBO; and the first again on points
    without the ripple.

    Points are normal so that a best code is known: (u, v), scaled and turned, is distributed as the prior
    wants it whatever the turn, and one turn alone leaves the decoder's directions orthogonal. It codes s with
    a correlation of .998 and t with .942; u and v cost .32 nats more.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 5 seconds", 1, 100),
        "nano": Scale("one core, six minutes", 4, 20_000),
        "small": Scale("one core, 20 minutes", 10, 20_000),
        "paper": Scale("one core, two hours", 20, 60_000),
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


def fit(seed: int, ripple: float, linear: bool, steps: int) -> Found:
    """A VAE with a known noise of .003 on points drawn by `seed`."""
    uv = np.random.default_rng(seed).standard_normal((POINTS, 2)) * [WIDE, NARROW]
    x = observed(uv, ripple)
    codes = _linear_codes(x, seed) if linear else _trained_codes(x, seed, steps)
    shown = slice(0, 4000)
    return Found(uv[shown], codes[shown], least_match(codes, turned(uv)), least_match(codes, uv))


def _linear_codes(x: Array, seed: int) -> Array:
    """The codes (n, 2) of a linear VAE at the best of its exact ELBO."""
    centred = x - x.mean(axis=0)
    best = fitted(np.cov(x.T), 2, NOISE, full=False, steps=1000, seed=seed)
    return np.asarray(centred @ best.encoder.detach().numpy().T)


def _trained_codes(x: Array, seed: int, steps: int) -> Array:
    """The mean codes (n, 2) of a VAE, whose images are points: x / 8 + 1/2 lies in their 0..1."""
    images = torch.from_numpy(x / 8 + 0.5).float()
    method = VAE(
        latents=2,
        likelihood="gaussian",
        sigma=NOISE**0.5 / 8,
        batch_size=BATCH,
        learning_rate=f"linear:{RATE}:0:{steps}",  # type: ignore[arg-type]  # a schedule
    )
    generator = torch.Generator().manual_seed(seed)
    encoder, decoder = (fresh(partial(_network, inputs, 4), generator) for inputs in (4, 2))
    modules = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    state = State(modules, {"adam": adam(modules.parameters())})
    for step in range(steps):
        chosen = torch.randint(POINTS, (BATCH,), generator=generator)
        method.at(step).step(state, Batch(images[chosen], POINTS), generator)
    with torch.no_grad():
        return np.asarray(method.encode(modules, images, generator).mean.double())


def _network(inputs: int, outputs: int) -> nn.Module:
    hidden = [nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, outputs))


def _picture(found: dict[str, list[Found]]) -> Plot:
    """The ripple with both pairs of axes, and the latents of every VAE over the points, seed 0."""
    figure = Plot((2.6 * (len(found) + 1), 5.4), layout="constrained")
    grid = figure.add_gridspec(2, len(found) + 1)
    ax = figure.add_subplot(grid[0, 0])
    points = found["linear"][0].points
    ripple = np.cos(FREQUENCY * turned(points)[:, 0])
    told = {"u": points[:, 0], "v": points[:, 1], "cos 6 s": ripple}  # the points of every VAE
    ax.scatter(points[:, 0], points[:, 1], c=ripple, s=2, cmap="gray")
    arrows = {"u": (1, 0), "v": (0, 0.75), "s": (0.6, 0.6), "t": (0.6, -0.6)}
    for name, (across, up) in arrows.items():
        colour = COLOURS[1 if name in "st" else 0]
        ax.annotate("", (across, up), (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        ax.text(1.08 * across, 1.08 * up, name, color=colour, fontweight="bold")
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.set_title("the data: u is widest,\nthe ripple cos 6 s runs along s", fontsize=8)
    for n, (name, runs) in enumerate(found.items()):
        for latent in range(2):
            ax = figure.add_subplot(grid[latent, n + 1])
            each = runs[0]
            told[f"{name}, z{latent + 1}"] = each.codes[:, latent]
            ax.scatter(each.points[:, 0], each.points[:, 1], c=each.codes[:, latent], s=2, cmap="viridis")
            ax.set(xticks=[], yticks=[], aspect="equal", xlabel="u", ylabel="v")
            ax.set_title(f"{name}, z{latent + 1}", fontsize=8)
            if not latent:
                with_st, with_uv = np.mean([(run.local, run.whole) for run in runs], axis=0)
                means = f"mean |corr| with s, t: {with_st:.2f}; with u, v: {with_uv:.2f}"
                ax.set_title(f"{name}, z1\n{means}", fontsize=8)
    figure.numbers = pd.DataFrame(told)
    return figure
