"""What three metrics see: axes, their own settings, and codes of any distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.factors import FactorSpace
from distaff.metrics.arrays import standardised
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.metrics.factor_vae_score import factor_vae_score
from distaff.metrics.mig import mig
from distaff.metrics.mig_exact import mig_exact
from distaff.pages.figures import curves, heat_map
from distaff.randomness import derived

Array = NDArray[np.float64]
Score = Callable[[Array, NDArray[np.int64], float], float]

SPACE = FactorSpace(("a", "b", "c", "d"), (6, 8, 8, 8))
#: of posteriors, where codes have a deviation of 1: of plain codes, of signed and of blurred ones
DEVIATION, NARROW, WIDE = 0.1, 0.02, 0.3
BLUR = 0.6  # of the codes that no setting should judge differently
ANGLES = (0, 5, 10, 20, 30, 45)  # degrees
TURNED, TURNS = ANGLES.index(30), 5  # the angle that is judged; random rotations of a seed
COLUMNS = ("axis", "unbiased", "general")
WORDS = {"higgins": "BetaVAE score", "factor": "FactorVAE score", "mig": "MIG", "binned": "MIG of bins"}


class Scale(base.Scale, frozen=True):
    """How many votes train and judge the classifiers, and seeds."""

    votes: tuple[int, int] = (2000, 1000)
    seeds: int = 10


class MetricAxes(Experiment[Scale]):
    """Does a metric see axes, does it depend on its settings, does it take any distribution of codes?

    Chen et al. 2018 (arXiv:1802.04942), table 1: of the metrics of Higgins et al. and of Kim and Mnih and of
    MIG, only MIG sees whether codes lie along the factors, has no setting that moves it, and takes any
    distribution of latents; Kim and Mnih's does the first. Nothing is trained: codes are made of the four
    standardised factors of a grid of 3,072 rows. `axis` is what five random rotations cost on average.
    `unbiased` is how far the score of blurred codes moves with the metric's settings: 4, 64 or 200 rows in a
    batch, and for MIG, of the posterior itself, how many of the rows are taken; MIG of 5, 20 or 80 bins
    stands beside it. `general` is what it costs that every code is its factor with a random sign: it tells
    that factor as well as before, and no other, but varies as much where the factor is fixed. Yes and no are
    told apart at .2. A curve shows what it costs to turn the factors by pairs, all by the same angle.
    """

    scales: ClassVar = {
        "quick": Scale("one core, five seconds", (500, 250), seeds=2),
        "nano": Scale("one core, half a minute"),
        "small": Scale("one core, two minutes", (10_000, 5_000), seeds=30),
        "paper": Scale("one core, ten minutes", (10_000, 5_000), seeds=30),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [{"seed": n, **of_seed(n, lab.scale.votes)} for n in range(lab.scale.seeds)]
        table = lab.table("What a rotation, the settings and signs take from the scores", rows)
        means = table.mean()
        values = np.array([[means[f"{what}_{name}"] for what in COLUMNS] for name in WORDS])
        lab.figure("Means over seeds", heat_map(values, list(WORDS.values()), COLUMNS, span=(0, 1)))
        lines = [turned_by_pairs(lab.scale.votes, seed) for seed in range(lab.scale.seeds)]
        shown = {WORDS[name]: np.mean([line[name] for line in lines], axis=0) for name in WORDS}
        lab.figure("Factors turned by pairs", curves(ANGLES, shown, "degrees", "score"))
        for name in ("higgins", "factor", "mig"):
            for what in COLUMNS:
                yield self.found(f"{what}_{name}", table[f"{what}_{name}"])
        for name in ("factor", "mig"):
            yield self.found(f"by_30_{name}", [line[name][0] - line[name][TURNED] for line in lines])


def of_seed(seed: int, votes: tuple[int, int]) -> dict[str, float]:
    """What every metric loses by a rotation and by signs, and how far its settings move it."""
    rng = np.random.default_rng(derived(seed, "codes"))
    factors = np.asarray(SPACE.rows(np.arange(len(SPACE))))
    ideal = standardised(factors)
    turned = [ideal @ turn for turn in ortho_group.rvs(ideal.shape[1], size=TURNS, random_state=rng)]
    blurred = ideal + BLUR * rng.standard_normal(ideal.shape)
    with_signs = signed(factors, rng)
    found = {}
    for name, metric in metrics(votes, seed).items():
        best = metric(ideal, factors, DEVIATION)
        found[f"axis_{name}"] = best - float(np.mean([metric(z, factors, DEVIATION) for z in turned]))
        found[f"unbiased_{name}"] = float(np.ptp(settings_of(name, blurred, factors, votes, seed)))
        found[f"general_{name}"] = best - metric(with_signs, factors, NARROW)
    return found


def metrics(votes: tuple[int, int], seed: int) -> Mapping[str, Score]:
    """The metrics as functions of codes (n, d), factors (n, k) and the posteriors' deviation."""
    return {
        "higgins": lambda codes, factors, _: beta_vae_score(codes, factors, votes=votes, seed=seed),
        "factor": lambda codes, factors, _: factor_vae_score(codes, factors, votes=votes, seed=seed),
        "mig": lambda codes, factors, wide: mig_exact(codes, factors, logvar=logvar(codes, wide)),
        "binned": lambda codes, factors, _: mig(codes, factors),
    }


def logvar(codes: Array, deviation: float) -> Array:
    """Log-variances (n, d) of posteriors that are all as wide."""
    return np.full(codes.shape, 2 * np.log(deviation))


def settings_of(
    name: str, codes: Array, factors: NDArray[np.int64], votes: tuple[int, int], seed: int
) -> list[float]:
    """The scores of the same codes by one metric with three of its settings."""
    if name == "mig":
        order = np.random.default_rng(derived(seed, "rows")).permutation(len(codes))
        parts = [order[: len(codes) // share] for share in (4, 2, 1)]
        return [mig_exact(codes[rows], factors[rows], logvar=logvar(codes[rows], WIDE)) for rows in parts]
    if name == "binned":
        return [mig(codes, factors, bins=bins) for bins in (5, 20, 80)]
    score = beta_vae_score if name == "higgins" else factor_vae_score
    return [score(codes, factors, votes=votes, batch=batch, seed=seed) for batch in (4, 64, 200)]


def signed(factors: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Codes (n, k): value v of a factor of m values is v + m or -v - m, at random, over the deviation.

    Values start at m, so that a code is far from 0 whatever the factor is: its variance is that of the sign,
    fixed factor or not.
    """
    sizes = factors.max(axis=0) + 1
    return standardised((factors + sizes) * rng.choice([-1, 1], factors.shape))


def turned_by_pairs(votes: tuple[int, int], seed: int) -> dict[str, list[float]]:
    """Every metric's score as the first two and the last two factors are turned by each of ANGLES."""
    factors = np.asarray(SPACE.rows(np.arange(len(SPACE))))
    ideal = standardised(factors)
    turns = [np.kron(np.eye(2), rotation(np.radians(angle))) for angle in ANGLES]
    return {
        name: [metric(ideal @ turn, factors, DEVIATION) for turn in turns]
        for name, metric in metrics(votes, seed).items()
    }


def rotation(angle: float) -> Array:
    """The plane turned by an angle, radians: (2, 2)."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
