"""A deep latent Gaussian model against its exact likelihood."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.evaluation.posterior import log_likelihood_bound
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.base import Codes
from distaff.methods.deep_vae import DeepVAE
from distaff.methods.state import State, adam
from distaff.methods.terms import gaussian_negative_log_likelihood, log_normal, sampled
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
    the reparameterised gradient against the score-function gradient. The recognition model is that of
    `deep_vae`, made linear, and so are its loss and bounds. Then sprites: three layers against one.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 300, 2000, resolution=16, places=8, steps=20, seeds=1),
        "nano": Scale("two cores, ten minutes"),
        "small": Scale("two cores, ten minutes", seeds=8),
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


@dataclasses.dataclass(frozen=True)
class LinearDeepVAE(DeepVAE):
    """A deep VAE whose networks between layers are linear, and whose decoder gives means of any size."""

    def between(self, inputs: int, outputs: int) -> nn.Module:
        """One linear layer."""
        return nn.Linear(inputs, 2 * outputs)

    def reconstruction(self, outputs: Tensor, images: Tensor) -> Tensor:
        """-log N(x; outputs, sigma^2)."""
        return gaussian_negative_log_likelihood(outputs, images, self.sigma)


def chain_method(steps: int) -> LinearDeepVAE:
    """A deep VAE of the chain's sizes, whose step size falls from .01 to .001."""
    settings: dict[str, Any] = {"learning_rate": f"linear:0.01:0.001:{steps}", "batch_size": BATCH}
    return LinearDeepVAE(
        latents=SIZES[1], layers=2, upper_latents=SIZES[2], network="linear",
        likelihood="gaussian", sigma=SPREAD["x"], **settings,
    )  # fmt: skip


def chain(method: LinearDeepVAE, generator: torch.Generator) -> State:
    """A state whose generating networks are a known chain and are not trained; what recognises it is fresh.

    The columns of the decoder's matrix are orthogonal and h_2 moves two numbers of h_1, so that the posterior
    factorises.
    """
    modules = method.networks(Facts((1, 1, SIZES[0]), TEST), generator).double()
    decoder, generate = layer(modules, "decoder"), layer(modules, "generate_1")
    orthogonal = torch.linalg.qr(torch.randn(SIZES[:2], generator=generator, dtype=torch.float64))[0]
    with torch.no_grad():
        decoder.weight.copy_(orthogonal * torch.tensor([1.5, 1.2, 1.0]))
        generate.weight.zero_()
        generate.weight[0, 0], generate.weight[1, 1] = 1.0, 0.8
        generate.bias[SIZES[1] :] = 2 * math.log(SPREAD["h1"])
        for name in ("encoder", "recognise_1"):  # else log-variances, linear here, overflow
            layer(modules, name).weight.mul_(0.1)
    recognising = [*modules["encoder"].parameters(), *modules["recognise_1"].parameters()]
    return State(modules, {"adam": adam(recognising)})


def layer(modules: nn.ModuleDict, name: str) -> nn.Linear:
    """The only linear layer of a network."""
    (found,) = (each for each in modules[name].modules() if isinstance(each, nn.Linear))
    return found


@torch.no_grad()
def points(modules: nn.ModuleDict, n: int, generator: torch.Generator) -> Tensor:
    """Points (n, 1, 1, 6) of the chain."""
    h2 = torch.randn((n, SIZES[2]), generator=generator, dtype=torch.float64)
    mean, logvar = modules["generate_1"](h2).chunk(2, dim=1)
    x = modules["decoder"](sampled(mean, logvar, generator).sample)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return x + SPREAD["x"] * noise


