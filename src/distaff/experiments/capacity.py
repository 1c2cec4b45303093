"""What a code of limited capacity keeps, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.datasets import DataSet
from distaff.evaluation.posterior import active, reconstruction
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.metrics.arrays import standardised
from distaff.metrics.mig import mig
from distaff.networks import fresh
from distaff.pages.figures import Plot, axes, curves
from distaff.pages.images import image_grid
from distaff.pages.palette import COLOURS
from distaff.progress import progress
from distaff.studies.plan import Part, chain, dataset, each, method, product, zipped
from distaff.training.run import Run

FIRST, LAST = 0.5, 25.0  # nats
EXAMPLES, COLUMNS = 300, 10  # images that are decoded, and of those shown
KEPT = 0.75  # nats, from which a factor counts as kept
HIDDEN = 512  # units of the decoder's two layers
GAMMA = 50.0  # of the AnnealedVAE; at the paper's 1000 so few steps serve the penalty alone
BETA = 4.0  # of the beta-VAE that it is compared with
SHOWN = (3.1, 7.3, 15.4, 23.8)  # nats, where the paper shows reconstructions
NAMES = ("shape", "scale", "orientation", "x", "y")
APART, OFF = "|KL - C|, nats", "worst |KL - C| / max(.5, 3 % of C)"


class Scale(base.Scale, frozen=True):
    """The sprites, the steps behind the channel, those of the VAEs, and what capacities end at."""

    resolution: int = 32
    places: int = 16
    steps: int = 20_000
    vae_steps: int = 6000
    capacities: tuple[int, ...] = (4, 10, 20)
    seeds: int = 1


class Capacity(Experiment[Scale]):
    """A code of few nats keeps position first, then scale, then shape and orientation.

    Burgess et al. 2018 (arXiv:1804.03599), section 4.2. A decoder is given the true factors of sprites
    through a noisy channel, z_i = a_i f_i + s_i e with a_i^2 + s_i^2 = 1, so that factor i passes KL_i = -ln
    s_i nats on average. How C nats, growing from .5 to 25, are shared out among the factors is learned: the
    gradient shows where a further nat serves the reconstruction best. (The paper punishes |KL - C|; here KL
    is C exactly, for the penalty's steps would drown those of the reconstruction. No method is given the
    factors, so the channel is written here.)

    Then the AnnealedVAE itself (section 5), its capacity growing over five sixths of its steps: its KL
    against its capacity, its active latents for several capacities, and the paper's point: with the most it
    reconstructs better than a beta-VAE of fixed beta, and disentangles as well, by MIG. Colour and chairs,
    which the paper also has, are not tried.

    Factors are standardised; orientation is its number, shape its index. 13.5 nats name every image of
    dSprites, so that what comes beyond is precision only.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 20 seconds", 16, 8, 60, 20, (2, 8)),
        "nano": Scale("two cores, nine minutes"),
        "small": Scale("two cores, an hour and a half", seeds=6),
        "paper": Scale("one GPU, three days", 64, 32, 100_000, 300_000, (5, 10, 25, 50), seeds=6),
    }

    def runs(self, scale: Scale) -> Part:
        sprites = dataset(
            "dsprites", resolution=scale.resolution, x=scale.places, y=scale.places, orientation=8
        )
        ends = [f"linear:0:{most}:{scale.vae_steps * 5 // 6}" for most in scale.capacities]
        names = each(name=[f"C to {most}" for most in scale.capacities])
        kinds = chain(
            product(method("annealed_vae", gamma=GAMMA), zipped(names, each(**{"set.capacity": ends}))),
            product(method("beta_vae", beta=BETA), each(name=["beta-VAE"])),
        )
        common = each(steps=[scale.vae_steps], **{"set.learning_rate": [5e-4]})
        return product(sprites, common, kinds, each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        data = next(iter(runs)).data
        fits = [fit_generator(data, lab.scale.steps, seed, show=lab.show) for seed in range(lab.scale.seeds)]
        told = [_told(data, found) for found in fits]
        _show_generator(lab, data, fits[0], told[0])
        ordered = pd.DataFrame([_order(*both) for both in zip(fits, told, strict=True)])
        for key, values in ordered.items():
            yield self.found(str(key), values)
        annealed = _annealed(lab, runs).groupby("seed")
        yield self.found("off", annealed[OFF].max())
        yield self.found("more", annealed["active latents"].agg(lambda counts: counts.diff().min()))
        both = [*runs[f"C to {lab.scale.capacities[-1]}"], *runs["beta-VAE"]]
        table = lab.table(f"The most capacity against beta = {BETA:g}", [_measured(run) for run in both])
        for key, values in against_fixed(table).items():
            yield self.found(key, values)


class Channel(nn.Module):
    """A noisy channel for standardised factors, and a decoder behind it."""

    def __init__(self, factors: int, decoder: nn.Module) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(factors))
        self.decoder = decoder

    def nats(self, capacity: float) -> Tensor:
        """What every factor passes (k,) of that capacity."""
        return capacity * torch.softmax(self.weights, dim=0)

    @staticmethod
    def send(factors: Tensor, nats: Tensor, generator: torch.Generator) -> Tensor:
        """What arrives of factors (n, k) through `nats` (k,)."""
        noise = torch.exp(-nats)
        kept = torch.sqrt((1 - noise.square()).clamp_min(1e-12))
        return kept * factors + noise * torch.randn(factors.shape, generator=generator)


