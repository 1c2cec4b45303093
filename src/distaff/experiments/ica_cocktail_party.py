"""ICA unmixes sources that are not Gaussian, and none that are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import differential_entropy

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.methods.ica import ICA
from distaff.methods.pca import PCA
from distaff.metrics.gaussian_total_correlation import gaussian_total_correlation
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import Plot
from distaff.pages.palette import COLOURS

Array = NDArray[np.float64]
SOURCES = 4
CODES = "codes of ICA (the aggregate posterior)"
MEANING = (
    "Whitened mixtures have no Gaussian total correlation, whatever the sources: uncorrelated is not "
    "independent. Of Laplace sources the full total correlation shows what is left, and falls to 0 where "
    "ICA has found them. Of Gaussian sources every rotation of the whitened mixtures is independent: the "
    "aggregate posterior is disentangled, and nothing is left to find the sources by."
)


class Scale(base.Scale, frozen=True):
    """How many samples of the sources, and how many mixtures."""

    samples: int = 20_000
    seeds: int = 10


class ICACocktailParty(Experiment[Scale]):
    """The cocktail party: from x = A z ICA finds the independent z, up to order and scale, unless Gaussian.

    Comon 1994 (doi:10.1016/0165-1684(94)90029-9). A prior is disentangled where p(z) is a product; a
    posterior, where the aggregate posterior q(z), the codes of all the data, is close to one. Here four
    sources, Laplace or Gaussian, are mixed by a square matrix of standard normal numbers and unmixed by
    FastICA. Every source is matched with one code, and the least |correlation| counts; so does the Amari
    index of the unmixing times the mixing matrix, 0 for a permutation with scales and 1 at worst.

    The total correlation is given in two ways, in nats: of the Gaussian with the same covariance, which sees
    linear dependence only, and in full. The full one needs no density in four dimensions: as the sources are
    independent and y = M z is linear, it is the sum of the entropies of the codes, less that of the sources,
    less ln |det M|; entropies are estimated from spacings.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 5 seconds", seeds=2),
        "nano": Scale("one core, half a minute"),
        "small": Scale("one core, a minute", seeds=100),
        "paper": Scale("one core, ten minutes", samples=100_000, seeds=100),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [
            row
            for kind in ("laplace", "normal")
            for seed in range(lab.scale.seeds)
            for row in _trial(kind, lab.scale.samples, seed)
        ]
        groups = pd.DataFrame(rows).groupby(["sources", "y"], sort=False)
        lab.table("Medians over seeds; total correlations in nats", groups.median().round(4).reset_index())
        lab.figure("Laplace sources, their mixtures, and what ICA makes of those (seed 0)", _waves("laplace"))
        lab.figure(
            "Gaussian sources: what comes out is independent, but not the sources (seed 0)", _waves("normal")
        )
        lab.say(MEANING)
        laplace, normal = (groups.get_group((sources, CODES)) for sources in ("Laplace", "Gaussian"))
        yield self.found("Laplace", laplace["least |correlation|"])
        yield self.found("Gaussian", normal["least |correlation|"])
        yield self.found("Amari", laplace["Amari index"])


def _mixed(kind: str, samples: int, seed: int) -> tuple[Array, Array, Array]:
    """Sources z (n, 4) of variance 1, the mixing matrix A, and x = A z (n, 4)."""
    rng = np.random.default_rng(seed)
    size = (samples, SOURCES)
    z = rng.normal(size=size) if kind == "normal" else rng.laplace(size=size) / 2**0.5
    mixing = rng.normal(size=(SOURCES, SOURCES))
    return z, mixing, z @ mixing.T


def _trial(kind: str, samples: int, seed: int) -> list[dict[str, str | float]]:
    """What is to be seen of one mixture: of its sources, of itself, and of what becomes of it."""
    z, mixing, x = _mixed(kind, samples, seed)
    whitening = PCA(latents=SOURCES).solve(x, seed).encoder
    whitening /= (x @ whitening.T).std(axis=0)[:, None]
    unmixing = ICA(latents=SOURCES).solve(x, seed).encoder
    maps = {
        "sources (the prior)": np.eye(SOURCES),
        "mixtures": mixing,
        "mixtures, whitened": whitening @ mixing,
        CODES: unmixing @ mixing,
    }
    return [
        {
            "sources": {"laplace": "Laplace", "normal": "Gaussian"}[kind],
            "y": name,
            "least |correlation|": matched_correlation(z @ m.T, z),
            "Amari index": amari_index(m),
            "Gaussian total correlation": gaussian_total_correlation(z @ m.T),
            "total correlation": total_correlation(m, z),
        }
        for name, m in maps.items()
    ]


def matched_correlation(codes: Array, sources: Array) -> float:
    """The least |correlation| when sources (n, d) and codes (n, d) are paired for the largest sum."""
    table = absolute_correlation(codes, sources, "pearson")
    return float(table[linear_sum_assignment(-table)].min())


def amari_index(m: Array) -> float:
    """How far a matrix (d, d) is from a permutation with scales (Amari et al. 1996), in 0..1.

    The sums of |m_ij| over its largest in the row, less 1, and the same of columns, over 2 d (d - 1).
    """
    size, d = np.abs(m), len(m)
    excess = (size / size.max(axis=1, keepdims=True)).sum() + (size / size.max(axis=0)).sum() - 2 * d
    return float(excess / (2 * d * (d - 1)))


def total_correlation(m: Array, sources: Array) -> float:
    """The total correlation of y = m z in nats, for independent sources z (n, d)."""
    of_codes, of_sources = (differential_entropy(y, axis=0).sum() for y in (sources @ m.T, sources))
    return float(of_codes - of_sources - np.linalg.slogdet(m)[1])


def _waves(kind: str, shown: int = 120) -> Plot:
    """A short piece of the sources, the mixtures and the codes, with order and sign of the sources."""
    z, _, x = _mixed(kind, 20_000, 0)
    codes = x @ ICA(latents=SOURCES).solve(x, 0).encoder.T
    table = np.corrcoef(codes.T, z.T)[:SOURCES, SOURCES:]
    code, source = linear_sum_assignment(-np.abs(table))
    codes[:, source] = codes[:, code] * np.sign(table[code, source])
    matched = np.diag(absolute_correlation(codes, z, "pearson"))
    figure, told = Plot((9.6, 4.2), layout="constrained"), {}
    panels = figure.subplots(SOURCES, 3, sharex=True)
    for column, (title, waves) in enumerate({"sources z": z, "mixtures x": x, "codes": codes}.items()):
        panels[0, column].set_title(title, fontsize=10)
        for row in range(SOURCES):
            ax = panels[row, column]
            ax.axis("off")
            colour = COLOURS[row if column != 1 else 5]
            wave = waves[:shown, row] / waves[:, row].std()
            told[f"{title} {row + 1}"] = wave
            ax.plot(wave, lw=0.9, color=colour)
            if column == 2:
                ax.set_title(f"|correlation| {matched[row]:.3f}", fontsize=7, loc="right")
    figure.numbers = pd.DataFrame(told).rename_axis("sample").reset_index()
    return figure
