import numpy as np
import pandas as pd
import pytest

from distaff.datasets import Correlated, load_dataset
from distaff.datasets.views.correlated import ratio_joint
from distaff.experiments.correlated_factors import JOINTS, CorrelatedFactors, advantage

FALLS = {"beta_vae": [0.5, 0.4, 0.3, 0.5], "beta_tc_vae": [0.6, 0.3, 0.4, 0.8]}  # MIG, by joint


def test_the_drop_is_paired_by_seed() -> None:
    rows = [
        {"joint": joint, "method": method, "seed": seed, "mig": value + 0.1 * seed * (method == "beta_vae")}
        for method, values in FALLS.items()
        for joint, value in zip(JOINTS, values, strict=True)
        for seed in (0, 1)
    ]
    more = advantage(pd.DataFrame(rows).sample(frac=1, random_state=0))
    assert more.loc[0, list(JOINTS)].tolist() == pytest.approx([0.1, -0.1, 0.1, 0.3])
    assert more.loc[1, list(JOINTS)].tolist() == pytest.approx([0.0, -0.2, 0.0, 0.2])
    assert more.mean(axis=1).tolist() == pytest.approx([0.1, 0.0])
    drop = more["uniform"] - more.drop(columns="uniform").mean(axis=1)
    assert drop.tolist() == pytest.approx([0.0, 0.0])


def test_workers_draw_from_the_joint() -> None:
    plan = CorrelatedFactors().plan("quick")
    assert plan is not None
    options = next(run.options for run in plan.runs if run.name == "corner")
    data = load_dataset("dsprites", **options)
    assert isinstance(data, Correlated)
    x, y = data.labels(data.draw(20_000, np.random.default_rng(0)))[:, -2:].T
    joint = ratio_joint("corner", 32, 8)
    assert np.mean(x >= 16) == pytest.approx(joint[16:].sum() / joint.sum(), abs=0.01)
    assert np.mean(y >= 4) == pytest.approx(joint[:, 4:].sum() / joint.sum(), abs=0.01)
