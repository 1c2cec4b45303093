"""Which score misleads when: constructions with one stress each, and what is told below their cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.stresses import STRESSES, Made, Stress
from distaff.metrics.dci import dci
from distaff.metrics.linear_r2 import linear_r2
from distaff.metrics.mcc import mcc
from distaff.pages.figures import heat_map
from distaff.randomness import derived
from distaff.scoring.health import equal_mass
from distaff.scoring.score import score

Array = NDArray[np.float64]

CLASSES = 10  # of equal mass, of a factor where a score needs whole numbers
MIXINGS = 20  # behind a mean MCC, which one mixing tells little of

LEARNERS = ("random_forest", "boosting")  # the default when the claims were stated, and the default since
#: what is shown -> the score of `numbers`
SCORES = {
    "MCC, Pearson": "pearson",
    "MCC, Spearman": "spearman",
    "MCC, cross-fitted": "crossfit",
    "R2, in sample": "r2_in",
    "R2, held out": "linear_r2.factors_from_codes",
    "DCI D": "random_forest.disentanglement",
    "DCI D, boosting": "boosting.disentanglement",
    "DCI C": "random_forest.completeness",
    "DCI I": "random_forest.informativeness",
    "MIG": "mig",
    "SAP": "sap",
    "modularity": "modularity",
    "InfoM": "infomec.infom",
    "InfoC": "infomec.infoc",
    "InfoE": "infomec.infoe",
}
MEANING = (
    "Red cells understate and blue ones overstate: a score under stress, less what is due. Due is what the "
    "same score gives without the stress; half and a tenth of it where 5 and 1 of 10 factors have a code; "
    "nothing for noise and constants. A cell is empty where a score is not defined."
)


class Scale(base.Scale, frozen=True):
    """The share of the rows that is drawn, and seeds."""

    share: float = 1.0
    seeds: int = 5


class Seen(NamedTuple):
    """The scores of a construction, NaN where one is not defined, and the findings below their cards."""

    scores: Mapping[str, float]
    told: frozenset[str]


class WhenScoresMislead(Experiment[Scale]):
    """Which score misleads when, and is it said?

    Joshi et al. 2026 (arXiv:2602.24278) score codes whose worth is known under one stress after another:
    factors that correlate or copy each other, fewer codes than factors, noise, codes bent or split. Their
    published numbers are the claims here. Nothing is trained: five normal factors of 1,000 rows unless it is
    said otherwise, and codes made of them. Every stress has a twin without it. Due is the twin's score, or a
    share of it where codes are fewer than factors, and nothing for noise: a score misleads by how far it is
    from what is due. Scores are in-sample MCC by both correlations and cross-fitted (Pearson), linear R2 of
    the factors in sample and held out, DCI (of random forests, the default learner when the claims were
    stated, and its D of boosting), MIG, SAP; modularity and InfoMEC of factors in ten classes of equal mass.
    Below the cards stand distaff's own warnings: the one that is made for a stress is to be there, and not at
    its twin.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", share=0.3, seeds=1),
        "nano": Scale("one core, five minutes"),
        "small": Scale("one core, a quarter of an hour", seeds=20),
        "paper": Scale("one core, five minutes"),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        share, numbered = lab.scale.share, range(lab.scale.seeds)
        seeds = [of_seed(seed, share) for seed in numbered]
        scores, told = mean_scores(seeds), shares_told(seeds)
        lab.say(MEANING)
        lab.figure("How far scores are from what is due, means over seeds", _distances(*scores))
        lab.figure("Seeds with a finding under stress / at the twin", _told(*told, lab.scale.seeds))
        lab.table("Scores under stress / what is due, means over seeds", _side_by_side(*scores))
        claims = pd.DataFrame([claimed_of(n, share, seen) for n, seen in zip(numbered, seeds, strict=True)])
        for key, values in claims.items():
            yield self.found(str(key), values)


Seed = Mapping[str, tuple[Seen, Seen]]  # of every stress: itself, and its twin


def of_seed(seed: int, share: float) -> Seed:
    """What is seen of every stress and of its twin, which are drawn by the same generator."""
    known: dict[Made, Seen] = {}
    for stress in STRESSES.values():
        for made in stress[:2]:
            if made not in known:
                rng = np.random.default_rng(derived(seed, "codes"))
                known[made] = numbers(*made.pair(rng, round(share * made.rows)), seed)
    return {name: (known[stress.made], known[stress.twin]) for name, stress in STRESSES.items()}


def numbers(codes: Array, factors: Array, seed: int) -> Seen:
    """The scores of codes (n, d) and real factors (n, k), and what is told below their cards."""
    how: dict[str, Any] = {"values_only": True, "seed": seed}
    cards = [
        score(codes, factors, metrics=["mcc", "linear_r2", "mig", "sap"], continuous=True, **how),
        score(codes, equal_mass(factors, CLASSES), metrics=["modularity", "infomec"], **how),
    ]
    found = {name: each.value for card in cards for name, each in card.scores.items()}
    found |= {
        kind: mcc(codes, factors, correlation=kind, continuous=True) for kind in ("pearson", "spearman")
    }
    found["crossfit"] = mcc(codes, factors, correlation="pearson", fit="crossfit", continuous=True, seed=seed)
    found["r2_in"] = linear_r2(codes, factors, test=(codes, factors), continuous=True).factors_from_codes
    for learner in LEARNERS if codes.shape[1] > 1 else ():
        result = dci(codes, factors, learner=learner, continuous=True, seed=seed)._asdict()
        found |= {f"{learner}.{field}": value for field, value in result.items() if field != "learner"}
    # InfoMEC and others are not defined for every construction
    scores = {name: np.nan if (value := found.get(name)) is None else value for name in SCORES.values()}
    return Seen(scores, frozenset(finding.code for card in cards for finding in card.health))


