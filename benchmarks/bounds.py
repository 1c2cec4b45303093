"""Bounds that stand in the names of what is measured, such as "seconds (< 60)"."""

from __future__ import annotations

import operator
import re

SIGNS = {">=": operator.ge, "<=": operator.le, "<": operator.lt}
BOUND = re.compile(r"\((>=|<=|<) ([\d.]+)\)$")
KEPT = {True: "met", False: "**not met**", None: ""}  # in tables


def met(what: str, value: float) -> bool | None:
    """Whether a number keeps the bound at the end of its name; None where there is none."""
    bound = BOUND.search(what)
    return bool(SIGNS[bound[1]](value, float(bound[2]))) if bound else None
