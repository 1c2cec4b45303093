"""Runs of a study that differ in their steps alone: a longer one goes on from where a shorter one ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from distaff.training.config import read_config
from distaff.training.device import choose_device

BEGINNING = ("history.jsonl", "checkpoint.safetensors", "config.json")  # of a longer run


def begin(folder: Path, shorter: Iterable[Path], scratch: Path) -> None:
    """Copy into a run's folder the beginning of it that the first finished one of some shorter runs left.

    Training goes on from there, to the weights that it comes to from the start. Nothing is copied where the
    run has begun, and nothing of a run of another device, or whose checkpoint was removed. `scratch` is a
    folder of this process's own.
    """
    if folder.exists():
        return
    for source in shorter:
        whole = all((source / name).exists() for name in ("model.safetensors", *BEGINNING))
        if whole and read_config(source / "config.json").device == str(choose_device("auto")):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for name in BEGINNING:
                shutil.copy(source / name, scratch)
            scratch.rename(folder)  # whole, or not at all
            return
