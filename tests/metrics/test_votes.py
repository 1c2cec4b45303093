"""The beta-VAE and FactorVAE scores against slow statements that loop over votes and search rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from distaff.errors import BadInput, NotApplicable
from distaff.factors import FactorSpace
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.metrics.factor_vae_score import factor_vae_score
from distaff.metrics.rows import RowGroups

SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))
ROWS = SPACE.sample(2000, 0)


def some_codes(seed: int) -> np.ndarray:
    """Codes of middling quality, with a dead one."""
    rng = np.random.default_rng(seed)
    mixed = ROWS @ (np.eye(3, 4) + 0.35 * rng.standard_normal((3, 4))) + 0.6 * rng.standard_normal((2000, 4))
    mixed[:, 3] *= 0.001
    return mixed


def slow_factor_vae(codes: np.ndarray, seed: int, votes: tuple[int, int], batch: int) -> float:
    """Kim and Mnih 2018, section 4, one vote at a time."""
    rng = np.random.default_rng(seed)
    live = [j for j in range(codes.shape[1]) if codes[:, j].std(ddof=1) >= 0.05]

    def vote() -> tuple[int, int]:
        factor = rng.integers(3)
        value = ROWS[rng.integers(len(ROWS)), factor]
        rows = rng.choice(np.flatnonzero(ROWS[:, factor] == value), size=batch)
        return factor, int(np.argmin([codes[rows, j].var(ddof=1) / codes[:, j].var(ddof=1) for j in live]))

    table = np.zeros((3, len(live)))
    for _ in range(votes[0]):
        table[vote()] += 1
    right = [table[:, code].argmax() == factor for factor, code in (vote() for _ in range(votes[1]))]
    return float(np.mean(right))


def slow_beta_vae(codes: np.ndarray, seed: int, points: tuple[int, int], batch: int) -> float:
    """Higgins et al. 2017, section 3, one point at a time."""
    rng = np.random.default_rng(seed)

    def point() -> tuple[np.ndarray, int]:
        factor = rng.integers(3)
        first = rng.integers(len(ROWS), size=batch)
        second = [rng.choice(np.flatnonzero(ROWS[:, factor] == ROWS[i, factor])) for i in first]
        return np.abs(codes[first] - codes[second]).mean(axis=0), factor

    train, test = ([*zip(*(point() for _ in range(n)), strict=True)] for n in points)
    model = LogisticRegression(max_iter=1000).fit(np.array(train[0]), train[1])
    return float(model.score(np.array(test[0]), test[1]))


@pytest.mark.parametrize(
    ("fast", "slow"), [(factor_vae_score, slow_factor_vae), (beta_vae_score, slow_beta_vae)]
)
def test_fast_and_slow_agree_within_the_spread_over_seeds(fast, slow) -> None:
    codes = some_codes(1)
    size = {"votes": (400, 400), "batch": 6}
    quick = [fast(codes, ROWS, seed=seed, **size) for seed in range(20)]
    plain = [slow(codes, seed, (400, 400), 6) for seed in range(8)]
    assert 0.4 < np.mean(quick) < 0.95  # codes on which a mistake would show
    error = np.sqrt(np.var(quick, ddof=1) / 20 + np.var(plain, ddof=1) / 8)
    assert abs(np.mean(quick) - np.mean(plain)) < 3.5 * error


def test_a_factor_missing_fools_the_beta_vae_score_alone() -> None:
    codes = SPACE.sample(5000, 3)
    three = FactorSpace(("a", "b", "c", "d"), (5, 6, 7, 8)).sample(5000, 4)
    assert beta_vae_score(three[:, :3], three) >= 0.99
    assert factor_vae_score(three[:, :3], three) <= 0.80
    assert factor_vae_score(codes, codes) >= 0.99


def test_dead_codes_are_pruned() -> None:
    codes = np.concatenate([ROWS, np.full((2000, 2), 0.01)], axis=1)
    codes[:, 4] += 0.001 * np.random.default_rng(0).standard_normal(2000)
    assert factor_vae_score(codes, ROWS) >= 0.99
    assert factor_vae_score(codes, ROWS, threshold=0.0) >= 0.99  # a constant code is no 0/0
    assert factor_vae_score(0.001 * codes, ROWS) == 0.0


def test_a_row_alone_with_its_value_gives_no_code_an_advantage() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(400), rng.integers(4, size=400)], axis=1)
    assert factor_vae_score(rng.standard_normal((400, 8)), factors) < 0.65
    with pytest.raises(BadInput, match="threshold=nan"):
        factor_vae_score(some_codes(0), ROWS, threshold=float("nan"))


def test_partners_are_uniform_over_the_rows_that_share_the_value() -> None:
    factors = np.array([[0, 1], [0, 0], [1, 1], [0, 1], [1, 0]])
    groups = RowGroups(factors)
    drawn = groups.partners(np.full(30_000, 3), 0, np.random.default_rng(0))
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=5) / 30_000, [1 / 3, 1 / 3, 0, 1 / 3, 0], atol=0.015
    )
    assert set(groups.partners(np.full(100, 4), 1, np.random.default_rng(0))) == {1, 4}


@pytest.mark.parametrize("function", [beta_vae_score, factor_vae_score])
def test_arguments(function) -> None:
    with pytest.raises(NotApplicable, match="at least 2 factors, got 1"):
        function(some_codes(0), ROWS[:, 0])
    with pytest.raises(BadInput, match="votes=0"):
        function(some_codes(0), ROWS, votes=(0, 10))
    with pytest.raises(BadInput, match="batch=0"):
        function(some_codes(0), ROWS, batch=0)
    with pytest.raises(BadInput, match="votes=5 is not allowed; it must be two"):
        function(some_codes(0), ROWS, votes=5)
    with pytest.raises(BadInput, match="beyond 1e"):
        function(some_codes(0) * 1e200, ROWS)
    assert 0 <= function(some_codes(0)[:2], np.array([[0, 1], [1, 0]]), votes=(1, 1)) <= 1
