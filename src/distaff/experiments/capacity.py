"""What a code of limited capacity keeps, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.datasets import DataSet, load_dataset
from distaff.experiments.base import Claim, Lab, Scale, claim, every_label, experiment
from distaff.experiments.pictures import curves, image_grid
from distaff.metrics.arrays import standardised
from distaff.metrics.inputs import active_latents
from distaff.training.run import Run

FIRST, LAST = 0.5, 25.0  # nats
GAMMA = 20.0
KEPT = 0.75  # nats, from which a factor counts as kept
SHOWN = (3.1, 7.3, 15.4, 23.8)  # nats, where the paper shows reconstructions
NAMES = ("shape", "scale", "orientation", "x", "y")


@experiment(
    quick=Scale(
        "two cores, 20 seconds",
        {"resolution": 16, "places": 8, "steps": 60, "vae_steps": 20, "capacities": (2, 8)},
    ),
    nano=Scale(
        "two cores, seven minutes",
        {"resolution": 32, "places": 16, "steps": 4000, "vae_steps": 2500, "capacities": (4, 10, 20)},
    ),
    paper=Scale(
        "one GPU, one day",
        {
            "resolution": 64,
            "places": 32,
            "steps": 100_000,
            "vae_steps": 300_000,
            "capacities": (5, 10, 25, 50),
        },
    ),
)
def capacity(lab: Lab) -> Iterator[Claim]:
    """A code of few nats keeps position first, then scale, then shape and orientation.

    Burgess et al. 2018, section 4.2. A decoder is given the true factors of sprites through a noisy channel,
    z_i = a_i f_i + s_i e with a_i^2 + s_i^2 = 1, so that factor i passes KL_i = -ln s_i nats on average. The
    KL_i are learned while their sum is held at C, which grows from .5 to 25 nats: the gradient shows where a
    further nat serves the reconstruction best. Then the AnnealedVAE itself: its KL against its capacity, and
    its active latents for several capacities.

    Factors are standardised; orientation is its number, shape its index. 13.5 nats name every image of
    dSprites, so that what comes beyond is precision only.
    """
    places = lab["places"]
    data = load_dataset("dsprites", resolution=lab["resolution"], orientation=8, x=places, y=places)
    found = fit_generator(data, lab["steps"], seed=0)
    yield from _generator(lab, data, found)
    yield from _annealed(lab, data)


class Channel(nn.Module):
    """A noisy channel for standardised factors and a decoder behind it."""

    def __init__(self, factors: int, pixels: int) -> None:
        super().__init__()
        self.log_nats = nn.Parameter(torch.full((factors,), FIRST / factors).log())
        self.decoder = nn.Sequential(
            nn.Linear(factors, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, pixels)
        )

    def send(self, factors: Tensor, generator: torch.Generator) -> Tensor:
        """What arrives of factors (n, k)."""
        noise = torch.exp(-self.log_nats.exp())
        kept = torch.sqrt((1 - noise.square()).clamp_min(1e-12))
        return kept * factors + noise * torch.randn(factors.shape, generator=generator)


class Found(NamedTuple):
    """Along training: C, nats of every factor (t, k) and the reconstruction; images decoded at SHOWN."""

    capacity: NDArray[np.float64]
    nats: NDArray[np.float64]
    reconstruction: NDArray[np.float64]
    decoded: NDArray[np.float32]


def fit_generator(data: DataSet, steps: int, seed: int) -> Found:
    """Train channel and decoder while the capacity grows linearly."""
    factors = torch.from_numpy(standardised(every_label(data))).float()
    example = factors[_examples(data)]
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # nn.Linear draws from the global generator
        torch.manual_seed(seed)
        model = Channel(factors.shape[1], int(np.prod(data.image_shape)))
    groups = [{"params": [model.log_nats], "lr": 3e-3}, {"params": model.decoder.parameters(), "lr": 1e-3}]
    adam = torch.optim.Adam(groups)
    lines: list[list[float]] = []
    decoded: list[NDArray[np.float32]] = []
    for step in range(steps):
        target = FIRST + (LAST - FIRST) * step / max(1, steps - 1)
        rows = rng.integers(len(data), size=128)
        x = torch.from_numpy(data.unit_images(rows)).flatten(1).float()
        logits = model.decoder(model.send(factors[rows], generator))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        nats = model.log_nats.exp()
        adam.zero_grad()
        (reconstruction + GAMMA * (nats.sum() - target).abs()).backward()
        adam.step()
        lines.append([target, float(reconstruction.detach()), *nats.detach().tolist()])
        if len(decoded) < len(SHOWN) and target >= SHOWN[len(decoded)]:
            with torch.no_grad():
                images = torch.sigmoid(model.decoder(model.send(example, generator)))
            decoded.append(images.reshape(-1, *data.image_shape).numpy())
    table = np.array(lines)
    return Found(table[:, 0], table[:, 2:], table[:, 1], np.concatenate(decoded))


def _examples(data: DataSet) -> NDArray[np.int64]:
    return np.random.default_rng(1).choice(len(data), size=8, replace=False)


def _generator(lab: Lab, data: DataSet, found: Found) -> Iterator[Claim]:
    every = max(1, len(found.capacity) // 60)
    lines = {name: found.nats[::every, k] for k, name in enumerate(NAMES)}
    lab.figure(
        "Nats of every factor as the capacity grows",
        curves(found.capacity[::every], lines, "C, nats", "nats"),
    )
    images = np.concatenate([data.unit_images(_examples(data)), found.decoded])
    lab.figure("Originals, and decoded at " + ", ".join(map(str, SHOWN)) + " nats", image_grid(images, 8))
    kept = found.nats > KEPT
    first = {
        name: float(found.capacity[kept[:, k].argmax()]) if kept[:, k].any() else LAST
        for k, name in enumerate(NAMES)
    }
    table = pd.DataFrame(first.items(), columns=["factor", "C"])
    lab.table(f"Capacity at which a factor first has {KEPT} nats; {LAST:g} if never", table)
    later = min(first["shape"], first["orientation"])
    yield claim("C where scale is kept, less the later of x and y, nats",
                first["scale"] - max(first["x"], first["y"]), low=0)  # fmt: skip
    yield claim("C where shape or orientation is kept, less that of scale, nats",
                later - first["scale"], low=0)  # fmt: skip
    yield claim("C where scale is kept, nats", first["scale"], high=LAST - 1)
    yield claim("|C of x - C of y|, nats", abs(first["x"] - first["y"]), high=1)
    settled = found.capacity > 3
    off = np.abs(found.nats.sum(axis=1) - found.capacity)[settled]
    yield claim("Largest |KL - C| from 3 nats on", off.max(), high=0.3)
    parts = np.array([part.mean() for part in np.array_split(found.reconstruction, 8)])
    yield claim("Largest rise of the reconstruction between eighths of the training, nats",
                np.diff(parts).max(), high=0)  # fmt: skip


def _annealed(lab: Lab, data: DataSet) -> Iterator[Claim]:
    steps, rows, runs = lab["vae_steps"], [], []
    for most in lab["capacities"]:
        run = lab.train(
            f"annealed-{most}", "annealed_vae", data, steps, seed=0, gamma=30.0, learning_rate=1e-3,
            capacity=f"linear:0:{most}:{int(0.8 * steps)}",
        )  # fmt: skip
        runs.append(run)
        chosen = np.random.default_rng(0).choice(len(data), size=min(5000, len(data)), replace=False)
        active = int(active_latents(run.encode(data.images(chosen)).logvar).sum())
        rows.append({"C": most, "KL": run.history()[-1]["kl"], "active latents": active, "off": _off(run)})
    table = pd.DataFrame(rows).rename(columns={"off": "worst |KL - C| / max(.5, 3 % of C)"})
    lab.table("AnnealedVAE, gamma 30", table)
    history = runs[-1].history()
    both = {name: [line[name] for line in history] for name in ("kl", "capacity")}
    steps_done = [line["step"] for line in history]
    lab.figure("AnnealedVAE: KL and capacity", curves(steps_done, both, "step", "nats"))
    yield claim("Worst |KL - C| / max(.5, 3 % of C) at ten checkpoints", table.iloc[:, 3].max(), high=1)
    yield claim("Least rise of active latents with C", table["active latents"].diff().min(), low=0)


def _off(run: Run) -> float:
    """The worst of ten lines of the history, evenly spaced in its later three quarters."""
    history = run.history()
    chosen = np.unique(np.linspace(len(history) // 4, len(history) - 1, 10).astype(int))
    lines = [history[n] for n in chosen]
    return max(abs(line["kl"] - line["capacity"]) / max(0.5, 0.03 * line["capacity"]) for line in lines)
