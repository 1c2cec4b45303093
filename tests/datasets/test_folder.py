"""Folders of pictures as people have them: formats, cameras, links, classes, lists of labels."""

from __future__ import annotations

import contextlib
import os
import struct
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from distaff.datasets import folder as folders
from distaff.datasets import load_dataset
from distaff.errors import BadInput
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)
#: a picture whose four corners differ: red, green, blue and white in reading order
CORNERS = np.zeros((16, 24, 3), np.uint8)
CORNERS[:8, :12], CORNERS[:8, 12:], CORNERS[8:, :12], CORNERS[8:, 12:] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(256, size=shape, dtype=np.uint8)


def save(pixels: np.ndarray, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def pixels_of(data: Any, index: int = 0) -> np.ndarray:
    return data.images(np.array([index]))[0].transpose(1, 2, 0)


def grey(dtype: Any) -> Image.Image:
    return Image.fromarray(np.zeros((16, 16), dtype))


# Formats


@pytest.mark.parametrize(
    ("ending", "options", "apart"),
    [
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("tif", {}, 0),
        ("tiff", {"compression": "tiff_lzw"}, 0),
        ("tiff", {"compression": "tiff_adobe_deflate"}, 0),
        ("webp", {"lossless": True}, 0),
        ("gif", {}, 0),
        ("jpg", {"quality": 100, "subsampling": 0}, 6),
        ("jpeg", {"quality": 100, "subsampling": 0}, 6),
        ("JFIF", {"quality": 100, "subsampling": 0, "format": "JPEG"}, 6),
        ("jpe", {"quality": 100, "subsampling": 0, "format": "JPEG"}, 6),
        ("PNG", {"format": "WEBP", "lossless": True}, 0),  # as browsers save under another name
    ],
)
def test_formats(tmp_path: Path, ending: str, options: dict[str, Any], apart: int) -> None:
    for i in range(2):
        save(CORNERS, tmp_path / f"{i}.{ending}", **options)
    data = load_dataset(tmp_path)
    check_dataset(data)
    assert data.image_shape == (3, 16, 24)
    found = np.abs(pixels_of(data).astype(int) - CORNERS)
    assert np.median(found) == 0
    assert found[2:6, 2:10].max() <= apart


@pytest.mark.parametrize("ending", ["gif", "tif", "webp", "png"])
def test_of_several_frames_the_first_is_read_and_it_says_so(tmp_path: Path, ending: str) -> None:
    first, second = Image.fromarray(CORNERS), Image.fromarray(255 - CORNERS)
    options = {"lossless": True} if ending == "webp" else {}
    first.save(tmp_path / f"a.{ending}", save_all=True, append_images=[second], **options)
    first.save(tmp_path / f"b.{ending}", **options)
    data = load_dataset(tmp_path)
    np.testing.assert_array_equal(pixels_of(data), CORNERS)
    assert "only the first frame is read of 1 file with several" in data.note
    first.save(tmp_path / f"b.{ending}", save_all=True, append_images=[second], **options)
    assert "of 2 files with several" in load_dataset(tmp_path).note


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        save(CORNERS, tmp_path / name)
    for name in (
        "a.heic",
        "b.HEIC",
        "sub/c.heic",
        "notes.txt",
        "README",
        ".hidden",
        ".git/x.txt",
        "sub/x.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "labels.csv").write_text("file,a\n1.png,1\n2.png,2\n")
    note = load_dataset(tmp_path).note
    assert "not read: 3 .heic, 1 .csv, 1 .txt, 1 without an ending" in note
    for name in ("1.png", "2.png"):
        (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=r"holds no \.png, .* or \.bmp file; not read: 3 \.heic"):
        load_dataset(tmp_path)
    for i in range(12):
        (tmp_path / f"x.k{i:02}").touch()
    with pytest.raises(BadInput, match=r"1 \.k05, 8 others$"):
        load_dataset(tmp_path)


# Cameras: the eight orientations of EXIF, by what they say of the first row and the first column


def as_seen(stored: np.ndarray, orientation: int) -> np.ndarray:
    """The standard's words: where the 0th row and the 0th column of what is stored lie."""
    row, column = {
        1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
    }[orientation]  # fmt: skip
    seen = stored.swapaxes(0, 1) if row in ("left", "right") else stored
    vertical, horizontal = (column, row) if row in ("left", "right") else (row, column)
    seen = seen[::-1] if vertical == "bottom" else seen
    return seen[:, ::-1] if horizontal == "right" else seen


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_photographs_are_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if ending == "webp" else {"quality": 100} if ending == "jpg" else {}
    for i in range(2):
        save(CORNERS, tmp_path / f"{i}.{ending}", exif=exif, **options)
    seen, found = as_seen(CORNERS, orientation), pixels_of(load_dataset(tmp_path))
    assert found.shape == seen.shape
    assert (np.abs(found.astype(int) - seen) > 8).mean() < (0.2 if ending == "jpg" else 1e-9)


@pytest.mark.parametrize("mode", ["P", "L", "1", "CMYK", "RGBA", "LA", "P with a transparent colour"])
def test_every_kind_of_pixel_is_turned(tmp_path: Path, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kind, ending = mode.split()[0], "jpg" if mode == "CMYK" else "png"
    image = Image.fromarray(CORNERS).convert(kind)
    options: dict[str, Any] = {"quality": 100} if kind == "CMYK" else {}
    if mode.endswith("colour"):
        options["transparency"] = image.getpixel((0, 0))
    if kind in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(np.where(CORNERS[:, :, 1] > 0, 255, 0).astype(np.uint8)))
    for i in range(2):
        image.save(tmp_path / f"{i}.{ending}", exif=exif, **options)
    plain = tmp_path / "plain"
    plain.mkdir()
    for i in range(2):
        image.save(plain / f"{i}.{ending}", **options)
    upright, flat = load_dataset(plain), None
    for i in range(2):
        (plain / f"{i}.{ending}").unlink()
    plain.rmdir()
    flat = load_dataset(tmp_path)
    np.testing.assert_array_equal(pixels_of(flat), as_seen(pixels_of(upright), 6))


@pytest.mark.parametrize(
    ("mode", "ending", "channels"),
    [("P", "png", 3), ("P", "gif", 3), ("1", "png", 1), ("1", "tif", 1), ("L", "webp", 3), ("L", "bmp", 1)],
)
def test_kinds_of_pixels(tmp_path: Path, mode: str, ending: str, channels: int) -> None:
    """Grey and 1-bit stay grey (WebP has no grey); a palette is looked up."""
    shades = np.zeros((16, 16), np.uint8)
    shades[4:] = 255
    for i in range(2):
        image = Image.fromarray(np.roll(shades, i, axis=1)).convert(mode)
        if mode == "P":
            image.putpalette([10, 20, 30, *[0] * 762, 40, 50, 60])
        image.save(tmp_path / f"{i}.{ending}", **({"lossless": True} if ending == "webp" else {}))
    data = load_dataset(tmp_path)
    low, high = ((10, 20, 30), (40, 50, 60)) if mode == "P" else ((0,), (255,))
    assert data.image_shape == (channels, 16, 16)
    assert (pixels_of(data)[:4] == low).all()
    assert (pixels_of(data)[4:] == high).all()


def test_cmyk_is_read_as_colours(tmp_path: Path) -> None:
    for i in range(2):
        Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(tmp_path / f"{i}.tif")
    assert (pixels_of(load_dataset(tmp_path)) == (0, 255, 255)).all()


def test_grey_among_colours_becomes_rgb(tmp_path: Path) -> None:
    save(np.full((16, 16), 77, np.uint8), tmp_path / "1.png")
    save(CORNERS[:, :16], tmp_path / "2.png")
    data = load_dataset(tmp_path)
    assert data.image_shape == (3, 16, 16)
    assert (pixels_of(data) == 77).all()
    np.testing.assert_array_equal(pixels_of(data, 1), CORNERS[:, :16])


# Pixels that cannot be read, and colours below


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda b: grey(np.uint16).save(f"{b}.png"),
            r"a\.png has pixels of kind RGB and b\.png of kind I;16: ",
        ),
        (lambda b: grey(np.float32).save(f"{b}.tif"), r"b\.tif of kind F: grey of more than 8 bits beside"),
        (
            lambda b: Path(f"{b}.png").write_bytes(b""),
            r"b\.png cannot be read as an image: it is none of PNG",
        ),
        (lambda b: Path(f"{b}.webp").write_bytes(b"RIFF"), r"b\.webp cannot be read as an image"),
        (lambda b: Path(f"{b}.gif").write_bytes(b"%!PS-Adobe-3.0"), r"b\.gif cannot be read as an image"),
        (lambda b: grey(np.uint8).save(f"{b}.png", format="PPM"), r"b\.png cannot be read as an image"),
        (lambda b: os.mkfifo(f"{b}.png"), "at least 2 images"),
        (lambda b: os.symlink(f"{b}.none", f"{b}.png"), "at least 2 images"),
        (lambda b: Image.new("L", (200, 16)).save(f"{b}.png"), r"b\.png: 16x200 .* --data resolution=64"),
        (lambda b: Image.new("L", (30, 31)).save(f"{b}.png"), r"b\.png is 30x31; give --data resolution=64"),
    ],
)
def test_pictures_that_cannot_be_used(tmp_path: Path, make: Any, message: str) -> None:
    save(noise(16, 16, 3), tmp_path / "a.png")
    make(tmp_path / "b")
    with pytest.raises(BadInput, match=message) as caught:
        load_dataset(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "ending", "values", "black", "white"),
    [
        (np.uint16, "png", (0, 4000), 0, 4095),  # of a camera of 12 bits
        (np.uint16, "tif", (9, 60_000), 0, 65_535),
        (np.uint16, "png", (0, 1), 0, 1),  # a mask
        (np.int32, "tif", (0, 200), 0, 255),
        (np.int32, "tif", (0, 70_000), 0, 70_000),
        (np.float32, "tif", (0.25, 0.5), 0, 1),
        (np.float32, "tif", (-1, 1), -1, 1),
        (np.float32, "tif", (0, 1.25), 0, 1.25),  # of metres, which are no numbers of bits
    ],
)
def test_grey_of_more_than_eight_bits(
    tmp_path: Path, kind: Any, ending: str, values: tuple[float, float], black: float, white: float
) -> None:
    rng = np.random.default_rng(0)
    pixels = np.array(values) @ np.stack([1 - (share := rng.random((3, 16 * 16))), share], axis=1)
    pixels[:, 0], pixels[:, 1] = values
    given = pixels.reshape(3, 16, 16).astype(kind)
    for i, each in enumerate(given):
        Image.fromarray(each).save(tmp_path / f"{i}.{ending}")
    data = load_dataset(tmp_path)
    wanted = 255 * (given.astype(np.float64) - black) / (white - black)
    np.testing.assert_allclose(data.images(np.arange(3))[:, 0], wanted, atol=0.501)
    assert f"{black:g} is now black, 0, and {white:g} white, 255" in data.note


