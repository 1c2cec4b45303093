"""Cartoon faces against their own promises."""

import numpy as np
import pytest

from distaff.datasets import SubGrid, cartoon_faces, load_dataset
from distaff.datasets.cartoon_faces import AZIMUTHS, HAIRS, SKINS, WORDS, CartoonFaces
from distaff.drawing.cartoon import BACKGROUND, HAIR, HAIR_STYLES, SKIN
from distaff.testing import check_dataset

DATA = CartoonFaces()
NAMES = DATA.factors.names
SIZES = DATA.factors.sizes[3:]
GEOMETRIES = np.stack(np.unravel_index(np.arange(448), SIZES), axis=1)
#: where each geometry stands in the tables of masks
NUMBER = {tuple(row): number for number, row in enumerate(GEOMETRIES.tolist())}


def draw(rows: object) -> np.ndarray:
    """Images (n, 3, 64, 64) of rows (n, 9), as whole numbers that can be subtracted."""
    return DATA.images(DATA.factors.index(rows)).astype(int)


def face(**attributes: int) -> list[int]:
    """A row: a front view of a short-haired face without attributes, but for those named."""
    plain = dict.fromkeys(NAMES, 0) | {"skin": 1, "hair_colour": 1, "hair_style": 1, "azimuth": 3}
    return list((plain | attributes).values())


def masks(**attributes: int) -> np.ndarray:
    """The masks (6, 64, 64) of a face."""
    return cartoon_faces._MASKS.at(64)[np.array([NUMBER[tuple(face(**attributes)[3:])]])][0]


def middle(mask: np.ndarray) -> tuple[float, float]:
    """Where a mask lies on average: from the left, from the top."""
    return float((mask.sum(axis=0) * np.arange(64)).sum() / mask.sum()), float(
        (mask.sum(axis=1) * np.arange(64)).sum() / mask.sum()
    )


def test_battery() -> None:
    check_dataset(DATA)
    check_dataset(CartoonFaces(resolution=16))
    check_dataset(SubGrid(CartoonFaces(resolution=32), {"skin": 2, "azimuth": [3], "cap": [0]}))


def test_size_order_and_words() -> None:
    assert len(DATA) == 6 * 5 * 5 * 4 * 2 * 2 * 2 * 2 * 7 == 67_200
    assert (*WORDS, "azimuth") == NAMES
    assert [len(DATA.words[name]) for name in NAMES[:-1]] == list(DATA.factors.sizes[:-1])
    values = [word for words in WORDS.values() for word in words]
    assert len(values) == len(set(values))  # so that a value is named by its word alone
    assert HAIR_STYLES == ("bald", "short", "long", "curly")
    np.testing.assert_array_equal(AZIMUTHS, [-45, -30, -15, 0, 15, 30, 45])
    part = load_dataset("cartoon_faces", hair_style=[1, 3], resolution=16)
    assert part.words["hair_style"] == ("short", "curly")


@pytest.mark.parametrize("resolution", [64, 16])
@pytest.mark.parametrize("colours", ["random", "dark on dark"])
def test_every_factor_is_visible(colours: str, resolution: int) -> None:
    data = CartoonFaces(resolution=resolution)
    rows = np.concatenate([data.factors.sample(448, seed=1)[:, :3], GEOMETRIES], axis=1)
    if colours == "dark on dark":
        rows[:, :3] = [WORDS["background"].index("slate"), 4, 0]
    before = data.images(data.factors.index(rows)).astype(int)
    for j, size in enumerate(data.factors.sizes):
        for step in range(1, size):
            other = rows.copy()
            other[:, j] = (rows[:, j] + step) % size
            now = data.images(data.factors.index(other)).astype(int)
            difference = np.abs(now - before).mean(axis=(1, 2, 3))
            assert difference.min() > 0.15, (NAMES[j], rows[difference.argmin()])


def test_colours_have_their_surfaces() -> None:
    front = masks()
    corner, cheek, crown = (slice(0, 6), slice(0, 6)), (slice(40, 44), slice(22, 25)), (slice(15, 18), 32)
    assert front[BACKGROUND][corner].min() == 1
    assert front[SKIN][cheek].min() > 0.8
    assert front[HAIR][crown].min() > 0.8
    image = draw([face()])[0]
    for paint, place in ((np.array(SKINS["peach"]), cheek), (np.array(HAIRS["chestnut"]), crown)):
        seen = image[(slice(None), *place)].reshape(3, -1).mean(axis=1)
        np.testing.assert_allclose(seen / seen.sum(), paint / paint.sum(), atol=0.02)


def test_the_face_turns_to_the_right() -> None:
    white = [masks(azimuth=azimuth)[3:].min(axis=0) * (np.arange(64)[:, None] < 46) for azimuth in range(7)]
    places = [middle(mask > 0.75) for mask in white]  # of the whites of the eyes
    across = np.array([place[0] for place in places])
    assert (np.diff(across) > 0.8).all()  # the far eye goes out of sight
    assert abs(across[3] - 31.5) < 0.6
    assert np.ptp([place[1] for place in places]) < 0.5
    assert abs(across[6] + across[0] - 63) < 1.5


def test_attributes_change_their_own_part_of_the_face() -> None:
    plain, top, bottom = draw([face()])[0], slice(0, 28), slice(34, 64)
    for attribute, still in {"smile": top, "beard": top, "cap": bottom}.items():
        changed = np.abs(draw([face(**{attribute: 1})])[0] - plain).max(axis=0)
        assert not changed[still].any(), attribute
        assert changed.any()
    changed = np.abs(draw([face(glasses=1)])[0] - plain).max(axis=(0, 2)) > 0
    assert 22 < np.flatnonzero(changed).min() < np.flatnonzero(changed).max() < 42


def test_hair_by_style() -> None:
    area = {style: masks(hair_style=number)[HAIR].sum() for number, style in enumerate(HAIR_STYLES)}
    assert 5 < area["bald"] < 60  # brows
    assert 5 * area["bald"] < area["short"] < area["curly"]
    assert masks(hair_style=2)[HAIR, 50:].sum() > 20  # long hair falls on the shoulders
    assert masks(hair_style=3)[HAIR, 50:].sum() == masks(hair_style=1)[HAIR, 50:].sum() == 0
    bearded = masks(hair_style=0, beard=1)[HAIR]
    assert bearded.sum() > 3 * area["bald"]
    assert middle(bearded)[1] > 40


def test_masks_never_overflow() -> None:
    found = cartoon_faces._MASKS.at(64)[np.arange(448)]
    assert found.min() >= 0
    assert 0.99 < (found[:, :3].sum(axis=1) + found[:, 3:].max(axis=1)).max() <= 1 + 1e-6
    assert found[:, BACKGROUND].mean(axis=(1, 2)).min() > 0.2


def test_pinned_colours() -> None:
    means = draw([[0, 0, 3, 2, 0, 1, 1, 0, 0], [5, 4, 0, 0, 1, 0, 0, 1, 5], face()]).mean(axis=(2, 3))
    np.testing.assert_allclose(means, PINNED, atol=0.5)


PINNED = [[172.3, 191.5, 187.2], [97.9, 107.2, 127.8], [164.5, 186.7, 204.1]]


def test_small_resolutions_average_the_large_one() -> None:
    index = np.random.default_rng(0).integers(len(DATA), size=12)
    full = DATA.images(index).astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(12, 3, size, block, size, block).mean(axis=(3, 5))
        np.testing.assert_allclose(CartoonFaces(resolution=size).images(index), expected, atol=1)
