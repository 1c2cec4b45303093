import numpy as np
import pytest
from scipy.stats import ortho_group

from distaff.experiments.udr import UDR, scores


def test_models_that_permute_and_flip_agree_and_those_that_rotate_do_not() -> None:
    rng = np.random.default_rng(0)
    factors = np.indices((5, 5, 5, 5)).reshape(4, -1).T - 2.0  # a full grid: its columns do not correlate
    signed = [factors[:, rng.permutation(4)] * rng.choice([-1, 1], 4) for _ in range(3)]
    assert scores(signed, "spearman") == pytest.approx([1.0] * 3)
    rotated = [factors @ ortho_group.rvs(4, random_state=rng) for _ in range(3)]
    assert max(scores(rotated, "spearman")) < 0.6
    kl = np.r_[np.ones(4), np.zeros(2)]
    noisy = [np.column_stack([each, rng.normal(size=(625, 2))]) for each in signed]
    assert scores(noisy, "spearman", kl) == pytest.approx([1.0] * 3)


def test_every_model_is_compared_with_all_others() -> None:
    plan = UDR().plan("nano")
    assert plan is not None
    assert {len(plan.mates(run)) for run in plan.runs} == {4}
    assert plan.metrics == ("mig", "dci", "sap")
