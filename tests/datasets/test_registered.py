"""Every registered data set passes the conformance battery."""

from pathlib import Path

import pytest

from distaff import registry
from distaff.datasets import load_dataset
from distaff.errors import BadInput
from distaff.testing import check_dataset

DRAWN = [name for name in registry.names("datasets") if not registry.get("datasets", name).places]
READ = [name for name in registry.names("datasets") if name not in DRAWN]


@pytest.mark.parametrize("name", DRAWN)
def test_data_set(name: str) -> None:
    check_dataset(load_dataset(name))


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_it_says_what_it_is(name: str) -> None:
    kind = registry.get("datasets", name)
    assert kind.name == name
    assert kind.licence
    assert kind.citation
    assert kind.__doc__


@pytest.mark.parametrize("name", READ)
def test_without_its_file_it_says_which_and_where(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"{name} needs .* the file is published at https?://"):
        load_dataset(name, data_dir=tmp_path)


def test_part_of_a_grid() -> None:
    check_dataset(load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1))
