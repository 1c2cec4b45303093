import pandas as pd
import pytest

from distaff.experiments.beta_and_latents import BetaAndLatents, best_constraint


def test_the_best_constraint_is_that_of_the_highest_score_of_a_seed() -> None:
    score = {
        (0, 4): {0.01: 0.9, 0.1: 0.2}, (0, 20): {0.01: 0.3, 0.1: 0.8},
        (1, 4): {0.01: 0.5, 0.1: 0.4}, (1, 20): {0.01: 0.7, 0.1: 0.6},
    }  # fmt: skip
    rows = [
        {"seed": seed, "latents": latents, "normalised beta": beta, "score": value}
        for (seed, latents), found in score.items()
        for beta, value in found.items()
    ]
    best = best_constraint(pd.DataFrame(rows).sample(frac=1, random_state=0))
    assert best.loc[0].to_dict() == {4: 0.01, 20: 0.1}
    assert best.loc[1].to_dict() == {4: 0.01, 20: 0.01}
    growth = best.iloc[:, -1] / best.iloc[:, 0]
    assert list(growth) == pytest.approx([10, 1])


def test_a_planned_beta_is_the_normalised_one() -> None:
    scale = BetaAndLatents().at("nano")
    plan = BetaAndLatents().plan("nano")
    assert plan is not None
    found = {(run.settings["latents"], run.settings["beta"]) for run in plan.runs}
    for latents in scale.latents:
        normalised = sorted(beta * latents / 16**2 for size, beta in found if size == latents)
        assert normalised == pytest.approx(list(scale.normalised))
