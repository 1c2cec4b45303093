"""Data sets: images by index, drawn or read, with their ground-truth factors."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distaff import registry
from distaff.datasets.array_file import read_array_file
from distaff.datasets.base import DataSet
from distaff.datasets.folder import read_folder
from distaff.datasets.idx import is_idx, read_idx_images
from distaff.datasets.images import ArrayImages
from distaff.datasets.published import recognise
from distaff.datasets.views.built import Built, built_path, draw_all
from distaff.datasets.views.correlated import Correlated, ratio_joint, ridge
from distaff.datasets.views.hidden import Hidden
from distaff.datasets.views.perturbed import Perturbed, UniformNoise, read_recipe, save_perturbed
from distaff.datasets.views.subgrid import SubGrid
from distaff.datasets.views.subset import Subset, hold_out, labelled_rows
from distaff.errors import BadInput, unknown
from distaff.factors import FactorSpace
from distaff.files import array_headers, plain, read_arrays
from distaff.machine import data_folder
from distaff.settings import build

__all__ = [
    "ArrayImages",
    "Built",
    "Correlated",
    "DataSet",
    "Hidden",
    "Perturbed",
    "SubGrid",
    "Subset",
    "UniformNoise",
    "build_images",
    "data_folder",
    "hold_out",
    "labelled_rows",
    "load_dataset",
    "ratio_joint",
    "ridge",
    "save_perturbed",
]

Place = str | os.PathLike[str]
#: options for files of your own; the last for folders only, as arrays have no transparent pixels
OF_FOLDERS = ("background", "missing", "words")
OF_PATHS = ("pixel_range", "resolution", *OF_FOLDERS)
#: fields of data sets that are no settings: where their files lie
PLACES = ("data_dir", "original")


def load_dataset(name: Place, /, *, data_dir: Place | None = None, **options: Any) -> DataSet:
    """A registered data set by its name, or your own by the path of a folder or a file of images.

    `options` are the data set's settings, and for a grid data set also its factors: `x=16` keeps 16 evenly
    spaced values, `x=[0, 5]` those two. `hide=["shape"]` takes factors out of the labels (`hide=[]` shows
    all), `held_out={"shape": 2, "x": [30, 31]}` leaves out the images that combine these values,
    `correlate={"factors": ["x", "y"], "sigma": .2}` draws batches along a Gaussian ridge of two factors, and
    `{"factors": [...], "kind": "diagonal"}` with one of the joints of `ratio_joint`.
    `perturb={"by": "diagonal", "eps": .1, "kappa": 5}` adds a faint pattern that mixes the last two factors,
    and `{"by": "noise", "eps": .1}` noise of the same size.

    Your own images lie in a folder, an .npz, an .npy or an IDX file. `pixel_range=[LOW, HIGH]` declares black
    and white, `resolution=64` crops every image to its middle square and resizes it, and
    `background="black"` is the colour under transparent images of a folder. The published files of dSprites,
    3D Shapes and MPI3D are recognised by what they hold, and read as those data sets.

    Raises BadInput (a ValueError) with the names that are allowed.
    """
    if not isinstance(name, str | os.PathLike):
        raise BadInput(
            f"a data set is given by its name or path, got {type(name).__name__}; arrays of images are one "
            "as distaff.datasets.ArrayImages(images)"
        )
    options = plain(options)
    made = _without_views(options)
    if isinstance(name, str) and name in registry.names("datasets"):
        location, data = name, _built(name, data_folder(data_dir), made)
    else:
        data, location = _path(Path(name), made, data_dir), os.path.realpath(name)
    asked = {"hide": data.hidden} | options
    for view in reversed(registry.names("views")):
        if view in asked:
            data = registry.get("views", view).made(data, asked[view])
    views = {key: registry.get("views", key) for key in options.keys() - made.keys()}
    kept = {key: views[key].located(value) if key in views else value for key, value in options.items()}
    data.spec = {"name": location, "options": kept}
    return data


def _without_views(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in registry.names("views")}


def _registered(name: str, folder: Path | None, options: dict[str, Any]) -> DataSet:
    return _made(registry.get("datasets", name), name, options, {"data_dir": folder})


def _made(kind: Any, name: str, options: dict[str, Any], places: dict[str, Path | None]) -> DataSet:
    """A data set of this kind, part of its grid if factors are among the options, its files in `places`."""
    fields = kind.__dataclass_fields__
    keep, rest = _split(options, [key for key in fields if key not in PLACES], kind.factors, name)
    found = {key: place for key, place in places.items() if key in fields}
    data: DataSet = build(kind, rest | found, name)
    return SubGrid(data, keep) if keep else data


def _split(
    options: dict[str, Any], allowed: Sequence[str], space: FactorSpace | None, name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a grid is to be kept, and the settings, which are `allowed`."""
    factors = space.names if space else ()
    for key in options:
        if key not in (*allowed, *factors):
            raise unknown(f"setting of {name}", key, [*allowed, *factors, *registry.names("views")])
    keep = {key: value for key, value in options.items() if key not in allowed}
    return keep, {key: value for key, value in options.items() if key in allowed}


