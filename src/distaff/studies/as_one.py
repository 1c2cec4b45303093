"""Runs of a study that are trained as one: which go together, and their training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from distaff.datasets import load_dataset
from distaff.errors import BadInput
from distaff.methods.base import Method
from distaff.progress import say
from distaff.studies.execute import folder_of, lock_of
from distaff.studies.plan import PlannedRun
from distaff.training.device import choose_device
from distaff.training.lock import only_one
from distaff.training.many import alike, alone_for, compiled
from distaff.training.run import Run
from distaff.training.side_by_side import BRANCHES
from distaff.training.together import train_together
from distaff.training.train import Asked


def at_most(together: int | None) -> int:
    """How many runs are trained as one: as given, else many on a GPU and each by itself on a CPU."""
    if together is not None:
        return together
    return BRANCHES if on_gpu() else 1  # half as many where a GPU's memory does not hold them


def on_gpu() -> bool:
    """Whether runs are trained on a CUDA GPU here."""
    return choose_device("auto").type == "cuda"


def processes(count: int) -> int:
    """How many of so many processes train groups at a time: on a GPU one, which has all of it."""
    return 1 if on_gpu() else count


def alone_on_gpu(method: Method) -> str:
    """Why no runs of a method go side by side on a GPU, or nothing."""
    if method.fitted:
        return f"{type(method).__name__} is fitted at once"
    return compiled(method)


def groups(runs: Iterable[PlannedRun], most: int) -> list[list[PlannedRun]]:
    """The runs that can be trained as one, in the plan's order, up to `most` in a group and at least 2.

    They share method, data set, steps and all settings but real numbers. On a GPU methods with steps of their
    own go side by side as well. What has no group is trained alone.
    """
    reason = alone_on_gpu if on_gpu() else alone_for
    found: dict[tuple[object, ...], list[PlannedRun]] = {}
    for run in runs:
        if not run.bases and not reason(run.made):
            data = (run.dataset, json.dumps(run.options, sort_keys=True), run.steps)
            found.setdefault((alike(run.made), *data), []).append(run)
    parts = [each[start : start + most] for each in found.values() for start in range(0, len(each), most)]
    return [part for part in parts if len(part) > 1]


def is_trained(study: Path, run: PlannedRun) -> bool:
    """Whether a run's weights are finished."""
    return (folder_of(study, run) / "model.safetensors").exists()


def train_as_one(
    study: Path, runs: Sequence[PlannedRun], data_dir: str | None = None
) -> dict[str, Exception]:
    """Train runs of a group as one; the errors of those that failed, by id.

    Where a GPU's memory does not hold them, half of them go after the other half. Where the method turns out
    not to be one that can be trained so, nothing is done: they are trained alone then.
    """
    with ExitStack() as held:
        for run in runs:
            held.enter_context(only_one(lock_of(study, run)))
        data = load_dataset(runs[0].dataset, data_dir=data_dir, **runs[0].options)
        asked = [Asked(run.made, run.steps, run.seed, folder_of(study, run)) for run in runs]
        try:
            found = train_together(asked, data, threads=1, show=False)
            return {run.id: each for run, each in zip(runs, found, strict=True) if not isinstance(each, Run)}
        except torch.OutOfMemoryError:
            pass  # and free what the error holds
        except BadInput as error:
            say(f"{runs[0].method}: {error}; each is trained alone")
            return {}
    torch.cuda.empty_cache()
    half, errors = len(runs) // 2, dict[str, Exception]()
    for part in (runs[:half], runs[half:]):
        errors |= train_as_one(study, part, data_dir) if len(part) > 1 else {}
    return errors
