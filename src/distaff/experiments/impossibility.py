"""The theorem that unsupervised disentanglement is impossible, as a bijection that can be run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats

from distaff.datasets import DataSet
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.metrics.mig import mig
from distaff.pages.figures import Plot, curves, matrix_table, write_cells
from distaff.pages.palette import COLOURS
from distaff.studies.plan import Part, dataset, each, method, product

Array = NDArray[np.float64]
PRIORS = {
    "Gaussian": stats.norm,
    "uniform": stats.uniform,
    "Laplace": stats.laplace,
    "exponential": stats.expon,
    "logistic": stats.logistic,
}
EVEN = (2, 4)  # dimensions in which all entries of the mixing matrix have the same size
DIFFERENCE = 1e-4  # of the numerical derivatives, in standard normal units
POINTS = 2000  # where derivatives are taken
POSITIONS = 32


class Scale(base.Scale, frozen=True):
    """Samples of every prior and their dimensions; pixels of the ellipse and steps of its encoder."""

    samples: int = 100_000
    dimensions: tuple[int, ...] = tuple(range(2, 11))
    resolution: int = 32
    steps: int = 1500
    seeds: int = 3


EXACT: Any = {"since": "quick", "exact": True}


class Impossibility(Experiment[Scale]):
    """Without labels nothing says which factors are the true ones: others give the same images as often.

    Locatello et al. 2019 (arXiv:1811.12359), theorem 1: for every factorised prior there is a bijection f
    with f(z) distributed as z, every partial derivative of which is non-zero almost everywhere. It is f =
    g^-1 o h^-1 o A o h o g, where g makes every z_j uniform, h makes that Gaussian, and A is orthogonal
    without a zero: a rotation by 45 degrees, or I - 2 v v' / |v|^2 with v of ones. Here f is built for five
    priors in 2 to 10 dimensions, and its marginals, dependence and derivatives are measured.

    Then the consequence: an ellipse at position z. In world A its factors are z, in world B f(z). Both make
    the same images equally often, so an encoder cannot know in which it was trained, and what disentangles
    one world does not the other. Last, what breaks the tie in a VAE: turning the latents leaves the best ELBO
    of a linear decoder as it is where the posterior may have a full covariance, and changes it where the
    posterior is diagonal.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", 20_000, (2, 4), resolution=16, steps=20, seeds=2),
        "nano": Scale("two cores, ten minutes"),
        "small": Scale("two cores, ten minutes", seeds=8),
        "paper": Scale("one GPU, ten hours", 1_000_000, resolution=64, steps=300_000, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        return product(
            dataset("dsprites", resolution=scale.resolution, shape=[1], orientation=1, scale=[2]),
            method("beta_vae", beta=2.0, latents=2, learning_rate=1e-3),
            each(steps=[scale.steps], seed=range(scale.seeds)),
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        for part in (_bijections(lab), _two_worlds(lab, runs), _rotations(lab)):
            for key, values in part.items():
                yield self.found(key, values)


def rotation(degrees: float) -> Array:
    """The rotation of the plane by that angle."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def mixing(dimensions: int) -> Array:
    """An orthogonal matrix without a zero entry."""
    if dimensions == 2:
        return rotation(45)
    return np.eye(dimensions) - 2 / dimensions


def to_gaussian(z: Array, prior: Any) -> Array:
    """h(g(z)): standard normal numbers with the ranks that z (n, d) has under the prior."""
    low = prior.cdf(z)  # either tail is exact where it is the small one
    return np.where(low < 0.5, stats.norm.ppf(low), stats.norm.isf(prior.sf(z)))


def from_gaussian(y: Array, prior: Any) -> Array:
    """g^-1(h^-1(y)), the inverse of `to_gaussian`."""
    return np.where(y < 0, prior.ppf(stats.norm.cdf(y)), prior.isf(stats.norm.sf(y)))


def entangled(z: Array, prior: Any, matrix: Array) -> Array:
    """f(z) for z (n, d) of independent columns, each distributed as the `prior` of scipy.stats."""
    return from_gaussian(to_gaussian(z, prior) @ matrix.T, prior)


def _bijections(lab: Lab[Scale]) -> dict[str, Any]:
    """What the claims about f speak of, by their keys: a number for each seed, but of p."""
    rows = []
    for seed in range(lab.scale.seeds):
        rng = np.random.default_rng(seed)
        for (name, prior), d in itertools.product(PRIORS.items(), lab.scale.dimensions):
            z = prior.rvs(size=(lab.scale.samples, d), random_state=rng)
            rows.append({"prior": name, "d": d, "seed": seed, **_measured(z, prior, mixing(d))})
    table = lab.table(f"f on {lab.scale.samples:,} samples of each prior", rows)
    tests = int(table["d"].sum())
    lab.say(
        f"Of {tests} Kolmogorov-Smirnov tests at once the least p counts, times their number (Bonferroni). "
        "MIG is judged for d = 2 and 4, where all entries of A have the same size; for larger d this A is "
        "close to the identity, and f mixes less, though no derivative is zero."
    )
    each, even = table.groupby("seed"), table[table["d"].isin(EVEN)].groupby("seed")
    return {
        "p": min(1.0, table["least p"].min() * tests),
        "dependence": each["dependence"].max(),
        "zeros": table["zero derivatives"].max(),
        "inverse": table["inverse"].max(),
        "mig_of_z": even["MIG of z"].min(),
        "mig_of_f": even["MIG of f(z)"].max(),
    }


def _measured(z: Array, prior: Any, matrix: Array) -> dict[str, float]:
    """What is to be seen of f on samples z (n, d)."""
    f = entangled(z, prior, matrix)
    ranks = stats.spearmanr(f).statistic
    between = ranks if z.shape[1] == 2 else ranks[np.triu_indices(z.shape[1], 1)]
    back = entangled(f, prior, matrix.T)
    return {
        "least p": min(stats.kstest(column, prior.cdf).pvalue for column in f.T),
        "dependence": float(np.abs(between).max()),
        "zero derivatives": float((derivatives(z[:POINTS], prior, matrix) == 0).mean()),
        "inverse": float(np.abs(back - z).max() / prior.std()),
        "MIG of z": mig(z, z, continuous=True),
        "MIG of f(z)": mig(f, z, continuous=True),
    }


def derivatives(z: Array, prior: Any, matrix: Array) -> Array:
    """Differences of f along every coordinate (n, d outputs, d inputs), each over a small step."""
    y = to_gaussian(z, prior)
    columns = []
    for j in range(z.shape[1]):
        step = np.zeros(z.shape[1])
        step[j] = DIFFERENCE
        up, down = (from_gaussian(y + sign * step, prior) for sign in (1, -1))
        change = entangled(up, prior, matrix) - entangled(down, prior, matrix)
        columns.append(change / (up[:, j] - down[:, j])[:, None])
    return np.stack(columns, axis=2)


def _two_worlds(lab: Lab[Scale], runs: Runs) -> dict[str, Any]:
    """What the claims about the encoders speak of, by their keys; of those trained a number for each seed."""
    trained = list(runs)
    data = trained[0].data
    z = (every_label(data) + 0.5) / POSITIONS  # uniform on 0..1
    worlds = {"A": z, "B": entangled(z, stats.uniform, mixing(2))}
    codes = {f"an encoder that gives {world}'s factors": u for world, u in worlds.items()}
    codes |= {f"a beta-VAE, seed {run.config.seed}": every_code(run).mean for run in trained}
    rows = [
        {"codes": name}
        | {f"MIG in world {world}": mig(code, u, continuous=True) for world, u in worlds.items()}
        for name, code in codes.items()
    ]
    table = lab.table(f"The same {len(data):,} images, two sets of factors", rows)
    scores = table[["MIG in world A", "MIG in world B"]].to_numpy(dtype=np.float64)
    lab.figure("The same images, equally often. Which are the factors?", _worlds(data, worlds, scores[:2]))
    angles = np.linspace(0, 90, 31)
    turned = [entangled(z, stats.uniform, rotation(angle)) for angle in angles]
    lines = {f"in world {name}": [mig(c, u, continuous=True) for c in turned] for name, u in worlds.items()}
    lab.figure(
        "No code disentangles both: MIG of codes between A's factors (0 degrees) and B's (45)",
        curves(angles, lines, "code turned by, degrees", "MIG"),
    )
    return {
        "own": np.diag(scores[:2]).min(),
        "other": np.diag(scores[:2, ::-1]).max(),
        "between": np.min(list(lines.values()), axis=0).max(),
        "worse": scores[2:].min(axis=1),
        "better": scores[2:].max(axis=1),
    }


def _worlds(data: DataSet, worlds: dict[str, Array], scores: Array) -> Plot:
    """Both worlds: lines of equal factors on the screen, what moving a factor does, and who scores where."""
    figure = Plot((11, 4.8), layout="constrained")
    grid = figure.add_gridspec(4, 9, width_ratios=[2.2, *[1] * 7, 2.4])
    matrices = {"A": np.eye(2), "B": mixing(2)}
    says = {"A": "World A: across, down", "B": "World B: two diagonals"}
    for n, (name, u) in enumerate(worlds.items()):
        ax = figure.add_subplot(grid[2 * n : 2 * n + 2, 0])
        _equal_lines(ax, matrices[name])
        ax.set_title(says[name], fontsize=9)
        for factor in range(2):
            for column, value in enumerate(np.linspace(0.08, 0.92, 7)):
                wanted = np.insert([0.5], factor, value)
                at = int(np.square(u - wanted).sum(axis=1).argmin())
                ax = figure.add_subplot(grid[2 * n + factor, 1 + column])
                ax.imshow(data.unit_images(np.array([at]))[0, 0], cmap="gray", vmin=0, vmax=1)
                ax.set(xticks=[], yticks=[])
                if column == 0:
                    ax.set_ylabel(f"factor {factor + 1}", fontsize=8, color=COLOURS[factor])
                if column == 3 and factor == 0:
                    ax.set_title(f"one factor of {name} moves, the other stays", fontsize=9)
    ax = figure.add_subplot(grid[1:3, 8])
    ax.imshow(scores, cmap="Blues", vmin=0, vmax=1)
    write_cells(ax, scores, [[f"{max(value, 0):.2f}" for value in row] for row in scores])
    rows, columns = ["A's encoder", "B's encoder"], ["world A", "world B"]
    figure.numbers = matrix_table(scores, rows, columns, "MIG")
    ax.set_xticks(range(2), columns, fontsize=8)
    ax.set_yticks(range(2), rows, fontsize=8)
    ax.set_title("MIG", fontsize=9)
    return figure


def _equal_lines(ax: Axes, matrix: Array) -> None:
    """The places on the screen where a factor of a world has the same value, a colour for each factor."""
    along = np.linspace(0.002, 0.998, 200)
    for factor in range(2):
        for value in np.linspace(0.1, 0.9, 9):
            u = np.insert(along[:, None], factor, value, axis=1)
            z = entangled(u, stats.uniform, matrix.T)
            ax.plot(z[:, 0], z[:, 1], color=COLOURS[factor], lw=1)
    ax.set(xticks=[], yticks=[], aspect="equal", xlim=(0, 1), ylim=(1, 0))  # images count rows from the top


def best_elbo(weights: Array, noise: float, covariance: Array, full: bool) -> float:
    """The largest ELBO, nats per sample, that a linear decoder x ~ N(W z, noise I) has on Gaussian data.

    `weights` W (D, d), `covariance` (D, D) of the centred data; the posterior is N(M x, S) with S full or
    diagonal. At the best M and S = P^-1 or 1 / diag P, for the posterior's precision P = I + W'W / noise.
    """
    size, latents = weights.shape
    precision = np.eye(latents) + weights.T @ weights / noise
    means = np.linalg.solve(precision, weights.T) / noise
    spread = np.linalg.inv(precision) if full else np.diag(1 / np.diag(precision))
    left = np.eye(size) - weights @ means
    error = np.trace(left @ covariance @ left.T) + np.trace(weights @ spread @ weights.T)
    likelihood = -0.5 * (size * np.log(2 * np.pi * noise) + error / noise)
    second = np.trace(spread) + np.trace(means @ covariance @ means.T)
    return float(likelihood - 0.5 * (second - latents - np.linalg.slogdet(spread)[1]))


def _rotations(lab: Lab[Scale]) -> dict[str, float]:
    """What the claims about the ELBO speak of, by their keys."""
    weights = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])  # its columns are orthogonal at 0 degrees
    noise = 0.1
    covariance = weights @ weights.T + noise * np.eye(3)
    angles = np.linspace(0, 90, 91)
    together, diagonal = (
        np.array([best_elbo(weights @ rotation(angle), noise, covariance, full) for angle in angles])
        for full in (True, False)
    )
    lines = {"full covariance": together, "diagonal covariance": diagonal}
    figure = curves(angles, lines, "latents turned by, degrees", "best ELBO, nats")
    lab.figure("What breaks the tie: a linear decoder's best ELBO as its latents are turned", figure)
    best = min(abs(angles[diagonal.argmax()]), abs(90 - angles[diagonal.argmax()]))
    return {"full": np.ptp(together), "diagonal": np.ptp(diagonal), "axes": best}
