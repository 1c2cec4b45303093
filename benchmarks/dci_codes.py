"""Codes for the benchmark of DCI's learners: trained runs of many methods, and constructions.

python benchmarks/dci_codes.py --out FOLDER

Every run sees 14,400 dSprites of 16 pixels for some hundred steps, so that codes lie between untrained ones
and good ones; a label term makes the best. FOLDER/codes.npz then holds 12,000 rows: the factors, and codes by
name.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import distaff
from distaff.datasets.base import DataSet
from distaff.metrics.arrays import standardised
from distaff.testing import WORSE

GRID = {"resolution": 16, "orientation": 8, "x": 10, "y": 10}
ROWS = 12_000
LABELLED = {"label_loss": "cross_entropy", "label_weight": 100.0, "labelled_images": 5000}
#: name -> method, steps and settings
RUNS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "vae": ("vae", 600, {}),
    "beta_vae_2": ("beta_vae", 600, {"beta": 2.0}),
    "beta_vae_4": ("beta_vae", 600, {"beta": 4.0}),
    "beta_vae_4_again": ("beta_vae", 600, {"beta": 4.0}),
    "beta_vae_4_short": ("beta_vae", 200, {"beta": 4.0}),
    "beta_vae_8": ("beta_vae", 600, {"beta": 8.0}),
    "beta_vae_16": ("beta_vae", 600, {"beta": 16.0}),
    "beta_tc_vae_4": ("beta_tc_vae", 600, {"beta": 4.0}),
    "beta_tc_vae_8": ("beta_tc_vae", 600, {"beta": 8.0}),
    "factor_vae_10": ("factor_vae", 400, {"gamma": 10.0, "discriminator_width": 100}),
    "dip_vae_i": ("dip_vae_i", 600, {}),
    "dip_vae_ii": ("dip_vae_ii", 600, {}),
    "annealed_vae": ("annealed_vae", 600, {"gamma": 100.0, "capacity": 12.0}),
    "ada_gvae": ("ada_gvae", 600, {"changed_factors": 1}),
    "ada_gvae_4": ("ada_gvae", 600, {"changed_factors": 1, "beta": 4.0}),
    "group_vae": ("group_vae", 600, {"changed_factors": 1}),
    "hfs_vae": ("hfs_vae", 600, {}),
    "qlae": ("qlae", 600, {"latents": 10}),
    "autoencoder": ("autoencoder", 400, {}),
    "labelled_vae": ("vae", 600, LABELLED),
    "labelled_beta_vae": ("beta_vae", 600, {"beta": 4.0, **LABELLED}),
    "pca": ("pca", 0, {}),
    "ica": ("ica", 0, {}),
}


def train(name: str, number: int, data: DataSet, out: Path) -> Any:
    """One run; it continues where it stopped."""
    method, steps, settings = RUNS[name]
    taught = {} if steps == 0 else {"learning_rate": 1e-3, "reconstruction_weight": 16.0}
    more = {"latents": 10, **taught, **settings}
    return distaff.train(
        method, data, steps=max(steps, 1), seed=100 + number, threads=1, out=out / name, show=False, **more
    )


def constructions(factors: np.ndarray) -> dict[str, np.ndarray]:
    """Codes with a name for what is wrong with them, ten columns each where the spare ones are noise."""
    rng = np.random.default_rng(0)
    ideal = standardised(factors)
    spare = rng.standard_normal(ideal.shape)
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    noisy = ideal + 0.3 * rng.standard_normal(ideal.shape)
    return {
        "perfect": np.concatenate([ideal, spare], axis=1),
        "noisy": np.concatenate([noisy, spare], axis=1),
        "rotated": np.concatenate([noisy @ rotation, spare], axis=1),
        "half_mixed": np.concatenate([WORSE["blurred"](ideal, 0.5, rng), spare], axis=1),
        "copied": np.concatenate([noisy, noisy], axis=1),
        "two_missing": np.concatenate([noisy[:, [0, 1, 3]], rng.standard_normal((len(ideal), 7))], axis=1),
        "noise": rng.standard_normal((len(ideal), 10)),
    }


def main() -> None:
    """Train what is not trained yet, and write codes.npz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    data = distaff.load_dataset("dsprites", **GRID)
    rows = np.random.default_rng(0).permutation(len(data))[:ROWS]
    factors = data.factors.rows(rows)
    found = constructions(factors)
    for number, name in enumerate(RUNS):
        run = train(name, number, data, out / "runs")
        parts = [run.encode(data.images(part)).mean for part in np.array_split(rows, 12)]
        found[name] = np.concatenate(parts).astype(np.float64)
        print(name, round(distaff.metrics.mcc(found[name], factors), 3), flush=True)
    np.savez(out / "codes.npz", factors=factors, **found)


if __name__ == "__main__":
    main()
