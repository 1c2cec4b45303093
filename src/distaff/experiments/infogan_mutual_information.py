"""InfoGAN makes images that its codes can be read off; a plain GAN does not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.info_gan import InfoGAN
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import curves
from distaff.pages.images import image_grid
from distaff.pages.traversals import traversal
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run

TRAVERSAL = np.linspace(-2, 2, 9)


class Made(NamedTuple):
    """Images of a run's generator, the codes they were made from, and the codes that Q reads off them."""

    images: NDArray[np.float32]
    codes: NDArray[np.float32]
    read: NDArray[np.float32]


class Scale(base.Scale, frozen=True):
    """Steps of the plain GAN, of InfoGAN and of both Wasserstein GANs; images that are looked at.

    `digits` is a data set or the path of one, with its `options`.
    """

    steps: int = 1500
    longer: int = 4000
    wasserstein_steps: int = 1500
    batch_size: int = 64
    images: int = 500
    seeds: int = 3
    digits: str = "digits"
    options: Mapping[str, Any] = {}


VARIETY = (
    "Variety is the mean distance of two generated images over that of two real ones. A generator that "
    "gives nearly one image, whatever it is given, has an L_I of 0 for that reason alone: where the "
    "variety at lambda = 0 is near 0, the plain GAN has collapsed, and its low L_I shows only that no "
    "force kept the codes in use. WGAN-GP is the control that does not collapse. At scale nano InfoGAN's "
    "two-sample accuracy was 0.989 after 1,500 steps, above its bound; the longer training was chosen "
    "after that was seen."
)
INFORMED = {"info_gan": "lambda = 1", "info_wgan_gp": "InfoWGAN-GP"}
PAPER = "a GPU, ten hours, with the batches of the paper; its digits: benchmarks/mnist_digits.py"


