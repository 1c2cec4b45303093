"""Every registered data set passes the conformance battery."""

import pytest

from distaff import registry
from distaff.datasets import load_dataset
from distaff.testing import check_dataset


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_data_set(name: str) -> None:
    check_dataset(load_dataset(name))


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_card(name: str) -> None:
    card = load_dataset(name).card()
    assert card["licence"]
    assert card["citation"]


def test_part_of_a_grid() -> None:
    check_dataset(load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1))