@pytest.mark.parametrize(
    ("kind", "values"), [(np.uint16, (0, 3000)), (np.float32, (-1, 1)), (np.float32, (0, 6))]
)
def test_what_is_black_and_white_in_deep_files_can_be_said(tmp_path: Path, kind: Any, values: Any) -> None:
    given = np.random.default_rng(0).uniform(*values, size=(3, 16, 16)).astype(kind)
    for i, each in enumerate(given):
        Image.fromarray(each).save(tmp_path / f"{i}.tif")
    data = load_dataset(tmp_path, pixel_range=list(values))
    wanted = (given.astype(np.float64) - values[0]) / (values[1] - values[0])
    np.testing.assert_allclose(data.unit_images(np.arange(3))[:, 0], wanted, atol=1e-6)


def test_sixteen_bits_of_which_eight_are_read_are_told(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + RNG.integers(2**16, size=(16, 3)).astype(">u2").tobytes() for _ in range(16))
    parts = (
        b"IHDR" + struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(rows),
        b"IEND",
    )
    chunks = (struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    save(noise(16, 16, 3), tmp_path / "b.png")
    assert load_dataset(tmp_path).note == "of 16 bits a channel the upper 8 are read in 1 file"


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_scan_in_which_white_is_zero(tmp_path: Path, kind: Any) -> None:
    pixels = np.zeros((16, 16), kind)
    pixels[:4] = np.iinfo(kind).max
    for i in range(2):
        Image.fromarray(pixels).save(tmp_path / f"{i}.tif")
        held = bytearray((tmp_path / f"{i}.tif").read_bytes())
        (start,) = struct.unpack("<I", held[4:8])
        for entry in range(start + 2, start + 2 + 12 * held[start], 12):
            if struct.unpack("<H", held[entry : entry + 2]) == (262,):
                held[entry + 8 : entry + 10] = b"\0\0"
        (tmp_path / f"{i}.tif").write_bytes(held)
    found = pixels_of(load_dataset(tmp_path))[:, :, 0]
    assert (set(found[:4].flat), set(found[4:].flat)) == ({0}, {255})


def test_raw_pixels_of_a_tiff_are_turned(tmp_path: Path) -> None:
    """Pillow maps such files into memory, with the size that they have once turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    given = CORNERS[:, :, 0]
    for i in range(2):
        save(given, tmp_path / f"{i}.tif", exif=exif)
    np.testing.assert_array_equal(pixels_of(load_dataset(tmp_path))[:, :, 0], as_seen(given, 6))


@pytest.mark.parametrize("head", ["partner,file,light", "rank,id,light"])
def test_of_two_columns_of_files_that_is_taken_which_says_so(tmp_path: Path, head: str) -> None:
    ending = ".png" if "file" in head else ""
    lines = [f"{5 - i}{ending},{i}{ending},{40 * i}" for i in range(6)]
    for i in range(6):
        save(np.full((16, 16), 40 * i, np.uint8), tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("\n".join([head, *lines]))
    data = load_dataset(tmp_path)
    assert data.label_names == (head.split(",")[0], "light")
    found = data.labels(np.arange(6))
    assert found is not None
    np.testing.assert_array_equal(found[:, 1], 40 * np.arange(6))


def test_folders_beside_a_list_of_labels_are_told(tmp_path: Path) -> None:
    for name in ("cat/a", "cat/b", "dog/c", "dog/d"):
        save(noise(16, 16, 3), tmp_path / f"{name}.png")
    (tmp_path / "sizes.csv").write_text("file,size\ncat/a.png,0\ncat/b.png,1\ndog/c.png,0\ndog/d.png,1\n")
    data = load_dataset(tmp_path)
    assert (data.label_names, data.note) == (("size",), "folders are no label beside sizes.csv")


def test_an_edge_of_twelve_bits_is_resized_without_overshooting(tmp_path: Path) -> None:
    for i in range(2):
        pixels = np.zeros((64, 48), np.uint16)
        pixels[:, 20 + i :] = 4095
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    data = load_dataset(tmp_path, resolution=16)
    assert "pixels from 0 to 4095: 0 is now black, 0, and 4095 white, 255" in data.note
    assert set(pixels_of(data)[8, [0, -1], 0]) == {0, 255}


def test_deep_pixels_are_finite(tmp_path: Path) -> None:
    for i, value in enumerate((0.5, np.nan)):
        Image.fromarray(np.full((16, 16), value, np.float32)).save(tmp_path / f"{i}.tif")
    with pytest.raises(BadInput, match="some pixels are infinite or no numbers"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("ending", ["png", "tif", "webp", "gif", "bmp", "jpg"])
def test_files_that_are_cut_short(tmp_path: Path, ending: str) -> None:
    path = save(noise(64, 64, 3), tmp_path / f"a.{ending}")
    whole = path.read_bytes()
    save(noise(64, 64, 3), tmp_path / f"b.{ending}")
    for part in (0, 3, 20, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:part])
        with pytest.raises(BadInput, match=rf"a\.{ending} cannot be read as an image"):
            load_dataset(tmp_path)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_damaged_files_print_nothing(
    tmp_path: Path, compression: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pillow logs, and libtiff writes to standard error past Python."""
    save(noise(64, 64, 3), tmp_path / "b.tif")
    path = save(noise(64, 64, 3), tmp_path / "a.tif", compression=compression)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(len(whole), size=3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(BadInput):
            load_dataset(tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("background", "colour", "named"),
    [
        (None, (255, 255, 255), "white"),
        ("black", (0, 0, 0), "black"),
        ("#ff8000", (255, 128, 0), "#ff8000"),
        ([1, 2, 3], (1, 2, 3), "[1,2,3]"),
        ((1, 2, 3), (1, 2, 3), "[1,2,3]"),
        ("rgb(9,8,7)", (9, 8, 7), "rgb(9,8,7)"),
    ],
)
@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "webp", "gif"])
def test_the_colour_under_transparent_images(
    tmp_path: Path, kind: str, background: Any, colour: tuple[int, ...], named: str
) -> None:
    glyph = np.zeros((16, 16, 4), np.uint8)
    glyph[4:8, :, 3] = 255
    image = Image.fromarray(glyph)
    image = image if kind in ("webp", "RGBA", "gif") else image.convert(kind)
    ending = kind if kind in ("webp", "gif") else "png"
    for i in range(2):
        image.save(tmp_path / f"{i}.{ending}", **({"lossless": True} if kind == "webp" else {}))
    data = load_dataset(tmp_path, **({} if background is None else {"background": background}))
    assert f"transparent pixels are laid on {named}" in data.note
    pixels = pixels_of(data)
    assert (pixels[:4] == colour).all()
    assert (pixels[4:8] == 0).all()


