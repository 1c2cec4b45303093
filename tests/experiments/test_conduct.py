"""Claims and their judgement, and the folder of an experiment."""

import json
from pathlib import Path

import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.experiments.base import claim
from distaff.experiments.conduct import conduct, line


@pytest.mark.parametrize(
    ("values", "low", "high", "passed"),
    [(0.5, 0.5, None, True), (0.5, 0.51, None, False), (0.5, None, 0.49, False), (0.5, 0.4, 0.6, True)],
)
def test_a_claim_holds_within_its_bounds(values, low, high, passed) -> None:
    assert claim("a number", values, low=low, high=high).passed is passed


def test_of_several_seeds_the_median_is_judged() -> None:
    found = claim("a number", [0.1, 0.9, 0.95], low=0.9)
    assert (found.measured, found.low, found.high, found.passed) == (0.9, 0.1, 0.95, True)
    assert line(found) == "a number: 0.9 (0.1 to 0.95), bound >= 0.9: holds"


def test_what_is_no_number_does_not_hold() -> None:
    assert not claim("a number", np.nan, low=0.0).passed
    assert not claim("a number", np.nan, high=0.0).passed


def test_the_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text(json.dumps({"experiment": "another", "scale": "quick"}))
    with pytest.raises(BadInput, match="does not hold beta_vae_metric_failure"):
        conduct("beta_vae_metric_failure", "quick", tmp_path)
    with pytest.raises(BadInput, match=r"scale of beta_vae_metric_failure 'nanoo'.*nano"):
        conduct("beta_vae_metric_failure", "nanoo", tmp_path)
