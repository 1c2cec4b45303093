"""Every registered experiment plans, claims and says what it is; at scale quick it runs to its page."""

import inspect
import json
from pathlib import Path

import pytest

from distaff import registry
from distaff.experiments.base import Experiment, Scale
from distaff.experiments.claims import settings
from distaff.experiments.conduct import conduct
from distaff.experiments.predictions import SCALES

NAMES = registry.names("experiments")


def experiment(name: str) -> Experiment[Scale]:
    return registry.get("experiments", name)()


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_says_what_it_is(name: str) -> None:
    found = experiment(name)
    assert found.name == name
    about = inspect.getdoc(registry.get("experiments", name))
    assert len(about.split("\n\n")) >= 2, "the docstring says what is claimed, and then how it is tried"
    assert registry.summary("experiments", name) == about.partition("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_scale_plans_runs_that_can_be_made(name: str) -> None:
    found = experiment(name)
    assert tuple(found.scales) == SCALES
    seeds, runs = [], []
    for scale in SCALES:
        assert found.at(scale).takes
        plan = found.plan(scale)
        planned = plan.runs if plan else ()
        assert all(run.made and run.id for run in planned)
        seeds.append(len({run.seed for run in planned} or range(getattr(found.at(scale), "seeds", 1))))
        runs.append(len(planned))
    assert seeds[1] <= min(seeds[2:]), "small may need more seeds than the paper had"
    assert runs[1] <= runs[2]
    assert seeds[2] >= 3, "small is the evidence"


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_as_json_gives_them_back(name: str) -> None:
    for scale in SCALES:
        found = settings(experiment(name).at(scale))
        assert json.loads(json.dumps(found)) == found, "a result would never be of today's settings"


@pytest.mark.parametrize("name", NAMES)
def test_claims_are_well_formed(name: str) -> None:
    predictions = experiment(name).predictions
    claims = predictions.claims
    assert claims
    assert len(predictions.sha256) == 64
    for part in ("key", "words"):
        assert len({getattr(claim, part) for claim in claims}) == len(claims), f"two with the same {part}"
    for claim in claims:
        assert claim.key.isidentifier()
        assert claim.bound, f"{claim.key} has no bound"
        assert claim.low is None or claim.high is None or claim.low <= claim.high
        assert claim.since in SCALES
        assert claim.seen in ("", *SCALES)
        assert claim.reason, f"{claim.key} has no reason"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_experiment(name: str, tmp_path: Path) -> None:
    found = conduct(name, "quick", tmp_path / "lab", threads=1, show=False)
    assert json.loads((tmp_path / "lab" / "experiment.json").read_text()) == json.loads(json.dumps(found))
    assert "<svg" in (tmp_path / "lab" / "report.html").read_text(), "it draws nothing"
    claims = experiment(name).claims
    assert [each["key"] for each in found["claims"]] == [claim.key for claim in claims]
    expected = {claim.key: "holds" if claim.since == "quick" else "not judged" for claim in claims}
    assert {each["key"]: each["verdict"] for each in found["claims"]} == expected
