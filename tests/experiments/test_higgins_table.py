"""The score of the table on codes whose score is known, and what every row trains."""

import numpy as np
import pytest

from distaff.experiments.higgins_table import (
    FACTORS,
    ORDER,
    PAPER,
    POINTS,
    ROWS,
    HigginsTable,
    in_order,
)
from distaff.factors import FactorSpace
from distaff.metrics.beta_vae_score import beta_vae_score


def test_true_factors_score_fully_and_noise_as_a_guess() -> None:
    space = FactorSpace(("scale", "orientation", "x", "y"), (6, 10, 8, 8))
    rows = np.asarray(space.rows(np.arange(len(space))))
    noise = np.random.default_rng(0).normal(size=rows.shape)
    assert beta_vae_score(rows / rows.std(axis=0), rows, votes=(1000, POINTS)) > 0.99
    bound = next(claim.high for claim in HigginsTable().claims if claim.key == "noise")
    assert bound == pytest.approx(3 * np.sqrt((1 / FACTORS) * (1 - 1 / FACTORS) / POINTS), abs=5e-4)
    assert abs(beta_vae_score(noise, rows, votes=(1000, POINTS)) - 1 / FACTORS) < bound


def test_a_row_of_the_table_is_a_method_with_its_steps() -> None:
    plan = HigginsTable().plan("nano")
    assert plan is not None
    assert [run.name for run in plan.runs] == [name for name in ROWS for _ in range(2)]
    by_name = {run.name: run for run in plan.runs}
    assert by_name["VAE, untrained"].steps == 0
    assert by_name["DC-IGN"].steps == 2 * by_name["beta-VAE"].steps
    assert by_name["beta-VAE"].settings == {"beta": 4.0, "learning_rate": 1e-3}
    seeds = {name: [run.seed for run in plan.runs if run.name == name] for name in ROWS}
    assert seeds["beta-VAE"] == [10, 11], "of 0 and 1 it was known how they fared at larger steps"
    assert seeds["InfoGAN"] == [0, 1]


def test_the_order_of_the_table_is_judged_by_all_pairs_that_it_tells_apart() -> None:
    assert sorted(name for together in ORDER for name in together) == sorted(PAPER)
    assert in_order({name: np.array([score]) for name, score in PAPER.items()}) == 1
    backwards = {name: np.array([-score]) for name, score in PAPER.items()}
    assert in_order(backwards) == 0
    alike = {name: np.array([0.5]) for name in PAPER}
    assert in_order(alike) == 0, "what is alike is in no order"
    swapped = {name: np.array([score, score]) for name, score in PAPER.items()}
    swapped["VAE"] = np.array([PAPER["VAE"], 90.0])  # above PCA and InfoGAN: two of the 36 - 6 pairs
    assert in_order(swapped) == pytest.approx([1, 28 / 30])
