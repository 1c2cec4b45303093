"""Drawn cars: the battery, an independent ray caster, and that objects differ, in front and behind too."""

import numpy as np
import pytest

from distaff.datasets import SubGrid
from distaff.datasets.cars3d_drawn import OBJECTS, Cars3DDrawn, cameras, car, solids
from distaff.drawing.polygons import AMBIENT, LIGHT, SIZE, Scene, normals
from distaff.testing import check_dataset

DATA = Cars3DDrawn()
SPACE = Cars3DDrawn.factors
MEAN = (219.22, 219.31, 220.02)  # red, green, blue
FRONT, SIDE, REAR = 10, 16, 22  # azimuths


def image(elevation: int, azimuth: int, number: int) -> np.ndarray:
    """One picture (3, 64, 64)."""
    return DATA.images(SPACE.index([[elevation, azimuth, number]]))[0].astype(float)


def cast(scene: Scene, view: int, samples: int = 4) -> np.ndarray:
    """The share of each pixel (64, 64) that the solids cover, by casting rays at them."""
    eyes = cameras()
    right, up, towards = eyes.axes()[view]
    eye = eyes.target + eyes.distance * towards
    at = ((np.arange(SIZE * samples) + 0.5) / samples - SIZE / 2) / eyes.scale
    rays = at[None, :, None] * right - at[:, None, None] * up - eyes.distance * towards
    owner, planes = scene.owner[scene.is_face], scene.normals[scene.is_face]
    points = scene.corners[scene.is_face, 0]
    covered = np.zeros(rays.shape[:2], dtype=bool)
    for number in range(len(scene.first_plane)):
        mine = owner == number
        ahead = ((eye - points[mine]) * planes[mine]).sum(axis=1)
        speed = np.einsum("abk,fk->abf", rays, planes[mine]) + 1e-12
        enters = np.where(speed < 0, -ahead / speed, -np.inf).max(axis=2)
        covered |= enters < np.where(speed > 0, -ahead / speed, np.inf).min(axis=2)
    return covered.reshape(SIZE, samples, SIZE, samples).mean(axis=(1, 3))


@pytest.mark.parametrize("resolution", [16, 64])
def test_battery(resolution: int) -> None:
    check_dataset(Cars3DDrawn(resolution=resolution))


def test_part_of_the_grid() -> None:
    part = SubGrid(DATA, {"azimuth": 6, "elevation": 1, "object": [0, 7, 182]})
    check_dataset(part)
    assert part.factors.sizes == (6, 3)


def test_grid() -> None:
    assert SPACE.names == ("elevation", "azimuth", "object")
    assert SPACE.sizes == (4, 24, 183)
    assert len(DATA) == 17_568
    assert DATA.labels(np.array([183 * 24 + 183 * 2 + 5])).tolist() == [[1, 2, 5]]
    views = cameras()
    np.testing.assert_allclose(np.degrees(views.elevation[::24]), [5, 16, 28, 40])
    np.testing.assert_allclose(np.degrees(np.diff(views.azimuth[:24])), 15)
    np.testing.assert_allclose(np.degrees(views.azimuth[[FRONT, SIDE, REAR]]) % 360, [0, 90, 180], atol=1e-9)
    assert "not the CAD" in DATA.card()["note"]


@pytest.mark.parametrize("factor", SPACE.names)
def test_every_factor_is_visible(factor: str) -> None:
    rows = SPACE.sample(200, seed=3)
    other, j = rows.copy(), SPACE.position(factor)
    other[:, j] = (other[:, j] + 1) % SPACE.sizes[j]
    images, changed = (DATA.images(SPACE.index(r)).astype(float) for r in (rows, other))
    assert np.abs(images - changed).mean(axis=(1, 2, 3)).min() > 0.2


def test_all_objects_differ() -> None:
    rows = [[1, 14, number] for number in range(OBJECTS)]
    images = DATA.images(SPACE.index(rows)).astype(np.float32)
    for number in range(1, OBJECTS):
        assert np.abs(images[:number] - images[number]).mean(axis=(1, 2, 3)).min() > 1
    shapes = images[:, 1] < 250  # not only by their paint
    assert len(np.unique(shapes.reshape(OBJECTS, -1), axis=0)) == OBJECTS


