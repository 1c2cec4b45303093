"""The KL in three parts: exactly, estimated from batches, and what beta-TCVAE does with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from distaff.evaluation.decomposition import KLParts, kl_decomposition
from distaff.evaluation.posterior import reconstruction
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.methods.base import Codes
from distaff.methods.beta_tc_vae import kl_parts
from distaff.metrics.mig import mig
from distaff.pages.figures import Plot, against
from distaff.pages.palette import COLOURS
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run

POINTS = 2000
POSTERIOR = 0.09  # variance of every posterior of the made-up codes
PARTS = ("information", "total_correlation", "dimension_wise")
COLUMNS = ("exact", "weighted", "stratified")
COVARIANCE = 0.9 + (0.1 + POSTERIOR) * np.eye(3)  # of their mixture


def gaussian_parts(covariance: NDArray[np.float64], posterior: float) -> NDArray[np.float64]:
    """Mutual information, total correlation, dimension-wise KL of Gaussian codes, nats.

    `covariance` (d, d) is that of q(z), `posterior` the variance of every latent of every q(z|n).
    """
    variances, log_volume = np.diag(covariance), np.linalg.slogdet(covariance)[1]
    information = 0.5 * (log_volume - len(covariance) * np.log(posterior))
    correlation = 0.5 * (np.log(variances).sum() - log_volume)
    return np.array([information, correlation, 0.5 * (variances - 1 - np.log(variances)).sum()])


CLOSED = gaussian_parts(COVARIANCE, POSTERIOR)


class Scale(base.SeededScale, frozen=True):
    """Squares of `resolution` pixels at `places` across and down; biases are means over so many `batches`."""

    resolution: int = 32
    places: int = 16
    betas: tuple[float, ...] = (1, 2, 4)
    latents: int = 10
    learning_rate: float = 1e-3
    steps: int = 2000
    batches: int = 100


class ELBODecomposition(Experiment[Scale]):
    """The KL is mutual information, total correlation and marginal KL; batches can estimate each of them.

    Chen et al. 2018 (arXiv:1802.04942). On 2,000 made-up Gaussian posteriors in three dimensions, drawn so
    that the parts are known: the exact parts, and the bias of minibatch-weighted sampling (after its constant
    (d-1) ln N) and of stratified sampling at batches of 64, 256 and 1,024. Two definitions of a disentangled
    code: a factorised prior, and a factorised aggregate posterior. Then beta-VAE and beta-TCVAE at equal beta
    on an exhaustive grid of squares: ELBO, exact total correlation and MIG, and the biases on one of them. At
    beta = 1 the two are the same, so that one is not compared.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 16, 8, (1, 4), seeds=1, steps=20, batches=3),
        "nano": Scale("two cores, eight minutes", seeds=4),
        "small": Scale("two cores, forty minutes", seeds=16, first_seed=10),
        "paper": Scale(
            "one GPU, two days", 64, 16, (1, 2, 4, 6, 8, 10), 10, 1e-4, seeds=10, steps=100_000, batches=1000
        ),
    }

    def runs(self, scale: Scale) -> Part:
        places = {"resolution": scale.resolution, "x": scale.places, "y": scale.places}
        both = ("beta_vae", "beta_tc_vae")
        jobs = [(beta, kind) for beta in scale.betas for kind in both[: 1 if beta == 1 else 2]]
        common = {"latents": scale.latents, "learning_rate": scale.learning_rate}
        models = chain(*(method(kind, beta=beta, **common) for beta, kind in jobs))
        runs = each(steps=[scale.steps], seed=scale.numbered)
        return product(dataset("dsprites", shape=[0], orientation=1, **places), models, runs)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        yield from self._estimators(lab)
        table = lab.table("Every model", [_measured(run) for run in runs])
        names = ("ELBO, nats", "MIG")
        picture = against(table, "elbo", "mig", names, strength="beta", legend="{}, medians")
        lab.figure("ELBO against MIG, by beta", picture)
        _show_biases_of(lab, list(runs)[-1])
        largest = max(lab.scale.betas)
        yield self.found("less", -advantage(table, "total_correlation")[largest])
        yield self.found("elbo", advantage(table, "elbo")[largest])
        yield self.found("mig", advantage(table, "mig").mean(axis=1))

    def _estimators(self, lab: Lab[Scale]) -> Iterator[Finding]:
        """The estimators on made-up posteriors, drawn anew by every seed."""
        made = [made_up(seed, lab.scale.batches) for seed in lab.scale.numbered]
        first = made[0]
        title = "Exact parts of 2,000 made-up posteriors, nats, and those of the Gaussian they are drawn from"
        lab.table(title, pd.DataFrame({"part": PARTS, "exact": first.exact, "Gaussian": CLOSED}))
        lab.table("Made-up posteriors: bias of a part from batches, nats", first.biases)
        lab.figure("Bias of the estimates by batch size, made-up posteriors", _biases(first.biases))
        lab.say(
            f"A standard normal prior has total correlation 0 (its sample here {first.of_prior:.3f}), and "
            f"the made-up codes, which know no such prior, {first.exact[1]:.3f} nats: disentangling by the "
            "prior asks for the first, disentangling by the posterior for the second."
        )
        yield self.found("exact", [np.abs(each.exact - CLOSED).max() for each in made])
        for kind in ("weighted", "stratified"):
            yield self.found(kind, [each.relative_error(kind) for each in made])