def test_wrong_settings_of_a_folder(tmp_path: Path) -> None:
    for i in range(2):
        save(noise(16, 16, 3), tmp_path / f"{i}.png")
    for background in ("blackk", "#12", [1, 2], [1, 2, 300], [1.5, 2, 3], 7, None, "#11223344", [True, 1, 1]):
        with pytest.raises(BadInput, match=r"background=.* is not allowed; give a colour"):
            load_dataset(tmp_path, background=background)
    for resolution in (15, 129, 64.0, "64", True, None, [64]):
        if resolution is not None:
            with pytest.raises(BadInput, match="must be a whole number from 16 to 128"):
                load_dataset(tmp_path, resolution=resolution)
    with pytest.raises(
        BadInput, match=r"'resolutoin'.*did you mean 'resolution'.*pixel_range, resolution, back"
    ):
        load_dataset(tmp_path, resolutoin=64)
    assert "laid on" not in load_dataset(tmp_path, background="black").note


# Sizes


def test_any_size_becomes_a_square(tmp_path: Path) -> None:
    """The middle square, and Lanczos' filter: a disc in the middle stays a disc."""
    for number, (height, width) in enumerate(((300, 500), (500, 300), (256, 256), (20, 40))):
        i, j = np.mgrid[:height, :width]
        radius = min(height, width) / 4
        disc = np.hypot(i - (height - 1) / 2, j - (width - 1) / 2) <= radius
        save(np.where(disc, 255, 0).astype(np.uint8), tmp_path / f"{number}.png")
    with pytest.raises(BadInput, match="resolution=64"):
        load_dataset(tmp_path)
    data = load_dataset(tmp_path, resolution=32)
    check_dataset(data)
    assert data.image_shape == (1, 32, 32)
    assert "every image is cropped to its middle square and resized to 32x32 pixels" in data.note
    assert "1 of 4 are smaller and were enlarged" in data.note
    for number in range(4):
        image = pixels_of(data, number)[:, :, 0] / 255
        assert image.sum() == pytest.approx(np.pi * 8**2, rel=0.04), number
        np.testing.assert_allclose(image, image[::-1, ::-1], atol=0.02)
        assert image[16].sum() == pytest.approx(16, abs=1)
        assert image[:, 16].sum() == pytest.approx(16, abs=1)
    assert data.spec["options"] == {"resolution": 32}


