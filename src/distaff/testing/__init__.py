"""Conformance checks for what plugs into distaff: yours as well as ours.

Each raises AssertionError with a line that says what is wrong, and returns nothing if all is well.
"""

import importlib
from typing import Any

_HOME = {
    "check_dataset": "datasets",
    "check_method": "methods",
    "check_metric": "metrics",
    "SITUATIONS": "metrics",
    "CHANGES": "metrics",
    "WORSE": "metrics",
    "SPACE": "metrics",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:  # so that metrics are checked without torch
    if name in _HOME:
        return getattr(importlib.import_module(f"distaff.testing.{_HOME[name]}"), name)
    raise AttributeError(f"module 'distaff.testing' has no attribute '{name}'")
