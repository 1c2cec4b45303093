"""Scores and accuracies stand beside each other run by run, and a rotation is one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.evaluation.reasoning.lesson import Reasoning
from distaff.evaluation.reasoning.matrices import Matrices
from distaff.evaluation.reasoning.shortcuts import shortcuts
from distaff.experiments import abstract_reasoning as module
from distaff.experiments.abstract_reasoning import (
    CLAIMED,
    NANO,
    THUMBED,
    AbstractReasoning,
    by_hand,
    measured,
    rotated,
    scored,
    third_row_alone,
    without_rules,
)
from distaff.experiments.base import Lab
from distaff.experiments.verdict import rank_correlation
from distaff.metrics.mig import mig
from distaff.randomness import derived

SCORES = ("dci.disentanglement", "dci.informativeness", "factor_vae_score", "mig", "reconstruction")


def results(runs: int, dead: int) -> pd.DataFrame:
    """A table in which every score of run n is n, some of which are dead."""
    rows = [
        {
            "run": f"r{n}", "dataset": "shapes3d", "method": "beta_vae", "strength": float(n),
            "strength_name": "beta", "seed": n % 2, "steps": 1, "settings": "{}", "metric": metric,
            "value": float(value),
            "representation": "model" if metric in ("reconstruction", "informative") else "mean",
        }
        for n in range(runs)
        for metric, value in [*((score, n) for score in SCORES), ("informative", n >= dead)]
    ]  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=100)


def test_scores_and_accuracies_are_of_the_same_run_and_better_is_higher() -> None:
    learned = pd.DataFrame(
        {"method": "beta_vae", "strength": np.arange(8.0), "seed": np.arange(8) % 2, "10": np.arange(8) / 10}
    ).sample(frac=1, random_state=101)
    wide = scored(results(8, dead=2), learned)
    assert sorted(wide["mig"]) == [2, 3, 4, 5, 6, 7], "dead runs are left out"
    np.testing.assert_allclose(wide["10"], wide["mig"] / 10)
    assert rank_correlation(wide["mig"], wide["10"], 2).value == pytest.approx(1)
    assert rank_correlation(wide["reconstruction"], wide["10"], 2).value == pytest.approx(-1)


def test_every_scale_is_tested_when_a_claim_is_made() -> None:
    for scale in AbstractReasoning.scales.values():
        assert {round(share * scale.learned) for _, share in CLAIMED.values()} <= set(measured(scale))
    plan = AbstractReasoning().plan("nano")
    assert plan is not None
    assert len(plan.runs) >= 20
    assert {run.settings["reconstruction_weight"] for run in plan.runs} == {16.0}


def test_a_rotation_keeps_what_is_told_and_mixes_the_factors() -> None:
    data = distaff.load_dataset("shapes3d", **NANO)
    cells = np.arange(0, len(data), 9)
    seen = rotated(data, 100).look(np.arange(len(data))).numpy().astype(np.float64)
    factors = data.labels(np.arange(len(data))).astype(np.float64)
    factors = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    between = [np.linalg.norm(each[cells, None] - each[None, cells], axis=2) for each in (seen, factors)]
    ratio = between[0][between[1] > 0] / between[1][between[1] > 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    labels = data.labels(np.arange(len(data)))
    assert mig(seen, labels) < 0.3 < mig(factors, labels)
    assert not np.allclose(rotated(data, 101).look(cells).numpy(), rotated(data, 100).look(cells).numpy())


def test_what_no_run_has_learned_has_a_row_per_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = distaff.load_dataset("shapes3d", **NANO), []

    def given(
        run: object, *, seen: str, seed: int, steps: int, every: int, out: Path, show: bool
    ) -> Reasoning:
        asked.append((seen, seed, out.name))
        curve = tuple(seed + number / 100 for number in range(steps // every))
        return Reasoning(
            seen=seen, answers="easy", rules=(1,), grid={}, seed=seed, steps=(), accuracies=curve
        )

    class Run:
        pass

    run = Run()
    run.data = data
    monkeypatch.setattr(module, "reasoning", given)
    monkeypatch.setattr("distaff.evaluation.reasoning.reasoner.TESTED", 50)
    table = by_hand(Lab(tmp_path, AbstractReasoning().at("quick")), run)
    assert table.groupby("seen").size().to_dict() == {"factors": 2, "rotated factors": 2}
    assert asked == [("factors", 0, "factors-0"), ("factors", 1, "factors-1")]
    np.testing.assert_allclose(table[table["seen"] == "factors"]["mean"], [0.015, 1.015])
    kept = [tmp_path / "by_hand" / f"rotated-{seed}.safetensors" for seed in range(2)]
    assert kept[0].read_bytes() != kept[1].read_bytes()


def test_a_rule_of_thumb_is_compared_on_the_matrices_that_are_learned() -> None:
    space = distaff.load_dataset("shapes3d", **NANO).factors
    table = without_rules(space)
    assert len(table) == 2 * 4
    expected = shortcuts(Matrices(space), THUMBED, derived(0, "rules of thumb"))["the third row alone"]
    assert third_row_alone(table) == expected
    assert third_row_alone(table) == pytest.approx(0.83, abs=0.03), "as the predictions say"