def test_images_of_that_size_stay_as_they_are(tmp_path: Path) -> None:
    before = noise(2, 32, 32, 3)
    for number, pixels in enumerate(before):
        save(pixels, tmp_path / f"{number}.png")
    data = load_dataset(tmp_path, resolution=32)
    np.testing.assert_array_equal(data.images(np.arange(2)), before.transpose(0, 3, 1, 2))
    assert data.note == ""


@pytest.mark.parametrize(
    "most", [600, 2000]
)  # pixels: twice as many are an error of Pillow's, these a warning
def test_images_of_too_many_pixels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    save(noise(50, 60), tmp_path / "a.png")
    save(noise(50, 60), tmp_path / "b.png")
    assert len(load_dataset(tmp_path, resolution=16)) == 2
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with pytest.raises(BadInput, match=r"a\.png unpacks to too many pixels"):
        load_dataset(tmp_path, resolution=16)


def test_equal_images_are_told(tmp_path: Path) -> None:
    for name in ("a.png", "b.bmp", "c.png"):
        save(CORNERS, tmp_path / name)
    assert "all images are equal" in load_dataset(tmp_path).note
    save(255 - CORNERS, tmp_path / "c.png")
    assert "equal" not in load_dataset(tmp_path).note


# Order and links


def test_natural_order(tmp_path: Path) -> None:
    names = ["1.png", "2.png", "10.png", "a1b2.png", "a1b10.png", "a02.png", "a10.png", "b/9.png", "b/10.png"]
    for shade, name in enumerate(names):
        save(np.full((16, 16), 10 * shade, np.uint8), tmp_path / name)
    found = load_dataset(tmp_path).images(np.arange(len(names)))[:, 0, 0, 0]
    np.testing.assert_array_equal(found, 10 * np.arange(len(names)))


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for shade, path in enumerate(
        (mine / "a" / "1.png", mine / "a" / "2.png", other / "3.png", other / "4.png")
    ):
        save(np.full((16, 16), 10 + shade, np.uint8), path)
    (mine / "0").symlink_to(mine / "a", target_is_directory=True)  # sorts before what it leads to
    (mine / "b").symlink_to(other, target_is_directory=True)
    (mine / "a" / "loop").symlink_to(mine, target_is_directory=True)
    (other / "back").symlink_to(mine, target_is_directory=True)
    (mine / "c").symlink_to(other, target_is_directory=True)
    (mine / "gone").symlink_to(tmp_path / "none", target_is_directory=True)
    data = load_dataset(mine)
    np.testing.assert_array_equal(data.images(np.arange(len(data)))[:, 0, 0, 0], [10, 11, 12, 13])
    assert data.words == {"class": ("a", "b")}
    linked = tmp_path / "linked"
    linked.symlink_to(mine, target_is_directory=True)
    assert len(load_dataset(linked)) == 4


