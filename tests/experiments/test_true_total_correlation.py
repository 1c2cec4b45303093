"""What a seed says of true and estimated total correlation, on made-up runs; a trained run is described."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.experiments.mechanisms import measured
from distaff.experiments.true_total_correlation import (
    VOTES,
    TrueTotalCorrelation,
    described,
    lines,
    of_data,
)


def runs_of_a_seed() -> pd.DataFrame:
    """Three gammas at two stages, and a beta-VAE."""
    rows = [
        ("factor_vae", 0, 300, 2.0, 0.5, 30.0, 0.4),
        ("factor_vae", 0, 900, 3.0, 1.0, 20.0, 0.5),
        ("factor_vae", 4, 300, 2.0, 0.4, 31.0, 0.3),
        ("factor_vae", 4, 900, 1.5, 1.6, 21.0, 0.9),
        ("factor_vae", 16, 300, 1.8, 0.1, 32.0, 0.2),
        ("factor_vae", 16, 900, 1.2, 0.2, 23.0, 0.7),
        ("beta_vae", np.nan, 900, 0.5, np.nan, 26.0, 0.6),
    ]
    columns = ["method", "gamma", "steps", "true", "said", "reconstruction", "score"]
    return pd.DataFrame(rows, columns=columns)


def runs_of_two_seeds() -> pd.DataFrame:
    """Those of a seed, and of another whose discriminator says .5 more at gamma 4."""
    other = runs_of_a_seed().assign(seed=1)
    other.loc[other["gamma"] == 4, ["true", "said", "score"]] += [0.2, 0.5, 0]
    other.loc[other["gamma"] == 16, ["true", "score"]] += [0.4, 0.1]
    return pd.concat([runs_of_a_seed().assign(seed=0), other])


def test_what_each_seed_says_at_the_case_that_is_least_on_average() -> None:
    expected = {
        "modest": [-0.1, -0.4],  # gamma 4 at the end; the second seed would be least there too
        "trained": [1.0, 1.0],  # gamma 0
        "gamma": [0.3, 0.1],  # from 4 to 16; from 0 to 4 it is 1.5 and 1.3
        "score": [0.2, 0.3],
        "reconstruction": [-5, -5],
    }
    for table in (runs_of_two_seeds(), runs_of_two_seeds().iloc[::-1]):
        found = of_data(table)
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            assert found[key].sort_index().tolist() == pytest.approx(values), key


def test_every_claim_has_a_number_and_the_figure_two_lines_for_each_gamma() -> None:
    keys = {f"{data}_{key}" for data in ("shapes", "faces", "chairs") for key in of_data(runs_of_two_seeds())}
    assert keys == {claim.key for claim in TrueTotalCorrelation().claims}
    (ax,) = [ax for ax in lines(runs_of_a_seed().assign(data="faces")).axes if ax.get_visible()]
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[2, 3], [0.5, 1]]
    assert len(ax.lines) == 6


def test_a_run_is_described_as_it_is_measured(tmp_path: Path) -> None:
    data = distaff.load_dataset("chairs3d", resolution=16, seat_width=1, back_height=1, back=1, azimuth=8)
    run = distaff.train("factor_vae", data, gamma=2, latents=4, steps=5, seed=3, discriminator_width=16,
                        out=tmp_path / "run", threads=1, show=False)  # fmt: skip
    found, plain = described(run), measured(run)
    assert [found[key] for key in ("data", "method", "gamma", "steps", "seed")] == [
        "chairs", "factor_vae", 2, 5, 3
    ]  # fmt: skip
    assert found["true"] == plain["total_correlation"]
    assert found["said"] == plain["discriminator_says"]
    assert found["reconstruction"] == pytest.approx(-plain["elbo"] - plain["kl"])
    codes = run.encode(data.images(np.arange(len(data))), seed=1).mean
    labels = data.labels(np.arange(len(data)))
    assert found["score"] == distaff.metrics.factor_vae_score(codes, labels, votes=VOTES, seed=3)
