"""distaff: train, measure and study disentangled representations.

Names are imported when they are first used, so that `import distaff` needs neither torch nor scikit-learn.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "load_dataset": "distaff.datasets",
    "train": "distaff.training.train",
    "load_run": "distaff.training.run",
    "Run": "distaff.training.run",
    "evaluate": "distaff.evaluation.evaluate",
    "score": "distaff.scoring.score",
    "ScoreCard": "distaff.scoring.card",
    "Stream": "distaff.scoring.stream",
    "report": "distaff.pages.report",
    "explore": "distaff.pages.explorer.explore",
    "FactorSpace": "distaff.factors",
    "BadInput": "distaff.errors",
    "register": "distaff.registry",
}
_MODULES = ("metrics", "datasets", "testing")

__all__ = [*_HOME, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"distaff.{name}")
    raise AttributeError(f"module 'distaff' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