class MadeUp(NamedTuple):
    """The exact parts (3,) of made-up posteriors, biases of estimates, total correlation of prior samples."""

    exact: NDArray[np.float64]
    biases: pd.DataFrame
    of_prior: float

    def relative_error(self, kind: str) -> float:
        """That of the total correlation from batches of 256."""
        found = self.biases.pivot(index="part", columns="batch", values=kind)
        return float(found[256].abs()["total_correlation"] / self.exact[1])


def made_up(seed: int, batches: int) -> MadeUp:
    """What is to be seen of POINTS Gaussian posteriors that are drawn by `seed`."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal((POINTS, 3)) @ np.linalg.cholesky(COVARIANCE - POSTERIOR * np.eye(3)).T
    logvar = np.full_like(mean, np.log(POSTERIOR))
    exact = np.array(kl_decomposition(mean, logvar, samples=2)[1:])
    table = biases(mean, logvar, batches, rng)
    prior = kl_decomposition(rng.standard_normal((POINTS, 3)) * np.sqrt(1 - POSTERIOR), logvar)
    return MadeUp(exact, table, prior.total_correlation)


def biases(mean: NDArray[Any], logvar: NDArray[Any], batches: int, rng: np.random.Generator) -> pd.DataFrame:
    """What weighted and stratified sampling give for each part, means over many batches, less the exact."""
    exact = kl_decomposition(mean, logvar)[1:]
    rows = []
    for size in (size for size in (64, 256, 1024) if size <= len(mean)):
        found = []
        for _ in range(batches):
            some = rng.choice(len(mean), size, replace=False)
            z = mean[some] + np.exp(0.5 * logvar[some]) * rng.standard_normal((size, mean.shape[1]))
            codes = Codes(*(torch.from_numpy(each) for each in (mean[some], logvar[some], z)))
            found.append([[float(part) for part in kl_parts(codes, n)] for n in (None, len(mean))])
        weighted, stratified = np.mean(found, axis=0) - exact
        for part, *values in zip(PARTS, exact, weighted, stratified, strict=True):
            rows.append({"batch": size, "part": part, **dict(zip(COLUMNS, values, strict=True))})
    return pd.DataFrame(rows)


def _biases(table: pd.DataFrame) -> Plot:
    figure = Plot((10, 3), layout="constrained")
    figure.numbers = table[["part", "batch", *COLUMNS[1:]]]
    for ax, (part, rows) in zip(figure.subplots(1, 3), table.groupby("part", sort=False), strict=True):
        for kind, colour in zip(COLUMNS[1:], COLOURS, strict=False):
            ax.plot(rows["batch"], rows[kind], marker="o", ms=4, color=colour, label=kind)
        ax.axhline(0, color="#9aa5b1", lw=0.8)
        ax.set_xscale("log", base=2)
        ax.set_xticks(rows["batch"], rows["batch"])
        ax.set(title=str(part).replace("_", " "), xlabel="batch", ylabel="bias, nats")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    return figure


def advantage(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """beta-TCVAE's number less beta-VAE's of the same seed: a row per seed, a column per beta above 1."""
    groups = table[table["beta"] != 1].groupby("method")
    wide = {kind: part.pivot(index="seed", columns="beta", values=column) for kind, part in groups}
    return wide["beta_tc_vae"] - wide["beta_vae"]


def _show_biases_of(lab: Lab[Scale], run: Run) -> None:
    codes, config = every_code(run), run.config
    assert codes.logvar is not None
    rng, batches = np.random.default_rng(1), lab.scale.batches // 10 + 1
    which = f"{config.method}, beta {config.settings['beta']:g}, seed {config.seed}"
    table = biases(codes.mean, codes.logvar, batches, rng)
    lab.table(f"Bias of a part from batches, nats: {which}", table)


def _measured(run: Run) -> dict[str, Any]:
    """ELBO, the parts of the KL and MIG on the whole grid."""
    codes = every_code(run, seed=1)
    parts: KLParts = kl_decomposition(codes.mean, codes.logvar)
    return {
        "method": run.config.method,
        "beta": run.config.settings["beta"],
        "seed": run.config.seed,
        "elbo": -reconstruction(run, np.arange(len(run.data)), codes.sample) - parts.kl,
        "mig": float(mig(codes.mean, every_label(run.data))),
        **parts._asdict(),
    }
