"""The codes and scores of the experiment where they are known."""

import numpy as np
import pytest

from distaff.experiments.beta_vae_metric_failure import EVENLY, SPACE, _scores


def factors() -> np.ndarray:
    return np.asarray(SPACE.rows(np.arange(len(SPACE))))


def test_the_rotation_keeps_lengths_and_puts_a_quarter_of_each_factor_into_every_code() -> None:
    np.testing.assert_allclose(EVENLY @ EVENLY.T, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(EVENLY**2, np.full((4, 4), 1 / 4))


def test_the_factors_themselves_have_full_scores_and_noise_tells_none_of_the_four() -> None:
    truth = factors()
    assert _scores(truth.astype(float), truth, 0) == {"BetaVAE score": 1, "FactorVAE score": 1}
    noise = np.random.default_rng(0).standard_normal((len(truth), 4))
    for value in _scores(noise, truth, 0).values():
        assert value == pytest.approx(1 / 4, abs=0.06)
