"""Every registered view is an option of any grid: from Python, on the command line, named in errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import distaff

from distaff import registry
from distaff.datasets import load_dataset
from distaff.datasets.views.base import View
from distaff.errors import BadInput
from distaff.testing import check_dataset

SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}
VIEWS = registry.names("views")


def example(view: str) -> dict[str, object]:
    return {view: registry.get("views", view).example}


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_an_option(view: str) -> None:
    whole, seen = load_dataset("dsprites", **SMALL), load_dataset("dsprites", **SMALL, **example(view))
    check_dataset(seen)
    assert isinstance(seen, View)
    assert (seen.name, seen.source, seen.licence) == (whole.name, whole.source, whole.licence)
    assert seen.note.startswith(f"{whole.note}; "), "it says what it is"
    assert json.loads(json.dumps(seen.spec))["options"] == SMALL | example(view)
    again = load_dataset("dsprites", **seen.spec["options"])
    assert again.fingerprint() == seen.fingerprint()
    drawn = [each.draw(50, np.random.default_rng(1)) for each in (seen, again)]
    np.testing.assert_array_equal(*drawn)
    assert drawn[0].max() < len(seen)


@pytest.mark.parametrize("view", VIEWS)
def test_errors_name_it(view: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", images=np.eye(16, dtype=np.uint8)[None].repeat(4, axis=0))
    for data in ("dsprites", tmp_path / "own.npz"):
        with pytest.raises(BadInput, match=rf"unknown setting of .* 'the_{view}'; did you mean '{view}'"):
            load_dataset(data, **{f"the_{view}": 1})
    with pytest.raises(BadInput, match=f"{view}=3 is not allowed"):
        load_dataset("dsprites", **{view: 3})


@pytest.mark.parametrize("view", VIEWS)
def test_on_the_command_line(view: str, tmp_path: Path, capsys) -> None:
    option = f"{view}={json.dumps(registry.get('views', view).example)}"
    words = ["dataset", "show", "dsprites", "--json", "--data", "resolution=16", "--data", option]
    status, out, _ = distaff(capsys, *words, "--out", tmp_path / "sheet.png")
    assert status == 0
    assert json.loads(out)["note"]
    assert distaff(capsys, "list", "views", view)[0] == 0


def test_all_together_and_on_images_of_your_own(tmp_path: Path) -> None:
    every = {view: value for name in VIEWS for view, value in example(name).items()}
    whole = load_dataset("dsprites", **SMALL)
    index = np.arange(len(whole))
    np.savez(
        tmp_path / "own.npz",
        images=whole.images(index),
        factors=whole.labels(index),
        factor_names=whole.label_names,
    )
    own, drawn = load_dataset(tmp_path / "own.npz", **every), load_dataset("dsprites", **SMALL, **every)
    assert len(own) == len(drawn)
    np.testing.assert_array_equal(own.images(index[:50]), drawn.images(index[:50]))
    np.testing.assert_array_equal(own.labels(index[:50]), drawn.labels(index[:50]))
