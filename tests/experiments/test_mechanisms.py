"""What the mechanisms are measured by, against plain statements of it, and the claims on made-up tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.experiments.mechanisms import Mechanisms, _by_key, correlations, measured
from distaff.methods.base import Codes
from distaff.training.run import Run

NUMBERS = ("mig", "kl", "active", "elbo", "total_correlation", "means", "samples")


def trained(folder: Path, **settings: object) -> Run:
    data = distaff.load_dataset("dsprites", resolution=16, shape=1, orientation=1, x=8, y=8)
    return distaff.train("beta_vae", data, steps=150, out=folder, threads=1, show=False, **settings)


def plain_total_correlation(codes: Codes) -> float:
    """log q(z) - sum_j log q(z_j) of the samples themselves, under the mixture of all posteriors; nats."""
    assert codes.logvar is not None
    mean, logvar = codes.mean.astype(np.float64), codes.logvar.astype(np.float64)
    apart = codes.sample[:, None].astype(np.float64) - mean
    density = -0.5 * (np.log(2 * np.pi) + logvar + apart**2 * np.exp(-logvar))
    log_q = np.logaddexp.reduce(density.sum(axis=2), axis=1) - np.log(len(mean))
    marginals = np.logaddexp.reduce(density, axis=1) - np.log(len(mean))
    return float((log_q - marginals.sum(axis=1)).mean())


def plain_cross_entropy(run: Run, images: np.ndarray, samples: np.ndarray) -> float:
    """-log p(x|z) of an image, nats, from the probabilities that it is decoded to."""
    p = np.clip(run.decode(samples).astype(np.float64), 1e-12, 1 - 1e-12)
    x = images / 255.0
    return float(-(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / len(images))


def test_a_run_is_measured_as_plain_statements_say(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", latents=4, beta=0.1, learning_rate=2e-3)
    images = run.data.images(np.arange(len(run.data)))
    codes, found = run.encode(images, seed=1), measured(run)
    assert codes.logvar is not None
    kl = 0.5 * (codes.mean**2 + np.exp(codes.logvar) - codes.logvar - 1).mean(axis=0)
    assert found["kl"] == pytest.approx(kl.sum(), rel=1e-5)
    assert found["active"] == (kl > 0.1).sum() > 0
    loss = plain_cross_entropy(run, images, codes.sample)
    assert found["elbo"] == pytest.approx(-kl.sum() - loss, rel=1e-4)
    # of other samples of the same posteriors, one an image
    assert found["total_correlation"] == pytest.approx(plain_total_correlation(codes), abs=0.15)
    assert found["mig"] == distaff.metrics.mig(codes.mean, run.data.labels(np.arange(len(run.data))))
    assert found["steps"] == 150
    assert "apart" not in found


def test_the_largest_correlation_is_that_of_the_two_active_latents() -> None:
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((5000, 3)) @ np.array([[1.0, 0.6, 0.9], [0, 0.8, 0], [0, 0, 0.1]])
    logvar = np.log(np.full(mean.shape, 0.5))
    codes = Codes(mean.astype(np.float32), logvar.astype(np.float32), mean.astype(np.float32))
    active = np.array([True, True, False])
    expected = abs(np.corrcoef(mean[:, 0], mean[:, 1])[0, 1])
    found = correlations(codes, active)
    assert found["means"] == pytest.approx(expected, rel=1e-4)
    assert found["means"] == pytest.approx(0.6, abs=0.03)
    assert found["samples"] == pytest.approx(
        0.6 / 1.5, abs=0.03
    )  # noise of half the variance, on the diagonal
    assert correlations(codes, np.array([False, True, False])) == {"means": 0, "samples": 0}
    assert correlations(codes, np.zeros(3, bool)) == {"means": 0, "samples": 0}


def table() -> pd.DataFrame:
    """Two seeds of every run of the plan, alike but for what the test is about."""
    plan = Mechanisms().plan("small")
    assert plan is not None
    rows = []
    for run in plan.runs:
        if run.seed in (10, 11):
            own = dict.fromkeys(NUMBERS, 1.0) | {"run": run.name, "seed": run.seed - 10, "steps": run.steps}
            own |= {"discriminator_says": 0.5} if run.method == "factor_vae" else {}
            rows.append(own | ({"apart": 0.25} if run.method == "annealed_vae" else {}))
    return pd.DataFrame(rows)


def by_key(rows: pd.DataFrame) -> dict[str, list[float]]:
    last = rows.sort_values("steps", kind="stable").groupby(["run", "seed"], sort=False).last()
    return {key: list(np.asarray(values, float)) for key, values in _by_key(rows, last).items()}


def test_every_claim_has_a_number_for_every_seed() -> None:
    found = by_key(table())
    assert found.keys() == {claim.key for claim in Mechanisms().claims}
    assert {len(values) for values in found.values()} == {2}
    assert found["follows"] == [0.25, 0.25]
    assert found["says"] == [0.5, 0.5]
    assert found["modest"] == [1, 1]


def test_models_are_compared_seed_by_seed() -> None:
    rows = table()

    def put(name: str, column: str, first: float, second: float, steps: int | None = None) -> None:
        chosen = (rows["run"] == name) & (steps is None or rows["steps"] == steps)
        rows.loc[chosen & (rows["seed"] == 0), column] = first
        rows.loc[chosen & (rows["seed"] == 1), column] = second

    put("beta_tc_vae_4", "total_correlation", 0.5, 3)
    put("ada_gvae", "mig", 0.9, 0.8)
    put("beta_vae_2", "mig", 0.4, 0.7)
    put("vae", "mig", 0.5, 0.1)
    put("beta_vae_4", "mig", 0.1, 0.2)
    put("vae", "kl", 10, 12)
    put("beta_vae_4", "kl", 5, 15)
    put("beta_vae_4_at_twice", "kl", 11, 11)
    put("factor_vae_0", "total_correlation", 9, 9, steps=1000)  # what came before the end counts for nothing
    put("factor_vae_0", "total_correlation", 4, 5, steps=3000)
    put("factor_vae_10", "total_correlation", 3, 2, steps=3000)
    put("factor_vae_35", "total_correlation", 1, 3, steps=3000)
    put("factor_vae_10", "discriminator_says", 2, 9, steps=2000)  # more than is true: 1 and 1
    put("dip_vae_i", "means", 0.1, 0.2)
    put("vae", "means", 0.4, 0.5)
    found = by_key(rows)
    assert found["tc"] == [-0.5, 2]
    assert found["ada_gvae"] == pytest.approx([0.4, 0.1])
    assert found["pixels"] == [1 - 6, 1 - 4]
    assert found["gamma"] == [2, -1]  # from 10 to 35: less on average than 1 and 3
    assert found["modest"] == pytest.approx([8 / 9, 8 / 9])
    assert found["dip_vae_i_over_vae"] == pytest.approx([0.25, 0.4])
