"""Ways to damage a file where it lies: something else in its place, an HDF5 file that is rearranged."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import hostile_values as values
import numpy as np


def odd(path: Path, rng: random.Random) -> None:
    """Something else in the place of the file: nothing, a folder, a pipe, a link."""
    path.unlink()
    kind = rng.randrange(6)
    if kind == 1:
        path.mkdir()
    elif kind == 2:
        os.mkfifo(path)
    elif kind > 2:
        path.symlink_to(("/dev/zero", path.name, os.environ["FUZZ_MARKER"])[kind - 3])


def outside(path: Path, rng: random.Random) -> None:
    """An HDF5 file whose array lies in another file."""
    import h5py

    other = Path(os.environ["FUZZ_MARKER"]).with_name("outside.h5")
    with h5py.File(path, "r") as file:
        images = file["images" if "images" in file else "run/table"][:]
    with h5py.File(other, "w") as file:
        file["images"] = images
        place = [(str(other), file["images"].id.get_offset(), images.nbytes)]
    kind, layout = rng.randrange(3), h5py.VirtualLayout(images.shape, images.dtype)
    layout[:] = h5py.VirtualSource(other, "images", images.shape, images.dtype)
    with h5py.File(path, "w") as file:
        if kind == 0:
            file["images"] = h5py.ExternalLink(other, "images")
        elif kind == 1:
            file.create_dataset("images", images.shape, images.dtype, external=place)
        else:
            file.create_virtual_dataset("images", layout)


def rearranged(path: Path, rng: random.Random) -> None:
    """An array of an HDF5 file missing, of another shape or type, and an attribute that is hostile."""
    import h5py

    with h5py.File(path, "r+") as file:
        found: list[str] = []
        file.visit(found.append)
        name = rng.choice(found)
        attributes = file[name].attrs
        with contextlib.suppress(TypeError, ValueError, OverflowError, RuntimeError):  # what HDF5 cannot hold
            if rng.random() < 0.4:
                keys = [*attributes, "_index", "column-order", "encoding-type", "MATLAB_class"]
                attributes[rng.choice(keys)] = rng.choice(values.HOSTILE)
                return
            del file[name]
            strange = np.zeros(rng.choice(values.SHAPES), rng.choice(values.TYPES))
            if rng.random() < 0.8:
                file[name] = strange if rng.random() < 0.7 else [str(word) for word in values.WORDS[2:7]]
