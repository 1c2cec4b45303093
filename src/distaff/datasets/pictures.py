"""Files of pictures as pixels: upright, in RGB, the first frame."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.squares import Size, check_side, square
from distaff.errors import BadInput
from distaff.files import check_file

#: how files are named that are read as pictures
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".tif", ".tiff", ".gif", ".bmp")
#: what they may be, whatever the name says; a PostScript file would be run as a program
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
GREY = ("1", "L", "LA")
COLOURED = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
#: grey of more than 8 bits, of whole numbers or floats
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
WHITES = (1, 2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1)
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # a tag of TIFF and one of its values
LAYERED = ("LA", "La", "PA", "RGBA", "RGBa")

Colour = tuple[int, ...]

# Pillow logs errors of files, which would be printed where no one has set up logging
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Picture(NamedTuple):
    """A picture as a viewer shows it; one of more than 8 bits as it is in the file."""

    pixels: NDArray[Any]  # (H, W, 3), uint8; or (H, W), float32
    size: Size  # height and width before it was made a square
    mode: str  # Pillow's
    transparent: bool  # the background shows through
    more: bool  # frames than the first
    cut: bool  # to the upper 8 bits of 16 a channel, which is all that Pillow reads of colour


def check_colour(value: Any) -> Colour:
    """A colour (3,) of a name, of #rrggbb or of three numbers, or an error."""
    from PIL import ImageColor

    try:
        colour = ImageColor.getrgb(value) if isinstance(value, str) else tuple(value)
        whole = all(type(part) is int and 0 <= part <= 255 for part in colour)
    except (ValueError, TypeError):
        colour, whole = (), False
    if len(colour) != 3 or not whole:
        raise BadInput(
            f"background={value!r} is not allowed; give a colour by its name, as #rrggbb, or as three whole "
            "numbers from 0 to 255, as in [255,255,255]"
        )
    return colour


def read_picture(
    path: Path, name: str, background: Colour, resolution: int | None = None, deep: bool = False
) -> Picture:
    """The picture in a file; with a `resolution`, its middle square of that size.

    Grey of more than 8 bits, for which no one but its user knows what is white, is read if `deep` allows it.
    """
    from PIL import Image, ImageOps

    check_file(path)
    # not by its name: a file that Pillow maps into memory is turned wrongly
    with reading(path), path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        check_side(image.height, image.width, name, resolution)  # before anything is unpacked
        if image.mode not in (*GREY, *COLOURED, *(DEEP if deep else ())):
            raise BadInput(
                f"{name} has pixels of kind {image.mode}; save it as grey or RGB with 8 bits a channel"
            )
        more, mode = bool(getattr(image, "is_animated", False)), image.mode
        cut = mode not in DEEP and any(";16" in str(tile) for tile in image.tile)
        with _unheard() if image.format == "TIFF" else nullcontext():
            image.load()
        ImageOps.exif_transpose(image, in_place=True)
        size = image.height, image.width
        flat, transparent = (_deep(image), False) if mode in DEEP else _flat(image, background)
        pixels = np.array(square(flat, resolution) if resolution else flat)
        if mode in DEEP:
            pixels = pixels.clip(*flat.getextrema())  # the filter overshoots beside edges
        return Picture(pixels, size, mode, transparent, more, cut)


def eight_bits(pixels: NDArray[np.float32], of_bits: bool) -> tuple[NDArray[np.uint8], str]:
    """Grey of more than 8 bits (n, H, W) as 0..255, and what was done.

    Black is 0. White is 1 where no pixel is above it; else, of numbers `of_bits`, the largest of as many bits
    as are used, for cameras of 10, 12 or 14 bits write files of 16, and the largest pixel of others. Where
    some are negative, black and white are the least and the largest.
    """
    least, largest = float(pixels.min()), float(pixels.max())
    whites = WHITES if of_bits else WHITES[:1]
    white = next((float(top) for top in whites if largest <= top), largest)
    low, high = (0.0, white) if least >= 0 else (least, largest)
    scaled = np.round((pixels - low) * (255 / ((high - low) or 1))).astype(np.uint8)
    return scaled, f"pixels from {least:g} to {largest:g}: {low:g} is now black, 0, and {high:g} white, 255"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever Pillow raises or warns of as one clear error."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged metadata, which the pixels do not need
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except BadInput:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise BadInput(f"{path} unpacks to too many pixels: {error}; make it smaller first") from None
        except Image.UnidentifiedImageError:
            kinds = ", ".join(FORMATS)
            raise BadInput(f"{path} cannot be read as an image: it is none of {kinds}, or damaged") from None
        except Exception as error:  # Pillow's readers raise many kinds on damaged files
            reason = " ".join(str(error).split()) or type(error).__name__
            raise BadInput(f"{path} cannot be read as an image: {reason}") from None


@contextmanager
def _unheard() -> Iterator[None]:
    """Let standard error lead nowhere meanwhile: libtiff writes there of damaged files, past Python."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _deep(image: Any) -> Any:
    """Grey of more than 8 bits as floats; black is 0, also in a TIFF of 16 bits in which white is."""
    from PIL import Image

    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16") and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        pixels = 2**16 - 1 - np.array(image, dtype=np.float32)
        return Image.fromarray(pixels)
    return image.convert("F")


def _flat(image: Any, background: Colour) -> tuple[Any, bool]:
    """An image as RGB, and whether the background shows through."""
    from PIL import Image

    if image.mode in LAYERED or "transparency" in image.info:
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema()[0] < 255:
            below = Image.new("RGBA", image.size, (*background, 255))
            return Image.alpha_composite(below, layered).convert("RGB"), True
        image = layered
    return image.convert("RGB"), False
