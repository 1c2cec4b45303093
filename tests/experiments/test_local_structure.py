import numpy as np
import pytest

from distaff.experiments.local_structure import least_match, observed, turned


def test_global_and_local_axes_differ() -> None:
    rng = np.random.default_rng(0)
    uv = rng.uniform(-1, 1, (200_000, 2)) * [1, 0.85]
    x = observed(uv, 0.3)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    first = np.abs(vectors[:, values.argmax()])
    assert first[0] > 0.98  # u is the first principal direction
    # a small step along s moves x further than one along t
    step = 1e-4 / 2**0.5
    along_s = observed(uv + np.array([step, step]), 0.3) - x
    along_t = observed(uv + np.array([step, -step]), 0.3) - x
    assert np.linalg.norm(along_t, axis=1).mean() == pytest.approx(1e-4)
    assert np.linalg.norm(along_s, axis=1).mean() == pytest.approx(
        1e-4 * (1 + (0.3 * 8) ** 2) ** 0.5, rel=1e-3
    )


def test_codes_are_matched_in_either_order() -> None:
    uv = np.random.default_rng(0).standard_normal((1000, 2))
    assert least_match(-uv[:, ::-1], uv) == pytest.approx(1)
    assert least_match(turned(uv), uv) < 0.8
