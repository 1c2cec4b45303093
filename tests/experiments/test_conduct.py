"""Claims and their judgement, and the folder of an experiment."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from distaff import registry
from distaff.errors import BadInput
from distaff.experiments.base import Claim, Experiment, Lab, claim, experiment
from distaff.experiments.conduct import conduct, conduct_all, line, overview


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


def test_a_number_made_of_medians_has_the_range_of_its_seeds() -> None:
    found = claim("a fall", 0.5, low=0.4, seeds=[0.3, 0.6])
    assert (found.measured, found.low, found.high, found.passed) == (0.5, 0.3, 0.6, True)


def test_what_is_no_number_does_not_hold() -> None:
    assert not claim("a number", np.nan, low=0.0).passed
    assert not claim("a number", np.nan, high=0.0).passed


def test_the_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text(json.dumps({"experiment": "another", "scale": "quick"}))
    with pytest.raises(BadInput, match="does not hold beta_vae_metric_failure"):
        conduct("beta_vae_metric_failure", "quick", tmp_path)
    with pytest.raises(BadInput, match=r"scale of beta_vae_metric_failure 'nanoo'.*nano"):
        conduct("beta_vae_metric_failure", "nanoo", tmp_path)


def test_all_runs_what_has_not_finished_and_prints_one_table(tmp_path: Path, monkeypatch) -> None:
    names = ["beta_vae_metric_failure", "ica_cocktail_party"]
    table = {name: registry.TABLES["experiments"][name] for name in names}
    monkeypatch.setitem(registry.TABLES, "experiments", table)
    first = conduct("ica_cocktail_party", "quick", tmp_path / "ica_cocktail_party-quick", show=False)
    stamp = (tmp_path / "ica_cocktail_party-quick" / "report.html").stat().st_mtime_ns
    found = conduct_all("quick", tmp_path, show=False)
    assert [each["experiment"] for each in found] == names
    assert found[1] == json.loads(json.dumps(first))
    assert (tmp_path / "ica_cocktail_party-quick" / "report.html").stat().st_mtime_ns == stamp
    lines = overview(found).splitlines()
    claims = [claim for each in found for claim in each["claims"]]
    assert len(lines) == 1 + len(claims) + 1
    assert all(each["claim"] in lines[1 + n] for n, each in enumerate(claims))
    holding = sum(each["passed"] for each in claims if each["judged"])
    assert lines[-1] == f"claims that hold: {holding} of {sum(each['judged'] for each in claims)}"


def only_one_claim(judged: bool) -> Experiment:
    def work(lab: Lab) -> Iterator[Claim]:
        """A claim."""
        yield claim("a number", 1.0, low=2.0, judged=judged)

    return experiment(takes=("no time",) * 3)(work)


@pytest.mark.parametrize(
    ("judged", "passed", "words"), [(True, False, "0 of 1"), (False, None, "none judged")]
)
def test_an_experiment_without_a_judged_claim_has_no_verdict(
    judged, passed, words, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(registry, "get", lambda kind, name: only_one_claim(judged))
    found = conduct("work", "quick", tmp_path, show=False)
    assert found["passed"] is passed
    assert json.loads((tmp_path / "experiment.json").read_text())["passed"] is passed
    assert overview([found]).splitlines()[-1] == f"claims that hold: {words}"
    assert f"Claims that hold: {words}" in (tmp_path / "report.html").read_text()


def test_seconds_are_those_of_all_calls(tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text("1000")
    found = conduct("beta_vae_metric_failure", "quick", tmp_path, show=False)
    assert 1000 <= found["seconds"] < 1300


def test_every_figure_is_a_png_of_its_own(tmp_path: Path) -> None:
    found = conduct("beta_vae_metric_failure", "quick", tmp_path, show=False)
    assert found["figures"]
    for figure in found["figures"]:
        assert (tmp_path / figure["file"]).read_bytes().startswith(b"\x89PNG")