@torch.no_grad()
def exact(modules: nn.ModuleDict, x: Tensor) -> Tensor:
    """log p(x), nats (n,)."""
    w1, w2 = layer(modules, "decoder").weight, layer(modules, "generate_1").weight[: SIZES[1]]
    inner = w2 @ w2.T + SPREAD["h1"] ** 2 * torch.eye(SIZES[1], dtype=torch.float64)
    covariance = w1 @ inner @ w1.T + SPREAD["x"] ** 2 * torch.eye(SIZES[0], dtype=torch.float64)
    normal = torch.distributions.MultivariateNormal(torch.zeros(SIZES[0], dtype=torch.float64), covariance)
    return normal.log_prob(x.flatten(1))


@torch.no_grad()
def log_weight(
    method: LinearDeepVAE, modules: nn.ModuleDict, x: Tensor, generator: torch.Generator
) -> Tensor:
    """log p(x, h) - log q(h|x) at one sample (n,)."""
    return method.log_weights(modules, x, method.encode(modules, x, generator), generator)


def _chain(scale: Scale, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """The history of a recognition model in training, and the bounds in the end."""
    generator, total = torch.Generator().manual_seed(seed), scale.chain_steps
    method = chain_method(total)
    state = chain(method, generator)
    modules, history = state.modules, []
    test = points(modules, TEST, generator)
    apart = gradients_apart(method, modules, points(modules, 1, generator), scale.draws, generator)
    for step in range(total + 1):
        if step % (total // 10) == 0:
            history.append({"step": step, **_look(method, modules, test, generator)})
        batch = Batch(points(modules, BATCH, generator), TEST)
        method.at(step).step(state, batch, generator)
    single, many = (
        torch.stack([log_weight(method, modules, test, generator) for _ in range(100)]) for _ in range(2)
    )
    bounds = {"1 sample": float(single.mean())}  # of 100 draws each: one draw's noise is the gap's size
    bounds |= {f"{k} samples": float((many[:k].logsumexp(dim=0) - math.log(k)).mean()) for k in (10, 100)}
    bounds |= {"exact": float(exact(modules, test).mean()), "gradients apart": apart}
    return pd.DataFrame(history), bounds


def _look(
    method: LinearDeepVAE, modules: nn.ModuleDict, test: Tensor, generator: torch.Generator
) -> dict[str, float]:
    true, bound = exact(modules, test), log_weight(method, modules, test, generator)
    return {
        "elbo": float(bound.mean()),
        "exact": float(true.mean()),
        "error": float((true - bound).std() / math.sqrt(len(test))),
    }


def gradients_apart(
    method: LinearDeepVAE, modules: nn.ModuleDict, point: Tensor, draws: int, generator: torch.Generator
) -> float:
    """The largest distance of two estimates of d ELBO / d (log-variances of h_1), in standard errors.

    One is the reparameterised gradient of the ELBO at a sample, the other the score function's.
    """
    x = point.expand(draws, *point.shape[1:])
    mean, logvar = (each.detach() for each in method.encode(modules, x, generator)[:2])
    logvar.requires_grad_()
    codes = sampled(mean, logvar, generator)
    reparameterised = torch.autograd.grad(method.log_weights(modules, x, codes, generator).sum(), logvar)[0]
    still = Codes(mean, logvar, codes.sample.detach())
    score = torch.autograd.grad(log_normal(still.sample, mean, logvar).sum(), logvar)[0]
    with torch.no_grad():
        weight = method.log_weights(modules, x, still, generator)
        by_score = (weight - weight.mean())[:, None] * score
        difference = reparameterised.mean(dim=0) - by_score.mean(dim=0)
        error = torch.sqrt((reparameterised.var(dim=0) + by_score.var(dim=0)) / draws)
    return float((difference / error).abs().max())


def _last(run: Run) -> dict[str, float]:
    """The ELBO of a run by one sample, and the KL of every layer over its last steps."""
    kls = {key: kl for line in run.history()[-1:] for key, kl in line.items() if key.startswith("kl")}
    images = run.data.images(np.arange(len(run.data)))
    return {"ELBO": float(log_likelihood_bound(run, images, samples=1).mean()), **kls}
