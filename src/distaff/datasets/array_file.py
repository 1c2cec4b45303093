"""Images of your own in an .npz or .npy file, under the names that people give them."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distaff.datasets.images import ArrayImages, is_single
from distaff.errors import BadInput
from distaff.files import array_headers, read_arrays

Header = tuple[tuple[int, ...], np.dtype[Any]] | None
Headers = Mapping[str, Header]

#: other names, in any case, that arrays of images and of factors are found under
IMAGES = (
    "imgs", "img", "image", "x", "data", "arr_0", "array", "x_train", "train_images", "frames",
    "observations", "obs",
)  # fmt: skip
FACTORS = (
    "labels", "label", "y", "latents_classes", "targets", "target", "classes", "class", "arr_1", "y_train",
    "train_labels",
)  # fmt: skip
EXTRAS = ("factor_names", "pairs", "pixel_range")


def read_array_file(
    path: Path,
    pixel_range: Sequence[float] | None = None,
    resolution: int | None = None,
    known: Collection[str] = (),
) -> ArrayImages:
    """The data set in an .npz, or in an .npy of images alone.

    `images` and optionally `factors`, `factor_names`, `pairs` and `pixel_range`; a given range comes first.
    Without `images` or `factors`, an array under another usual name is taken if it is the only one that can
    be meant. Only what is used is read, and the note names the rest, but for what is `known`.
    """
    headers = array_headers(path)
    images = _exact("images", headers) or _find_images(headers, path)
    factors = _exact("factors", headers) or _find_factors(headers, images, path)
    used = [name for name in (images, factors, *EXTRAS) if name in headers]
    arrays = read_arrays(path, used)
    names = [str(name) for name in arrays["factor_names"].ravel()] if "factor_names" in arrays else None
    if pixel_range is None and "pixel_range" in arrays:
        pixel_range = arrays["pixel_range"].ravel().tolist()
    data = ArrayImages(
        arrays[images],
        arrays[factors] if factors else None,
        names=names,
        pixel_range=pixel_range,
        pairs=arrays.get("pairs"),
        resolution=resolution,
        name=path.stem,
        source=f"file {path.name}",
    )
    unread = [_unread(name, headers[name], len(data)) for name in headers if name not in (*used, *known)]
    data.note = "; ".join(filter(None, [_found(images, factors, path), data.note, *unread]))
    return data


def _exact(name: str, headers: Headers) -> str | None:
    """The array of this name, in any case where only one is."""
    alike = [each for each in headers if each.lower() == name]
    return name if name in headers else alike[0] if len(alike) == 1 else None


def _find_images(headers: Headers, path: Path) -> str:
    """The only array that can be the images, or an error that names what there is."""
    named = {name: each for name, each in headers.items() if each and name.lower() in IMAGES}
    usual = {name: shape for name, (shape, dtype) in named.items() if dtype.kind in "biuf"}
    fitting = [name for name, shape in usual.items() if _is_images(shape)]
    chosen = fitting or list(usual)  # of a wrong shape: the error about it says more
    if len(chosen) == 1:
        return chosen[0]
    held = ", ".join(_told(name, headers[name]) for name in fitting or headers) or "nothing"
    if fitting:
        raise BadInput(f"{path} has several arrays that can be the images: {held}; name one of them 'images'")
    raise BadInput(f"{path} has no array 'images'; it holds: {held}. Name the array of images 'images'")


def _find_factors(headers: Headers, images: str, path: Path) -> str | None:
    """The only array that can be the factors, or None, or an error where there are several."""
    header = headers[images]
    n = header[0][0] if header and header[0] else -1
    usual = [name for name in headers if name.lower() in FACTORS and name != images]
    fitting = [name for name in usual if _is_factors(headers[name], n)]
    if len(fitting) > 1:
        held = ", ".join(_told(name, headers[name]) for name in fitting)
        raise BadInput(
            f"{path} has several arrays that can be the factors: {held}; name one of them 'factors'"
        )
    return fitting[0] if fitting else None


def _is_images(shape: tuple[int, ...]) -> bool:
    if len(shape) == 3:
        return shape[0] > 1 and not is_single(shape)
    return len(shape) == 4 and shape[0] > 1 and (shape[1] in (1, 3) or shape[3] in (1, 3))


def _is_factors(header: Header, n: int) -> bool:
    if header is None:
        return False
    (length, *width), kind = header[0] or (-1,), header[1].kind
    return length == n and (not width or (len(width) == 1 and width[0] > 0)) and kind in "biufUS"


def _told(name: str, header: Header) -> str:
    return f"{name} ({', '.join(map(str, header[0]))})" if header else f"{name} (objects)"


def _found(images: str, factors: str | None, path: Path) -> str:
    """Under what other names images and factors were found."""
    plain = images == "images" or path.suffix.lower() == ".npy"  # whose only array has no name
    found = [] if plain else [f"images are taken from '{images}'"]
    if factors not in (None, "factors"):
        found.append(f"factors from '{factors}'" if found else f"factors are taken from '{factors}'")
    return ", ".join(found)


def _unread(name: str, header: Header, n: int) -> str:
    if header is None:
        return f"'{name}' is not read, for it holds objects (words are saved by .astype(str)) or is no array"
    length = header[0][0] if header[0] else 0
    odd = f", for it has {length} rows and there are {n} images"
    return f"array '{name}' is not read" + (odd if name.lower() in FACTORS and length != n else "")
