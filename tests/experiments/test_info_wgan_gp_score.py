from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from distaff.experiments import info_wgan_gp_score
from distaff.experiments.info_wgan_gp_score import InfoWGANGPScore, lead, logged, scores


def test_factor_vae_is_compared_with_the_lambda_that_is_best_on_average() -> None:
    found = {
        "FactorVAE": [0.8, 0.7],
        "lambda = 0": [0.9, 0.1],
        "lambda = 0.2": [0.5, 0.6],
        "untrained": [0.8, 0.8],
    }
    rows = [
        {"run": run, "seed": seed, "factor_vae_score": value, "mig": 0.0}
        for run, values in found.items()
        for seed, value in enumerate(values)
    ]
    assert lead(pd.DataFrame(rows)).tolist() == pytest.approx([0.3, 0.1])


def test_scores_are_those_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"factor_vae_score": SimpleNamespace(value=0.5), "mig": SimpleNamespace(value=None)}
    monkeypatch.setattr(info_wgan_gp_score, "evaluate", lambda run, **how: card)
    assert scores(SimpleNamespace()) == {"factor_vae_score": 0.5, "mig": 0.0}


def test_what_was_logged_last_is_kept_of_runs_that_log_it() -> None:
    last = {"step": 200, "wasserstein": 0.4, "gradient_norm": 0.9}
    found = logged(SimpleNamespace(history=lambda: [{"step": 100, "wasserstein": 0.1}, last]))
    assert (found["wasserstein"], found["gradient_norm"]) == (0.4, 0.9)
    assert np.isnan(found["categorical_information"])
    assert all(np.isnan(value) for value in logged(SimpleNamespace(history=list)).values())


def test_every_lambda_and_factor_vae_are_trained() -> None:
    plan = InfoWGANGPScore().plan("paper")
    assert plan is not None
    steps = {run.name: run.steps for run in plan.runs}
    assert steps.pop("FactorVAE") == 300_000
    assert steps.pop("untrained") == 0
    assert steps == dict.fromkeys(("lambda = 0", "lambda = 0.05", "lambda = 0.2", "lambda = 1"), 100_000)