def test_cars_are_sound() -> None:
    """Solids are flat-faced and convex, any two are separated, and drawing keeps to all orders."""
    eyes = cameras().target + cameras().distance * cameras().axes()[:, 2]
    for number in range(OBJECTS):
        scene = Scene(solids(car(number)))
        owner = scene.owner[scene.is_face]
        for solid in range(len(scene.first_plane)):
            heights = scene.heights[owner == solid][:, (scene.owner == solid) & scene.is_face]
            assert heights.max() < 1e-6, "not convex"
            assert np.abs(np.einsum("ffk->fk", heights)).max() < 1e-6, "not flat"
        some = np.logical_or.reduceat(scene.separates(), scene.first_plane, axis=0)
        assert (some | some.T | np.eye(len(some), dtype=bool)).all(), "two solids cut into each other"
        if number % 10 == 0:
            places, before = scene.places(eyes), scene.behind(eyes)
            assert not (before & (places[:, :, None] > places[:, None, :])).any(), "a cycle of solids"


def test_decals_lie_on_the_solid_that_carries_them() -> None:
    for number in range(0, OBJECTS, 7):
        scene = Scene(solids(car(number)))
        for decal in np.flatnonzero(~scene.is_face):
            mine = scene.owner[scene.is_face] == scene.owner[decal]
            planes = scene.normals[scene.is_face][mine]
            flat = np.abs(scene.heights[mine, decal]).max(axis=1) < 1e-6
            assert flat.any()
            np.testing.assert_allclose(planes[flat][0], scene.normals[decal], atol=1e-6)


@pytest.mark.parametrize(("elevation", "azimuth", "number"), [(0, 13, 4), (2, 19, 31), (3, 2, 90)])
def test_rays_show_the_same_outline(elevation: int, azimuth: int, number: int) -> None:
    scene = Scene([solid._replace(decals=()) for solid in solids(car(number))])
    expected = cast(scene, 24 * elevation + azimuth)
    scene.colours = 0 * scene.colours  # all black: the picture is what is not covered
    drawn = scene.drawings(cameras()).draw(24 * elevation + azimuth)
    covered = np.zeros((SIZE, SIZE))
    height, width = drawn.pixels.shape[1:]
    covered[drawn.top : drawn.top + height, drawn.left : drawn.left + width] = 1 - drawn.pixels[0] / 255
    assert 0.1 < expected.mean() < 0.6
    assert np.abs(covered - expected).max() < 0.5
    assert np.abs(covered - expected).mean() < 0.02


def test_nothing_is_cut_off() -> None:
    images = DATA.images(np.arange(0, len(DATA), 11))
    assert min(images[..., 0, :].min(), images[..., -1, :].min()) == 255
    assert min(images[..., 0].min(), images[..., -1].min()) == 255
    covered = (images < 250).any(axis=1).mean(axis=(1, 2))
    assert covered.min() > 0.07
    assert covered.max() < 0.6


def test_mean_colour_is_as_it_was() -> None:
    mean = DATA.images(np.arange(0, len(DATA), 59)).mean(axis=(0, 2, 3))
    np.testing.assert_allclose(mean, MEAN, atol=0.2)


def test_front_and_rear_differ() -> None:
    """Tail lights are red and seen from behind only."""
    for number in range(2, OBJECTS, 20):  # grey cars: only the lights are red
        assert len(set(car(number).paint)) == 1
        red = [image(1, azimuth, number) for azimuth in (FRONT, REAR)]
        front, rear = (int(((r > 100) & (g < 0.6 * r) & (b < 0.6 * r)).sum()) for r, g, b in red)
        assert front == 0
        assert rear >= 4


def test_length_height_and_paint_show() -> None:
    lengths, spans, heights, rises = [], [], [], []
    for number in range(0, OBJECTS, 3):
        seen = car(number)
        used = (image(0, SIDE, number) < 250).any(axis=0)
        rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
        lengths.append(seen.length)
        spans.append(columns[-1] - columns[0] + 1)
        heights.append(seen.height)
        rises.append(rows[-1] - rows[0] + 1)
    assert np.corrcoef(lengths, spans)[0, 1] > 0.98
    assert np.corrcoef(heights, rises)[0, 1] > 0.97
    axes = cameras().axes()[24 * 3 + FRONT]  # the roof, from above
    lit = AMBIENT + (1 - AMBIENT) * float(LIGHT @ axes[:, 2])
    for number in (0, 1, 5):
        roof = np.array(car(number).paint) * lit
        near = np.abs(image(3, FRONT, number) - roof[:, None, None]).max(axis=0) < 1.5
        assert near.sum() > 60


def test_normals_of_a_polygon_with_repeated_corners() -> None:
    square = np.array([[0, 0, 2], [0, 0, 2], [1, 0, 2], [1, 1, 2], [0, 1, 2], [0, 1, 2]], dtype=float)
    np.testing.assert_allclose(normals(square[None]), [[0, 0, 1]])


def test_smaller_pictures_are_means() -> None:
    index = np.arange(0, len(DATA), 997)
    large = DATA.images(index).reshape(len(index), 3, 32, 2, 32, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(Cars3DDrawn(resolution=32).images(index), large, atol=0.51)
