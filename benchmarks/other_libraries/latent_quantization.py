"""kylehkhsu/latent_quantization: the InfoMEC of its infomec.py, and that of its training script.

infom, infoc, infoe: infomec.py with continuous latents (10 neighbours; active: range > largest / 20).
binned: discrete latents, codes cut into 20 equal bins. training: InfoM and InfoC of mutual_information.py (3
neighbours; active: range > largest / 8); training_bins: the same with 20 bins; NumPy stands in for jax.numpy.
active: number of active latents. The neighbour estimate adds tiny noise from NumPy's generator.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import numpy as np

from benchmarks.other_libraries.arrays import BINS, arrays
from benchmarks.other_libraries.common import Found, Scores, spread
from benchmarks.other_libraries.infomec import infomec, prepare

__all__ = ["others", "prepare", "scores"]


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """InfoMEC, and InfoM and InfoC as logged in training, with NumPy and so in double precision."""
    yield from infomec(codes, factors)
    functions = importlib.import_module("disentangle.metrics.mutual_information")

    def logged(estimator: str) -> dict[str, float]:
        information, active = functions.compute_pairwise_mutual_information(
            codes, factors, continuous_latents=True, estimator=estimator, bins=BINS
        )
        ratio = functions.compute_mutual_information_ratio
        names = {"infom": "modularity", "infoc": "compactness"}
        return {name: ratio(information, active, kind) for name, kind in names.items()}

    yield "training", spread(lambda _: logged("continuous-discrete"), 3)
    yield "training_bins", spread(lambda _: logged("discrete-discrete"), 1)


def others(situations: list[str]) -> Iterator[Found]:
    """The matrix of `mixed`."""
    if "matrices" in situations:
        codes, factors = arrays("mixed")
        np.random.seed(0)  # noqa: NPY002  the nearest-neighbour estimate adds noise from it
        nmi = importlib.import_module("disentangle.metrics.infomec").compute_nmi(factors, codes, False)
        yield "matrices", "mixed", "nearest_neighbour_information_over_entropy", nmi.T
