"""InfoM, InfoC and InfoE as latent_quantization and tripod have them, which share a package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

from benchmarks.other_libraries.arrays import BINS
from benchmarks.other_libraries.common import Scores, packages, spread, stub


def prepare(folder: Path) -> None:
    """Make the metrics of a checkout importable, with NumPy for jax.numpy, whose functions have its names."""
    stub("ipdb")
    stub("jax", numpy=np)
    sys.modules["jax.numpy"] = np
    packages(folder, "disentangle", "disentangle.metrics")


def infomec(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """InfoM, InfoC and InfoE with the nearest-neighbour estimate, and with codes cut into 20 bins."""
    compute = importlib.import_module("disentangle.metrics.infomec").compute_infomec

    def run(latents: np.ndarray, discrete: bool) -> dict[str, float]:
        scores = compute(factors, latents, discrete)
        found = {key: scores[key] for key in ("infom", "infoc", "infoe")}
        return found | {"active": int(np.sum(scores["active_latents"]))}

    yield "", spread(lambda _: run(codes, False), 3)
    yield "binned", spread(lambda _: run(in_bins(codes), True), 1)


def in_bins(codes: np.ndarray) -> np.ndarray:
    """The number 1..20 of each code's bin, as a float; a code that never varies is in one bin."""
    edges = [np.histogram_bin_edges(code, BINS)[:-1] for code in codes.T]
    return np.stack([np.digitize(*pair) for pair in zip(codes.T, edges, strict=True)], axis=1).astype(float)
