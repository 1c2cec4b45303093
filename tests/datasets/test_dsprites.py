"""Drawn dSprites against frames of the original, a slow renderer, and its own promises."""

import itertools
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from numpy.lib import format as npy

from distaff.datasets import load_dataset
from distaff.datasets.dsprites import CACHE, ORIGINAL, DSprites, open_packed
from distaff.drawing import sprites
from distaff.errors import BadInput

FRAMES = Path(__file__).parent / "dsprites_frames.npz"


def original_frames() -> np.ndarray:
    """160 frames (64, 64) published with the original data set (Apache-2.0), booleans."""
    with np.load(FRAMES) as file:
        return np.unpackbits(file["frames"], axis=-1).reshape(file["shape"]).astype(bool)


def test_every_original_frame_is_matched_by_a_drawn_image() -> None:
    frames = np.unique(original_frames().reshape(160, -1), axis=0).astype(np.float32)
    data, best, area = DSprites(), np.zeros(len(frames)), frames.sum(axis=1)
    pixels = np.indices((64, 64)).reshape(2, -1)
    y_of, x_of = 31 / 32 * (frames @ pixels.T / area[:, None] - 15.5).T  # where a sprite is, in cells
    across, down = data.factors.rows(np.arange(len(data)))[:, 3:].T
    for x, y in itertools.product(range(0, 32, 4), repeat=2):  # frames are compared with sprites nearby
        near = np.flatnonzero(np.maximum(abs(x_of - x - 1.5), abs(y_of - y - 1.5)) < 6)
        here = np.flatnonzero((across // 4 == x // 4) & (down // 4 == y // 4))
        for some in np.array_split(here, 4) if len(near) else ():
            drawn = (data.images(some) > 0).reshape(len(some), -1).astype(np.float32)
            overlap = drawn @ frames[near].T
            union = drawn.sum(axis=1)[:, None] + area[near] - overlap
            best[near] = np.maximum(best[near], (overlap / union).max(axis=0))
    assert best.min() >= 0.95
    assert best.mean() >= 0.985


def slow_sprite(shape: int, scale: int, orientation: int, x: int, y: int) -> np.ndarray:
    """The definition, pixel by pixel: is its centre, seen from the sprite's, inside the outline?"""
    rows, columns = np.indices((64, 64))
    right = columns - 15.5 - 32 * x / 31
    down = rows - 15.5 - 32 * y / 31
    angle = np.linspace(0, 2 * np.pi, 40)[orientation]
    u = (right * np.cos(angle) - down * np.sin(angle)) / sprites.SCALES[scale]
    v = (right * np.sin(angle) + down * np.cos(angle)) / sprites.SCALES[scale]
    outline = Outline(sprites.outline(sprites.SHAPES[shape]))
    return outline.contains_points(np.stack([u.ravel(), v.ravel()], axis=1)).reshape(64, 64)


def test_the_fast_renderer_equals_the_slow_one() -> None:
    data = DSprites()
    rows = data.factors.sample(300, seed=1)
    fast = data.images(data.factors.index(rows))[:, 0] > 0
    slow = np.stack([slow_sprite(*row) for row in rows])
    differing = (fast != slow).sum(axis=(1, 2))
    assert (differing <= 1).all()  # a pixel centre may lie on the outline to within rounding
    assert differing.mean() < 0.05


def test_order_values_and_symmetries() -> None:
    data = DSprites()
    assert len(data) == 737_280
    assert data.factors.names == ("shape", "scale", "orientation", "x", "y")
    assert set(np.unique(data.images(np.arange(0, 737_280, 9999)))) == {0, 255}
    heart = data.images(data.factors.index([[2, 5, 0, 0, 0], [2, 5, 39, 0, 0], [2, 5, 0, 31, 31]]))[:, 0] > 0
    np.testing.assert_array_equal(heart[0], heart[1])  # the last orientation is the first again
    np.testing.assert_array_equal(heart[0, :32, :32], heart[2, 32:, 32:])  # 32 pixels right and down
    square = data.images(data.factors.index([[0, 0, 0, 0, 0], [0, 5, 0, 0, 0]])) > 0
    assert [int(image.sum()) for image in square] == [100, 400]


def test_small_resolutions_average_the_large_one() -> None:
    index = np.random.default_rng(0).integers(737_280, size=20)
    full = DSprites().images(index)[:, 0].astype(float)
    for size in (16, 32):
        block = 64 // size
        expected = full.reshape(20, size, block, size, block).mean(axis=(2, 4))
        np.testing.assert_allclose(DSprites(resolution=size).images(index)[:, 0], expected, atol=0.51)


def test_speed_and_memory_on_one_core() -> None:
    script = """
import os, re, time
import numpy as np
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from distaff.datasets.dsprites import DSprites
data, rng = DSprites(), np.random.default_rng(0)
data.images(rng.integers(len(data), size=64))
rates = []
for _ in range(5):
    began = time.process_time()  # of this process alone, whatever runs beside it
    for _ in range(20):
        data.images(rng.integers(len(data), size=256))
    rates.append(20 * 256 / (time.process_time() - began))
print(max(rates), int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1000)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    rate, megabytes = map(float, result.stdout.split())
    assert rate >= 20_000
    assert megabytes < 100


def test_part_of_the_grid() -> None:
    data = load_dataset("dsprites", x=16, y=16, orientation=1)
    assert data.factors is not None
    assert data.factors.names == ("shape", "scale", "x", "y")
    assert data.factors.sizes == (3, 6, 16, 16)
    whole = DSprites()
    row = np.array([[2, 4, 7, 3]])
    expected = whole.images(whole.factors.index([[2, 4, 0, 14, 6]]))
    np.testing.assert_array_equal(data.images(data.factors.index(row)), expected)
    chosen = load_dataset("dsprites", shape=[2], orientation=[0, 10], scale=[5], x=1, y=1)
    assert chosen.label_names == ("orientation",)
    assert len(chosen) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": 33}, "x=33 is out of range; it must be 1 to 32"),
        ({"x": 0}, "out of range"),
        ({"x": [0, 32]}, r"0\.\.31"),
        ({"x": [0, 0]}, "must differ"),
        ({"x": "a"}, "not allowed"),
        ({"shape": 1, "scale": 1, "orientation": 1, "x": 1, "y": 1}, "no factor is left"),
        ({"resolutoin": 32}, "did you mean 'resolution'"),
        ({"resolution": 48}, "one of: 16, 32, 64"),
    ],
)
def test_wrong_options(options: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_dataset("dsprites", **options)


def write_original(path: Path, images: np.ndarray) -> None:
    """A file in the published layout: imgs, and metadata that is a pickle nobody may open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("imgs.npy", "w") as file:
            npy.write_array(file, images)
        archive.writestr("metadata.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'} a pickle would follow")


def test_the_original_file_is_packed_once_and_read_back(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(2, size=(5000, 64, 64), dtype=np.uint8)
    original, cache = tmp_path / ORIGINAL, tmp_path / CACHE
    write_original(original, images)
    packed = open_packed(original, cache, images.shape)
    np.testing.assert_array_equal(np.unpackbits(packed, axis=1).reshape(images.shape), images)
    stamp = cache.stat().st_mtime_ns
    open_packed(original, cache, images.shape)
    assert cache.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("damage", ["short", "type", "values", "cut", "junk", "empty"])
def test_a_wrong_original_file_is_refused(tmp_path: Path, damage: str) -> None:
    images = np.zeros((100, 64, 64), dtype=np.uint8)
    wrong = {"short": images[:99], "type": images.astype(np.int16), "values": images + np.uint8(2)}
    original = tmp_path / ORIGINAL
    write_original(original, wrong.get(damage, images))
    if damage == "cut":
        original.write_bytes(original.read_bytes()[:-40])
    if damage == "junk":
        original.write_bytes(b"junk")
    if damage == "empty":
        original.write_bytes(b"")
    with pytest.raises(BadInput, match="dsprites_ndarray"):
        open_packed(original, tmp_path / CACHE, images.shape)
    assert not (tmp_path / CACHE).exists()


def test_the_card_says_which_was_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_dataset("dsprites").card()["source"] == "drawn"
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path / "absent"))
    assert load_dataset("dsprites").source == "drawn"
    drawn = DSprites()
    np.save(tmp_path / CACHE, np.zeros((len(drawn), 512), np.uint8))
    (tmp_path / ORIGINAL).write_bytes(b"")
    facts = (tmp_path / ORIGINAL).stat()
    stamp = json.dumps([[ORIGINAL, facts.st_size, facts.st_mtime_ns]])
    (tmp_path / CACHE).with_suffix(".json").write_text(stamp)
    data = load_dataset("dsprites", data_dir=tmp_path)
    assert data.source == f"file {ORIGINAL}"
    assert data.images(np.arange(3)).max() == 0  # from the file, not drawn
    assert data.fingerprint() != drawn.fingerprint()
