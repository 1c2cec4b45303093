"""A deep latent Gaussian model against its exact likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from distaff.evaluation.posterior import log_likelihood_bound
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.terms import log_normal
from distaff.pages.figures import curves
from distaff.studies.plan import Part, dataset, each, method, product, zipped
from distaff.training.run import Run

SIZES = (6, 3, 2)  # of x, h_1 and h_2
SPREAD = {"x": 0.5, "h1": 0.6}  # deviations of x given h_1 and of h_1 given h_2
BATCH, TEST = 256, 4000


class Scale(base.Scale, frozen=True):
    """Of the chain, steps and draws for a gradient; of the sprites, their size and the steps."""

    chain_steps: int = 3000
    draws: int = 20_000
    resolution: int = 32
    places: int = 16
    steps: int = 1500
    seeds: int = 3


class DeepLatentGaussian(Experiment[Scale]):
    """The joint ELBO of two stochastic layers bounds the exact likelihood, and meets it where it can.

    Rezende et al. 2014 (arXiv:1401.4082). First a chain of linear Gaussians, two to three to six numbers,
    whose log-likelihood is known and whose posterior factorises, so that the diagonal recognition model can
    equal it: ELBO against log-likelihood at every look, their gap in the end, importance-weighted bounds, and
    the reparameterised gradient against the score-function gradient. Then sprites: three layers against one.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 300, 2000, resolution=16, places=8, steps=20, seeds=1),
        "nano": Scale("two cores, ten minutes"),
        "small": Scale("two cores, half an hour", seeds=8),
        "paper": Scale("one GPU, a week", 20_000, 100_000, resolution=64, places=32, steps=300_000, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        places = {"x": scale.places, "y": scale.places, "orientation": 1, "shape": [0]}
        settings = {"latents": 6, "upper_latents": 4, "learning_rate": 1e-3}
        layers = each(**{"set.layers": [1, 3]})
        return product(
            dataset("dsprites", resolution=scale.resolution, **places),
            each(steps=[scale.steps]),
            method("deep_vae", **settings),
            zipped(each(name=["one layer", "three layers"]), layers),
            each(seed=range(scale.seeds)),
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        histories, ends = zip(*(_chain(lab.scale, seed) for seed in range(lab.scale.seeds)), strict=True)
        bounds, means = pd.DataFrame(ends), pd.concat(histories).groupby("step")[["elbo", "exact"]].mean()
        figure = curves(means.index, dict(means.items()), "steps", "nats per point")
        lab.figure("ELBO and exact log-likelihood, nats", figure)
        lab.table("Bounds in the end, seed 0", bounds.head(1))
        gaps = np.array([each["exact"] - each["elbo"] for each in histories])
        yield self.found("bound", (gaps + [3 * each["error"] for each in histories]).min(axis=1))
        yield self.found("gap", gaps[:, -1])
        yield self.found("weighted", bounds["100 samples"] - bounds["1 sample"])
        yield self.found("gradients", bounds["gradients apart"])
        sprites = {name: pd.DataFrame([_last(run) for run in runs[name]]) for name in runs.names}
        table = pd.concat(sprites, names=["layers", "seed"]).reset_index()
        lab.table("Sprites: ELBO, and the KL of every layer over the last steps, nats", table)
        lab.say("A layer whose KL is near 0 has collapsed: it says nothing that its prior does not.")
        yield self.found("layers", sprites["three layers"]["ELBO"] - sprites["one layer"]["ELBO"])


class Chain(nn.Module):
    """The recognition model of a linear Gaussian chain that is known: q(h_1|x) q(h_2|h_1)."""

    a1: Tensor
    v1: Tensor
    a2: Tensor
    v2: Tensor

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        x, first, second = SIZES
        orthogonal = torch.linalg.qr(torch.randn((x, first), generator=generator, dtype=torch.float64))[0]
        self.w1 = orthogonal * torch.tensor([1.5, 1.2, 1.0])
        self.w2 = torch.zeros((first, second), dtype=torch.float64)
        self.w2[0, 0], self.w2[1, 1] = 1.0, 0.8
        shapes = {"a1": (first, x), "v1": (first,), "a2": (second, first), "v2": (second,)}
        for name, shape in shapes.items():
            weight = 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)
            self.register_parameter(name, nn.Parameter(weight))

    def data(self, n: int, generator: torch.Generator) -> Tensor:
        """Points (n, 6) of the chain."""
        h2, h1, x = (torch.randn((n, d), generator=generator, dtype=torch.float64) for d in reversed(SIZES))
        h1 = h2 @ self.w2.T + SPREAD["h1"] * h1
        return h1 @ self.w1.T + SPREAD["x"] * x

    def exact(self, x: Tensor) -> Tensor:
        """log p(x), nats (n,)."""
        inner = self.w2 @ self.w2.T + SPREAD["h1"] ** 2 * torch.eye(SIZES[1], dtype=torch.float64)
        covariance = self.w1 @ inner @ self.w1.T + SPREAD["x"] ** 2 * torch.eye(SIZES[0], dtype=torch.float64)
        normal = torch.distributions.MultivariateNormal(
            torch.zeros(SIZES[0], dtype=torch.float64), covariance
        )
        return normal.log_prob(x)

    def sample(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """One h_1 and one h_2 for every point."""
        h1 = x @ self.a1.T
        h1 = h1 + torch.exp(self.v1 / 2) * torch.randn(h1.shape, generator=generator, dtype=h1.dtype)
        h2 = h1 @ self.a2.T
        return h1, h2 + torch.exp(self.v2 / 2) * torch.randn(h2.shape, generator=generator, dtype=h2.dtype)

    def log_q(self, x: Tensor, h1: Tensor, h2: Tensor) -> Tensor:
        """log q(h|x)."""
        return log_normal(h1, x @ self.a1.T, self.v1).sum(dim=1) + log_normal(
            h2, h1 @ self.a2.T, self.v2
        ).sum(dim=1)

    def log_joint(self, x: Tensor, h1: Tensor, h2: Tensor) -> Tensor:
        """log p(x, h)."""
        zero = torch.zeros((), dtype=x.dtype)
        of_x, of_h1 = (torch.tensor(2 * math.log(SPREAD[name]), dtype=x.dtype) for name in ("x", "h1"))
        return (
            log_normal(x, h1 @ self.w1.T, of_x).sum(dim=1)
            + log_normal(h1, h2 @ self.w2.T, of_h1).sum(dim=1)
            + log_normal(h2, zero, zero).sum(dim=1)
        )

    def log_weight(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """log p(x, h) - log q(h|x) at one sample (n,)."""
        h1, h2 = self.sample(x, generator)
        return self.log_joint(x, h1, h2) - self.log_q(x, h1, h2)


def _chain(scale: Scale, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """The history of a recognition model in training, and the bounds in the end."""
    generator = torch.Generator().manual_seed(seed)
    model = Chain(generator)
    test = model.data(TEST, generator)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    apart = _gradients_apart(model, model.data(1, generator), scale.draws, generator)
    history, total = [], scale.chain_steps
    for step in range(total + 1):
        if step % (total // 10) == 0:
            history.append({"step": step, **_look(model, test, generator)})
            optimiser.param_groups[0]["lr"] = 0.01 * (1 - 0.9 * step / total)
        loss = -model.log_weight(model.data(BATCH, generator), generator).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        weights = torch.stack([model.log_weight(test, generator) for _ in range(100)])
        bounds = {
            f"{k} sample{'s' if k > 1 else ''}": float((weights[:k].logsumexp(dim=0) - math.log(k)).mean())
            for k in (1, 10, 100)
        }
        bounds |= {"exact": float(model.exact(test).mean()), "gradients apart": apart}
    return pd.DataFrame(history), bounds


@torch.no_grad()
def _look(model: Chain, test: Tensor, generator: torch.Generator) -> dict[str, float]:
    exact, bound = model.exact(test), model.log_weight(test, generator)
    return {
        "elbo": float(bound.mean()),
        "exact": float(exact.mean()),
        "error": float((exact - bound).std() / math.sqrt(len(test))),
    }


def _gradients_apart(model: Chain, point: Tensor, draws: int, generator: torch.Generator) -> float:
    """The largest distance of the two estimates of d ELBO / d v_1, in standard errors."""
    x = point.repeat(draws, 1)
    noise = [torch.randn((draws, d), generator=generator, dtype=x.dtype) for d in SIZES[1:]]
    v1 = model.v1.detach().repeat(draws, 1).requires_grad_()
    mean = (x @ model.a1.T).detach()
    h1 = mean + torch.exp(v1 / 2) * noise[0]
    h2 = (h1 @ model.a2.T) + torch.exp(model.v2.detach() / 2) * noise[1]
    log_q = log_normal(h1, mean, v1).sum(dim=1) + log_normal(h2, h1 @ model.a2.T, model.v2).sum(dim=1)
    reparameterised = torch.autograd.grad((model.log_joint(x, h1, h2) - log_q).sum(), v1)[0]
    h1, h2 = h1.detach(), h2.detach()
    score = torch.autograd.grad(log_normal(h1, mean, v1).sum(), v1)[0]
    with torch.no_grad():
        weight = model.log_joint(x, h1, h2) - model.log_q(x, h1, h2)
        by_score = (weight - weight.mean())[:, None] * score
        difference = reparameterised.mean(dim=0) - by_score.mean(dim=0)
        error = torch.sqrt((reparameterised.var(dim=0) + by_score.var(dim=0)) / draws)
    return float((difference / error).abs().max())


def _last(run: Run) -> dict[str, float]:
    """The ELBO of a run by one sample, and the KL of every layer over its last steps."""
    kls = {key: kl for line in run.history()[-1:] for key, kl in line.items() if key.startswith("kl")}
    images = run.data.images(np.arange(len(run.data)))
    return {"ELBO": float(log_likelihood_bound(run, images, samples=1).mean()), **kls}
