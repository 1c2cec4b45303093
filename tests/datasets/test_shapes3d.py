"""The ray caster against a slow march, drawn 3D Shapes against geometry, and the reader of 3dshapes.h5."""

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distaff.datasets import SubGrid, shapes3d
from distaff.datasets.shapes3d import ORIGINAL, Shapes3D
from distaff.drawing import shapes, vectors
from distaff.drawing.raycast import Solid
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.testing import check_dataset

INSIDE = {
    "box": (shapes.box, lambda p: np.abs(p).max(axis=-1) <= 1),
    "ball": (shapes.ball, lambda p: (p**2).sum(axis=-1) <= 1),
    "cylinder": (
        shapes.cylinder,
        lambda p: (np.hypot(p[..., 0], p[..., 1]) <= 1) & (np.abs(p[..., 2]) <= 1),
    ),
    "cone": (
        functools.partial(shapes.cylinder, top=0.3),
        lambda p: (np.hypot(p[..., 0], p[..., 1]) <= 0.65 - 0.35 * p[..., 2]) & (np.abs(p[..., 2]) <= 1),
    ),
    "capsule": (
        functools.partial(shapes.capsule, half=0.8),
        lambda p: np.linalg.norm(p - np.array([0, 0, 1]) * np.clip(p[..., 2:], -0.8, 0.8), axis=-1) <= 1,
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_rays_enter_where_a_slow_march_does(name: str) -> None:
    shape, inside = INSIDE[name]
    rng = np.random.default_rng(0)
    turn = vectors.one_turn(vectors.yaw(35), vectors.pitch(20))
    size, centre = (0.7, 0.4, 1.1), (0.2, -0.1, 0.3)
    direction = rng.standard_normal((600, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    origin = np.array(centre) - 4 * direction + 0.6 * rng.standard_normal((600, 3))
    t, normal = Solid(0, shape, size, centre, turn).meet(origin, direction)
    steps = np.arange(0, 8, 0.004)
    points = origin[:, None] + steps[:, None] * direction[:, None] - centre
    within = inside(points @ turn / size)
    first = np.where(within.any(axis=1), steps[within.argmax(axis=1)], np.inf)
    grazing = within.sum(axis=1) < 4  # the march may step over a corner
    assert (~grazing).sum() > 150
    np.testing.assert_array_equal(np.isfinite(t)[~grazing], np.isfinite(first)[~grazing])
    assert (np.isinf(t) | (within.sum(axis=1) > 0) | grazing).all()
    hit = np.isfinite(t) & ~grazing
    assert (np.abs(first[hit] - t[hit]) < 0.0041).all()
    np.testing.assert_allclose(np.linalg.norm(normal[hit], axis=1), 1)
    assert ((normal * direction)[hit].sum(axis=1) < 0).all()  # seen from outside
    entry = origin[hit] + t[hit][:, None] * direction[hit]
    for sign, expected in ((1, False), (-1, True)):  # just outside, just inside along the normal
        moved = (entry + sign * 1e-4 * normal[hit] - centre) @ turn / size
        assert (inside(moved) == expected).mean() > 0.98


def test_battery() -> None:
    check_dataset(Shapes3D())
    check_dataset(Shapes3D(resolution=16))
    check_dataset(SubGrid(Shapes3D(resolution=32), {"scale": 2, "orientation": [0, 7], "floor_hue": 1}))


def test_size_and_order() -> None:
    data = Shapes3D()
    assert len(data) == 480_000
    assert data.factors.names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    assert data.factors.sizes == (10, 10, 10, 8, 4, 15)
    np.testing.assert_array_equal(
        data.factors.rows([1, 15, 48_000]), [[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0]]
    )
    assert data.card()["source"] == "drawn"


def draw(*rows: tuple[int, ...]) -> np.ndarray:
    """Images (n, 3, 64, 64) of rows, as whole numbers that can be subtracted."""
    data = Shapes3D()
    return data.images(data.factors.index(rows)).astype(int)


def changed(first: tuple[int, ...], second: tuple[int, ...]) -> np.ndarray:
    """Which pixels (64, 64) differ between two images."""
    a, b = draw(first, second)
    return (a != b).any(axis=0)


@pytest.mark.parametrize("hues", ["random", "one"])
def test_every_factor_is_visible(hues: str) -> None:
    data = Shapes3D()
    rows = data.factors.sample(60, seed=1)
    rows[:, 3:] = np.clip(rows[:, 3:], 0, np.array([7, 3, 14]) - 1)
    if hues == "one":  # all red, or all blue: only light tells the surfaces apart
        rows[:, :3] = np.where(rows[:, :1] < 5, 0, 6)
    before = data.images(data.factors.index(rows)).astype(int)
    for j, size in enumerate(data.factors.sizes):
        other = rows.copy()
        other[:, j] = (rows[:, j] + 1) % size
        difference = np.abs(data.images(data.factors.index(other)) - before).mean(axis=(1, 2, 3))
        assert difference.min() > 0.5, (data.factors.names[j], rows[difference.argmin()])


@pytest.mark.parametrize("geometry", [(0, 0, 0), (4, 1, 7), (7, 2, 14), (7, 3, 3)])
def test_each_hue_colours_its_own_surface(geometry: tuple[int, int, int]) -> None:
    floor = changed((0, 2, 4, *geometry), (5, 2, 4, *geometry))
    wall = changed((0, 2, 4, *geometry), (0, 7, 4, *geometry))
    thing = changed((0, 2, 4, *geometry), (0, 2, 9, *geometry))
    assert (floor | wall | thing).all()
    assert not thing[:, :8].any()
    assert not thing[:, -8:].any()
    assert floor[-8:].all()
    assert wall[:8][~thing[:8]].all()
    # floor and wall meet along a thin line: at most three pixels of a column show both
    assert (floor & wall).sum(axis=0).max() <= 3
    assert (floor & wall & thing).sum() <= 8
    assert not wall[-12:].any()
    assert not floor[:12].any()


def test_hues_go_round_the_colour_wheel() -> None:
    for hue, channels in ((0, [1, 0, 0]), (5, [0, 1, 1])):
        pixel = draw((hue, 2, 3, 0, 0, 7))[0, :, 60, 32]
        np.testing.assert_array_equal(pixel > 0, np.array(channels, bool))
        assert pixel.max() > 180
    orange = draw((1, 2, 3, 0, 0, 7))[0, :, 60, 32]
    assert orange[1] == pytest.approx(0.6 * orange[0], abs=1)


def silhouette(scale: int, shape: int, orientation: int) -> np.ndarray:
    return changed((0, 2, 4, scale, shape, orientation), (0, 2, 9, scale, shape, orientation))


@pytest.mark.parametrize("shape", range(4))
def test_objects_grow_with_scale_and_stay_whole(shape: int) -> None:
    areas = [int(silhouette(scale, shape, 5).sum()) for scale in range(8)]
    assert (np.diff(areas) > 0).all()
    assert 2.3 < areas[-1] / areas[0] < 3.3  # (1.25 / .75)^2 = 2.8, and nearer to the camera
    largest = silhouette(7, shape, 5)
    assert 350 < largest.sum() < 1200
    for border in (largest[:4], largest[-4:], largest[:, :4], largest[:, -4:]):
        assert not border.any()


def test_round_objects_look_the_same_from_all_sides() -> None:
    for shape, most in ((1, 6), (2, 6), (3, 6)):
        for orientation in (0, 4, 14):
            assert (silhouette(5, shape, orientation) != silhouette(5, shape, 7)).sum() <= most
    assert (silhouette(5, 0, 0) != silhouette(5, 0, 7)).sum() > 40


def test_the_corner_moves_across_the_picture() -> None:
    top = draw(*[(0, 0, 0, 0, 3, orientation) for orientation in range(15)])[:, 0, 4]  # the walls' red
    edges = np.abs(np.diff(top, axis=1)).argmax(axis=1)
    assert (np.diff(edges) > 0).all()
    assert abs(edges[7] - 31) <= 1
    assert edges[0] >= 4
    assert edges[-1] <= 58


def test_light_falls_from_above_and_objects_cast_shadows() -> None:
    cube = draw((0, 0, 5, 7, 0, 7))[0, 1]  # green: nothing but the object and its highlights
    lit = np.flatnonzero(cube[:, 32])
    assert cube[lit[2], 32] > 1.15 * cube[lit[-3], 32]  # the top is brighter than the sides
    floor = draw((0, 5, 5, 7, 2, 7))[0, 0]  # red: nothing but the floor
    assert floor[43:46, 42:44].max() < 0.7 * floor[60, 32]  # right of the sphere, away from the light
    assert floor[44:47, 8:16].min() > 0.8 * floor[60, 32]


def test_masks_never_overflow() -> None:
    masks = shapes3d._MASKS.at(64)[np.arange(0, 480, 13)]
    assert masks.min() >= 0
    assert 0.95 < masks.sum(axis=1).max() <= 1


def test_pinned_colours() -> None:
    means = draw((0, 3, 6, 4, 0, 3), (8, 1, 5, 7, 3, 11)).mean(axis=(2, 3))
    np.testing.assert_allclose(means, PINNED, atol=0.5)


PINNED = [[92.8, 89.2, 25.4], [130.9, 66.6, 109.2]]


def test_small_resolutions_average_the_large_one() -> None:
    index = np.random.default_rng(0).integers(480_000, size=12)
    full = Shapes3D().images(index).astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(12, 3, size, block, size, block).mean(axis=(3, 5))
        np.testing.assert_allclose(Shapes3D(resolution=size).images(index), expected, atol=1)


SMALL = FactorSpace(Shapes3D.factors.names, (2, 1, 2, 3, 2, 2))


def write_original(path: Path, images: np.ndarray, key: str = "images", **options: Any) -> None:
    """A file in the published layout: images, and labels (n, 6) of float64."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=images, **options)
        file.create_dataset("labels", data=np.zeros((len(images), 6)))


def noise(n: int = len(SMALL)) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(n, 64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("options", [{}, {"chunks": (5, 16, 16, 3), "compression": "gzip"}])
def test_the_published_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(Shapes3D, "factors", SMALL)
    images = noise()
    write_original(tmp_path / ORIGINAL, images, **options)
    data = Shapes3D(data_dir=tmp_path)
    assert data.source == "file 3dshapes.h5"
    assert (tmp_path / "shapes3d.images.npy").exists() == bool(options), (
        "one in a row is mapped where it lies"
    )
    assert data.card()["images"] == 48
    index = [7, 47, 0, 7, 3, 3]  # neither sorted nor unique
    np.testing.assert_array_equal(data.images(index), images[index].transpose(0, 3, 1, 2))
    small = Shapes3D(data_dir=tmp_path, resolution=16).images(index)
    expected = images[index].reshape(6, 16, 4, 16, 4, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(small, expected, atol=0.51)
    with pytest.raises(BadInput, match="out of range"):
        data.images([48])
    data.factors, data.label_names = FactorSpace(("a", "b"), (6, 8)), ("a", "b")  # no factor of one value
    check_dataset(data)


@pytest.mark.parametrize("damage", ["short", "size", "grey", "type", "key", "group", "cut", "junk", "empty"])
def test_a_wrong_file_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr(Shapes3D, "factors", SMALL)
    images, path = noise(), tmp_path / ORIGINAL
    wrong = {"short": images[:-1], "size": images[:, :32], "grey": images[..., 0], "type": images / 255}
    write_original(path, wrong.get(damage, images), key="pictures" if damage == "key" else "images")
    if damage == "group":
        with h5py.File(path, "w") as file:
            file.create_group("images")
    contents = {"cut": path.read_bytes()[:-1000], "junk": b"junk" * 4096, "empty": b""}
    if damage in contents:
        path.write_bytes(contents[damage])
    with pytest.raises(BadInput, match=r"3dshapes\.h5") as caught:
        Shapes3D(data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_damage_within_the_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shapes3D, "factors", SMALL)
    path = tmp_path / ORIGINAL
    write_original(path, noise(), chunks=(1, 64, 64, 3), compression="gzip")
    contents = bytearray(path.read_bytes())
    middle = len(contents) // 2
    contents[middle : middle + 12_000] = bytes(12_000)
    path.write_bytes(contents)
    with pytest.raises(BadInput, match=r"3dshapes\.h5"):
        Shapes3D(data_dir=tmp_path)
    assert not list(tmp_path.glob("*.npy")), "half a cache must not stay"


def test_without_h5py_the_file_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ORIGINAL).write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(BadInput, match=r"pip install 'distaff\[files\]'"):
        Shapes3D(data_dir=tmp_path)
    assert Shapes3D(data_dir=tmp_path / "absent").source == "drawn"
