"""Drawn chairs: the battery, an independent ray caster, and what each factor does to the picture."""

import itertools

import numpy as np
import pytest

from distaff.datasets import SubGrid
from distaff.datasets.chairs3d import BACK_HEIGHTS, BACKS, LEGS, SEAT_WIDTHS, Chairs3D, cameras, chair
from distaff.drawing.polygons import AMBIENT, LIGHT, SIZE, Cameras, Scene, box, normals
from distaff.testing import check_dataset

DATA = Chairs3D()
SPACE = Chairs3D.factors
FRONT = 13  # azimuth 13 of 31 is the nearest to a look at the front
MEAN = 235.73
ORDINARY = {
    "legs": 0,
    "back": 0,
    "arms": 0,
    "seat_width": 1,
    "back_height": 2,
    "azimuth": FRONT,
    "elevation": 0,
}


def image(**values: int) -> np.ndarray:
    """The ordinary chair (64, 64) with some factors changed."""
    row = [[(ORDINARY | values)[name] for name in SPACE.names]]
    return DATA.images(SPACE.index(row))[0, 0]


def all_styles() -> list[Scene]:
    return [
        Scene(chair(legs, back, arms, width, height))
        for legs in LEGS
        for back in BACKS
        for arms in (False, True)
        for width in SEAT_WIDTHS
        for height in BACK_HEIGHTS
    ]


def check_geometry(scenes: list[Scene], cameras: Cameras) -> None:
    """Every solid is closed, flat-faced and convex; any two are separated; drawing keeps to all orders."""
    eyes = cameras.target + cameras.distance * cameras.axes()[:, 2]
    for scene in scenes:
        owner = scene.owner[scene.is_face]
        faces = scene.corners[scene.is_face]
        for number in range(len(scene.first_plane)):
            mine = np.flatnonzero(owner == number)
            heights = scene.heights[mine][:, scene.owner == number][
                :, : len(mine)
            ]  # faces come before decals
            assert heights.max() < 1e-6, "not convex"
            assert np.abs(heights[np.arange(len(mine)), np.arange(len(mine))]).max() < 1e-6, "not flat"
            here, after = faces[mine], np.roll(faces[mine], -1, axis=1)
            areas = np.linalg.norm(np.cross(here - here[:, :1], after - here[:, :1]).sum(axis=1), axis=1)
            np.testing.assert_allclose((areas[:, None] * normals(here)).sum(axis=0), 0, atol=1e-6)  # closed
        some = np.logical_or.reduceat(scene.separates(), scene.first_plane, axis=0)
        assert (some | some.T | np.eye(len(some), dtype=bool)).all(), "two solids cut into each other"
        places, before = scene.places(eyes), scene.behind(eyes)
        assert not (before & (places[:, :, None] > places[:, None, :])).any(), "a cycle of solids"


def cast(scene: Scene, cameras: Cameras, view: int, samples: int = 4) -> np.ndarray:
    """A scene without decals by casting rays, 0..255 (64, 64, channels): the nearest hit wins."""
    right, up, towards = cameras.axes()[view]
    eye = cameras.target + cameras.distance * towards
    at = ((np.arange(SIZE * samples) + 0.5) / samples - SIZE / 2) / cameras.scale
    rays = at[None, :, None] * right - at[:, None, None] * up - cameras.distance * towards
    nearest = np.full(rays.shape[:2], np.inf)
    pixels = np.full((*rays.shape[:2], scene.colours.shape[1]), 255.0)
    light = LIGHT @ np.stack([right, up, towards])
    owner, planes = scene.owner[scene.is_face], scene.normals[scene.is_face]
    for number in range(len(scene.first_plane)):
        mine = np.flatnonzero(owner == number)
        ahead = np.einsum("k,fk->f", eye, planes[mine]) - np.einsum(
            "fk,fk->f", planes[mine], scene.corners[scene.is_face][mine, 0]
        )
        speed = np.einsum("abk,fk->abf", rays, planes[mine]) + 1e-12
        meets = -ahead / speed
        enters, leaves = np.where(speed < 0, meets, -np.inf), np.where(speed > 0, meets, np.inf)
        begin = enters.max(axis=2)
        hit = (begin < leaves.min(axis=2)) & (begin < nearest)
        lit = AMBIENT + (1 - AMBIENT) * np.maximum(planes[mine] @ light, 0)
        colour = scene.colours[scene.is_face][mine]
        pixels[hit] = (lit[:, None] * colour)[enters.argmax(axis=2)[hit]]
        nearest[hit] = begin[hit]
    return pixels.reshape(SIZE, samples, SIZE, samples, -1).mean(axis=(1, 3))


@pytest.mark.parametrize("resolution", [16, 64])
def test_battery(resolution: int) -> None:
    check_dataset(Chairs3D(resolution=resolution))


def test_part_of_the_grid() -> None:
    part = SubGrid(DATA, {"azimuth": 8, "arms": 1, "legs": [1, 3]})
    check_dataset(part)
    assert part.factors.sizes == (2, 3, 3, 4, 8, 2)


