"""The examples of {cyan wall} vary ever more, and what is measured is of the right latents."""

import numpy as np
import pytest

import distaff
from distaff.datasets import DataSet
from distaff.experiments.scan_curriculum import SET, WIDER, Taught, examples, measured, spread
from distaff.methods.base import Codes


@pytest.fixture(scope="module")
def rooms() -> DataSet:
    return distaff.load_dataset("rooms", resolution=16, wall_colour=8, floor_colour=8, object_colour=8)


def test_every_set_shows_the_concept_and_varies_in_more_than_the_one_before(rooms: DataSet) -> None:
    space = rooms.factors
    for seed in (100, 101):
        sets = [space.rows(index) for index in examples(rooms, seed)]
        cyan = rooms.words["wall_colour"].index("cyan")
        assert all((rows[:, 0] == cyan).all() for rows in sets)
        free: set[str] = set()
        for rows, more in zip(sets, WIDER, strict=True):
            free |= {*more}
            values = {name: len(set(rows[:, j])) for j, name in enumerate(space.names)}
            assert {name for name, count in values.items() if count > 1} == free
            assert all(values[name] == min(SET, space.sizes[space.position(name)]) for name in free)
    assert free == {*space.names} - {"wall_colour"}
    first, other = (np.concatenate(examples(rooms, seed)) for seed in (100, 101))
    assert (first != other).any()
    assert (first == np.concatenate(examples(rooms, 100))).all()


def test_spread_takes_every_value_as_often_as_can_be() -> None:
    rng = np.random.default_rng(100)
    for size in (1, 3, 5, 9):
        counts = np.bincount(spread(size, rng), minlength=size)
        assert counts.sum() == SET
        assert counts.max() - counts.min() <= 1


def test_specificity_is_the_mean_over_the_latents_of_the_wall_and_of_other_factors() -> None:
    factors = ["wall_colour", "", "object", "wall_colour", "floor_colour"]
    sigmas = np.array([[0.1, 1, 0.2, 0.2, 0.5], [0.1, 1, 1, 0.2, 0.5], [0.1, 1, 1, 0.25, 1]])
    after = [Codes(np.zeros((1, 5)), 2 * np.log(sigma)[None], None) for sigma in sigmas]
    found = measured(Taught(np.arange(3), 1 / sigmas, after), factors)
    assert [found[f"relevant, set {n}"] for n in (1, 2, 3)] == pytest.approx([7.5, 7.5, 7])
    assert [found[f"irrelevant, set {n}"] for n in (1, 2, 3)] == pytest.approx([3.5, 1.5, 1])
    none = measured(Taught(np.arange(3), 1 / sigmas, after), ["", "", "object", "", ""])
    assert np.isnan(none["relevant, set 1"])
    assert none["irrelevant, set 1"] == pytest.approx(5)
