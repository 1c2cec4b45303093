"""Choosing models without labels, by agreement between seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from distaff.experiments.base import Claim, Lab, claim, experiment
from distaff.experiments.pictures import axes
from distaff.metrics.udr import udr as udr_score
from distaff.studies.analysis.rank_correlation import with_unsupervised
from distaff.studies.plan import Plan, each, product, runs_of
from distaff.studies.study import Study

DIMENSIONS, ROWS, NOISE = 5, 1000, 0.05
NARROW = {"resolution": [16], "x": [8], "y": [8], "orientation": [1]}
WIDE = {"resolution": [32], "x": [16], "y": [16], "orientation": [1], "shape": [1]}


@experiment(
    takes=("two cores, 15 seconds", "two cores, six minutes", "a cluster: 300 models of 300,000 steps"),
    models=(4, 12, 50),
    grid=(NARROW, WIDE, {"resolution": [64]}),
    betas=([1, 4], [0.5, 2, 8], [1, 2, 4, 6, 8, 16]),
    seeds=(2, 5, 50),
    steps=(20, 1500, 300_000),
)
def udr(lab: Lab) -> Iterator[Claim]:
    """Disentangled models look alike and entangled ones do not, so agreement between seeds ranks models.

    Duan et al. 2020. First on codes made by hand, of five Gaussian factors and 5 % noise: models that
    permute, flip and bend the factors, against models that rotate them, each its own way; with Lasso weights
    and with rank correlations. Then on beta-VAEs that differ in beta and seed: the rank correlation of UDR
    with the supervised scores.
    """
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(ROWS, DIMENSIONS))
    kinds = {
        "permuted and bent": [_bent(factors, rng) for _ in range(lab["models"])],
        "rotated": [factors @ ortho_group.rvs(DIMENSIONS, random_state=rng) for _ in range(lab["models"])],
    }
    rows = []
    for name, exact in kinds.items():
        codes = [each + NOISE * each.std() * rng.normal(size=each.shape) for each in exact]
        for similarity in ("lasso", "spearman"):
            values = _scores(codes, similarity)
            rows.append({"models": name, "similarity": similarity, "UDR": float(np.mean(values))})
            low, high = (None, 0.45) if name == "rotated" else (0.8, None)
            yield claim(f"UDR of {name} models, {similarity}", values, low=low, high=high)
    lab.table("Codes made by hand", rows)

    codes = kinds["permuted and bent"]
    noisy = [np.column_stack([each, rng.normal(size=(ROWS, 3))]) for each in codes]
    kl = np.r_[np.ones(DIMENSIONS), np.zeros(3)]
    change = abs(np.mean(_scores(noisy, "spearman", kl)) - np.mean(_scores(codes, "spearman")))
    yield claim("Change by three latents of noise without KL", change, high=0.02)
    moved = [-3.0 * each[:, ::-1] ** 3 for each in codes]
    change = abs(np.mean(_scores(moved, "spearman")) - np.mean(_scores(codes, "spearman")))
    yield claim("Change by order, sign and bending (spearman)", change, high=1e-9)
    yield from _trained(lab)


def _trained(lab: Lab) -> Iterator[Claim]:
    part = product(
        each(method=["beta_vae"], dataset=["dsprites"], steps=[lab["steps"]], strength=["beta"]),
        each(**{f"data.{key}": value for key, value in lab["grid"].items()}),
        each(**{"set.beta": lab["betas"], "set.latents": [6], "set.learning_rate": [1e-3]}),
        each(seed=range(lab["seeds"])),
    )
    plan = Plan("udr", "one", runs_of(part), ("mig", "dci", "sap"), rows=2_000, udr_mates=lab["seeds"] - 1)
    study = Study(lab.folder / "study", plan)
    study.run(workers=lab.threads, show=lab.show)
    table = study.results()
    found = with_unsupervised(table)
    found = found[found["first"] == "udr"]
    lab.table("Rank correlation of UDR with supervised scores", found.drop(columns=["first"]))
    values = table[table["metric"].isin(("udr", "mig"))].pivot_table("value", "run", "metric")
    figure, ax = axes("UDR", "MIG")
    ax.scatter(values["udr"], values["mig"], color="#2f6f8f")
    lab.figure(f"{len(values)} beta-VAEs", figure)
    with_mig = found[found["second"] == "mig"].iloc[0]
    lab.say(f"Its 95 % interval is {with_mig['low']:.2f} to {with_mig['high']:.2f}, of {len(values)} models.")
    yield claim("Rank correlation of UDR and MIG over trained models", with_mig["correlation"], low=0.3)


def _bent(factors: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The factors in another order, with other signs, each through a monotone function."""
    signs = rng.choice([-1.0, 1.0], DIMENSIONS)
    moved = factors[:, rng.permutation(DIMENSIONS)] * signs
    return np.asarray(np.tanh(rng.uniform(0.3, 0.8, DIMENSIONS) * moved))


def _scores(
    codes: list[NDArray[np.float64]], similarity: str, kl: NDArray[np.float64] | None = None
) -> list[float]:
    """The UDR of every model against all others."""
    mates_kl = None if kl is None else [kl] * (len(codes) - 1)
    return [
        udr_score(one, codes[:n] + codes[n + 1 :], similarity=similarity, kl=kl, mates_kl=mates_kl)
        for n, one in enumerate(codes)
    ]
