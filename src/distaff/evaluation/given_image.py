"""An image that a person names, by its number in a data set or as a file, as the data set would give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.images import padded
from distaff.datasets.pictures import Colour, check_colour, read_picture
from distaff.datasets.squares import SMALLEST, said
from distaff.errors import BadInput

WHITE: Colour = (255, 255, 255)
GREY = np.array([0.299, 0.587, 0.114])  # of red, green and blue (ITU-R BT.601), as Pillow has it


class Given(NamedTuple):
    """An image (C, H, W) as the data set gives it; its number there or None; what was done to it or ""."""

    image: NDArray[Any]
    number: int | None
    note: str


def given_image(data: DataSet, given: str) -> Given:
    """The image of `given`, which is a number from 0 or the path of a file.

    A file's middle square is resized to the size of the data set's images, or padded where those were; where
    it is transparent the data set's background shows, white if none was named.
    BadInput where there is no such image.
    """
    try:
        number = int(given)
    except ValueError:
        return _of_file(data, Path(given))
    return Given(data.images([number])[0], number, "")


def _of_file(data: DataSet, path: Path) -> Given:
    channels, height, width = data.image_shape
    if height != width:
        raise BadInput(f"{path}: images of {data.name} are {height}x{width}, no squares; give a number")
    options = (data.spec or {}).get("options") or {}
    colour = check_colour(options.get("background", WHITE))
    picture = read_picture(path, path.name, colour, height)
    pads = "resolution" not in options and max(picture.size) < height == SMALLEST
    if pads:
        picture = read_picture(path, path.name, colour)
    unit = picture.pixels.astype(np.float64) / 255  # (H, W, 3)
    if channels == 1:
        unit = unit @ GREY[:, None]
    low, high = data.pixel_range
    pixels = (low + (high - low) * unit).transpose(2, 0, 1)
    if pads:
        pixels = padded(pixels[None], low)[0][0]
    like = data.images([0]).dtype
    image = (np.round(pixels) if like == np.uint8 else pixels).astype(like)
    note = [f"{path.name} is padded to {height}x{width}"] if pads else said([picture.size], height)
    note = [each.replace("every image", path.name) for each in note]
    shown = f"transparent parts are {options.get('background', 'white')}"
    return Given(image, None, "; ".join(note + [shown] * picture.transparent))
