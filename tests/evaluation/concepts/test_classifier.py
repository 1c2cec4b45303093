"""A classifier of factors learns what it is judged on, on images it never saw, and is kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.evaluation.concepts.classifier import FactorClassifier, factor_classifier

NAMED = ("wall_colour", "object")


@pytest.fixture(scope="module")
def rooms() -> DataSet:
    options = {"wall_colour": 3, "floor_colour": 2, "object_colour": 2, "object_yaw": 3}
    return distaff.load_dataset("rooms", resolution=16, **options)


def test_it_tells_the_named_factors_of_images_that_it_never_saw(rooms: DataSet, tmp_path: Path) -> None:
    found = factor_classifier(rooms, NAMED, tmp_path, steps=120, seed=100)
    assert found.sizes == (3, 3)
    assert found.accuracies[0] > 0.9
    assert found.accuracies[1] > 0.6, "a third would be chance"
    assert found.accuracy == pytest.approx(np.mean(found.accuracies))
    rows = np.arange(0, len(rooms), 7)
    shown = found.shown(rooms.unit_images(rows))
    assert shown.shape == (len(rows), 2)
    assert (shown == rooms.factors.rows(rows)[:, [0, 3]]).mean() == pytest.approx(found.accuracy, abs=0.15)


def test_it_is_made_once(rooms: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = factor_classifier(rooms, NAMED, tmp_path, steps=3, seed=100)
    again = factor_classifier(rooms, NAMED, tmp_path / "other", steps=3, seed=100)
    kept = sorted(tmp_path.glob("*.safetensors"))
    assert [path.read_bytes() for path in kept] == [
        path.read_bytes() for path in (tmp_path / "other").iterdir()
    ], "the seed alone decides"
    monkeypatch.setattr("distaff.evaluation.concepts.classifier._train", None)
    read = factor_classifier(rooms, NAMED, tmp_path, steps=3, seed=100)
    assert first.accuracies == again.accuracies == read.accuracies
    for other in ({"steps": 4}, {"seed": 101}):
        with pytest.raises(TypeError):
            factor_classifier(rooms, NAMED, tmp_path, **{"steps": 3, "seed": 100, **other})


def test_what_is_held_out_is_not_learned(rooms: DataSet, tmp_path: Path) -> None:
    learned: list[np.ndarray] = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(rooms, name)

        def __len__(self) -> int:
            return len(rooms)

        def images(self, index: np.ndarray) -> np.ndarray:
            learned.append(np.asarray(index))
            return rooms.images(index)

        def unit_images(self, index: np.ndarray) -> np.ndarray:
            held.append(np.asarray(index))
            return rooms.unit_images(index)

    held: list[np.ndarray] = []
    factor_classifier(Watched(), NAMED, tmp_path, steps=40, seed=100)
    assert len(held[0]) == len(rooms) // 10
    assert not set(np.concatenate(learned)) & set(held[0])


def test_the_likeliest_value_of_every_factor() -> None:
    logits = torch.tensor([[0.1, 3.0, 2.0, 5.0, 4.0], [1.0, 0.0, 0.0, -2.0, -1.0]])

    class Fixed(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return logits.to(images.device)

    found = FactorClassifier(("a", "b"), (3, 2), Fixed(), torch.device("cpu"))
    assert found.shown(np.zeros((2, 3, 4, 4))).tolist() == [[1, 0], [0, 1]]


def test_data_without_a_grid_is_refused(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, orientation=1, held_out={"shape": 1})
    with pytest.raises(BadInput, match="has no grid of factors"):
        factor_classifier(data, ("shape",), tmp_path)
    assert not list(tmp_path.iterdir())