def claimed_of(seed: int, share: float, seen: Seed) -> dict[str, float]:
    """The number of every claim, of one seed."""

    def under(stress: str, what: str) -> float:
        return seen[stress][0].scores[SCORES[what]]

    def fall(stress: str, what: str) -> float:
        return seen[stress][1].scores[SCORES[what]] - under(stress, what)

    two, one = "two factors correlate by .9", "two factors correlate by .99"
    five, copy, half = "five factors correlate by .5", "one factor copies another", "codes of 5 of 10 factors"
    wide, wider, split = (
        "noise, 50 codes, 500 rows",
        "noise, 50 codes, 100 rows",
        "sine and cosine of each factor",
    )
    turned, spare, few = (
        "mixed codes, factors correlate by .9",
        "mixed into 6 codes, not 5",
        "20 weak codes, 150 rows",
    )
    named = [name for name, stress in STRESSES.items() if stress.warning]
    fires = np.array([[STRESSES[name].warning in each.told for each in seen[name]] for name in named])
    return {
        "correlated_dci": under(two, "DCI D"),
        "nearly_one_dci": under(one, "DCI D"),
        "nearly_one_mcc": under(one, "MCC, Pearson"),
        "nearly_one_r2": under(one, "R2, held out"),
        "correlated_infom": fall(five, "InfoM"),
        "mixed_mcc": mcc_rise(seed, share, STRESSES[turned]),
        "mixed_r2": under(turned, "R2, held out"),
        "copied_dci": under(copy, "DCI D"),
        "copied_infom": under(copy, "InfoM"),
        "copied_mig": under(copy, "MIG"),
        "kept_r2": under(half, "R2, held out"),
        "kept_infom": under(half, "InfoM"),
        "kept_dci": under(half, "DCI D"),
        "noise_mcc": under("noise, 5 codes", "MCC, Pearson"),
        "noise_dci": under("noise, 5 codes", "DCI D"),
        "noise_dci_boosting": under("noise, 5 codes", "DCI D, boosting"),
        "noise_infom": under("noise, 5 codes", "InfoM"),
        "crowded_published": under(wider, "MCC, Pearson"),
        "crowded_formula": under(wider, "MCC, Pearson"),
        "crowded_crossfit": under(wider, "MCC, cross-fitted"),
        "crowded_dci": under(wide, "DCI D"),
        "crowded_infom": under(wide, "InfoM"),
        "split_mcc": under(split, "MCC, Pearson"),
        "split_r2": under(split, "R2, held out"),
        "split_dci": under(split, "DCI D"),
        "split_mig": under(split, "MIG"),
        "bent_mcc": under("bent codes", "MCC, Spearman") - under("bent codes", "MCC, Pearson"),
        "repeated_informativeness": under("noise, every row four times", "DCI I"),
        "far_r2": under("one row far out", "R2, in sample"),
        "weak_r2": under(few, "R2, in sample") - under(few, "R2, held out"),
        "spare_mcc": mcc_rise(seed, share, STRESSES[spare]),
        "spare_r2": under(spare, "R2, held out"),
        "fires": float(fires[:, 0].mean()),
        "silent": float(fires[:, 1].mean()),
    }


def mcc_rise(seed: int, share: float, stress: Stress) -> float:
    """What a stress adds to the MCC of mixed codes, the mean over 20 mixings."""
    means = []
    for made in (stress.made, stress.twin):
        rng = np.random.default_rng(derived(seed, "mixings"))
        pairs = [made.pair(rng, round(share * made.rows)) for _ in range(MIXINGS)]
        means.append(np.mean([mcc(*pair, correlation="pearson", continuous=True) for pair in pairs]))
    return float(means[0] - means[1])


def mean_scores(seeds: Sequence[Seed]) -> tuple[Array, Array]:
    """The scores under every stress, and what is due: (stresses, scores) each, means over seeds."""
    every = [[[list(seen.scores.values()) for seen in both] for both in seed.values()] for seed in seeds]
    under, twins = np.moveaxis(np.mean(every, axis=0), 1, 0)
    return under, twins * np.array([[stress.due] for stress in STRESSES.values()])


def shares_told(seeds: Sequence[Seed]) -> tuple[list[str], Array]:
    """The codes of all findings, and the shares of the seeds with each: (stresses, 2, findings)."""
    codes = sorted(set().union(*(seen.told for seed in seeds for both in seed.values() for seen in both)))
    every = [
        [[[code in seen.told for code in codes] for seen in both] for both in seed.values()] for seed in seeds
    ]
    return codes, np.mean(every, axis=0)


def _distances(under: Array, due: Array) -> Figure:
    return heat_map(under - due, list(STRESSES), list(SCORES), span=(-1, 1), diverging=True)


def _told(codes: Sequence[str], shares: Array, seeds: int) -> Figure:
    """How many seeds have a finding under stress / at the twin; empty where none has it at either."""
    counts = np.rint(shares * seeds).astype(np.int64)
    words = [[f"{under}/{twin}" for under, twin in row.T] for row in counts]
    shown = np.where(shares.any(axis=1), shares[:, 0], np.nan)
    return heat_map(shown, list(STRESSES), codes, span=(0, 1), words=words)


def _side_by_side(under: Array, due: Array) -> list[dict[str, str]]:
    """Every score under stress / what is due."""
    rows = []
    for name, one, other in zip(STRESSES, under, due, strict=True):
        cells = [f"{a:.2f} / {b:.2f}" if np.isfinite(a) else "none" for a, b in zip(one, other, strict=True)]
        rows.append({"stress": name, **dict(zip(SCORES, cells, strict=True))})
    return rows
