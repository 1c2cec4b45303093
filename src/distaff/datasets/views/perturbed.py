"""Entangled data: a hardly visible pattern that moves with a number per image, and noise of the same size."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.nuisance import uniform
from distaff.datasets.views.base import View, check_table
from distaff.errors import BadInput, unknown
from distaff.files import array_headers, write_arrays
from distaff.settings import whole_number
from distaff.tables import codes_of, read_table

MOST_IMAGES = 10**8  # of all copies
PERIOD = 4096  # rows of the pattern, after which it repeats
SETTINGS = ("eps", "kappa", "clip", "seed")
NUMBERS = ("diagonal", "uniform")  # that a pattern moves by without a file
SLOWEST = 4  # the slowest columns move one row where the fastest move this many


class Added(View):
    """`data` with something of at most `eps` added to every pixel, as float32 where black is 0 and white 1.

    Without `clip` pixels run from -eps to 1 + eps; with it they are cut to 0..1. No pixel moves by more than
    `eps`. Labels, factors and pairs are those of `data`.
    """

    def __init__(self, data: DataSet, eps: float, clip: bool, note: str) -> None:
        if not isinstance(clip, bool):
            raise BadInput(f"clip={clip!r} is not allowed; it must be true or false")
        if eps > 1:
            raise BadInput(f"eps={eps:g} is not allowed; black is 0 and white 1, so it must be at most 1")
        if data.pixel_range not in ((0, 255), (0, 1)):
            raise BadInput(f"{data.name} has pixels in {data.pixel_range}; 0..255 or 0..1 can be perturbed")
        super().__init__(data, note)
        self.eps, self.clip = eps, clip
        self.pixel_range = (0.0, 1.0) if clip else (-eps, 1 + eps)

    def added(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """What is added at `index`, in -1..1 of `eps`: (n, C or 1, H, W)."""
        raise NotImplementedError

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`, float32."""
        chosen = self.check(index)
        before = self._data.unit_images(chosen)
        after = (before + self.eps * self.added(chosen)).astype(np.float32)
        too_far = np.abs(after - before) > self.eps  # by rounding
        after[too_far] = np.nextafter(after[too_far], before[too_far].astype(np.float32))
        return after.clip(0, 1) if self.clip else after


