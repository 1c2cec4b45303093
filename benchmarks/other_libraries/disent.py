"""nmichlo/disent: MIG and SAP of arrays, FactorVAE on the grid with its settings but 2000 and 1000 votes.

Metric files alone, with stand-ins for its data sets. Pruning as set by the library (threshold 0).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import ROWS, SPLIT, grid_arrays
from benchmarks.other_libraries.common import (
    Found,
    Grid,
    Rows,
    Scores,
    attempt,
    packages,
    part_of,
    same,
    spread,
    stub,
)


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    packages(folder, "disent", "disent.metrics")
    stub("disent.dataset", DisentDataset=object)
    stub("disent.util", to_numpy=np.asarray)
    stub("disent.util.function", wrapped_partial=lambda function, **_: function)


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """MIG and both kinds of SAP."""

    def on_rows(name: str, **settings: Any) -> Any:
        return score(name, Data(codes, factors), batch_size=ROWS, **settings)

    yield "mig", on_rows("mig", num_train=ROWS)["discrete_score"]
    for key, numbers in (("sap_continuous_train_rows", True), ("sap_discrete", False)):
        yield key, part_of(attempt(on_rows, "sap", continuous_factors=numbers, **SPLIT), "score")


def others(situations: list[str]) -> Iterator[Found]:
    """FactorVAE on both grids."""
    for situation in {"grid", "grid_dead"} & set(situations):
        data = Data(*grid_arrays(situation == "grid_dead"))
        votes = {"num_train": 2000, "num_eval": 1000}
        found = spread(lambda _, data=data, votes=votes: score("factor_vae", data, **votes), 5)
        yield "values", situation, "factor_vae_threshold_0.0", found


def score(name: str, data: Data, **settings: Any) -> dict[str, Any]:
    """What one of its metrics returns, by name."""
    function = getattr(importlib.import_module(f"disent.metrics._{name}"), f"metric_{name}").unwrap
    return {key.split(".")[1]: value for key, value in function(data, same, **settings).items()}


class Data:
    """A data set for disent: rows of a situation in order, or draws from the grid."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.rows, self.gt_data = Rows(codes, factors), self
        self.grid, self.num_factors = Grid(codes), factors.shape[1]

    def sample_factors(self, count: int) -> np.ndarray:
        """Uniform factors of the grid."""
        return self.grid.sample_factors(count, np.random)

    def dataset_batch_from_factors(self, factors: np.ndarray, mode: str) -> np.ndarray:
        """The codes of these combinations."""
        return self.grid.sample_observations_from_factors(factors, mode)

    def dataset_sample_batch(self, count: int, mode: str) -> np.ndarray:
        """The codes of random combinations."""
        return self.dataset_batch_from_factors(self.sample_factors(count), mode)

    def dataset_sample_batch_with_factors(self, count: int, mode: str) -> tuple[np.ndarray, np.ndarray]:
        """The next rows."""
        return self.rows.sample(count, mode)[::-1]