def test_grid() -> None:
    assert SPACE.names == ("legs", "back", "arms", "seat_width", "back_height", "azimuth", "elevation")
    assert SPACE.sizes == (4, 3, 2, 3, 4, 31, 2)
    assert len(DATA) == 17_856
    assert DATA.labels(np.array([2 * 31 * 4 + 2 * 5 + 1])).tolist() == [[0, 0, 0, 1, 0, 5, 1]]
    views = cameras()
    np.testing.assert_allclose(np.degrees(views.elevation[:4]), [20, 30, 20, 30])
    np.testing.assert_allclose(np.degrees(np.diff(views.azimuth[::2])), 360 / 31)


@pytest.mark.parametrize("factor", SPACE.names)
def test_every_factor_is_visible(factor: str) -> None:
    rows = SPACE.sample(150, seed=3)
    rows[:30, 1] = 0  # a solid back, seen from behind, hides most
    rows[:30, 5] = np.arange(30) % 5 + 29 - 31 * (np.arange(30) % 5 > 1)
    other, j = rows.copy(), SPACE.position(factor)
    other[:, j] = (other[:, j] + 1) % SPACE.sizes[j]
    images, changed = (DATA.images(SPACE.index(r)).astype(float) for r in (rows, other))
    assert np.abs(images - changed).mean(axis=(1, 2, 3)).min() > 0.2


def test_solids_are_sound() -> None:
    check_geometry(all_styles()[::5], cameras())


def test_a_solid_that_cuts_into_another_is_found() -> None:
    crossed = Scene([box(-2, 2, -1, 1, -1, 1, (200,)), box(-1, 1, -2, 2, -0.5, 0.5, (100,))])
    with pytest.raises(AssertionError, match="cut into"):
        check_geometry([crossed], cameras())


@pytest.mark.parametrize("row", [[0, 1, 1, 1, 2, 3, 1], [1, 2, 0, 2, 3, 18, 0], [2, 0, 1, 0, 1, 11, 1]])
def test_rays_show_the_same(row: list[int]) -> None:
    style = Scene(chair(LEGS[row[0]], BACKS[row[1]], bool(row[2]), SEAT_WIDTHS[row[3]], BACK_HEIGHTS[row[4]]))
    expected = cast(style, cameras(), 2 * row[5] + row[6])[..., 0]
    drawn = DATA.images(SPACE.index([row]))[0, 0].astype(float)
    used = expected < 255
    assert used.mean() > 0.08
    # Pillow's polygons are half a quarter pixel wider on each side
    assert np.abs(drawn - expected)[used].mean() < 8
    assert np.abs(drawn - expected).max() < 70


def test_nothing_is_cut_off_and_all_is_grey_on_white() -> None:
    images = DATA.images(np.random.default_rng(1).integers(len(DATA), size=1000))[:, 0]
    assert min(images[:, 0].min(), images[:, -1].min(), images[:, :, 0].min(), images[:, :, -1].min()) == 255
    assert images.min() > 25
    covered = (images < 250).mean(axis=(1, 2))
    assert covered.min() > 0.07
    assert covered.max() < 0.45


def test_mean_is_as_it_was() -> None:
    images = DATA.images(np.arange(0, len(DATA), 31))
    assert images.mean() == pytest.approx(MEAN, abs=0.2)


def extent(picture: np.ndarray) -> tuple[int, int, int, int]:
    """The first and last used row and column."""
    rows, columns = (np.flatnonzero((picture < 250).any(axis=axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_what_each_style_changes() -> None:
    widths = [extent(image(seat_width=v)) for v in range(3)]
    spans = [last - first for _, _, first, last in widths]
    assert spans[0] + 3 <= spans[1] <= spans[2] - 3
    tops = [extent(image(back_height=v)) for v in range(4)]
    assert all(taller[0] + 3 <= lower[0] for lower, taller in itertools.pairwise(tops))
    assert len({bottom for _, bottom, _, _ in tops}) == 1
    seen = image()
    for legs in (1, 2, 3):  # legs change nothing above the seat
        rows = np.flatnonzero((image(legs=legs) != seen).any(axis=1))
        assert rows[0] > 33
    open_back = image(back=1)[16:26, 24:40]
    assert (open_back == 255).mean() > 0.2  # slats show the background
    assert (seen[16:26, 24:40] < 255).all()


def test_turning_the_other_way_is_the_mirror_image() -> None:
    """Chairs with four legs are mirror symmetric, and so are outlines of views from the left and right."""
    azimuth = cameras().azimuth[::2]
    eye = cameras()._replace(azimuth=np.concatenate([azimuth, -azimuth]), elevation=np.full(62, 0.4))
    scene = Scene(chair("straight", "rungs", True, 49, 46)).drawings(eye)
    for view in range(31):
        one, other = scene.draw(view), scene.draw(31 + view)
        assert abs(one.top - other.top) <= 1
        assert abs(one.left + one.pixels.shape[2] - (SIZE - other.left)) <= 1


def test_smaller_pictures_are_means() -> None:
    index = np.arange(0, len(DATA), 997)
    large = DATA.images(index).reshape(len(index), 1, 16, 4, 16, 4).mean(axis=(3, 5))
    np.testing.assert_allclose(Chairs3D(resolution=16).images(index), large, atol=0.51)