class Copies(View):
    """`data` so many times over, copy after copy; each image is drawn as often in every copy."""

    def __init__(self, data: DataSet, copies: int) -> None:
        if copies * len(data) > MOST_IMAGES:
            raise BadInput(f"copies={copies} is not allowed; they would be over {MOST_IMAGES:,} images")
        super().__init__(data, f"{copies} copies of every image", np.tile(np.arange(len(data)), copies))
        self._starts = np.arange(copies) * len(data)
        if data.pairs is not None:
            self.pairs = (self._starts[:, None, None] + data.pairs).reshape(-1, 2)

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices: what `data` draws, in any of the copies."""
        if type(self._data).draw is DataSet.draw:
            return DataSet.draw(self, size, rng)
        return self._data.draw(size, rng) + rng.choice(self._starts, size=size)


class Perturbed(Added):
    """x' = x + eps f(s(x)): a fixed pattern of -1 and 1 that moves up with `s` (n,), one number per image.

    Zietlow et al. 2020, arXiv:2102.06822, "Clearing the path for truly semantic representation learning",
    section 4.2: pixel (i, j) of f(s) is row round(kappa s / c_j) + i of column j, where c_j in 1..4 says how
    slowly the column moves. kappa is in rows per unit of s; the paper does not name it, and at 1 hardly
    anything moves where s has unit variance. The pattern is the same in all channels and drawn by `seed`.
    Where s moves along a direction that mixes the factors, the images vary most locally along that direction.
    """

    example: ClassVar = {"by": "diagonal", "eps": 0.1, "kappa": 5.0}

    @classmethod
    def made(cls, data: DataSet, value: Any) -> DataSet:
        """By a pattern that moves with `by`, or by noise; the other parts are settings of either.

        `by` is "diagonal", "uniform" (see `moved_by`), the path of a table with a number for every image, or
        "noise". With `copies` every image is there so often, each time with a number of its own.
        """
        given = dict(check_table("perturb", value, cls.example))
        by, copies = given.pop("by", None), whole_number("copies", given.pop("copies", 1), 1)
        for key in given:
            if key not in (parts := ("eps", "clip", "seed") if by == "noise" else SETTINGS):
                raise unknown("part of perturb", key, ["by", "copies", *parts])
        if copies > 1 and by == "diagonal":
            raise BadInput("copies need a number of their own: by uniform, noise or a table, not by diagonal")
        data = Copies(data, copies) if copies > 1 else data
        return UniformNoise(data, **given) if by == "noise" else cls(data, moved_by(by, data), **given)

    @classmethod
    def located(cls, value: Any) -> Any:
        """With the whole path of a table."""
        by = value["by"]
        return value if by in (*NUMBERS, "noise") else value | {"by": os.path.realpath(by)}

    def __init__(
        self,
        data: DataSet,
        s: ArrayLike,
        *,
        eps: float = 0.1,
        kappa: float = 10.0,
        clip: bool = False,
        seed: int = 0,
    ) -> None:
        eps, self.s = _positive("eps", eps), np.asarray(s)
        if self.s.shape != (len(data),) or self.s.dtype.kind not in "iuf":
            raise BadInput(f"s must be {len(data)} numbers, one for every image, got shape {self.s.shape}")
        self.s = self.s.astype(np.float64)
        self.kappa, self.seed = _positive("kappa", kappa), whole_number("seed", seed, 0)
        if not np.isfinite(self.s).all() or np.abs(self.s).max() * self.kappa > 2**40:
            raise BadInput("s holds numbers that are not finite or far too large")
        if (rows := np.ptp(self.s) * self.kappa) < 1:
            raise BadInput(
                f"the pattern would not move: kappa={self.kappa:g} and this s make it {rows:.2g} rows. Take "
                "the code of an active latent, or a larger kappa"
            )
        rng = np.random.default_rng(self.seed)
        width = data.image_shape[2]
        self._rows = rng.choice(np.array([-1, 1], np.int8), size=(PERIOD, width))
        self._slowness = rng.integers(1, SLOWEST + 1, size=width)
        note = f"a pattern of {eps:g} moves with a number per image, kappa {self.kappa:g}"
        super().__init__(data, eps, clip, note)

    def pattern(self, s: ArrayLike) -> NDArray[np.int8]:
        """f(s) in -1 and 1 for numbers (n,): (n, H, W)."""
        moved = np.rint(self.kappa * np.asarray(s, np.float64)[:, None] / self._slowness).astype(np.int64)
        rows = np.arange(self.image_shape[1])[None, :, None] + moved[:, None, :]
        found: NDArray[np.int8] = self._rows[rows % PERIOD, np.arange(self.image_shape[2])]
        return found

    def added(self, index: NDArray[np.int64]) -> NDArray[np.int8]:
        """The pattern of every image: (n, 1, H, W)."""
        return self.pattern(self.s[index])[:, None]


def moved_by(by: Any, data: DataSet) -> NDArray[np.float64]:
    """A number for every image (n,), of mean 0 and variance 1 unless it is read from a file.

    "diagonal": the sum of the last two labels, which mixes both (x and y of sprites), and has that variance
    where the two are not correlated; "uniform": drawn at
    random, a factor of its own; else the path of a table with a number for every image.
    """
    if not isinstance(by, str):
        raise BadInput(f"perturb must say by what: {', '.join(NUMBERS)}, noise or a table, got by={by!r}")
    if by == "uniform":
        return np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, len(data))
    if by != "diagonal":
        return np.asarray(codes_of(read_table(by))).squeeze()
    labels = data.labels(np.arange(len(data)))
    if labels is None or labels.shape[1] < 2:
        raise BadInput(f"{data.name} has no two labels to move a pattern by")
    last = labels[:, -2:].astype(np.float64)
    for name, spread in zip(data.label_names[-2:], np.ptp(last, axis=0), strict=True):
        if spread == 0:
            raise BadInput(f"{data.name}: the label '{name}' has a single value, and no pattern moves by it")
    return np.asarray(((last - last.mean(axis=0)) / last.std(axis=0)).sum(axis=1) / 2**0.5)


class UniformNoise(Added):
    """Control of equal size: every pixel moves by a uniform number in -eps..eps, the same at every look."""

    def __init__(self, data: DataSet, *, eps: float = 0.1, clip: bool = False, seed: int = 0) -> None:
        eps, self.seed = _positive("eps", eps), whole_number("seed", seed, 0)
        super().__init__(data, eps, clip, f"uniform noise of {eps:g} on every pixel")

    def added(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Noise in -1..1: (n, C, H, W)."""
        noise = uniform(index, math.prod(self.image_shape), self.seed).astype(np.float64)
        return 2 * noise.reshape(len(index), *self.image_shape) - 1