def test_too_many_files_end_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        save(CORNERS, tmp_path / "more" / f"{i}.png")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "more", target_is_directory=True)
    assert len(load_dataset(tmp_path / "mine")) == 3
    monkeypatch.setattr(folders, "MOST_FILES", 3)
    with pytest.raises(BadInput, match="holds over 3 files"):
        load_dataset(tmp_path / "mine")


# Classes


@pytest.mark.parametrize(
    ("files", "words", "labels"),
    [
        (["cats/1", "cats/2", "dogs/1"], {"class": ("cats", "dogs")}, [[0], [0], [1]]),
        (["train/b/1", "train/a/1", "train/a/2"], {"class": ("a", "b")}, [[0], [0], [1]]),
        (["k10/1", "k10/2", "k2/1", "k2/5"], {"class": ("k2", "k10")}, [[0], [0], [1], [1]]),
        (
            ["red/cube/1", "red/cube/2", "red/ball/1", "blue/cube/1"],
            {"folder_1": ("blue", "red"), "folder_2": ("ball", "cube")},
            [[0, 1], [1, 0], [1, 1], [1, 1]],
        ),
        (
            ["x/red/cube/1", "x/red/cube/2", "x/blue/ball/1"],
            {"folder_1": ("blue", "red"), "folder_2": ("ball", "cube")},
            [[0, 0], [1, 1], [1, 1]],
        ),
        (["cats/1", "dogs/1", "mice/1"], {}, None),  # a folder for each image
        (["cats/1", "cats/2", "dogs/a/1"], {}, None),  # different depths
        (["cats/1", "cats/2", "0"], {}, None),
        (["all/1", "all/2", "all/3"], {}, None),
        (["1", "2"], {}, None),
    ],
)
def test_class_folders(tmp_path: Path, files: list[str], words: dict[str, Any], labels: Any) -> None:
    for name in files:
        save(noise(16, 16), tmp_path / f"{name}.png")
    data = load_dataset(tmp_path)
    check_dataset(data)
    assert data.words == words
    assert data.label_names == tuple(words)
    found = data.labels(np.arange(len(files)))
    assert (found is None) if labels is None else found.tolist() == labels
    if labels:
        assert "labels from the folders: " + ", ".join(words) in data.note
        assert data.card()["words"] == {name: ", ".join(each) for name, each in words.items()}


