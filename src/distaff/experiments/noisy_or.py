"""Causes as latents: a noisy-OR network has a disentangled prior, and with a layer above, a hierarchy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.ica import ICA
from distaff.methods.pca import PCA
from distaff.metrics.mcc import mcc
from distaff.pages.figures import bars, heat_map
from distaff.randomness import derived

Array = NDArray[np.float64]
TOPS, CAUSES, FINDINGS = 2, 6, 24
PATIENTS = 3000  # to learn from, and as many held out
LEAST_OFF = 1e-4  # nats: so that a unit that nothing brings about still has a logarithm where it is on
WORDS = {"flat": "independent causes", "deep": "causes of causes"}


class Scale(base.Scale, frozen=True):
    """Steps of a fit, how many fits the likeliest is taken of, and seeds."""

    steps: int = 400
    fits: int = 3
    seeds: int = 8


class NoisyOR(Experiment[Scale]):
    """A noisy-OR network finds the causes of what is seen; a layer more finds the causes of causes.

    Statements of a lecture on evaluating representations: a prior is disentangled where p(z) is a product, as
    of ICA and of noisy-OR networks, whose latents are diseases; such features can be interpreted; of general
    Bayesian nets the top variables may be taken as z; and hierarchy is asked of a representation, which depth
    helps to induce. In a noisy-OR (Pearl 1988; QMR-DT, Shwe et al. 1991) every cause that is present brings
    about a finding on its own with some probability, and findings also come of themselves: p(x_j = 0 | z) =
    exp(-leak_j - sum_k w_kj z_k). Here six causes lead to 24 findings of 3,000 patients. Nets are learned by
    gradients of the exact likelihood, a sum over all 64 states of the causes, and give the exact posterior.

    PCA and ICA of as many components stand beside it. Causes are matched with codes by |correlation|, and
    compared with what the true net could tell. In the second world two causes of causes stand above the six,
    which depend on each other through them.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", steps=20, fits=1, seeds=1),
        "nano": Scale("one core, four minutes"),
        "small": Scale("one core, 15 minutes", fits=5, seeds=20),
        "paper": Scale("one core, 45 minutes", fits=10, seeds=30),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [
            {"seed": n, "world": world, **of_world(world, lab.scale, n)}
            for n in range(lab.scale.seeds)
            for world in WORDS
        ]
        table = lab.table("Nets of two layers (flat) and of three (deep), learned", pd.DataFrame(rows))
        flat, deep = (table[table["world"] == world].set_index("seed") for world in WORDS)
        lab.figure("Mean |correlation| of causes and codes", bars(_correlations(table), "|correlation|", 1.0))
        lab.figure("Seed 0: true and learned weights, causes in rows", _weights(lab.scale))
        yield self.found("recovered", flat["net"] / flat["true net"])
        yield self.found("over_linear", flat["net"] - flat[["PCA", "ICA"]].max(axis=1))
        yield self.found("aggregate", flat["TC of the aggregate"])
        yield self.found("explaining_away", flat["mean TC of a patient"])
        yield self.found("flat_gain", flat["gain of depth"])
        yield self.found("gain", deep["gain of depth"])
        yield self.found("deep_recovered", deep["deep net"] - deep["net"])
        yield self.found("flat_aggregate", deep["TC of the aggregate"])
        yield self.found("tops_aggregate", deep["TC of the tops"])
        yield self.found("tops", deep["tops"] / deep["tops of the true net"])


