"""What autoencoders without a prior learn: five statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from distaff.batches.batch import Batch, Facts
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.autoencoder import Autoencoder
from distaff.pages.images import image_grid

Array = NDArray[np.float64]
LINEAR: dict[str, Any] = {"network": "linear", "likelihood": "gaussian", "output": "linear"}
NOISE = 0.4  # deviation that the denoising autoencoder is asked to undo
RHO = 0.05
DENOISED = "(c) Rows: held-out digits, with noise, through the plain AE, through the denoising AE"


class Scale(base.Scale, frozen=True):
    """How many seeds, and the steps on points and on digits."""

    seeds: int = 3
    steps: int = 6000
    digit_steps: int = 4000


class AutoencoderLessons(Experiment[Scale]):
    """Linear autoencoders find the PCA subspace, overcomplete ones copy, denoising and sparse ones do not.

    Statements of a lecture, after Baldi and Hornik 1989 (linear; doi:10.1016/0893-6080(89)90014-2), Vincent
    et al. 2010 (denoising, tied; JMLR 11), Ng 2011 (sparse; CS294A) and Gregor and LeCun 2010 (a layer as one
    step of ISTA; ICML). Points are 10-dimensional, near a 3-dimensional plane. Digits are those of
    scikit-learn, 8x8, 1,297 to learn from and 500 held out. Every network has one layer each way.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", seeds=1, steps=1000, digit_steps=1000),
        "nano": Scale("one core, three minutes"),
        "small": Scale("one core, five minutes", seeds=10),
        "paper": Scale("one core, ten minutes", seeds=10),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        scale = lab.scale
        numbers = pd.DataFrame(
            [_numbers(scale.steps, scale.digit_steps, seed) for seed in range(scale.seeds)]
        )
        lab.figure(DENOISED, image_grid(numbers.pop("pictures")[0], 10))
        for claim in self.claims:
            yield self.found(claim.key, numbers.pop(claim.key))
        spans = numbers.agg(["median", "min", "max"]).T.set_axis(["median", "low", "high"], axis=1)
        lab.table("Numbers behind the claims, over seeds", spans.rename_axis("what").reset_index())


def _numbers(steps: int, digit_steps: int, seed: int) -> dict[str, Any]:
    """What the claims speak of, by their keys, and in words the numbers behind them."""
    return {
        **_linear(steps, seed),
        **_copying(steps, seed),
        **_denoising(digit_steps, seed),
        **_sparse(digit_steps, seed),
        **_tied(seed),
    }


def _learned(method: Autoencoder, images: Tensor, steps: int, seed: int) -> nn.ModuleDict:
    """The networks after so many steps on batches of images (n, 1, H, W), which a data set may be too small
    for."""
    generator = torch.Generator().manual_seed(seed)
    _, channels, height, width = images.shape
    facts = Facts((channels, height, width), len(images))
    method.check(facts)
    state = method.state(facts, generator)
    for step in range(steps):
        drawn = torch.randint(len(images), (method.batch_size,), generator=generator)
        method.at(step).step(state, Batch(images[drawn], len(images)), generator)
    return state.modules


@torch.inference_mode()
def _through(method: Autoencoder, modules: nn.ModuleDict, images: Tensor) -> Tensor:
    return method.decode(modules, method.encode(modules, images, torch.Generator()).mean)


def _points(seed: int, n: int = 3000) -> Tensor:
    """Points (n, 1, 2, 5) in 0..1 near a plane of 3 dimensions, with deviations .16, .14, .12 and .03 off."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    spread = np.array([0.16, 0.14, 0.12] + 7 * [0.03])
    return torch.from_numpy(0.5 + rng.standard_normal((n, 10)) * spread @ turned).float().view(n, 1, 2, 5)


def _one_layer(latents: int, steps: int) -> Autoencoder:
    """A linear autoencoder whose step size goes to 0, so that it ends at its optimum."""
    schedule: Any = f"cosine:0.02:0:{steps}"
    return Autoencoder(latents=latents, learning_rate=schedule, batch_size=256, **LINEAR)


def _linear(steps: int, seed: int) -> dict[str, float]:
    """`against_pca` of a linear autoencoder of three latents that is trained on points."""
    points = _points(seed)
    method = _one_layer(3, steps)
    modules = _learned(method, points, steps, seed)
    weights = next(p for p in modules["decoder"].parameters() if p.ndim == 2).detach().double().numpy()
    outputs = _through(method, modules, points).flatten(1).double().numpy()
    return against_pca(points.flatten(1).double().numpy(), weights, outputs)


def against_pca(x: Array, weights: Array, outputs: Array) -> dict[str, float]:
    """The largest angle to PCA's subspace, degrees, the ratio of errors, and both errors.

    Of points `x` (n, p), what a network made of them, and its last weights (p, latents).
    """
    centred = x - x.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][: weights.shape[1]].T
    pca = ((centred - centred @ axes @ axes.T) ** 2).sum(axis=1).mean()
    cosines = np.linalg.svd(axes.T @ np.linalg.qr(weights)[0])[1]
    error = ((x - outputs) ** 2).sum(axis=1).mean()
    angle = np.degrees(np.arccos(cosines.min().clip(0, 1)))
    behind = {"(a) squared error per point, PCA": pca, "(a) ..., linear AE": error}
    return {"angle": angle, "error": error / pca, **behind}


def _copying(steps: int, seed: int) -> dict[str, float]:
    """Errors of an overcomplete autoencoder on held-out points and noise; an undercomplete one's ratio."""
    points, held = _points(seed)[:2000], _points(seed)[2000:]
    noise = torch.rand(held.shape, generator=torch.Generator().manual_seed(seed))
    errors = []
    for latents in (20, 3):
        method = _one_layer(latents, steps)
        modules = _learned(method, points, steps, seed)
        errors.append([mse_loss(_through(method, modules, each), each).item() for each in (held, noise)])
    (held_out, of_noise), narrow = errors
    return {"held_out": held_out, "noise": of_noise, "undercomplete": narrow[1] / narrow[0]}