class Found(NamedTuple):
    """Along training: C, nats of every factor (t, k), reconstruction (t,); images decoded at SHOWN."""

    capacity: NDArray[np.float64]
    nats: NDArray[np.float64]
    reconstruction: NDArray[np.float64]
    decoded: NDArray[np.float32]


def fit_generator(data: DataSet, steps: int, seed: int, show: bool = False) -> Found:
    """Train channel and decoder while the capacity grows linearly."""
    factors = torch.from_numpy(standardised(every_label(data))).float()
    example = factors[_examples(data)]
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    model = Channel(factors.shape[1], _decoder(factors.shape[1], data.image_shape, generator))
    groups = [{"params": [model.weights], "lr": 1e-2}, {"params": model.decoder.parameters(), "lr": 1e-3}]
    adam = torch.optim.Adam(groups)
    lines: list[list[float]] = []
    decoded: list[NDArray[np.float32]] = []
    with progress("the generator behind its channel", steps, show=show) as report:
        for step in range(steps):
            report(step + 1)
            capacity = FIRST + (LAST - FIRST) * step / max(1, steps - 1)
            rows = rng.integers(len(data), size=128)
            x = torch.from_numpy(data.unit_images(rows)).float()
            nats = model.nats(capacity)
            logits = model.decoder(model.send(factors[rows], nats, generator))
            reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
            adam.zero_grad()
            reconstruction.backward()
            adam.step()
            lines.append([capacity, float(reconstruction.detach()), *nats.tolist()])
            if len(decoded) < len(SHOWN) and capacity >= SHOWN[len(decoded)]:
                with torch.no_grad():
                    images = torch.sigmoid(model.decoder(model.send(example, nats, generator)))
                decoded.append(images.numpy())
    table = np.array(lines)
    return Found(table[:, 0], table[:, 2:], table[:, 1], np.stack(decoded))