class InfoGANMutualInformation(Experiment[Scale]):
    """InfoGAN brings the bound L_I on the information of codes and images to H(c); under a GAN it stays low.

    Chen et al. 2016 (arXiv:1606.03657), section 7.1 and figure 1: L_I quickly goes to H(c) = ln 10 = 2.30
    nats under InfoGAN, while under a regular GAN, to whose images a network Q is fitted all the same, it
    stays near 0. Here both are trained on scikit-learn's digits with one code of ten values and two numbers,
    and InfoWGAN-GP beside them, with lambda = 1 and, named WGAN-GP, without. L_I is that of the categorical
    code, averaged over 100 steps, and judged after as many steps as the plain GAN has; InfoGAN then goes on,
    for better images. It cannot exceed ln 10 in any batch: H(c) is exact, and what is taken off it is a
    cross-entropy. A number is recovered if Q's mean for images of new codes correlates with it. The
    two-sample test asks whether the nearest neighbour of an image, in pixels, is of its own kind, real or
    generated: 0.5 where they cannot be told apart. The same runs on 10,000
    digits of MNIST: benchmarks/mnist_digits.py.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", 40, 40, 15, batch_size=32, images=200, seeds=1),
        "nano": Scale("two cores, 12 minutes"),
        "small": Scale("two cores, three quarters of an hour", seeds=8),
        "paper": Scale(PAPER, 1500, 5000, 5000, batch_size=128, images=1000, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        shared = {"latents": 2, "categories": 10, "batch_size": scale.batch_size}
        kinds = (
            ("lambda = 1", "info_gan", scale.longer, 1.0),
            ("lambda = 0", "info_gan", scale.steps, 0.0),
            ("InfoWGAN-GP", "info_wgan_gp", scale.wasserstein_steps, 1.0),
            ("WGAN-GP", "info_wgan_gp", scale.wasserstein_steps, 0.0),
        )
        parts = [
            product(each(name=[name], steps=[steps]), method(kind, **shared, information_weight=weight))
            for name, kind, steps, weight in kinds
        ]
        digits = dataset(scale.digits, **scale.options)
        return product(digits, chain(*parts), each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [_row(name, run, made_images(run, lab.scale.images)) for name, run in runs.named()]
        last = lab.table("At the end of training", rows).set_index(["run", "seed"])
        lab.say(VARIETY)
        lines = {
            name: [pd.DataFrame(run.history()).set_index("step") for run in runs[name]] for name in runs.names
        }
        informed = {
            name: [line["categorical_information"].loc[: lab.scale.steps] for line in lines[name]]
            for name in ("lambda = 1", "lambda = 0")
        }
        _show(lab, runs, {name: each[0] for name, each in informed.items()})
        yield self.found("information", [line.iloc[-1] for line in informed["lambda = 1"]])
        yield self.found("information_plain", [line.iloc[-1] for line in informed["lambda = 0"]])
        yield self.found("information_wgan_gp", last["L_I, nats"]["WGAN-GP"])
        yield self.found("variety_plain", last["variety"]["lambda = 0"])
        yield self.found("variety_wgan_gp", last["variety"]["WGAN-GP"])
        yield self.found("norm", [line["gradient_norm"].iloc[-1] for line in lines["InfoWGAN-GP"]])
        for kind, name in INFORMED.items():
            yield self.found(f"recovery_{kind}", last["least recovery"][name])
            yield self.found(f"two_sample_{kind}", last["two-sample accuracy"][name])


def made_images(run: Run, count: int, seed: int = 0) -> Made:
    """Images of codes and noise drawn anew, and what Q says of them."""
    method = run.method
    assert isinstance(method, InfoGAN)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        codes, noise = method.draw(count, generator)
        images = method.generate(run.modules, codes, noise)
        read = method.encode(run.modules, images, generator).mean
    return Made(images.numpy(), codes.numpy(), read.numpy())


def two_sample_accuracy(real: NDArray[np.floating], fake: NDArray[np.floating]) -> float:
    """The share of images whose nearest other image is of their own kind (leave-one-out 1-NN)."""
    both = np.concatenate([real, fake]).reshape(len(real) + len(fake), -1)
    kind = np.arange(len(both)) < len(real)
    distances = cdist(both, both)
    np.fill_diagonal(distances, np.inf)
    return float((kind[distances.argmin(axis=1)] == kind).mean())


def variety(images: NDArray[np.floating]) -> float:
    """The mean distance of two images, in pixels."""
    return float(pdist(images.reshape(len(images), -1)).mean())


def recovery(made: Made, numbers: int) -> NDArray[np.float64]:
    """|correlation| (numbers,) of each of the last columns of the codes with what Q reads."""
    return np.diag(absolute_correlation(made.codes[:, -numbers:], made.read[:, -numbers:], "pearson"))


def _row(name: str, run: Run, made: Made) -> dict[str, object]:
    rows = np.random.default_rng(0).choice(len(run.data), len(made.images), replace=False)
    real = run.data.unit_images(rows)
    return {
        "run": name,
        "seed": run.config.seed,
        "steps": run.config.steps,
        "L_I, nats": run.history()[-1]["categorical_information"],
        "least recovery": float(recovery(made, 2).min()),
        "two-sample accuracy": two_sample_accuracy(real, made.images),
        "variety": variety(made.images) / variety(real),
    }


def _show(lab: Lab[Scale], runs: Runs, informed: dict[str, pd.Series[float]]) -> None:
    """Figures of seed 0; `informed` is L_I of the categorical code by step."""
    figure = curves(informed["lambda = 1"].index, informed, "step", "L_I of the categorical code, nats")
    most, (ax,) = math.log(10), figure.axes
    ax.axhline(most, color="#9aa5b1", lw=0.8)
    ax.annotate("H(c) = ln 10", (0.01, most), xycoords=("axes fraction", "data"), fontsize=8)
    lab.figure("The bound on the information of codes and images", figure)
    for name in runs.names:
        title = "a row for each value of the categorical code, a column for each noise"
        lab.figure(f"{name}: {title}", image_grid(_by_value(runs[name][0]), 10))
    for name in INFORMED.values():
        title = "a number from -2 to 2, a row for each value of the categorical code"
        lab.figure(f"{name}: {title}", traversed(runs[name][0], [(value, 10) for value in range(5)]))


def _by_value(run: Run, columns: int = 10) -> NDArray[np.float32]:
    """Images of every value of the categorical code with the same noises, the numbers at 0."""
    method = run.method
    assert isinstance(method, InfoGAN)
    _, noise = method.draw(columns, torch.Generator().manual_seed(1))
    codes = torch.zeros(10, columns, method.code_size(run.facts))
    for value in range(10):
        codes[value, :, value] = 1
    with torch.inference_mode():
        images = method.generate(run.modules, codes.flatten(0, 1), noise.repeat(10, 1))
    return images.numpy()


def traversed(run: Run, rows: Sequence[tuple[int, int]]) -> Figure:
    """Images as a number moves over TRAVERSAL and the other numbers stay at 0.

    A row of images for each of `rows`: the value of the categorical code, and the column that moves.
    """
    values = np.eye(run.code_size)
    images = [traversal(run, values[value], column, TRAVERSAL) for value, column in rows]
    return image_grid(np.concatenate(images), len(TRAVERSAL), [f"{value:+.1f}" for value in TRAVERSAL])
