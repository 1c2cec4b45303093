"""Choosing models without labels, by agreement between seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from msgspec import structs
from numpy.typing import NDArray
from scipy.stats import ortho_group

from distaff.experiments import base
from distaff.experiments.base import DCI_BY_FOREST, Experiment, Finding, Lab, Runs
from distaff.experiments.verdict import Measured
from distaff.metrics.udr import udr as udr_score
from distaff.pages.figures import Plot, axes
from distaff.studies.analysis.rank_correlation import with_unsupervised
from distaff.studies.plan import Part, Plan, dataset, each, method, product

DIMENSIONS, ROWS, NOISE = 5, 1000, 0.05
NARROW = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
WIDE = {"resolution": 32, "x": 16, "y": 16, "orientation": 1, "shape": 1}
BENT, ROTATED = "permuted and bent", "rotated"
#: claims about trained models, and the score that each is about
JUDGED = {"with_mig": "mig", "with_dci": "dci.disentanglement", "with_sap": "sap"}


class Scale(base.Scale, frozen=True):
    """`models` made by hand; beta-VAEs of every beta and seed on dSprites with the options of `grid`."""

    grid: Mapping[str, Any]
    models: int = 12
    betas: tuple[float, ...] = (0.5, 2, 8)
    seeds: int = 5
    steps: int = 1500


class UDR(Experiment[Scale]):
    """Disentangled models look alike and entangled ones do not, so agreement between seeds ranks models.

    Duan et al. 2020 (arXiv:1905.12614). First on codes made by hand, of five Gaussian factors and 5 % noise:
    models that permute, flip and bend the factors, against models that rotate them, each its own way; with
    Lasso weights and with rank correlations. To be permuted, flipped and bent once more, again each its own
    way, must change nothing, nor must latents without KL, wherever they stand in a model. Then on beta-VAEs
    that differ in beta and seed: the rank correlation of UDR with every supervised score.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", NARROW, models=4, betas=(1, 4), seeds=2, steps=20),
        "nano": Scale("two cores, six minutes", WIDE),
        "small": Scale("two cores, forty minutes", WIDE, betas=(0.5, 1, 2, 4, 8, 16), seeds=10),
        "paper": Scale(
            "a cluster: 300 models of 300,000 steps",
            {"resolution": 64},
            models=50,
            betas=(1, 2, 4, 6, 8, 16),
            seeds=50,
            steps=300_000,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        betas = each(**{"set.beta": scale.betas}, strength=["beta"])
        common = each(steps=[scale.steps], seed=range(scale.seeds))
        model = method("beta_vae", latents=6, learning_rate=1e-3)
        return product(model, dataset("dsprites", **scale.grid), betas, common)

    def plan(self, scale: str) -> Plan:
        """The study of the experiment's runs at a scale, scored, and compared with all runs alike."""
        plan, mates = super().plan(scale), self.at(scale).seeds - 1
        assert plan is not None
        return structs.replace(
            plan, metrics=("mig", "dci", "sap"), metric_options=DCI_BY_FOREST, rows=2_000, udr_mates=mates
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rng = np.random.default_rng(0)
        factors = rng.normal(size=(ROWS, DIMENSIONS))
        bent = [_bent(factors, rng) for _ in range(lab.scale.models)]
        turns = [ortho_group.rvs(DIMENSIONS, random_state=rng) for _ in range(lab.scale.models)]
        rows = []
        for key, name, exact in (("bent", BENT, bent), ("rotated", ROTATED, [factors @ a for a in turns])):
            codes = [one + NOISE * one.std() * rng.normal(size=one.shape) for one in exact]
            for similarity in ("lasso", "spearman"):
                values = scores(codes, similarity)
                rows.append({"models": name, "similarity": similarity, "UDR": float(np.mean(values))})
                yield self.found(f"{key}_{similarity}", values)
        lab.table("Codes made by hand", rows)
        plain = np.mean(scores(bent, "spearman"))
        noisy, kl = zip(*(with_noise(one, rng) for one in bent), strict=True)
        yield self.found("noise", abs(np.mean(scores(noisy, "spearman", kl)) - plain))
        moved = [moved_again(one, rng) for one in bent]
        yield self.found("moved", abs(np.mean(scores(moved, "spearman")) - plain))
        yield from self._trained(lab)

    def _trained(self, lab: Lab[Scale]) -> Iterator[Finding]:
        """The rank correlations over trained models, with their bootstrap intervals over them."""
        table = lab.results
        found = with_unsupervised(table)
        found = found[found["first"] == "udr"]
        lab.table("Rank correlation of UDR with supervised scores", found.drop(columns=["first"]))
        values = table[table["metric"].isin(("udr", "mig"))].pivot_table("value", "run", "metric")
        lab.figure(f"{len(values)} beta-VAEs", _cloud(values))
        numbers = found.set_index("second").to_dict("index")
        for key, metric in JUDGED.items():
            of = numbers[metric]
            yield self.found(key, Measured(of["correlation"], of["low"], of["high"], lab.scale.seeds))


def _cloud(values: pd.DataFrame) -> Plot:
    """The UDR and the MIG of every model."""
    figure, ax = axes("UDR", "MIG")
    figure.numbers = values.reset_index(drop=True)
    ax.scatter(values["udr"], values["mig"], color="#2f6f8f")
    return figure


def _bent(factors: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The factors in another order, with other signs, each through a monotone function."""
    signs = rng.choice([-1.0, 1.0], DIMENSIONS)
    moved = factors[:, rng.permutation(DIMENSIONS)] * signs
    return np.asarray(np.tanh(rng.uniform(0.3, 0.8, DIMENSIONS) * moved))


def moved_again(codes: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Codes (n, d) in another order, each times a number of either sign after an odd power: monotone."""
    d = codes.shape[1]
    factors, powers = rng.choice([-1.0, 1.0], d) * rng.uniform(0.5, 2, d), rng.uniform(0.5, 2, d)
    bent = factors * np.sign(codes) * np.abs(codes) ** powers
    return np.asarray(bent[:, rng.permutation(d)])


def with_noise(
    codes: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Codes (n, d) with three latents of noise among them, anywhere, and the KL of all (d + 3,), nats."""
    n, d = codes.shape
    order = rng.permutation(d + 3)
    return np.column_stack([codes, rng.normal(size=(n, 3))])[:, order], (order < d).astype(np.float64)


def scores(
    codes: Sequence[NDArray[np.float64]], similarity: str, kl: Sequence[NDArray[np.float64]] | None = None
) -> list[float]:
    """The UDR of every model against all others; `kl` of every model's latents."""
    others = [[m for m in range(len(codes)) if m != n] for n in range(len(codes))]
    return [
        udr_score(
            one,
            [codes[m] for m in others[n]],
            similarity=similarity,
            kl=None if kl is None else kl[n],
            mates_kl=None if kl is None else [kl[m] for m in others[n]],
        )
        for n, one in enumerate(codes)
    ]
