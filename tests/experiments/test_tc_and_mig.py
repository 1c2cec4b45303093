"""What a seed says of total correlation and MIG, on made-up runs; a trained run is described."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.experiments.mechanisms import measured
from distaff.experiments.tc_and_mig import (
    WEIGHT,
    TCAndMIG,
    circles,
    described,
    gain_at_equal_tc,
    of_data,
    of_seed,
)


def runs_of_a_seed() -> pd.DataFrame:
    """MIG falls by .1 a nat under beta-TCVAE; under beta-VAE it falls and rises again."""
    rows = [
        ("vae", 1, 2.0, 0.3, -10.0),
        ("beta_vae", 4, 1.0, 0.1, -14.0),
        ("beta_vae", 16, 0.0, 0.3, -30.0),
        ("beta_tc_vae", 4, 1.0, 0.4, -12.0),
        ("beta_tc_vae", 16, 0.0, 0.5, -20.0),
        ("factor_vae", 4, 1.5, 0.35, -11.0),
        ("factor_vae", 16, 1.0, 0.41, -12.0),
    ]
    return pd.DataFrame(rows, columns=["method", "strength", "total_correlation", "mig", "bound"])


def test_what_a_seed_says() -> None:
    found = of_seed(runs_of_a_seed())
    assert found["tc"] == pytest.approx(-1)
    assert found["tc_less"] == pytest.approx(-1)  # beta-VAE's is 0: .3, .1, .3 over 2, 1, 0 nats
    assert found["mig"] == pytest.approx((0.3 + 0.2) / 2)
    assert found["bound"] == pytest.approx((2 + 10) / 2)
    # the order of the rows says nothing
    assert of_seed(runs_of_a_seed().iloc[::-1]) == pytest.approx(found)


def test_the_rival_is_the_algorithm_that_is_best_on_average() -> None:
    first = runs_of_a_seed().assign(seed=0)  # medians: VAE .3, beta-VAE .2, FactorVAE .38, beta-TCVAE .45
    second = runs_of_a_seed().assign(seed=1)
    second.loc[second["method"] == "vae", "mig"] = 0.39  # this seed's best; FactorVAE's is on average
    assert of_data(pd.concat([first, second]))["best"].tolist() == pytest.approx([0.45 - 0.38] * 2)


def test_the_gain_at_equal_total_correlation_is_the_distance_of_parallel_lines() -> None:
    tc = np.array([0.5, 1.5, 4.0])
    plain = pd.DataFrame({"total_correlation": tc, "mig": 0.5 - 0.1 * tc})
    other = pd.DataFrame({"total_correlation": tc / 4, "mig": 0.7 - 0.1 * tc / 4})
    assert gain_at_equal_tc(plain, other) == pytest.approx(0.2)
    assert gain_at_equal_tc(other, plain) == pytest.approx(-0.2)


def test_every_claim_has_a_number_and_the_figure_a_circle_for_each_beta() -> None:
    keys = {
        f"{data}_{key}" for data in ("faces", "sprites") for key in of_data(runs_of_a_seed().assign(seed=0))
    }
    assert keys == {claim.key for claim in TCAndMIG().claims}
    ax = circles(runs_of_a_seed().assign(data="faces")).axes[0]
    assert [len(marks.get_offsets()) for marks in ax.collections] == [3, 3]


def test_a_run_is_described_without_its_identity(tmp_path: Path) -> None:
    data = distaff.load_dataset("faces3d", resolution=16, identity=2, azimuth=4, elevation=3, lighting=3)
    run = distaff.train("beta_tc_vae", data, beta=3, latents=4, steps=5, seed=3, out=tmp_path / "run",
                        threads=1, show=False)  # fmt: skip
    found, plain = described(run), measured(run)
    assert (found["data"], found["method"], found["strength"], found["seed"]) == (
        "faces",
        "beta_tc_vae",
        3,
        3,
    )
    codes = run.encode(data.images(np.arange(len(data))), seed=1)
    labels = data.labels(np.arange(len(data)))
    assert data.factors.names[0] == "identity"
    assert found["mig"] == distaff.metrics.mig_exact(codes.mean, labels[:, 1:], logvar=codes.logvar)
    loss = -plain["elbo"] - plain["kl"]
    assert found["bound"] == pytest.approx(-WEIGHT * loss - plain["kl"])
