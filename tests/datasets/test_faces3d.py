"""Drawn heads: the grid, every factor visible, a brute-force renderer, symmetry and light."""

import numpy as np
import pytest

from distaff.datasets import SubGrid, faces3d
from distaff.datasets.faces3d import Faces3D
from distaff.testing import check_dataset

FRONT, LEVEL, AHEAD = 10, 5, 5  # the middle azimuth, elevation and lighting


@pytest.fixture(scope="module")
def data() -> Faces3D:
    return Faces3D()


def drawn(data: Faces3D, rows: object) -> np.ndarray:
    return data.images(data.factors.index(rows))[:, 0].astype(int)


def test_it_conforms(data: Faces3D) -> None:
    check_dataset(data)
    check_dataset(Faces3D(resolution=16))
    check_dataset(SubGrid(data, {"identity": 5, "azimuth": [0, 20], "lighting": 1}))


def test_grid(data: Faces3D) -> None:
    assert len(data) == 127_050
    assert data.factors.names == ("identity", "azimuth", "elevation", "lighting")
    assert data.factors.sizes == (50, 21, 11, 11)
    np.testing.assert_array_equal(data.labels([1, 11, 121, 2541]), np.eye(4, dtype=int)[::-1])


@pytest.mark.parametrize("factor", range(4))
def test_every_factor_is_visible(data: Faces3D, factor: int) -> None:
    rows = data.factors.sample(100, seed=factor)
    rows[:, factor] %= data.factors.sizes[factor] - 1
    after = rows.copy()
    after[:, factor] += 1
    assert np.abs(drawn(data, rows) - drawn(data, after)).mean(axis=(1, 2)).min() > 0.2


def test_all_identities_differ(data: Faces3D) -> None:
    faces = drawn(data, [[i, FRONT, LEVEL, AHEAD] for i in range(50)])
    apart = np.abs(faces[:, None] - faces).mean(axis=(2, 3))
    assert (apart + 99 * np.eye(50)).min() > 2


def test_heads_stay_inside_the_frame(data: Faces3D) -> None:
    images = drawn(data, data.factors.sample(300, seed=1))
    edge = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    assert edge.max() == 0
    covered = (images > 8).mean(axis=(1, 2))
    assert covered.min() > 0.25
    assert covered.max() < 0.6


def test_left_mirrors_right_under_the_mirrored_light(data: Faces3D) -> None:
    rows = data.factors.sample(40, seed=2)
    rows = rows[rows[:, 1] != FRONT]
    mirrored = rows * [1, -1, 1, -1] + [0, 20, 0, 10]
    np.testing.assert_array_equal(drawn(data, rows), drawn(data, mirrored)[:, :, ::-1])


def test_the_lamp_lights_its_own_side(data: Faces3D) -> None:
    images = drawn(data, [[i, FRONT, LEVEL, light] for light in range(11) for i in range(10)])
    light = images.reshape(11, 10, 64, 64).mean(axis=1)
    share = light[:, :, 32:].sum(axis=(1, 2)) / light.sum(axis=(1, 2))
    assert (np.diff(share) > 0).all()
    assert share[0] < 0.2 < 0.8 < share[-1]


def test_the_face_turns_to_the_right_and_down(data: Faces3D) -> None:
    def eyes(azimuth: int, elevation: int) -> tuple[float, float]:
        """Mean row and column of the darkest places of the mean face: its irises."""
        face = drawn(data, [[i, azimuth, elevation, AHEAD] for i in range(0, 50, 3)]).mean(axis=0)
        inner = face[18:40, 20:44]
        rows, columns = np.nonzero(inner < np.sort(inner, axis=None)[4])
        return float(rows.mean()), float(columns.mean())

    rows = [eyes(FRONT, elevation)[0] for elevation in (2, LEVEL, 8)]
    columns = [eyes(azimuth, LEVEL)[1] for azimuth in (8, FRONT, 12)]
    assert np.diff(rows).min() > 2
    assert np.diff(columns).min() > 3
    assert columns[1] == pytest.approx(11.5, abs=1)


def test_the_fast_renderer_equals_a_brute_force_walk() -> None:
    depth = np.linspace(1.5, -1.5, 1500, dtype=np.float32)[:, None]
    for geometry in (777, 2345, 6049):
        identity, azimuth, elevation = np.unravel_index(geometry, (50, 11, 11))
        pose, head = faces3d._pose(int(azimuth), int(elevation)), faces3d.heads()[identity]
        skin, cover = faces3d._hit(head, pose)
        inside = faces3d._gap(head.radius, pose.origin, pose.way, depth) < 0
        hits = inside.any(axis=0)
        assert ((cover > 0.5) != hits).mean() < 0.01
        first = depth[inside.argmax(axis=0), 0]
        texel = faces3d._points(pose.origin, pose.way, first)[1]
        found, expected = skin[[0, 2, 3]], head.skin[texel][:, [0, 2, 3]].T / 127  # all but left and right
        wrong = np.abs(found - expected).max(axis=0)[hits]
        assert wrong.mean() < 0.008
        assert (wrong > 0.1).mean() < 0.015


def test_brightness_is_pinned(data: Faces3D) -> None:
    images = drawn(data, data.factors.sample(200, seed=3))
    assert 46 < images.mean() < 60
    assert images.max() > 235


def test_small_resolutions_average_the_large_one(data: Faces3D) -> None:
    index = np.random.default_rng(0).integers(len(data), size=20)
    full = data.images(index)[:, 0].astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(20, size, block, size, block).mean(axis=(2, 4))
        np.testing.assert_allclose(Faces3D(resolution=size).images(index)[:, 0], expected, atol=0.51)
