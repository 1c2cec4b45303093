"""What latents carry: nats where there is a posterior, variances where there is none."""

import numpy as np
import pytest

from distaff.evaluation.encode import Encoding
from distaff.studies import execute

RNG = np.random.default_rng(0)
MEAN = (RNG.standard_normal((500, 3)) * [3, 0.2, 0.4] + 7).astype(np.float32)
ROWS = np.arange(500)


def test_without_a_posterior_variances_order_the_latents() -> None:
    encoding = Encoding(ROWS, MEAN, None, MEAN)
    assert encoding.kl is None
    np.testing.assert_allclose(encoding.carried, MEAN.astype(np.float64).var(axis=0))
    assert encoding.active.tolist() == [True, False, True]  # variances near 9, .04 and .16
    tiny = Encoding(ROWS, 1e-4 * MEAN, None, 1e-4 * MEAN)
    assert tiny.active.tolist() == [True, False, True]  # whatever the unit of the codes is
    assert not Encoding(ROWS, 0 * MEAN, None, 0 * MEAN).active.any()


def test_with_a_posterior_nats_order_the_latents() -> None:
    mean = np.tile(np.float32([2, 0, 0.4]), (500, 1))
    encoding = Encoding(ROWS, mean, np.zeros_like(mean), mean)
    assert encoding.carried == pytest.approx([2, 0, 0.08])
    np.testing.assert_array_equal(encoding.carried, encoding.kl)
    assert encoding.active.tolist() == [True, False, True]
    just_below = Encoding(ROWS, mean / 2, np.zeros_like(mean), mean)
    assert just_below.active.tolist() == [True, False, False]  # .02 nats


def test_a_study_records_no_kl_and_no_elbo_without_a_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "_reconstruction", lambda *_: 5.0)
    run = data = None
    assert execute._of_the_model(run, data, Encoding(ROWS, MEAN, None, MEAN)) == {"reconstruction": 5.0}
    found = execute._of_the_model(run, data, Encoding(ROWS, MEAN, 0 * MEAN, MEAN))
    assert found["elbo"] == -5.0 - found["kl"]
