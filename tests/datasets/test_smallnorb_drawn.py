"""Drawn toys: the grid, every factor visible, exact geometry, symmetry and light."""

import numpy as np
import pytest

from distaff.datasets import SubGrid, smallnorb_drawn
from distaff.datasets.smallnorb_drawn import CATEGORIES, SmallNORBDrawn
from distaff.drawing import lumps
from distaff.testing import check_dataset

BACKGROUND = 115


@pytest.fixture(scope="module")
def data() -> SmallNORBDrawn:
    return SmallNORBDrawn()


def drawn(data: SmallNORBDrawn, rows: object) -> np.ndarray:
    return data.images(data.factors.index(rows))[:, 0].astype(int)


def test_it_conforms(data: SmallNORBDrawn) -> None:
    check_dataset(data)
    check_dataset(SmallNORBDrawn(resolution=16))
    check_dataset(SubGrid(data, {"instance": [3], "azimuth": 4}))


def test_grid(data: SmallNORBDrawn) -> None:
    assert len(data) == 48_600
    assert data.factors.names == ("category", "instance", "elevation", "azimuth", "lighting")
    assert data.factors.sizes == (5, 10, 9, 18, 6)
    np.testing.assert_array_equal(data.labels([1, 6, 108, 972, 9720]), np.eye(5, dtype=int)[::-1])
    assert "not NORB's photographs" in " ".join((SmallNORBDrawn.__doc__ or "").split())


@pytest.mark.parametrize("factor", range(5))
def test_every_factor_is_visible(data: SmallNORBDrawn, factor: int) -> None:
    rows = data.factors.sample(100, seed=factor)
    rows[:, factor] %= data.factors.sizes[factor] - 1
    after = rows.copy()
    after[:, factor] += 1
    assert np.abs(drawn(data, rows) - drawn(data, after)).mean(axis=(1, 2)).min() > 0.2


def test_all_toys_differ(data: SmallNORBDrawn) -> None:
    toys = drawn(data, [[c, i, 0, 3, 0] for c in range(5) for i in range(10)])
    apart = np.abs(toys[:, None] - toys).mean(axis=(2, 3))
    assert (apart + 99 * np.eye(50)).min() > 1
    assert len(CATEGORIES) == 5


def test_toys_stay_inside_the_frame_before_the_background(data: SmallNORBDrawn) -> None:
    images = drawn(data, data.factors.sample(200, seed=1))
    edge = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    assert (edge == BACKGROUND).all()
    covered = (np.abs(images - BACKGROUND) > 2).mean(axis=(1, 2))
    assert covered.min() > 0.02
    assert covered.max() < 0.5


@pytest.mark.parametrize("category", [0, 2, 3, 4])
def test_symmetric_toys_seen_from_ahead_mirror_under_mirrored_light(
    data: SmallNORBDrawn, category: int
) -> None:
    for light, other in ((0, 1), (3, 4), (2, 2)):
        left = drawn(data, [[category, i, 4, 0, light] for i in range(10)])
        right = drawn(data, [[category, i, 4, 0, other] for i in range(10)])
        assert np.abs(left - right[:, :, ::-1]).mean() < 0.3
        assert light == other or np.abs(left - right).mean() > 2


def test_higher_cameras_see_standing_figures_shorter_and_cars_longer(data: SmallNORBDrawn) -> None:
    def height(category: int, elevation: int) -> float:
        images = drawn(data, [[category, i, elevation, 0, 0] for i in range(10)])
        return float((np.abs(images - BACKGROUND) > 2).any(axis=2).sum(axis=1).mean())

    assert height(1, 0) > 1.5 * height(1, 8)
    assert height(4, 8) > 1.2 * height(4, 0)


def test_rays_meet_balls_and_boxes_where_they_should() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, size=(2, 400)).astype(np.float32)
    for _ in range(10):
        inward = (rng.normal(size=(3, 3)) + 2 * np.eye(3)).astype(np.float32)
        for hit, size in (
            (lumps.ball, lambda p: np.sqrt((p**2).sum(axis=0))),
            (lumps.box, lambda p: np.abs(p).max(axis=0)),
        ):
            inside, z, _ = hit(inward, x, y)
            depth = np.linspace(-9, 9, 901)[:, None, None]
            walked = np.stack([np.broadcast_to(v, (901, 1, 400)) for v in (x, y, depth)])
            sizes = size(np.tensordot(inward.astype(float), walked, axes=1))[:, 0]  # (901, 400)
            np.testing.assert_allclose(
                size(inward.astype(float) @ np.stack([x, y, z]))[inside], 1, rtol=1e-3, atol=1e-3
            )
            assert ((sizes < 1).any(axis=0) <= inside).all()
            beyond = (depth[:, 0] > z + 1e-2) & inside
            assert (sizes[beyond] > 1).all()  # nothing of it lies nearer
            assert not inside.all()


def test_toys_fill_the_unit_ball() -> None:
    for category in range(5):
        for instance in range(10):
            parts = smallnorb_drawn.toy(category, instance)
            points = np.concatenate([part.extremes() for part in parts])
            assert np.sqrt((points**2).sum(axis=1)).max() == pytest.approx(1)
            assert 7 <= len(parts) <= 14


def test_brightness_is_pinned(data: SmallNORBDrawn) -> None:
    images = drawn(data, data.factors.sample(200, seed=3))
    assert 105 < images.mean() < 125
    assert images.min() < 60
    assert images.max() > 210


def test_small_resolutions_average_the_large_one(data: SmallNORBDrawn) -> None:
    index = np.random.default_rng(0).integers(len(data), size=20)
    full = data.images(index)[:, 0].astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(20, size, block, size, block).mean(axis=(2, 4))
        np.testing.assert_allclose(SmallNORBDrawn(resolution=size).images(index)[:, 0], expected, atol=0.51)