def _built(name: str, folder: Path | None, options: dict[str, Any]) -> DataSet:
    """A registered data set, its images from the file that `build_images` wrote, if there is one."""
    data = _registered(name, folder, options)
    path = built_path(data, options, folder) if folder and (folder / "built").is_dir() else None
    return Built(data, path) if path and path.exists() else data


def build_images(name: str, *, data_dir: Place | None = None, show: bool = True, **options: Any) -> Path:
    """Draw every image of a registered data set once and keep them in the data folder.

    `load_dataset` with the same options then takes them from there, also under what a study does to data.
    Raises BadInput without a data folder, and for data sets that are read from files.
    """
    folder = data_folder(data_dir)
    if folder is None:
        raise BadInput("no data folder to build in; give --data-dir or set DISTAFF_DATA")
    registry.check("datasets", name)
    made = _without_views(plain(options))
    data = _registered(name, folder, made)
    if registry.get("datasets", name).places:
        raise BadInput(f"{name} is read from a file; there is nothing to build")
    path = built_path(data, made, folder)
    if not path.exists():
        draw_all(data, path, show)
    return path


def _path(path: Path, options: dict[str, Any], data_dir: Place | None) -> DataSet:
    published = recognise(path)
    if published is not None:
        return _made(published, path.name, options, {"original": path})
    allowed = OF_PATHS if os.path.isdir(path) else tuple(key for key in OF_PATHS if key not in OF_FOLDERS)
    data = _read(path, {key: value for key, value in options.items() if key in allowed}, data_dir)
    keep, _ = _split(options, allowed, data.factors, path.name)
    return SubGrid(data, keep) if keep else data


def _read(path: Path, options: dict[str, Any], data_dir: Place | None) -> DataSet:
    if os.path.isdir(path):
        return read_folder(path, **options)
    if path.suffix.lower() in (".npz", ".npy"):
        if "perturbation" in array_headers(path):
            return _perturbed(path, options, data_dir)
        return read_array_file(path, **options)
    if is_idx(path):
        return read_idx_images(path, **options)
    if os.path.exists(path):
        raise BadInput(
            f"{path} is neither a folder of images, nor an .npz or .npy file, nor named *images-idx3-ubyte, "
            "nor a published file that is known"
        )
    error = unknown("data set", str(path), registry.names("datasets"))
    raise BadInput(f"{error} Or give the path of an .npz file or a folder of images.")


def _perturbed(path: Path, options: dict[str, Any], data_dir: Place | None) -> DataSet:
    if options:
        raise BadInput(f"{path.name} is a perturbed data set, read as it is; leave out {', '.join(options)}")
    arrays = read_arrays(path, [name for name in ("perturbation", "s") if name in array_headers(path)])
    recipe = read_recipe(arrays, path)
    if recipe["base"] is None:
        base: DataSet = read_array_file(path, known=("perturbation", "s"))
        base.words = {name: words for name, words in recipe["words"].items() if name in base.label_names}
    else:
        registry.check("datasets", recipe["base"]["name"])  # a name, so no file but those it says
        base = load_dataset(recipe["base"]["name"], data_dir=data_dir, **recipe["base"]["options"])
    settings = recipe["settings"]
    made = Perturbed(base, arrays["s"], **settings) if "s" in arrays else UniformNoise(base, **settings)
    made.name = path.stem
    return made
