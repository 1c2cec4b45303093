"""Results tables with planted structure."""

import itertools

import numpy as np
import pandas as pd

SIX = ("beta_vae_score", "factor_vae_score", "mig", "dci.disentanglement", "modularity", "sap")
METHODS = ("beta_vae", "annealed_vae", "factor_vae", "beta_tc_vae", "dip_vae_i", "dip_vae_ii")


def grid(methods: int = 6, strengths: int = 6, seeds: int = 50, datasets: int = 1) -> pd.DataFrame:
    """A row per run."""
    rows = itertools.product(
        [f"data{d}" for d in range(datasets)],
        METHODS[:methods],
        [float(2**s) for s in range(strengths)],
        range(seeds),
    )
    runs = pd.DataFrame(rows, columns=["dataset", "method", "strength", "seed"])
    runs["run"] = [f"run{i}" for i in range(len(runs))]
    return runs.assign(strength_name="beta")


def long(runs: pd.DataFrame, scores: dict[str, np.ndarray], representation: str = "mean") -> pd.DataFrame:
    """The results table of runs with these scores, an array over runs each."""
    parts = [runs.assign(representation=representation, metric=m, value=v) for m, v in scores.items()]
    return pd.concat(parts, ignore_index=True)


def noise(
    seed: int,
    *,
    methods: int = 6,
    strengths: int = 6,
    seeds: int = 50,
    datasets: int = 1,
    metrics: tuple[str, ...] = SIX,
) -> pd.DataFrame:
    """Every score an independent normal number."""
    runs = grid(methods, strengths, seeds, datasets)
    rng = np.random.default_rng(seed)
    return long(runs, {metric: rng.normal(size=len(runs)) for metric in metrics})
