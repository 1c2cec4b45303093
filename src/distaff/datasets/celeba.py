"""CelebA (Liu et al. 2015, arXiv:1411.7766), aligned images and attributes, read from the published files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.listed import Listed
from distaff.datasets.originals import find, kept
from distaff.datasets.pictures import reading
from distaff.datasets.pixels import reduced
from distaff.errors import BadInput
from distaff.files import check_file
from distaff.settings import Settings, setting

SIDE = 64
CROP = (15, 40, 163, 188)  # left, top, right, bottom: the 148 pixels about the face
WHERE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


@dataclass(eq=False)
class CelebA(Settings, Listed):
    """Photographs of celebrities' faces, 64x64 RGB, with 40 attributes as labels.

    Read from the aligned images in `img_align_celeba` and from `list_attr_celeba.txt`. The middle 148 pixels
    about the face are made smaller with Lanczos' filter, and kept in the data folder (2.5 GB). Attributes are
    0 or 1.
    """

    resolution: int = setting(SIDE, "pixels along each side; below 64, means of blocks", choices=(16, 32, 64))
    data_dir: Path | None = field(default=None, repr=False)

    name = "celeba"
    places = ("list_attr_celeba.txt", "celeba/list_attr_celeba.txt")
    licence = "for non-commercial research; see the publication"
    citation = "Liu, Luo, Wang, Tang: Deep learning face attributes in the wild, 2015"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.image_shape = (3, self.resolution, self.resolution)
        attributes = find(self.data_dir, self.places, self.name, WHERE)
        files, self.label_names, self._labels = read_attributes(attributes)
        cache = attributes.with_name("celeba.images.npy")
        folder = attributes.with_name("img_align_celeba")
        shape = (len(files), 3, SIDE, SIDE)
        sources = [attributes, folder] if folder.exists() else [attributes]
        self._images = kept(cache, sources, shape, _faces(folder, files), "reading faces once")
        self.source = "files img_align_celeba/*.jpg"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        return reduced(self._images[self.check(index)], self.resolution)


def read_attributes(path: Path) -> tuple[list[str], tuple[str, ...], NDArray[np.int64]]:
    """Files, names and values (n, k) of an attribute list: a count, the names, a line for each file."""
    check_file(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        count, names = int(lines[0]), tuple(lines[1].split())
        cells = [line.split() for line in lines[2:] if line.strip()]
    except (UnicodeDecodeError, ValueError, IndexError):
        raise BadInput(f"{path} is no attribute list: a number and a line of names must come first") from None
    if count < 2 or len(set(names)) < len(names):
        raise BadInput(f"{path} must list at least 2 images, and attributes of different names")
    if len(cells) != count:
        raise BadInput(f"{path} announces {count} images and lists {len(cells)}")
    for number, line in enumerate(cells, start=3):
        if len(line) != 1 + len(names) or not set(line[1:]) <= {"-1", "1"}:
            raise BadInput(
                f"{path}, line {number}: a file name and {len(names)} values of -1 or 1 are expected"
            )
    values = np.array([line[1:] for line in cells]) == "1"
    return [line[0] for line in cells], names, values.astype(np.int64)


def _faces(folder: Path, files: list[str]) -> Iterator[NDArray[np.uint8]]:
    """The images (1, 3, 64, 64) of one file after another."""
    from PIL import Image

    for name in files:
        path = folder / Path(name).name
        with reading(path), Image.open(path, formats=("JPEG", "PNG")) as image:
            if image.size != (178, 218):
                raise BadInput(f"{path} has {image.width}x{image.height} pixels; aligned ones have 178x218")
            face = image.convert("RGB").crop(CROP).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        yield np.asarray(face).transpose(2, 0, 1)[None]
