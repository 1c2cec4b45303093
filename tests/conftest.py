"""Small things that many tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import distaff


@pytest.fixture(autouse=True, scope="session")
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Chance and ceiling are cached for this session only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


#: a sub-grid that trains in seconds, as keywords of load_dataset
SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished run. Tests that change it copy it first."""
    out = tmp_path_factory.mktemp("runs") / "small"
    data = distaff.load_dataset("dsprites", **SMALL)
    distaff.train("beta_vae", data, beta=1.0, learning_rate=1e-3, steps=300, out=out, threads=1, show=False)
    return out
