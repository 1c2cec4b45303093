"""YannDubs/disentangling-vae: MIG and AAM of Gaussian posteriors on the grid, codes = standardised factors.

Needs a complete grid and posteriors: standardised factors as means, standard deviation .01.
one_code_at_a_time: the same functions called with single codes, which avoids its reshape of (rows, codes)
into (codes, rows) in the place of a transposition.
"""

from __future__ import annotations

import importlib
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import GRID_SIZES, grid_arrays
from benchmarks.other_libraries.common import Found, packages, spread, stub


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    packages(folder, "disvae", "disvae.utils", "disvae.models")
    stub("disvae.models.losses", get_loss_f=None)
    stub("disvae.utils.modelIO", save_metadata=None)


def others(situations: list[str]) -> Iterator[Found]:
    """MIG and AAM of all rows in the place of 10,000, of all codes together and one by one."""
    import torch

    if "grid_ideal" not in situations:
        return
    evaluator = importlib.import_module("disvae.evaluate").Evaluator
    original = evaluator._estimate_latent_entropies

    def together(self: Any, samples: Any, params: Any) -> Any:
        return original(self, samples, params, n_samples=len(samples))

    def one_by_one(self: Any, samples: Any, params: Any) -> Any:
        parts = [torch.split(part, 1, dim=1) for part in (samples, *params)]
        return torch.cat([together(self, x, tuple(part)) for x, *part in zip(*parts, strict=True)])

    for name, function in (("", together), ("one_code_at_a_time", one_by_one)):
        evaluator._estimate_latent_entropies = function
        scores = spread(lambda seed: of_posteriors(evaluator, seed), 3)
        yield "values", "grid_ideal", name, scores


def of_posteriors(evaluator: Any, seed: int) -> dict[str, float]:
    """What disentangling-vae's evaluator makes of posteriors with deviation .01 around the factors."""
    import torch

    factors = grid_arrays()[1]
    mean = torch.tensor((factors - factors.mean(axis=0)) / factors.std(axis=0), dtype=torch.float32)
    torch.manual_seed(seed)
    samples = mean + 0.01 * torch.randn_like(mean)
    with tempfile.TemporaryDirectory() as folder:
        model = types.SimpleNamespace(to=lambda _: None)
        instance = evaluator(model, None, save_dir=folder)
        instance._compute_q_zCx = lambda _: (samples, (mean, torch.full_like(mean, float(np.log(1e-4)))))
        data = types.SimpleNamespace(lat_sizes=np.array(GRID_SIZES), lat_names=("a", "b", "c", "d"))
        scores = instance.compute_metrics(types.SimpleNamespace(dataset=data))
    return {"mig": scores["MIG"], "aam": scores["AAM"]}
