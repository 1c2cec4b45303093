"""Closed forms and biases against statements of their own."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from distaff.experiments.elbo_decomposition import CLOSED, PARTS, advantage, biases, gaussian_parts, made_up

COVARIANCE = np.array([[1.5, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.1]])


def test_gaussian_parts_are_differences_of_entropies() -> None:
    whole = stats.multivariate_normal(cov=COVARIANCE).entropy()
    single = np.array([stats.norm(scale=np.sqrt(v)).entropy() for v in np.diag(COVARIANCE)])
    given = stats.multivariate_normal(cov=0.1 * np.eye(3)).entropy()
    against_prior = 0.5 * np.log(2 * np.pi) + np.diag(COVARIANCE) / 2  # the cross-entropy with N(0, 1)
    expected = [whole - given, single.sum() - whole, (against_prior - single).sum()]
    np.testing.assert_allclose(gaussian_parts(COVARIANCE, 0.1), expected, atol=1e-12)


def test_whole_batches_of_everything_have_no_bias_but_that_of_the_noise() -> None:
    rng = np.random.default_rng(0)
    mean = rng.standard_normal((1024, 3))
    table = biases(mean, np.full_like(mean, np.log(0.2)), 4, rng)
    assert list(table["batch"].unique()) == [64, 256, 1024]
    largest = table[table["batch"] == 1024].set_index("part")
    assert list(largest.index) == list(PARTS)
    assert largest["weighted"].abs().max() < 0.05
    smallest = table[table["batch"] == 64].set_index("part")
    # few images look further apart than all of them: too little information, too much total correlation
    assert -0.5 < smallest["weighted"]["information"] < -0.1
    assert 0.1 < smallest["weighted"]["total_correlation"] < 0.5
    assert smallest["weighted"].sum() == pytest.approx(0, abs=0.1)  # what is off in one is off in the others


def test_made_up_posteriors_have_the_parts_that_they_are_drawn_for() -> None:
    found = made_up(3, 2)
    np.testing.assert_allclose(found.exact, CLOSED, atol=0.15)
    assert found.of_prior < 0.05 < found.exact[1]
    row = found.biases[(found.biases["part"] == "total_correlation") & (found.biases["batch"] == 256)].iloc[0]
    assert found.relative_error("weighted") == abs(row["weighted"]) / found.exact[1]


def test_methods_are_compared_by_seed_and_beta() -> None:
    rows = [("beta_vae", 1, 0, 9.0), ("beta_vae", 1, 1, 9.0)]
    rows += [("beta_vae", 4, 0, 1.0), ("beta_vae", 4, 1, 2.0)]
    rows += [("beta_tc_vae", 4, 0, 1.5), ("beta_tc_vae", 4, 1, 1.0)]
    found = advantage(pd.DataFrame(rows, columns=["method", "beta", "seed", "mig"]), "mig")
    assert list(found.columns) == [4]
    assert found[4].tolist() == [0.5, -1.0]
