"""Drawn rooms against geometry and their own promises."""

import numpy as np
import pytest

from distaff.datasets import SubGrid, rooms
from distaff.datasets.rooms import COLOURS, OBJECTS, RGB, Rooms
from distaff.testing import check_dataset

FACTORS = ("wall_colour", "floor_colour", "object_colour", "object", "camera_yaw", "object_yaw")
GEOMETRIES = np.stack(np.unravel_index(np.arange(90), (3, 5, 6)), axis=1)


def draw(rows: object) -> np.ndarray:
    """Images (n, 3, 64, 64) of rows (n, 6), as whole numbers that can be subtracted."""
    data = Rooms()
    return data.images(data.factors.index(rows)).astype(int)


def coloured(column: int, geometries: np.ndarray = GEOMETRIES) -> np.ndarray:
    """Which pixels (n, 64, 64) change with the colour of wall (0), floor (1) or object (2)."""
    colours = np.tile([COLOURS.index("grey")] * 3, (len(geometries), 1))
    before = draw(np.concatenate([colours, geometries], axis=1))
    colours[:, column] = COLOURS.index("cyan")
    return (before != draw(np.concatenate([colours, geometries], axis=1))).any(axis=1)


def test_battery() -> None:
    check_dataset(Rooms())
    check_dataset(Rooms(resolution=16))
    check_dataset(SubGrid(Rooms(resolution=32), {"wall_colour": 4, "camera_yaw": [2], "object_yaw": 2}))


def test_size_and_order() -> None:
    data = Rooms()
    assert len(data) == 16**3 * 3 * 5 * 6 == 368_640
    assert data.factors.names == FACTORS
    assert data.factors.sizes == (16, 16, 16, 3, 5, 6)
    np.testing.assert_array_equal(
        data.factors.rows([1, 6, 30, 90]),
        [[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]],
    )
    assert OBJECTS == ("hat", "ice_lolly", "suitcase")


def test_colours_differ_clearly_and_have_names() -> None:
    assert len(COLOURS) == len(set(COLOURS)) == len(RGB) == 16
    gaps = np.linalg.norm(RGB[:, None] - RGB[None], axis=-1) + 1000 * np.eye(16)
    assert gaps.min() > 60
    cyan = np.array([0, 3, 3, 2, 2, 3])
    cyan[0] = COLOURS.index("cyan")
    wall = draw([cyan])[0, :, 8, 32]
    np.testing.assert_allclose(wall / wall.max(), RGB[COLOURS.index("cyan")] / 240, atol=0.01)
    assert wall.max() > 170


@pytest.mark.parametrize("colours", ["random", "one"])
def test_every_factor_is_visible(colours: str) -> None:
    data = Rooms()
    rows = np.concatenate([data.factors.sample(90, seed=1)[:, :3], GEOMETRIES], axis=1)
    if colours == "one":  # only light and painted parts tell the surfaces apart
        rows[:, :3] = rows[:, :1]
        rows[::3, :3] = COLOURS.index("black")
    before = draw(rows)
    for j, size in enumerate(data.factors.sizes):
        other = rows.copy()
        other[:, j] = (rows[:, j] + 1) % size
        difference = np.abs(draw(other) - before).mean(axis=(1, 2, 3))
        assert difference.min() > 0.3, (FACTORS[j], rows[difference.argmin()])


def test_all_views_of_an_object_differ() -> None:
    for thing in range(3):
        views = draw([[3, 3, 3, thing, 2, turn] for turn in range(6)])
        for i in range(6):
            for j in range(i):
                assert np.abs(views[i] - views[j]).mean() > 0.5
                assert np.abs(views[i] - views[j, :, :, ::-1]).mean() > 0.5  # nor are they mirrored


def test_each_colour_has_its_own_surface() -> None:
    wall, floor, thing = coloured(0), coloured(1), coloured(2)
    # all but straps, band, feather, stick and handle takes its colour from a factor
    assert (wall | floor | thing).mean(axis=(1, 2)).min() > 0.95
    assert (floor & wall).sum(axis=1).max() <= 4
    assert not wall[:, -20:].any()
    assert not floor[:, :20].any()
    assert floor[:, -4:].all()
    assert wall[:, :10].all()


def test_objects_are_whole_and_of_a_good_size() -> None:
    thing = coloured(2)
    area = thing.sum(axis=(1, 2))
    assert area.min() > 100
    assert area.max() < 1000
    for border in (thing[:, :3], thing[:, -3:], thing[:, :, :3], thing[:, :, -3:]):
        assert not border.any()


def test_the_camera_moves_the_object_sideways() -> None:
    for thing in range(3):
        seen = coloured(2, np.array([[thing, camera, 3] for camera in range(5)]))
        centres = (seen.sum(axis=1) * np.arange(64)).sum(axis=1) / seen.sum(axis=(1, 2))
        assert (np.diff(centres) > 3).all()
        assert abs(centres[2] - 31.5) < 2


def test_lolly_and_suitcase_are_flat() -> None:
    for thing in (1, 2):
        seen = coloured(2, np.array([[thing, 2, turn] for turn in range(6)]))
        widths = seen.any(axis=1).sum(axis=1)
        assert widths[0] < 0.8 * widths[3]  # -80 and 10 degrees


def test_masks_never_overflow() -> None:
    masks = rooms._MASKS.at(64)[np.arange(90)]
    assert masks.min() >= 0
    assert 0.9 < (masks[:, :3].sum(axis=1) + masks[:, 3:].max(axis=1)).max() <= 1


def test_pinned_colours() -> None:
    means = draw([[3, 7, 10, 0, 1, 2], [8, 0, 14, 1, 4, 5], [12, 5, 2, 2, 0, 0]]).mean(axis=(2, 3))
    np.testing.assert_allclose(means, PINNED, atol=0.5)


PINNED = [[92.9, 61.3, 46.6], [111.7, 159.5, 164.8], [128.2, 89.1, 72.8]]


def test_small_resolutions_average_the_large_one() -> None:
    index = np.random.default_rng(0).integers(368_640, size=12)
    full = Rooms().images(index).astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(12, 3, size, block, size, block).mean(axis=(3, 5))
        np.testing.assert_allclose(Rooms(resolution=size).images(index), expected, atol=1)
