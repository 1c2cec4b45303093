"""Encode the images that the scores need, once, and keep the codes in the run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import read_arrays, write_arrays
from distaff.progress import progress, say
from distaff.randomness import derived
from distaff.settings import whole_number
from distaff.training.allocator import keep_freed_memory
from distaff.training.run import ENCODE_BATCH, Run

ROWS = 100_000  # images encoded unless told otherwise
BYTES = 10**9  # codes in memory at the most


class Encoding(NamedTuple):
    """Codes of the images `rows` (n,) of a data set: `mean`, `logvar` (perhaps None), `sample` (n, d)."""

    rows: NDArray[np.int64]
    mean: NDArray[np.float32]
    logvar: NDArray[np.float32] | None
    sample: NDArray[np.float32]


def encode_run(run: Run, rows: int | None = ROWS, seed: int = 0, show: bool = True) -> Encoding:
    """The codes of `rows` images drawn by `seed` without replacement (None: of all), read if kept.

    Rows are capped so that the codes stay under 1 GB.
    """
    rows, seed = None if rows is None else whole_number("rows", rows, 2), whole_number("seed", seed, 0)
    run.check_current()
    index = _choose(run, rows, seed, show)
    path = run.folder / "encoding.npz"
    kept = _read(path, index, seed, run.code_size)
    if kept is not None:
        return kept
    encoding = _encode(run, index, seed, show)
    arrays = {name: a for name, a in encoding._asdict().items() if a is not None}
    write_arrays(path, arrays | {"seed": np.array(seed)})
    return encoding


def _choose(run: Run, rows: int | None, seed: int, show: bool) -> NDArray[np.int64]:
    n = len(run.data)
    cap = BYTES // (3 * 4 * run.code_size)
    wanted = n if rows is None else min(rows, n)
    if wanted > cap:
        wanted = cap
        if show:
            say(f"encoding {cap} images: more codes would take over 1 GB")
    if wanted == n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, size=wanted, replace=False))


def _read(path: Path, index: NDArray[np.int64], seed: int, latents: int) -> Encoding | None:
    """The stored encoding if it is whole, of these images, and sampled with this seed."""
    try:
        arrays = read_arrays(path) if path.exists() else {}
    except BadInput:  # damaged: it is made again
        return None
    asked = {"rows": index, "seed": np.array(seed)}
    if not {"mean", "sample"} <= arrays.keys() or not all(
        name in arrays and arrays[name].dtype == value.dtype and np.array_equal(arrays[name], value)
        for name, value in asked.items()
    ):
        return None
    codes = [arrays[name] for name in ("mean", "sample", "logvar") if name in arrays]
    like = (len(index), latents)
    if not all(a.shape == like and a.dtype == np.float32 and np.isfinite(a).all() for a in codes):
        return None
    return Encoding(arrays["rows"], arrays["mean"], arrays.get("logvar"), arrays["sample"])


def _encode(run: Run, index: NDArray[np.int64], seed: int, show: bool) -> Encoding:
    keep_freed_memory()
    kept: dict[str, Any] = {}  # whole from the start: parts that stay would cut the heap into pieces
    with progress("encoding", len(index), show=show) as report:
        for number, start in enumerate(range(0, len(index), ENCODE_BATCH)):
            batch = index[start : start + ENCODE_BATCH]
            codes = run.encode(run.data.images(batch), seed=derived(seed, "encoding", number))._asdict()
            for name, part in codes.items():
                if part is None:
                    kept[name] = None
                    continue
                if not number:
                    kept[name] = np.empty((len(index), *part.shape[1:]), part.dtype)
                kept[name][start : start + len(part)] = part
            report(start + len(batch))
    return Encoding(index, **kept)
