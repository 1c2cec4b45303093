"""Runs of methods that stand on other runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import distaff
from distaff import registry
from distaff.datasets import DataSet
from distaff.training.run import Run


def trained(name: str, data: DataSet, folder: Path, **how: Any) -> Run:
    """A run in `folder`/`name`, of five steps if nothing else is said, on runs of what it must stand on."""
    how = {"steps": 5, "threads": 1, "show": False} | how
    return distaff.train(name, data, out=folder / name, **how | bases(name, data, folder, **how))


def bases(name: str, data: DataSet, folder: Path, **how: Any) -> dict[str, Path]:
    """The folders of runs of the first methods that a method must stand on, by setting."""
    return {
        base: trained(allowed[0], data, folder, **how).folder
        for base, allowed, needed in registry.get("methods", name).base_settings()
        if needed
    }
