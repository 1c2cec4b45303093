"""Small things that many tests need."""

import os
from collections.abc import Iterator
from pathlib import Path

# A worker of tests has one thread: two that wait for each other beside another busy process run at a tenth
# of their rate. Read when torch and NumPy are loaded, and by the commands that tests start.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import pytest
from in_process import InProcess
from threadpoolctl import threadpool_limits

import distaff
from distaff.machine import cores
from distaff.studies import workers

threadpool_limits(1)  # for a plugin of pytest may have loaded NumPy before


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: the cores that this process may run on, with psutil installed or not."""
    return cores()


@pytest.fixture(autouse=True, scope="session")
def place_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Chance and ceiling are cached for this session only; a run that asks for no threads has one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("DISTAFF_DATA", raising=False)
        patch.setattr("distaff.machine.cores", lambda: 1)
        yield


@pytest.fixture(scope="module")
def in_process() -> Iterator[None]:
    """Studies of a module do their tasks in this process: workers take seconds to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_Worker", InProcess)
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


#: rooms of which a run is taught in seconds
ROOMS = {
    "resolution": 16,
    "wall_colour": 3,
    "floor_colour": 3,
    "object_colour": [3],
    "camera_yaw": 1,
    "object_yaw": 2,
}


@pytest.fixture(scope="session")
def worded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small finished runs that stand on each other: vision, scan, operators.

    Their data has 54 images and the colours white, yellow and blue. Tests that change them copy them first.
    """
    folder, data = tmp_path_factory.mktemp("worded"), distaff.load_dataset("rooms", **ROOMS)
    how = {"threads": 1, "show": False}
    vision = {"latents": 4, "beta": 0.5, "learning_rate": 2e-3, "steps": 150}
    distaff.train("beta_vae", data, out=folder / "vision", **vision, **how)
    taught = {"concepts": 40, "examples": 3, "steps": 150, "learning_rate": 3e-3}
    distaff.train("scan", data, base=folder / "vision", out=folder / "scan", **taught, **how)
    distaff.train("scan_operators", data, base=folder / "scan", steps=5, out=folder / "operators", **how)
    return folder


@pytest.fixture(scope="session")
def synonymous(worded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small finished runs like those of `worded`, scan and operators, that know two synonyms."""
    folder, data = tmp_path_factory.mktemp("synonymous"), distaff.load_dataset("rooms", **ROOMS)
    how = {"threads": 1, "show": False}
    taught = {"concepts": 40, "examples": 3, "steps": 150, "learning_rate": 3e-3}
    taught["synonyms"] = "dub = hat, white wall; woog = suitcase, blue floor"
    distaff.train("scan", data, base=worded / "vision", out=folder / "scan", **taught, **how)
    distaff.train("scan_operators", data, base=folder / "scan", steps=5, out=folder / "operators", **how)
    return folder