def test_a_list_of_labels_comes_before_class_folders(tmp_path: Path) -> None:
    for name in ("cats/1", "cats/2", "dogs/1"):
        save(noise(16, 16), tmp_path / f"{name}.png")
    (tmp_path / "list.csv").write_text(
        "file,size,mood\ndogs/1.png,3,sad\ncats/2.png,2,gay\ncats/1.png,1,sad\n"
    )
    data = load_dataset(tmp_path)
    assert data.label_names == ("size", "mood")
    assert data.words == {"mood": ("gay", "sad")}
    np.testing.assert_array_equal(data.labels(np.arange(3)), [[1, 1], [2, 0], [3, 1]])


def test_a_card_shows_few_of_many_classes(tmp_path: Path) -> None:
    for i in range(12):
        for j in range(2):
            save(noise(16, 16), tmp_path / f"k{i}" / f"{j}.png")
    assert load_dataset(tmp_path).card()["words"] == {"class": "k0, k1, k2, k3, k4, k5, k6, k7 and 4 more"}


# Lists of labels


@pytest.mark.parametrize(
    ("file", "line", "difference"),
    [
        ("1.png", "1.PNG", "upper and lower case"),
        ("Cat.png", "cat.png", "upper and lower case"),
        (unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "é.png"), "Unicode form"),
        (unicodedata.normalize("NFD", "ü1.png"), unicodedata.normalize("NFC", "ü1.png"), "Unicode form"),
        ("a/1.png", "a\\1.png", "slashes"),
        ("1.png", "data/images/1.png", "folders in front"),
        ("a/1.png", "1.png", "folders in front"),
        ("1.png", "1.jpg", "ending"),
        ("1.png", "1", "ending"),
        ("a.b.png", "a.b", "ending"),
        ("a/1.png", "C:\\x\\A\\1.PNG", "folders in front"),
        ("1.png", "./1.png", "folders in front"),
        ("1.png", " 1.jpg", "ending"),
    ],
)
def test_names_that_are_written_otherwise(tmp_path: Path, file: str, line: str, difference: str) -> None:
    for name in (file, "other.png", "zebra.png"):
        save(noise(16, 16), tmp_path / name)
    table = tmp_path / "labels.csv"
    table.write_text(f"id,file,a\n5,other.png,1\n7,{line},2\n9,zebra.png,3\n", encoding="utf-8")
    data = load_dataset(tmp_path)
    found = data.labels(np.arange(3))
    assert found is not None
    assert sorted(map(tuple, found)) == [(5, 1), (7, 2), (9, 3)]
    assert f"labels.csv writes '{line.strip()}' for '{file}', which differs in" in data.note
    assert difference in data.note


def test_all_names_are_written_otherwise(tmp_path: Path) -> None:
    for i in range(12):
        save(noise(16, 16), tmp_path / f"{i}.png")
    order = np.random.default_rng(0).permutation(12)
    rows = [f"{place},images\\{i}.PNG,{i * i}" for place, i in enumerate(order)]  # the ids fit other files
    (tmp_path / "labels.csv").write_text("\n".join(["id,file,square", *rows]))
    data = load_dataset(tmp_path)
    labels = data.labels(np.arange(12))
    assert labels is not None
    assert labels[:, 1].tolist() == [i * i for i in range(12)]
    assert labels[:, 0].tolist() == np.argsort(order).tolist()