class Net(nn.Module):
    """A noisy-OR network of layers of `sizes` binary units, the causes first and what is seen last.

    `prior` are logits of the first layer; weights and leaks are softplus of parameters: nats that a unit that
    is on, or nothing, takes from the logarithm of the next layer's units being off.
    """

    def __init__(self, sizes: tuple[int, ...], rng: torch.Generator) -> None:
        super().__init__()
        self.prior = nn.Parameter(torch.full((sizes[0],), -1.0))
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList([torch.randn(pair, generator=rng) - 1 for pair in pairs])
        self.leaks = nn.ParameterList([torch.full((below,), -2.0) for _, below in pairs])
        for n, size in enumerate(sizes[:-1]):
            self.register_buffer(f"states_{n}", states(size))

    def log_states(self) -> list[Tensor]:
        """log p of every state of every hidden layer, the layers above summed out: (2^k,) each."""
        first = self._states(0)
        found = [first @ F.logsigmoid(self.prior) + (1 - first) @ F.logsigmoid(-self.prior)]
        for n in range(1, len(self.weights)):
            found.append(torch.logsumexp(found[-1] + self.log_given(self._states(n), n - 1), dim=1))
        return found

    def log_given(self, units: Tensor, layer: int) -> Tensor:
        """log p of units (n, m) of the next layer, given every state of `layer`: (n, 2^k)."""
        nats = self._states(layer) @ F.softplus(self.weights[layer]) + F.softplus(self.leaks[layer])
        off = -nats.clamp_min(LEAST_OFF)
        return units @ torch.log(-torch.expm1(off)).T + (1 - units) @ off.T

    def log_likelihood(self, seen: Tensor) -> Tensor:
        """log p(x) of findings (n, m), nats."""
        last = len(self.weights) - 1
        return torch.logsumexp(self.log_states()[-1] + self.log_given(seen, last), dim=1)

    def posteriors(self, seen: Tensor) -> list[Tensor]:
        """p of every state of every hidden layer given findings (n, m), from the first: (n, 2^k) each."""
        last, of_states = len(self.weights) - 1, self.log_states()
        found = [torch.softmax(of_states[-1] + self.log_given(seen, last), dim=1)]
        for n in range(last - 1, -1, -1):
            above = torch.softmax(of_states[n] + self.log_given(self._states(n + 1), n), dim=1)
            found.insert(0, found[0] @ above)
        return found

    def draw(self, count: int, rng: torch.Generator) -> list[Tensor]:
        """Units of every layer, from the first, of `count` patients drawn at random."""
        layers = [torch.bernoulli(torch.sigmoid(self.prior).expand(count, -1), generator=rng)]
        for weights, leak in zip(self.weights, self.leaks, strict=True):
            nats = layers[-1] @ F.softplus(weights) + F.softplus(leak)
            layers.append(torch.bernoulli(-torch.expm1(-nats), generator=rng))
        return layers

    def _states(self, layer: int) -> Tensor:
        found: Tensor = getattr(self, f"states_{layer}")
        return found


class World(NamedTuple):
    """A true net, and its units of every layer, to learn from and held out."""

    net: Net
    known: list[Tensor]
    held: list[Tensor]


def states(size: int) -> Tensor:
    """All states (2^size, size) of that many binary units."""
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * size).reshape(-1, size)