def save_perturbed(data: Perturbed | UniformNoise, path: Path) -> None:
    """Write a data set that `load_dataset(path)` reads: how it is perturbed, s, and of what.

    A registered data set is kept by name and options, your own images as they are. Raises BadInput rather
    than replace anything but an earlier perturbed data set.
    """
    if os.path.lexists(path) and not (path.suffix == ".npz" and "perturbation" in array_headers(path)):
        raise BadInput(f"{path} is there already and is no perturbed data set; choose another file")
    base = data._data.spec
    own = base is None or os.path.isabs(base["name"])
    is_hidden = data._data.factors is None and data._data.grid is not None
    if own and (is_hidden or not data._data.evenly):
        raise BadInput(
            "correlate and hide of your own images are not kept in such a file; save it without them, and "
            "give them with the file that is saved"
        )
    settings: dict[str, Any] = {"eps": data.eps, "clip": data.clip, "seed": data.seed}
    arrays = _own(data._data) if own else {}
    if isinstance(data, Perturbed):
        settings["kappa"] = data.kappa
        arrays["s"] = data.s
    words = dict(data._data.words) if own else {}
    recipe = json.dumps({"base": None if own else base, "settings": settings, "words": words}).encode()
    write_arrays(path, {"perturbation": np.frombuffer(recipe, np.uint8), **arrays})


def _own(data: DataSet) -> dict[str, NDArray[Any]]:
    """Everything of a data set that `read_npz` takes."""
    every = np.arange(len(data))
    arrays, labels = {"images": data.images(every)}, data.labels(every)
    if arrays["images"].dtype != np.uint8:
        arrays["pixel_range"] = np.array(data.pixel_range)
    if labels is not None:
        arrays |= {"factors": labels, "factor_names": np.array(data.label_names)}
    return arrays if data.pairs is None else arrays | {"pairs": data.pairs}


def read_recipe(arrays: Mapping[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    """The `base` (None: the images are in the file), `settings` and `words` that `save_perturbed` wrote."""
    try:
        recipe = json.loads(arrays["perturbation"].astype(np.uint8).tobytes())
        base, settings = recipe["base"], recipe["settings"]
        fine = base is None or (isinstance(base["name"], str) and isinstance(base["options"], dict))
        fine = fine and isinstance(settings, dict) and settings.keys() <= {"eps", "clip", "seed", "kappa"}
        fine = fine and ("kappa" in settings) == ("s" in arrays) and _names_no_file(base)
        fine = fine and isinstance(settings.get("clip"), bool)
        words = {name: tuple(of_label) for name, of_label in recipe.get("words", {}).items()}
        fine = fine and all(isinstance(word, str) for of_label in words.values() for word in of_label)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fine = False
    if not fine:
        raise BadInput(f"{path} is damaged: it does not say how it was perturbed")
    return {"base": base, "settings": settings, "words": words}


def _names_no_file(base: dict[str, Any] | None) -> bool:
    """Whether what a perturbed data set is made of is told without a path."""
    options = base["options"] if base else {}
    by = options.get("perturb", {"by": "noise"})["by"]
    return "data_dir" not in options and by in (*NUMBERS, "noise")


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e6:
        raise BadInput(f"{name}={value!r} is not allowed; it must be a number above 0")
    return float(value)
