"""Abstract reasoning: how soon a network learns to complete matrices of what a run makes of images.

Van Steenkiste et al. 2019, arXiv:1905.12506: the codes stay as they are, and a relation network learns to
choose the panel that completes a matrix (see matrices.py). Its accuracy on matrices that it never
saw, after more and more steps, says what the codes are good for. Beside codes it may see the true factors,
the ceiling, or the pixels, of which an encoder as those of the VAEs learns codes with it.

reasoning.json          what was found
reasoning.safetensors   the network, from which the next call goes on (see reasoner.py)
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from distaff.batches.batch import to_unit
from distaff.errors import BadInput, unknown
from distaff.evaluation.encode import BYTES, ROWS, encode_run
from distaff.evaluation.reasoning.matrices import CHANCE, RULES, Matrices
from distaff.evaluation.reasoning.reasoner import TESTED, WIDTH, Reasoner, Sight, sight_of
from distaff.factors import FactorSpace
from distaff.files import read_json, read_kept, write_json
from distaff.networks import conv
from distaff.settings import whole_number
from distaff.training.lock import only_one
from distaff.training.run import ENCODE_BATCH, Run, load_run

FILE, WEIGHTS = "reasoning.json", "reasoning.safetensors"
SEEN = ("codes", "factors", "pixels")
STEPS, EVERY = 5_000, 250
SHOWN = 10  # points of a curve that are printed


class Reasoning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well matrices were completed after so many `steps`: the share (0..1) of `tested` that were right.

    What was `seen` of a panel is one of SEEN; `grid` has the numbers of values of the factors that panels are
    drawn from, `answers` are easy or hard, `rules` how many factors may be ruled.
    """

    seen: str
    answers: str
    rules: tuple[int, ...]
    grid: dict[str, int]
    seed: int
    steps: tuple[int, ...]
    accuracies: tuple[float, ...]
    tested: int = TESTED
    chance: float = CHANCE

    @property
    def mean(self) -> float:
        """The mean accuracy over the curve: higher where the same is learned sooner."""
        return float(np.mean(self.accuracies))


def reasoning(
    run: Run | str | os.PathLike[str],
    *,
    seen: str = "codes",
    answers: str = "easy",
    rules: Sequence[int] = RULES,
    steps: int = STEPS,
    every: int | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    show: bool = True,
) -> Reasoning:
    """Have a relation network learn to complete matrices of a run's data, and keep what it came to.

    It is kept in the run's folder, or in `out`. The same call again reads it; after a stop it goes on, and
    with more steps from the end. Of a grid of over 100,000 cells evenly spaced values are drawn. Raises
    BadInput for data without a grid of factors, or with one that is too small.
    """
    run = run if isinstance(run, Run) else load_run(run)
    if seen not in SEEN:
        raise unknown("thing to be seen", seen, SEEN)
    every, seed = whole_number("every", EVERY if every is None else every, 1), whole_number("seed", seed, 0)
    if whole_number("steps", steps, 1) % every:
        raise BadInput(f"steps={steps} is not allowed; it must be a multiple of {every}")
    matrices, index = matrices_of(run, answers, rules)
    asked = Reasoning(
        seen=seen,
        answers=answers,
        rules=matrices.rules,
        grid=dict(zip(matrices.space.names, matrices.space.sizes, strict=True)),
        seed=seed,
        steps=tuple(range(every, steps + 1, every)),
        accuracies=(),
    )
    folder = run.folder if out is None else Path(out)
    with only_one(folder), run.threads():
        run.check_current()
        kept = read_reasoning(folder) if out is None else None  # in another folder it may be of another run
        if kept is not None and structs.replace(kept, accuracies=()) == asked:
            return kept
        sight = _sight(run, seen, matrices.space, index, show)
        network = Reasoner(sight, matrices, folder / WEIGHTS, seed, run.device)
        found = structs.replace(asked, accuracies=tuple(network.learn(steps, every, show)))
        write_json(folder / FILE, found)
    return found


def matrices_of(
    run: Run, answers: str = "easy", rules: Sequence[int] = RULES
) -> tuple[Matrices, NDArray[np.int64]]:
    """Matrices of the grid of a run's data, and which images show the grid's cells."""
    if run.data.factors is None:
        raise BadInput(f"{run.data.name} has no grid of factors, of which matrices could be drawn")
    space, index = spaced(run.data.factors, min(ROWS, BYTES // (3 * 4 * run.code_size)))
    return Matrices(space, answers, tuple(rules)), index


def read_reasoning(folder: Path) -> Reasoning | None:
    """What `reasoning` kept in a folder, or None."""
    return read_kept(folder / FILE, functools.partial(read_json, kind=Reasoning), "--reasoning")


def lines(found: Reasoning) -> list[str]:
    """What was found, in words and numbers: a few points of the curve."""
    values = ", ".join(f"{name} {size}" for name, size in found.grid.items())
    rules = ", ".join(map(str, found.rules))
    head = f"matrices of {values}; {rules} rules, {found.answers} answers; {found.seen} are seen"
    curve = list(zip(found.steps, found.accuracies, strict=True))
    some = np.unique(np.linspace(0, len(curve) - 1, min(SHOWN, len(curve))).round().astype(int))
    rows = [f"{step:>7,} steps  {accuracy:.3f}" for step, accuracy in (curve[place] for place in some)]
    return [head, *rows, f"mean accuracy  {found.mean:.3f}  of {found.tested:,}; chance {found.chance:.3f}"]


def spaced(space: FactorSpace, most: int) -> tuple[FactorSpace, NDArray[np.int64]]:
    """A grid of `most` cells at the most, and where they are in the whole one.

    Every factor keeps as many values as it has, or the same number of evenly spaced ones. The paper has 10 of
    colours and 4 of the rest on 3D Shapes.
    """
    kept = max(space.sizes)
    while np.prod(sizes := np.minimum(space.sizes, kept)) > most:
        kept -= 1
    part = FactorSpace(space.names, tuple(map(int, sizes)))
    rows = part.rows(np.arange(len(part)))
    return part, space.index(rows * space.sizes // sizes)


def _sight(run: Run, seen: str, space: FactorSpace, index: NDArray[np.int64], show: bool) -> Sight:
    """What is seen of the cells of a grid, whose images stand at `index`."""
    if seen == "pixels":
        shape, span = run.data.image_shape, run.data.pixel_range
        return Sight(
            f"pixels {run.data.fingerprint()}",
            WIDTH,
            lambda cells: to_unit(run.data.images(index[cells]), span, run.device),
            lambda: conv.encoder(shape, WIDTH),
        )
    if seen == "factors":
        rows = space.rows(np.arange(len(space)))
        return sight_of(rows / np.maximum(rows.std(axis=0), 1e-9), seen, run.device)
    if len(index) == len(run.data):  # the same codes as the scores are of
        return sight_of(encode_run(run, show=show).mean, seen, run.device)
    parts = np.array_split(index, -(-len(index) // ENCODE_BATCH))
    codes = np.concatenate([run.encode(run.data.images(part)).mean for part in parts])
    return sight_of(codes, seen, run.device)
