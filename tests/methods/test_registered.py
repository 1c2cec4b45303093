"""Every registered method passes the conformance battery and goes the whole way to a report."""

import dataclasses
from pathlib import Path

import pytest
from standing import trained

import distaff
from distaff import registry
from distaff.testing import check_method

#: a narrower discriminator goes the same way in a tenth of the time
NARROWER = {"factor_vae": {"discriminator_width": 100}}


@pytest.mark.parametrize("name", registry.names("methods"))
def test_method(name: str) -> None:
    """The loss of an adversarial method need not fall, and all else shows in fewer steps than that takes."""
    method = registry.get("methods", name)(**NARROWER.get(name, {}))
    check_method(method, steps=60 if method.adversarial else 200)


@pytest.mark.parametrize("name", registry.names("methods"))
def test_every_setting_is_described(name: str) -> None:
    method = registry.get("methods", name)
    assert "Differences from the paper" in (method.__doc__ or "")
    names = {field.name for field in dataclasses.fields(method)}
    assert all(field.metadata.get("help") for field in dataclasses.fields(method))
    assert method.paper.keys() | method.study.keys() <= names


@pytest.mark.parametrize("name", registry.names("methods"))
def test_from_training_to_the_report(name: str, tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    run = trained(name, data, tmp_path)
    card = distaff.evaluate(
        distaff.load_run(tmp_path / name), metrics=["mig", "sap"], values_only=True, show=False
    )
    assert 0 <= card["mig"].value <= 1
    assert distaff.report(run).exists()


@pytest.mark.parametrize("label_loss", ["cross_entropy", "squared", "covariance", "embedding"])
@pytest.mark.parametrize("name", ["vae", "factor_vae", "ada_gvae"])
def test_any_vae_takes_a_label_term(name: str, label_loss: str) -> None:
    settings = {"label_loss": label_loss, "latents": 4} | NARROWER.get(name, {})
    check_method(registry.get("methods", name)(**settings), steps=30)


@pytest.mark.parametrize("settings", [{"network": "fc"}, {"likelihood": "gaussian"}])
def test_other_networks_and_likelihoods(settings: dict) -> None:
    check_method(registry.get("methods", "beta_vae")(**settings), steps=60)


class Idle(registry.get("methods", "vae")):
    """A VAE that computes its loss and learns nothing."""

    def step(self, state, batch, generator):
        return {"loss": self.loss(state.modules, batch, generator).total.detach()}


class Frozen(registry.get("methods", "vae")):
    """A VAE whose encoder is cut off from its loss."""

    def encode(self, modules, images, generator):
        codes = super().encode(modules, images, generator)
        return type(codes)(*(part.detach() for part in codes))


@pytest.mark.parametrize(
    ("method", "message"), [(Idle(), "the loss hardly falls"), (Frozen(), "encoder.* does not move")]
)
def test_the_battery_notices_what_does_not_learn(method: object, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(method)