@torch.no_grad()
def world(kind: str, seed: int) -> World:
    """A random world: each cause has eight findings, which it brings about with probabilities of .5 to .9.

    Independent causes are present in a fifth of the patients. Of a deep world each of two tops, present in
    three of ten, stands above three causes, which it brings about with .7 to .9; else they come in one of
    twenty.
    """
    rng = torch.Generator().manual_seed(derived(seed, "world"))
    sizes = (CAUSES, FINDINGS) if kind == "flat" else (TOPS, CAUSES, FINDINGS)
    net = Net(sizes, rng)
    net.prior.fill_(float(torch.logit(torch.tensor(0.2 if kind == "flat" else 0.3))))
    children = torch.rand((CAUSES, FINDINGS), generator=rng).argsort(dim=1) < 8
    _fill(net, len(sizes) - 2, children, (0.5, 0.9), 0.02, rng)
    if kind == "deep":
        _fill(net, 0, torch.eye(TOPS).repeat_interleave(CAUSES // TOPS, dim=1) > 0, (0.7, 0.9), 0.05, rng)
    return World(net, net.draw(PATIENTS, rng), net.draw(PATIENTS, rng))


def _fill(
    net: Net, layer: int, edges: Tensor, span: tuple[float, float], leak: float, rng: torch.Generator
) -> None:
    """Give a layer's edges (a, b) probabilities within `span`, others none, and its units their leak."""
    low, high = span
    chance = torch.where(edges, low + (high - low) * torch.rand(edges.shape, generator=rng), 1e-3)
    for parameter, chances in ((net.weights[layer], chance), (net.leaks[layer], torch.tensor(leak))):
        nats = -torch.log1p(-chances)
        parameter.copy_(torch.log(torch.expm1(nats)).expand(parameter.shape))


def learned(sizes: tuple[int, ...], seen: Tensor, scale: Scale, seed: int) -> Net:
    """The likeliest of some nets that are fitted to findings (n, m) from different starts, by Adam."""
    best, most = None, -torch.inf
    for number in range(scale.fits):
        net = Net(sizes, torch.Generator().manual_seed(derived(seed, "fit", number)))
        optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
        for _ in range(scale.steps):
            loss = -net.log_likelihood(seen).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if best is None or -loss.item() > most:
            best, most = net, -loss.item()
    assert best is not None
    return best


@torch.no_grad()
def of_world(kind: str, scale: Scale, seed: int) -> dict[str, float]:
    """What is measured in a world; total correlations and the gain in held-out likelihood in nats."""
    true, known, held = world(kind, seed)
    with torch.enable_grad():
        flat = learned((CAUSES, FINDINGS), known[-1], scale, seed)
        deep = learned((TOPS, CAUSES, FINDINGS), known[-1], scale, seed)
    seen, causes = held[-1], held[-2].numpy().astype(np.int64)
    of_flat, of_true = flat.posteriors(seen)[-1], true.posteriors(seen)[-1]
    pixels = seen.double().numpy()
    found = {
        "true net": matched(of_true, causes),
        "net": matched(of_flat, causes),
        "deep net": matched(deep.posteriors(seen)[-1], causes),
        "PCA": mcc(pixels @ PCA(latents=CAUSES).solve(pixels, seed).encoder.T, causes, correlation="pearson"),
        "ICA": mcc(pixels @ ICA(latents=CAUSES).solve(pixels, seed).encoder.T, causes, correlation="pearson"),
        "TC of the aggregate": float(table_total_correlation(of_flat.mean(dim=0))),
        "mean TC of a patient": float(table_total_correlation(of_flat).mean()),
        "gain of depth": float((deep.log_likelihood(seen) - flat.log_likelihood(seen)).mean()),
    }
    if kind == "deep":
        tops, of_tops = held[0].numpy().astype(np.int64), deep.posteriors(seen)[0]
        found["TC of the tops"] = float(table_total_correlation(of_tops.mean(dim=0)))
        found["tops"] = matched(of_tops, tops)
        found["tops of the true net"] = matched(true.posteriors(seen)[0], tops)
    return found


def matched(posterior: Tensor, units: NDArray[np.int64]) -> float:
    """The mean |correlation| of units (n, k) with the best matching of the posterior's means."""
    size = units.shape[1]
    return mcc((posterior @ states(size)).double().numpy(), units, correlation="pearson")


def table_total_correlation(p: Tensor) -> Tensor:
    """The total correlation, nats, of distributions (..., 2^k) over the states of k binary units."""
    k = int(np.log2(p.shape[-1]))
    on = (p.double() @ states(k).double()).clamp(1e-12, 1 - 1e-12)
    of_units = -(on * on.log() + (1 - on) * (1 - on).log()).sum(dim=-1)
    return of_units + torch.xlogy(p.double(), p.double()).sum(dim=-1)


def _correlations(table: pd.DataFrame) -> pd.DataFrame:
    means = table.groupby("world", sort=False)[["true net", "net", "deep net", "PCA", "ICA"]].mean()
    return means.rename(WORDS)


def _weights(scale: Scale) -> Figure:
    """The probability that a cause brings about a finding, of true and learned causes in pairs."""
    true, known, _ = world("flat", 0)
    net = learned((CAUSES, FINDINGS), known[-1], scale, 0)
    given, found = ((-torch.expm1(-F.softplus(each.weights[0]))).detach().numpy() for each in (true, net))
    pairs = linear_sum_assignment(((given[:, None] - found) ** 2).sum(axis=2))[1]
    rows = np.stack([given, found[pairs]], axis=1).reshape(2 * CAUSES, FINDINGS)
    names = [f"{kind} {n + 1}" for n in range(CAUSES) for kind in ("true", "learned")]
    blank = [[""] * FINDINGS] * len(rows)
    return heat_map(rows, names, range(1, FINDINGS + 1), ("cause", "finding"), (0, 1), words=blank)
