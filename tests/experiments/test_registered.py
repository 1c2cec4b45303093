"""Every registered experiment runs at its quick scale, from the command to the page."""

import json
from pathlib import Path

import pytest

from distaff import registry
from distaff.experiments.conduct import conduct

#: experiments that hold at scale quick already, but for claims beginning so, which wait for longer training
HOLD_AT_ONCE: dict[str, tuple[str, ...]] = {
    "beta_vae_metric_failure": (),
    "ica_cocktail_party": (),
    "sparse_coding_recovery": ("share of planted atoms found",),
    "impossibility": ("The trained encoder's MIG",),
    "udr": ("Rank correlation of UDR and MIG over trained models",),
    "autoencoder_lessons": ("(a)", "(b)", "(c)", "(d)"),
}


@pytest.mark.parametrize("name", registry.names("experiments"))
def test_experiment(name: str, tmp_path: Path) -> None:
    found = conduct(name, "quick", tmp_path / "lab", threads=1, show=False)
    assert found["claims"], "it claims nothing"
    assert json.loads((tmp_path / "lab" / "experiment.json").read_text()) == json.loads(json.dumps(found))
    page = (tmp_path / "lab" / "report.html").read_text()
    assert "<svg" in page, "it draws nothing"
    later = HOLD_AT_ONCE.get(name, ("",))
    failed = [each["claim"] for each in found["claims"] if not each["passed"]]
    assert [words for words in failed if not words.startswith(later)] == []
    assert all(any(each["claim"].startswith(words) for each in found["claims"]) for words in later)


@pytest.mark.parametrize("name", registry.names("experiments"))
def test_every_experiment_says_what_it_is(name: str) -> None:
    found = registry.get("experiments", name)
    assert found.name == name
    assert len(found.about.split("\n\n")) >= 2, "the docstring says what is claimed, and then how it is tried"
    assert all(scale.takes for scale in found.scales.values())
