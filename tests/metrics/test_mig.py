"""MIG against scikit-learn's mutual information and NumPy's histogram, and its known ceiling."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from distaff.errors import BadInput, NotApplicable
from distaff.factors import FactorSpace
from distaff.metrics.mig import mig


def slow_mig(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """Locatello et al. 2019, appendix C: NumPy's histogram edges, scikit-learn's mutual information."""
    gaps = []
    for v in factors.T:
        information = []
        for z in codes.T:
            edges = np.histogram(z, bins)[1]
            information.append(mutual_info_score(v, np.digitize(z, edges[:-1])))
        information.sort()
        gaps.append((information[-1] - information[-2]) / mutual_info_score(v, v))
    return float(np.mean(gaps))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bins", [7, 20])
def test_equals_the_slow_statement(dtype: type, bins: int) -> None:
    rng = np.random.default_rng(0)
    factors = FactorSpace(("a", "b", "c"), (3, 6, 40)).sample(3000, 1)
    codes = (factors @ rng.standard_normal((3, 5)) + rng.standard_normal((3000, 5))).astype(dtype)
    codes[:, 4] = 1
    assert mig(codes, factors, bins=bins) == pytest.approx(slow_mig(codes, factors, bins), abs=1e-9)


def test_perfect_codes_of_dsprites_reach_the_ceiling_of_20_bins() -> None:
    factors = FactorSpace(("shape", "scale", "orientation", "x", "y"), (3, 6, 40, 32, 32))
    rows = factors.rows(np.arange(0, len(factors), 7))
    assert mig(rows, rows) == pytest.approx(0.902, abs=0.001)


def test_applicability_and_arguments() -> None:
    factors = np.arange(10) % 2
    with pytest.raises(NotApplicable, match="at least 2 codes"):
        mig(np.arange(10.0), factors)
    with pytest.raises(BadInput, match="bins=1 is not allowed"):
        mig(np.random.default_rng(0).random((10, 2)), factors, bins=1)


def test_rounding_below_an_edge_parts_no_values() -> None:
    """Of three even values the middle one is on an edge of 20 bins."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, size=3000).astype(float)
    codes = np.c_[values + 0.01 * rng.standard_normal(3000), rng.standard_normal(3000)]
    shaken = values + rng.choice([-1, 0, 1], size=3000) * 1e-16 * (values == 1)
    assert len(np.unique(shaken)) > 3
    assert mig(codes, shaken[:, None], continuous=True) == mig(codes, values[:, None], continuous=True)


def test_the_scale_of_even_codes_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 21, size=3000)
    codes = np.c_[values, rng.standard_normal(3000)]
    assert len({mig(scale * codes, values) for scale in (1, 0.1, 0.3, 1 / 3, 7e-3)}) == 1
