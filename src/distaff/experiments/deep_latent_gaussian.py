"""A deep latent Gaussian model against its exact likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from distaff.evaluation.posterior import log_likelihood_bound
from distaff.experiments.base import Claim, Lab, claim, experiment
from distaff.experiments.pictures import curves
from distaff.methods.terms import log_normal

SIZES = (6, 3, 2)  # of x, h_1 and h_2
SPREAD = {"x": 0.5, "h1": 0.6}  # deviations of x given h_1 and of h_1 given h_2
BATCH, TEST = 256, 4000


@experiment(
    takes=("two cores, 15 seconds", "two cores, six minutes", "one GPU, a day"),
    chain_steps=(300, 3000, 20_000),
    draws=(2000, 20_000, 100_000),
    resolution=(16, 32, 64),
    places=(8, 16, 32),
    steps=(20, 1500, 300_000),
    seeds=(1, 3, 10),
)
def deep_latent_gaussian(lab: Lab) -> Iterator[Claim]:
    """The joint ELBO of two stochastic layers bounds the exact likelihood, and meets it where it can.

    Rezende et al. 2014. First a chain of linear Gaussians, two to three to six numbers, whose log-likelihood
    is known and whose posterior factorises, so that the diagonal recognition model can equal it: ELBO against
    log-likelihood at every look, their gap in the end, importance-weighted bounds, and the reparameterised
    gradient against the score-function gradient. Then sprites: three layers against one.
    """
    histories, ends = zip(*(_chain(lab, seed) for seed in range(lab["seeds"])), strict=True)
    looks, bounds = pd.concat(histories), pd.DataFrame(ends)
    means = looks.groupby("step")[["elbo", "exact"]].mean()
    figure = curves(means.index, dict(means.items()), "steps", "nats per point")
    lab.figure("ELBO and exact log-likelihood, nats", figure)
    lab.table("Bounds in the end, seed 0", bounds.head(1))
    gaps = np.array([each["exact"] - each["elbo"] for each in histories])
    worst = (gaps + [3 * each["error"] for each in histories]).min(axis=1)
    yield claim("Exact log-likelihood minus ELBO at every look, plus 3 standard errors", worst, low=0)
    yield claim("Exact log-likelihood minus ELBO in the end, nats", gaps[:, -1], high=0.15)
    rises = bounds["100 samples"] - bounds["1 sample"]
    yield claim("Importance-weighted bound of 100 samples minus that of 1", rises, low=0)
    yield claim("Two gradients apart, in standard errors", bounds["gradients apart"], high=3)
    yield from _sprites(lab)


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


def _chain(lab: Lab, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """The history of a recognition model in training, and the bounds in the end."""
    generator = torch.Generator().manual_seed(seed)
    model = Chain(generator)
    test = model.data(TEST, generator)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    apart = _gradients_apart(model, model.data(1, generator), lab["draws"], generator)
    history, total = [], lab["chain_steps"]
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


def _sprites(lab: Lab) -> Iterator[Claim]:
    data = lab.sprites(orientation=1, shape=[0])
    rows = []
    for layers in (1, 3):
        settings = {"layers": layers, "latents": 6, "upper_latents": 4, "learning_rate": 1e-3}
        run = lab.train(f"layers-{layers}", "deep_vae", data, lab["steps"], **settings)
        last = {key: kl for line in run.history()[-1:] for key, kl in line.items() if key.startswith("kl")}
        elbo = float(log_likelihood_bound(run, data.images(np.arange(len(data))), samples=1).mean())
        rows.append({"layers": layers, "ELBO": elbo, **last})
    lab.table("Sprites: ELBO, and the KL of every layer over the last steps, nats", rows)
    lab.say("A layer whose KL is near 0 has collapsed: it says nothing that its prior does not.")
    more = rows[1]["ELBO"] - rows[0]["ELBO"]
    yield claim("Sprites: ELBO of three layers minus that of one, nats", more, low=-2)
