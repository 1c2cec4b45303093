"""Every registered method passes the conformance battery."""

import dataclasses

import pytest

from distaff import registry
from distaff.testing import check_method


@pytest.mark.parametrize("name", registry.names("methods"))
def test_method(name: str) -> None:
    check_method(registry.get("methods", name)())


@pytest.mark.parametrize("name", registry.names("methods"))
def test_every_setting_is_described(name: str) -> None:
    method = registry.get("methods", name)
    assert "Differences from the paper" in (method.__doc__ or "")
    assert all(field.metadata.get("help") for field in dataclasses.fields(method))


@pytest.mark.parametrize("settings", [{"network": "fc"}, {"likelihood": "gaussian"}])
def test_other_networks_and_likelihoods(settings: dict) -> None:
    check_method(registry.get("methods", "beta_vae")(**settings), steps=60)