def test_numbers_are_names_only_where_nothing_else_is(tmp_path: Path) -> None:
    for i in range(6):
        save(noise(16, 16), tmp_path / f"{i}.png")
    order = [3, 1, 5, 0, 2, 4]
    rows = [f"{i % 2},{rank},{i}" for rank, i in enumerate(order)]
    (tmp_path / "labels.csv").write_text("\n".join(["kind,rank,image", *rows]))
    labels = load_dataset(tmp_path).labels(np.arange(6))
    assert labels is not None
    assert labels.tolist() == [[i % 2, order.index(i)] for i in range(6)]
    rows = [f"{row},run_{row}.jpg,{row % 2}" for row in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join([",image,kind", *rows]))
    with pytest.raises(BadInput, match=r"has no line for '0\.png', and labels 'run_0\.jpg'"):
        load_dataset(tmp_path)
    (tmp_path / "labels.csv").write_text("\n".join(["id,kind", *(f"{i},{i % 3}" for i in order)]))
    labels = load_dataset(tmp_path).labels(np.arange(6))
    assert labels is not None
    assert labels[:, 0].tolist() == [0, 1, 2, 0, 1, 2]


def test_a_name_of_other_letters_shows_the_nearest(tmp_path: Path) -> None:
    for name in ("image_001.png", "other.png", "zebra.png"):
        save(noise(16, 16), tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,a\nother.png,1\nimage-001.png,2\nzebra.png,3\n")
    with pytest.raises(BadInput) as caught:
        load_dataset(tmp_path)
    said = str(caught.value)
    assert "no line for 'image_001.png'; it has one for 'image-001.png', which differs in its letters" in said
    assert said.endswith("(1 of 3 images have none); leave such images out with --data missing=drop")
    assert "\n" not in said


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png"):
        save(noise(16, 16), tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,n\n1.png,1\nb/1.png,2\n")
    with pytest.raises(BadInput, match=r"no line for 'a/1\.png'; it has one for '1\.png'"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1.png,1"], r"no line for '2\.png' \(2 of 3 images have none\)"),
        (["a,1", "b,1", "c,1"], r"no line for '1\.png', and labels 'a', which is not .* \(3 of 3 .* none\)$"),
    ],
)
def test_lists_that_do_not_fit(tmp_path: Path, lines: list[str], message: str) -> None:
    for i in (1, 2, 3):
        save(noise(16, 16), tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("\n".join(["file,a", *lines]))
    with pytest.raises(BadInput, match=message):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("lines", "labels", "note"),
    [
        (
            ["3.png,8", "1.png,6", "2.png,7", "4.png,1"],
            [6, 7, 8],
            "1 line names no image of the folder, '4.png'",
        ),
        (
            ["1.png,6", "2.png,7", "3.png,8", "3.PNG,1"],
            [6, 7, 8],
            "1 line names no image of the folder, '3.PNG'",
        ),
        (
            ["1.png,6", "2.png,7", "3.png,8", "x,1", "x,1"],
            [6, 7, 8],
            "2 lines name no image of the folder, such as 'x'",
        ),
        (
            ["3.png,8", "1.png,6"],
            [6, 8],
            "1 of 3 images have no line in labels.csv and are left out, '2.png'",
        ),
        (["3.PNG,8", "1.PNG,6", "7.PNG,6"], [6, 8], "1 line names no image of the folder, '7.PNG'"),
    ],
)
def test_lists_that_fit_in_part(tmp_path: Path, lines: list[str], labels: list[int], note: str) -> None:
    for i in (1, 2, 3):
        save(noise(16, 16), tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("\n".join(["file,a", *lines]))
    data = load_dataset(tmp_path, missing="drop")
    found = data.labels(np.arange(len(labels)))
    assert found is not None
    assert found[:, 0].tolist() == labels
    assert len(data) == len(labels)
    assert note in data.note
    pixels = np.asarray(Image.open(tmp_path / "3.png"))
    np.testing.assert_array_equal(data.images(np.array([len(labels) - 1]))[0, 0], pixels)


def test_ids_beside_real_numbers_stay_apart(tmp_path: Path) -> None:
    for i in range(4):
        save(noise(16, 16), tmp_path / f"{i}.png")
    ids = [2**53, 2**53 + 2, 2**53 + 1, 2**53]
    lines = [f"{i}.png,{number},{i / 10}" for i, number in enumerate(ids)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,id,size", *lines]))
    data = load_dataset(tmp_path)
    np.testing.assert_array_equal(data.labels(np.arange(4)), [[0, 0], [2, 0.1], [1, 0.2], [0, 0.3]])
    assert "values of 'id' beyond 2^53 are numbered in order, 0 to 2" in data.note


def labelled(folder: Path, text: str) -> Path:
    for i in range(4):
        save(noise(16, 16), folder / f"{i}.png")
    (folder / "labels.csv").write_text(text)
    return folder


def test_missing_labels_are_named_dropped_or_words(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "a", "file,kind,n\n0.png,NA,1\n1.png,cat,2\n2.png,dog,\n3.png,cat,4\n")
    with pytest.raises(
        BadInput, match=r"line 2: no value for 'kind' \('NA'\); .*--data missing=drop; .*--data words=kind"
    ):
        load_dataset(folder)
    with pytest.raises(
        BadInput, match="line 4: no value for 'n'; leave these rows out with --data missing=drop"
    ):
        load_dataset(folder, words="kind")
    data = load_dataset(folder, missing="drop")
    assert "2 of 4 images left out, for they lack a label" in data.note
    assert data.labels(np.arange(2)).tolist() == [[0, 2], [0, 4]]
    assert data.words == {"kind": ("cat",)}
    every = load_dataset(folder, missing="drop", words=["kind"])
    assert (len(every), every.words) == (3, {"kind": ("NA", "cat")})
    pixels = np.asarray(Image.open(folder / "3.png"))
    np.testing.assert_array_equal(every.images(np.array([2]))[0, 0], pixels)
    with pytest.raises(BadInput, match=r"unknown way with missing values 'skip'\. Allowed: error, drop"):
        load_dataset(folder, missing="skip")
    with pytest.raises(BadInput, match=r"unknown column of labels\.csv 'kinds'; did you mean 'kind'"):
        load_dataset(folder, words="kinds")


@pytest.mark.parametrize(
    "text",
    [
        "file;kind;size\n3.png;cat;1,5\n1.png;dog;2\n2.png;cat;3\n0.png;dog;4\n",
        ",file,kind,size\n0,3.png,cat,1.5\n1,1.png,dog,2\n2,2.png,cat,3\n3,0.png,dog,4\n",
        ",kind,size\n3.png,cat,1.5\n1.png,dog,2\n2.png,cat,3\n0.png,dog,4\n",
        '"","kind","size"\n"3.png","cat",1.5\n"1.png","dog",2\n"2.png","cat",3\n"0.png","dog",4\n',
    ],
)
def test_label_files_of_every_dialect(tmp_path: Path, text: str) -> None:
    data = load_dataset(labelled(tmp_path / "a", text))
    assert data.label_names == ("kind", "size")
    assert data.labels(np.arange(4)).tolist() == [[1, 4], [1, 2], [0, 3], [0, 1.5]]
    assert data.words == {"kind": ("cat", "dog")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "kind,filename\ncat,0.png\ndog,1.png\ncat,2.png\ndog,3.png\n"),
        ("labels.csv", "id,file,kind\n7,0.png,cat\n8,1.png,dog\n9,2.png,cat\n6,3.png,dog\n"),
        ("labels.csv", "0.png,cat\n1.png,dog\n2.png,cat\n3.png,dog\n"),
        ("labels.tsv", "file\tkind\n0.png\tcat\n1.png\tdog\n2.png\tcat\n3.png\tdog\n"),
        ("Labels.txt", "file kind\n0.png 0\n1.png 1\n2.png 0\n3.png 1\n"),
    ],
)
def test_label_files_of_other_names_and_orders(tmp_path: Path, name: str, text: str) -> None:
    folder = labelled(tmp_path / "a", "")
    (folder / "labels.csv").unlink()
    (folder / name).write_text(text)
    data = load_dataset(folder)
    assert data.labels(np.arange(4))[:, -1].tolist() == [0, 1, 0, 1]
    assert "not read" not in data.note


def test_labels_that_no_image_has(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "a", "file,kind,n\n0.png,a,\n1.png,b,\n2.png,a,NA\n3.png,b,\n")
    with pytest.raises(BadInput, match="'n' has no value at all, so that no image is left"):
        load_dataset(folder, missing="drop")


def test_links_to_folders_around_are_not_followed_and_uneven_depths_told(tmp_path: Path) -> None:
    for place in ("a/cats/0.png", "a/cats/1.png", "a/dogs/0.png", "b/other.png"):
        save(noise(16, 16), tmp_path / place)
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "cats" / "self").symlink_to("../../a")
    data = load_dataset(tmp_path / "a")
    assert (len(data), data.words) == (3, {"class": ("cats", "dogs")})
    save(noise(16, 16), tmp_path / "a" / "thumb.png")
    loose = load_dataset(tmp_path / "a")
    assert loose.labels(np.arange(4)) is None
    assert "folders are no labels, for images lie at different depths" in loose.note