def _digits() -> tuple[Tensor, Tensor, NDArray[np.int64]]:
    """Digits to learn from, digits held out (n, 1, 8, 8) in 0..1, and what all of them are."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    images = torch.from_numpy(found.images[order] / 16).float()[:, None]
    return images[:1297], images[1297:], found.target[order]


def _denoising(steps: int, seed: int) -> dict[str, Any]:
    """Errors per pixel of noisy digits, and of what a plain and a denoising autoencoder make of them."""
    learn, held, _ = _digits()
    noisy = held + NOISE * torch.randn(held.shape, generator=torch.Generator().manual_seed(seed))
    plain = Autoencoder(network="linear", latents=128, activation="relu", learning_rate=1e-3)
    denoising = replace(plain, corruption="gaussian", corruption_level=NOISE)
    pictures, errors = [held[:10], noisy[:10]], [mse_loss(noisy, held).item()]
    for method in (plain, denoising):
        back = _through(method, _learned(method, learn, steps, seed), noisy)
        pictures.append(back[:10])
        errors.append(mse_loss(back, held).item())
    names = ("noisy digits", "plain AE", "denoising AE")
    return {
        "denoised": errors[2] / errors[0],
        "against_plain": errors[2] / errors[1],
        "pictures": torch.cat(pictures).numpy(),
        **{f"(c) error per pixel, {name}": error for name, error in zip(names, errors, strict=True)},
    }


def _sparse(steps: int, seed: int) -> dict[str, float]:
    """Mean activation over rho, probe accuracies of pixels and of codes, and their difference."""
    learn, held, labels = _digits()
    method = Autoencoder(
        network="linear", latents=256, activation="sigmoid", sparsity="kl", sparsity_weight=1.0, rho=RHO,
        learning_rate=3e-3,
    )  # fmt: skip
    modules = _learned(method, learn, steps, seed)
    with torch.inference_mode():
        codes = [method.encode(modules, each, torch.Generator()).mean.numpy() for each in (learn, held)]
    pixels = [each.flatten(1).numpy() for each in (learn, held)]
    plain, sparse = (_probe(each, labels) for each in (pixels, codes))
    behind = {"(d) probe of pixels": plain, "(d) probe of sparse codes": sparse}
    return {"sparse": float(codes[1].mean()) / RHO, "probe": sparse - plain, **behind}


def _probe(inputs: Sequence[NDArray[Any]], labels: NDArray[np.int64]) -> float:
    """Held-out accuracy of a logistic regression on standardised inputs, with penalty 1/C = 10."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learn, held = inputs
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return float(model.fit(learn, labels[: len(learn)]).score(held, labels[len(learn) :]))


def _tied(seed: int) -> dict[str, float]:
    """Largest differences: of the decoder from the transpose, of gradients, and from a step of ISTA.

    ISTA minimises |x - D h|^2 / 2 + lambda |h|_1, here for D of norm 1, so its step is 1. Its first step from
    h = 0 is soft(D'x, lambda), which is what a tied encoder with ReLU, weights (D, -D)' and biases -lambda
    gives, as its first half less its second.
    """
    rng = np.random.default_rng(seed)
    points = _points(seed, 64)
    method = Autoencoder(latents=24, tied=True, activation="relu", **LINEAR)
    modules = method.state(Facts((1, 2, 5), 64), torch.Generator().manual_seed(seed)).modules
    layer = next(each for each in modules["encoder"].modules() if isinstance(each, nn.Linear))
    bias = next(p for p in modules["decoder"].parameters())
    drawn = rng.standard_normal((10, 12))
    dictionary = torch.from_numpy(drawn / np.linalg.norm(drawn, 2)).float()
    threshold = 0.1
    with torch.no_grad():
        layer.weight.copy_(torch.cat([dictionary, -dictionary], dim=1).T)
        layer.bias.fill_(-threshold)
        basis = modules["decoder"](torch.eye(24)).flatten(1) - bias
    method.loss(modules, Batch(points, 64), torch.Generator()).total.backward()
    assert layer.weight.grad is not None
    down, up = (layer.weight.detach().clone().requires_grad_() for _ in range(2))
    x = points.flatten(1)
    outputs = torch.relu(x @ down.T + layer.bias.detach()) @ up + bias.detach()
    (0.5 * ((x - outputs) ** 2).sum() / len(x)).backward()
    assert down.grad is not None
    assert up.grad is not None
    both = down.grad + up.grad
    with torch.inference_mode():
        codes = method.encode(modules, points, torch.Generator()).mean
    start = torch.zeros(64, 12, requires_grad=True)
    (0.5 * ((x - start @ dictionary.T) ** 2).sum()).backward()
    assert start.grad is not None
    moved = start.detach() - start.grad
    ista = moved.sign() * (moved.abs() - threshold).clamp(min=0)
    return {
        "tied": float((basis - layer.weight.detach()).abs().max()),
        "gradient": float((layer.weight.grad - both).abs().max() / both.abs().max()),
        "ista": float((codes[:, :12] - codes[:, 12:] - ista).abs().max()),
    }
