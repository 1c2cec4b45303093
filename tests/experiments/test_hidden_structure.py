"""What is measured of runs, on codes whose answer is known; and what the paper's second stage makes."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from distaff.datasets import Perturbed, load_dataset
from distaff.evaluation.least_noisy import LeastNoisy
from distaff.experiments.base import Lab
from distaff.experiments.hidden_structure import HiddenStructure, measured, migs, of_means, weakest
from distaff.experiments.hidden_structure_strengths import best_over_usual
from distaff.methods.base import Codes

DATA = load_dataset("dsprites", resolution=16, shape=[1], orientation=1, scale=[3], x=8, y=8)


def run_with(mean: np.ndarray, variance: tuple[float, float] = (0.1, 0.1)) -> SimpleNamespace:
    logvar = np.log(np.broadcast_to(variance, mean.shape))
    return SimpleNamespace(data=DATA, encode=lambda images, seed: Codes(mean, logvar, mean))


def test_codes_of_the_factors_and_codes_of_the_pattern() -> None:
    factors = DATA.labels(np.arange(len(DATA))).astype(float)
    s = factors.sum(axis=1)
    true = measured(run_with(factors), s)
    assert true["mig"] == pytest.approx(1)
    assert true["active"] == 2
    assert true["|corr| with s"] == pytest.approx(2**-0.5)
    turned = np.column_stack([s, factors[:, 0] - factors[:, 1]])
    entangled = measured(run_with(turned, (0.1, 1.0)), s)
    assert entangled["mig"] < 0.2
    assert entangled["active"] == 1
    assert entangled["|corr| with s"] == pytest.approx(1)


def test_runs_of_one_seed_are_compared() -> None:
    rows = [
        {"of": "dsprites", "method": "beta_vae", "data": data, "seed": seed, "mig": mig}
        for data, values in {"original": [0.5, 0.4], "perturbed": [0.2, 0.3]}.items()
        for seed, mig in enumerate(values)
    ]
    before, after = (migs(pd.DataFrame(rows), "beta_vae", kind) for kind in ("original", "perturbed"))
    assert (before - after).min(axis=1).tolist() == pytest.approx([0.3, 0.1])


def test_a_strength_may_differ_by_data_set() -> None:
    plan = HiddenStructure().plan("small")
    found = {(run.dataset, run.settings["beta"]) for run in plan.runs if run.method == "beta_vae"}
    assert found == {("dsprites", 16), ("shapes3d", 4)}


def test_the_pattern_of_the_paper_moves_by_what_runs_have_learned(tmp_path, monkeypatch) -> None:
    experiment, s = HiddenStructure(), np.linspace(-1, 1, len(DATA))
    scale = experiment.at("paper")
    assert {run.name.split(" ")[2] for run in experiment.plan("paper").runs} == {
        "original", "noise", "re-tuned",
    }  # fmt: skip
    run = SimpleNamespace(data=DATA, config=SimpleNamespace(seed=3))
    worst = LeastNoisy(s, run, 1, 0.2)
    monkeypatch.setattr("distaff.experiments.hidden_structure.least_noisy", lambda runs: worst)
    asked = []
    runs = type("Asked", (), {"__getitem__": lambda self, name: asked.append(name)})()
    lab = Lab(tmp_path, scale)
    plan = experiment.planned("paper", experiment.then(lab, runs))
    (row,) = lab.shown[0][2].to_dict("records")
    assert {key: row[key] for key in ("data", "seed", "MIG", "latent")} == {
        "data": "dsprites", "seed": 3, "MIG": 0.2, "latent": 1,
    }  # fmt: skip
    assert row["x"] == pytest.approx(abs(np.corrcoef(s, DATA.labels(np.arange(len(DATA)))[:, 0])[0, 1]))
    assert asked == ["dsprites beta_vae original", "shapes3d beta_vae original"]
    assert len(plan.runs) == 2 * 5 * 10
    option = plan.runs[0].options["perturb"]
    data = load_dataset(
        "dsprites", resolution=16, shape=[1], orientation=1, scale=[3], x=8, y=8, perturb=option
    )
    assert isinstance(data, Perturbed)
    np.testing.assert_array_equal(data.s, s)


def test_models_that_gave_up_a_latent_are_told_apart() -> None:
    rows = [
        ("original", 0, 2, 0.5), ("original", 1, 2, 0.8),
        ("perturbed", 0, 2, 0.2), ("perturbed", 0, 2, 0.1), ("perturbed", 0, 1, 0.4),
        ("perturbed", 1, 1, 0.6),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["data", "seed", "active", "mig"]).assign(method="beta_vae")
    whole = table["active"] >= 2
    assert best_over_usual(table, whole, 0.0)["beta_vae"].mean() == pytest.approx((0.2 + 0.0) / (0.5 + 0.8))
    assert best_over_usual(table, ~whole, np.nan)["beta_vae"].mean() == pytest.approx((0.4 + 0.6) / 1.3)
    assert np.isnan(best_over_usual(table, whole, np.nan)["beta_vae"][1])  # which leaves it undecided
    nothing = best_over_usual(table, table["active"] > 2, 0.0)["beta_vae"]
    assert nothing.isna().all()  # nothing is said of models that do not exist


def test_a_ratio_of_means_does_not_hang_on_one_seed() -> None:
    below = pd.DataFrame({"a": [0.8, 0.8, 0.01], "b": [0.5, 0.4, 0.6]})
    above = pd.DataFrame({"a": [0.4, 0.4, 0.1], "b": [0.25, 0.2, 0.3]})
    found = of_means(above, below)
    assert found.mean().tolist() == pytest.approx([0.9 / 1.61, 0.5])
    assert found["b"].tolist() == pytest.approx([0.5] * 3)  # an exact ratio has no spread


def test_the_data_set_that_shows_a_claim_least_is_chosen_by_its_mean() -> None:
    falls = pd.DataFrame({"dsprites": [0.5, 0.1, 0.6], "shapes3d": [0.3, 0.3, 0.3]})
    assert weakest(falls).tolist() == [0.3] * 3  # dsprites' .1 is one seed's
    unknown = pd.DataFrame({"a": [np.nan] * 3})
    assert weakest(pd.concat([unknown, falls], axis=1)).tolist() == [0.3] * 3
    assert weakest(unknown).isna().all()
