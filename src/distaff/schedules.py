"""Schedules: numbers that change during training, as text that Python and the command line write alike.

`linear:0:25:100000` goes from 0 to 25 in 100,000 steps and stays there; `cosine:...` does so along half a
cosine wave; `constant:0:1:10000` is 0 for 10,000 steps and 1 from then on; `constant:4` is 4.
"""

import functools
import math
from typing import NamedTuple

from distaff.errors import BadInput, unknown

SHAPES = ("constant", "linear", "cosine")
NOTATION = "constant:VALUE, or constant, linear or cosine:FROM:TO:STEPS"


class Schedule(NamedTuple):
    """A number that goes from `first` to `last` in so many steps."""

    shape: str
    first: float
    last: float
    steps: int

    def at(self, step: int) -> float:
        """Its value at a step (the first step is 0)."""
        if step >= self.steps:
            return self.last
        if self.shape == "constant":
            return self.first
        done = step / self.steps
        part = done if self.shape == "linear" else (1 - math.cos(math.pi * done)) / 2
        return self.first + (self.last - self.first) * part


@functools.lru_cache
def parse(text: str) -> Schedule:
    """The schedule that a text describes, or an error that shows the notation."""
    shape, *words = text.split(":")
    if words and shape not in SHAPES:
        raise unknown("schedule", shape, SHAPES)
    try:
        numbers = [float(word) for word in words]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError
        if shape == "constant" and len(numbers) == 1:
            return Schedule(shape, numbers[0], numbers[0], 0)
        first, last, steps = numbers
        if steps != int(steps) or steps < 1:
            raise ValueError
    except ValueError:
        raise BadInput(f"it must be a number or a schedule: {NOTATION}") from None
    return Schedule(shape, first, last, int(steps))
