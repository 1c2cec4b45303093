import numpy as np
import pytest
from scipy.stats import ortho_group, spearmanr

from distaff.experiments.udr import UDR, moved_again, scores, with_noise


def test_models_that_permute_and_flip_agree_and_those_that_rotate_do_not() -> None:
    rng = np.random.default_rng(0)
    factors = np.indices((5, 5, 5, 5)).reshape(4, -1).T - 2.0  # a full grid: its columns do not correlate
    signed = [factors[:, rng.permutation(4)] * rng.choice([-1, 1], 4) for _ in range(3)]
    assert scores(signed, "spearman") == pytest.approx([1.0] * 3)
    rotated = [factors @ ortho_group.rvs(4, random_state=rng) for _ in range(3)]
    assert max(scores(rotated, "spearman")) < 0.6
    kl = np.r_[np.ones(4), np.zeros(2)]
    noisy = [np.column_stack([each, rng.normal(size=(625, 2))]) for each in signed]
    assert scores(noisy, "spearman", [kl] * 3) == pytest.approx([1.0] * 3)


def same_place(codes: list[np.ndarray]) -> float:
    """What a score would see that takes latents of two models for alike by their place."""
    first, second = codes
    return float(np.mean([abs(spearmanr(a, b).statistic) for a, b in zip(first.T, second.T, strict=True)]))


def test_models_moved_each_its_own_way_fool_a_score_by_place_and_not_udr() -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(500, 5))
    alike = [factors, np.tanh(factors)]
    assert same_place(alike) == pytest.approx(1)
    moved = [moved_again(each, rng) for each in alike]
    assert same_place(moved) < 0.5
    assert scores(moved, "spearman") == pytest.approx(scores(alike, "spearman"), abs=1e-12)


def test_latents_of_noise_stand_anywhere_and_have_no_kl() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(200, 4))
    noisy, kl = with_noise(codes, rng)
    assert noisy.shape == (200, 7)
    assert kl.sum() == 4
    assert not kl[:4].all()  # they are not all behind
    np.testing.assert_array_equal(np.sort(noisy[:, kl == 1]), np.sort(codes))


def test_every_model_is_compared_with_all_others() -> None:
    plan = UDR().plan("nano")
    assert plan is not None
    assert {len(plan.mates(run)) for run in plan.runs} == {4}
    assert plan.metrics == ("mig", "dci", "sap")
