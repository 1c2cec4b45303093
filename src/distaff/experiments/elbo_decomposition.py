"""The KL in three parts: exactly, estimated from batches, and what beta-TCVAE does with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.evaluation.decomposition import KLParts, kl_decomposition
from distaff.evaluation.posterior import reconstruction
from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment
from distaff.experiments.pictures import COLOURS, against
from distaff.methods.base import Codes
from distaff.methods.beta_tc_vae import kl_parts
from distaff.metrics.mig import mig
from distaff.training.run import Run

POINTS = 2000
POSTERIOR = 0.09  # variance of every posterior of the made-up codes
PARTS = ("information", "total_correlation", "dimension_wise")
COLUMNS = ("exact", "weighted", "stratified")
COVARIANCE = 0.9 + (0.1 + POSTERIOR) * np.eye(3)  # of their mixture


@experiment(
    takes=("two cores, 15 seconds", "two cores, nine minutes", "one GPU, two days"),
    resolution=(16, 32, 64),
    places=(8, 16, 16),
    betas=([1, 4], [1, 2, 4], [1, 2, 4, 6, 8, 10]),
    learning_rate=(1e-3, 1e-3, 1e-4),
    seeds=(1, 2, 10),
    steps=(20, 1500, 100_000),
    batches=(3, 100, 1000),
)
def elbo_decomposition(lab: Lab) -> Iterator[Claim]:
    """The KL is mutual information, total correlation and marginal KL; batches can estimate each of them.

    Chen et al. 2018. On 2,000 made-up Gaussian posteriors in three dimensions, drawn so that the parts are
    known: the exact parts, and the bias of minibatch-weighted sampling (after its constant (d-1) ln N) and of
    stratified sampling at batches of 64, 256 and 1,024. Two definitions of a disentangled code: a factorised
    prior, and a factorised aggregate posterior. Then beta-VAE and beta-TCVAE at equal beta on an exhaustive
    grid of squares: ELBO, exact total correlation and MIG, and the biases on one of them. At beta = 1 the two
    are the same, so that one is not compared.
    """
    yield from _estimators(lab)
    yield from _trained(lab)


def _estimators(lab: Lab) -> Iterator[Claim]:
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((POINTS, 3)) @ np.linalg.cholesky(COVARIANCE - POSTERIOR * np.eye(3)).T
    logvar = np.full_like(mean, np.log(POSTERIOR))
    exact = kl_decomposition(mean, logvar, samples=2)
    closed = gaussian_parts(COVARIANCE, POSTERIOR)
    lab.table(
        "Exact parts of 2,000 made-up posteriors, nats, and those of the Gaussian that they are drawn from",
        pd.DataFrame({"part": PARTS, "exact": exact[1:], "Gaussian": closed}),
    )
    errors = np.abs(np.subtract(exact[1:], closed))
    yield claim("Largest error of an exact part, nats", errors.max(), high=0.1)
    table = biases(mean, logvar, lab["batches"], rng)
    lab.table("Made-up posteriors: bias of a part from batches, nats", table)
    lab.figure("Bias of the estimates by batch size, made-up posteriors", _biases(table))
    row = table[(table["part"] == "total_correlation") & (table["batch"] == 256)].iloc[0]
    for kind, bound in (("weighted", 0.05), ("stratified", 0.1)):
        error = abs(row[kind]) / exact.total_correlation
        yield claim(f"Relative error of {kind} total correlation at batches of 256", error, high=bound)
    prior = kl_decomposition(rng.standard_normal((POINTS, 3)) * np.sqrt(1 - POSTERIOR), logvar)
    lab.say(
        f"A standard normal prior has total correlation 0 (its sample here {prior.total_correlation:.3f}), "
        f"and the made-up codes, which know no such prior, {exact.total_correlation:.3f} nats: disentangling "
        "by the prior asks for the first, disentangling by the posterior for the second."
    )


def gaussian_parts(covariance: NDArray[np.float64], posterior: float) -> NDArray[np.float64]:
    """Mutual information, total correlation, dimension-wise KL of Gaussian codes, nats.

    `covariance` (d, d) is that of q(z), `posterior` the variance of every latent of every q(z|n).
    """
    variances, log_volume = np.diag(covariance), np.linalg.slogdet(covariance)[1]
    information = 0.5 * (log_volume - len(covariance) * np.log(posterior))
    correlation = 0.5 * (np.log(variances).sum() - log_volume)
    return np.array([information, correlation, 0.5 * (variances - 1 - np.log(variances)).sum()])


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


def _biases(table: pd.DataFrame) -> Figure:
    figure = Figure((10, 3), layout="constrained")
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


def _trained(lab: Lab) -> Iterator[Claim]:
    data = lab.sprites(shape=[0], orientation=1)
    rows = []
    for beta, kind in itertools.product(lab["betas"], ("beta_vae", "beta_tc_vae")):
        if (beta, kind) == (1, "beta_tc_vae"):  # which is beta_vae
            continue
        settings = {"beta": float(beta), "latents": 6, "learning_rate": lab["learning_rate"]}
        for seed, run in enumerate(lab.runs(f"{kind}-{beta}", kind, data, lab["steps"], **settings)):
            rows.append({"method": kind, "beta": beta, "seed": seed, **_measured(run)})
    table = lab.table("Every model", rows)
    middle = table.groupby(["beta", "method"])[["elbo", "mig", "total_correlation"]].median()
    picture = against(table, "elbo", "mig", ("ELBO, nats", "MIG"), strength="beta", legend="{}, medians")
    lab.figure("ELBO against MIG, by beta", picture)
    codes = every_code(run)
    assert codes.logvar is not None
    of_run = biases(codes.mean, codes.logvar, lab["batches"] // 10 + 1, np.random.default_rng(1))
    lab.table(f"Bias of a part from batches, nats: {kind}, beta {beta}, seed {seed}", of_run)
    wide = middle[middle.index.get_level_values("beta") != 1].unstack("method")
    less = wide["total_correlation", "beta_vae"] - wide["total_correlation", "beta_tc_vae"]
    more = wide["elbo", "beta_tc_vae"] - wide["elbo", "beta_vae"]
    higher = wide["mig", "beta_tc_vae"] - wide["mig", "beta_vae"]
    yield claim(
        "Total correlation, beta-VAE minus beta-TCVAE at the largest beta, nats", less.iloc[-1], low=0
    )
    yield claim("ELBO, beta-TCVAE minus beta-VAE there", more.iloc[-1], low=0)
    yield claim("MIG, beta-TCVAE minus beta-VAE, least over betas above 1", higher.min(), low=-0.03)
    yield claim("Share of betas above 1 where beta-TCVAE's MIG is higher", (higher > 0).mean(), low=0.5)


def _measured(run: Run) -> dict[str, float]:
    """ELBO, the parts of the KL and MIG on the whole grid."""
    codes = every_code(run, seed=1)
    parts: KLParts = kl_decomposition(codes.mean, codes.logvar)
    return {
        "elbo": -reconstruction(run, np.arange(len(run.data)), codes.sample) - parts.kl,
        "mig": float(mig(codes.mean, every_label(run.data))),
        **parts._asdict(),
    }