def _decoder(factors: int, image_shape: tuple[int, int, int], generator: torch.Generator) -> nn.Module:
    """Two layers of HIDDEN units."""

    def made() -> nn.Module:
        layers = [nn.Linear(factors, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(HIDDEN, math.prod(image_shape)), nn.Unflatten(1, image_shape))

    return fresh(made, generator)


def _examples(data: DataSet) -> NDArray[np.int64]:
    return np.random.default_rng(1).choice(len(data), size=EXAMPLES, replace=False)


def _told(data: DataSet, found: Found) -> pd.DataFrame:
    """What the images decoded at SHOWN tell, by nats."""
    rows = [told_apart(data, _examples(data), decoded) for decoded in found.decoded]
    return pd.DataFrame(rows, SHOWN).rename_axis("C, nats")


def _show_generator(lab: Lab[Scale], data: DataSet, found: Found, told: pd.DataFrame) -> None:
    every = max(1, len(found.capacity) // 60)
    lines = {name: found.nats[::every, k] for k, name in enumerate(NAMES)}
    figure = curves(found.capacity[::every], lines, "C, nats", "nats")
    for line in SHOWN:
        figure.axes[0].axvline(line, color="#9aa5b1", lw=0.8, ls=":")
    figure.axes[0].lines[NAMES.index("y")].set_linestyle("--")  # it covers x
    lab.figure("Nats of every factor as the capacity grows", figure)
    images = np.concatenate([data.unit_images(_examples(data)[:COLUMNS])[None], found.decoded[:, :COLUMNS]])
    rows = ["original", *(f"{nats} nats" for nats in SHOWN)]
    lab.figure(
        "Originals, and what is decoded at four capacities",
        image_grid(images.reshape(-1, *data.image_shape), COLUMNS, rows_are=rows),
    )
    lab.table("What the decoded images tell", told.reset_index())
    table = _first_kept(found).rename_axis("factor").reset_index(name="C")
    lab.table(f"Capacity at which a factor first has {KEPT} nats", table)


def _first_kept(found: Found) -> pd.Series[float]:
    """The capacity at which a factor is first kept, by name; NaN if it never is."""
    kept = [np.flatnonzero(nats > KEPT) for nats in found.nats.T]
    return pd.Series([found.capacity[at[0]] if len(at) else np.nan for at in kept], NAMES)


def _order(found: Found, told: pd.DataFrame) -> dict[str, float]:
    """What the claims about the generator speak of, by their keys; a factor never kept counts as at LAST."""
    first = _first_kept(found).fillna(LAST)
    early = found.nats[np.searchsorted(found.capacity, SHOWN[0])]
    parts = np.array([part.mean() for part in np.array_split(found.reconstruction, 8)])
    return {
        "scale": first["scale"] - first[["x", "y"]].max(),
        "form": first[["shape", "orientation"]].min() - first["scale"],
        "together": abs(first["x"] - first["y"]),
        "share": early[[NAMES.index("x"), NAMES.index("y")]].sum() / early.sum(),
        "shapes": told["shape"].iloc[2],
        "turns": told["orientation of hearts"].iloc[3],
        "rise": np.diff(parts).max(),
    }


def told_apart(data: DataSet, rows: NDArray[np.int64], decoded: NDArray[np.float32]) -> dict[str, float]:
    """Shares of decoded images whose shape, and for hearts orientation, is that of the nearest candidate.

    The candidates of an image are those of its scale and place in every shape and orientation.
    """
    space = data.factors
    assert space is not None
    places = [space.position("shape"), space.position("orientation")]
    sizes = [space.sizes[place] for place in places]
    choices = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    truth = space.rows(rows)
    right = []
    for row, image in zip(truth, decoded, strict=True):
        candidates = np.repeat(row[None], len(choices), axis=0)
        candidates[:, places] = choices
        apart = np.square(data.unit_images(space.index(candidates)) - image).sum(axis=(1, 2, 3))
        right.append(choices[apart.argmin()] == row[places])
    hearts = truth[:, places[0]] == sizes[0] - 1
    shape, orientation = np.array(right).T
    return {"shape": float(shape.mean()), "orientation of hearts": float(orientation[hearts].mean())}


def _annealed(lab: Lab[Scale], runs: Runs) -> pd.DataFrame:
    """Show the AnnealedVAEs; a row for each, by seed and rising capacity."""
    data, rows, lines = next(iter(runs)).data, [], []
    chosen = np.random.default_rng(0).choice(len(data), size=min(5000, len(data)), replace=False)
    for most in lab.scale.capacities:
        for run in runs[f"C to {most}"]:
            count = int(active(run.encode(data.images(chosen))).sum())
            history, seed = pd.DataFrame(run.history()), run.config.seed
            last = {"KL": history["kl"].iloc[-1], "active latents": count, OFF: _off(run)}
            rows.append({"C": most, "seed": seed, **last})
            apart = (history["kl"] - history["capacity"]).abs()
            lines.append(pd.DataFrame({"C": most, "seed": seed, "step": history["step"], APART: apart}))
    lab.figure("AnnealedVAE: how far the KL is from its capacity", _apart(pd.concat(lines)))
    return lab.table(f"AnnealedVAE, gamma {GAMMA:g}", rows)


def _apart(table: pd.DataFrame) -> Plot:
    """|KL - C| over the steps of every run, a colour for each C."""
    figure, ax = axes("step", APART)
    figure.numbers = table
    for (most, of_c), colour in zip(table.groupby("C", sort=False), COLOURS, strict=False):
        for seed, line in of_c.groupby("seed", sort=False):
            ax.plot(line["step"], line[APART], color=colour, label="" if seed else f"C to {most}")
    ax.axhline(0.5, color="#9aa5b1", lw=0.8)
    ax.legend(frameon=False, fontsize=8)
    return figure


def _measured(run: Run) -> dict[str, str | float]:
    codes, rows = every_code(run), np.arange(len(run.data))
    loss = reconstruction(run, rows, codes.sample)
    score, about = mig(codes.mean, every_label(run.data)), run.config
    return {"method": about.method, "seed": about.seed, "MIG": score, "reconstruction": loss}


def against_fixed(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """What the AnnealedVAE gains over the beta-VAE of the same seed, of a table with a row for each run."""
    fixed = table["method"] == "beta_vae"
    annealed, other = (table[rows].set_index("seed") for rows in (~fixed, fixed))
    return {
        "reconstructs": other["reconstruction"] - annealed["reconstruction"],
        "disentangles": annealed["MIG"] - other["MIG"],
    }


def _off(run: Run) -> float:
    """The worst of ten lines of the history, evenly spaced in its later three quarters."""
    history = run.history()
    chosen = np.unique(np.linspace(len(history) // 4, len(history) - 1, 10).astype(int))
    return worst_apart([history[n] for n in chosen])


def worst_apart(lines: Sequence[Mapping[str, float]]) -> float:
    """The largest |KL - C| / max(.5, 3 % of C) over lines of an AnnealedVAE's history; 0 is the best."""
    return max(abs(line["kl"] - line["capacity"]) / max(0.5, 0.03 * line["capacity"]) for line in lines)
