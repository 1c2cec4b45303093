"""The history of a run: a line of averaged loss terms every so many steps, as history.jsonl."""

import json
import math
import time
from pathlib import Path
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from distaff.errors import BadInput, Diverged
from distaff.files import check_own, read_json_lines, write_text

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Real = Annotated[float, Meta(gt=-1e39, lt=1e39)]  # no loss in 32 bits goes beyond
Line = Annotated[dict[str, Whole | Real], Meta(max_length=100)]
SHOWN = {"loss": 1, "kl": 2}  # beside the progress bar, with digits


class Window:
    """The loss terms of the steps since the last line of the history, on the device until it is written.

    `before` (steps, terms) are those that were taken before a stop.
    """

    def __init__(self, path: Path, batch_size: int, before: Tensor | None = None) -> None:
        self.path, self.batch_size = path, batch_size
        self.words = ""
        self._names: list[str] = []
        self._steps: list[Tensor] = [] if before is None else list(before)
        self._untimed = len(self._steps)
        self._began = time.monotonic()

    def add(self, names: list[str], values: Tensor) -> None:
        """Take in the terms of one step, by name and value (terms,)."""
        self._names = names
        self._steps.append(values)

    def check(self, step: int) -> Tensor:
        """The terms of each step up to this one (steps, terms), or Diverged where one is not finite."""
        if not self._steps:
            return torch.empty(0, 0)
        device = self._steps[-1].device  # where earlier ones were taken in company they are on the host
        values = torch.stack([each.to(device) for each in self._steps])
        bad = ~values.isfinite()
        if bad.any():
            row = int(bad.any(dim=1).int().argmax())
            terms = zip(self._names, values[row].tolist(), strict=True)
            found = [(name, value) for name, value in terms if not math.isfinite(value)]
            name, value = found[-1] if found[0][0] == "loss" else found[0]  # the loss is their sum
            raise diverged(f"{name} became {value} at step {step - len(values) + row + 1}")
        return values

    def write(self, step: int) -> None:
        """Append the averages as a line, or raise Diverged where a term is not finite."""
        # on the host, for a GPU adds in an order that depends on how many runs go together
        means = self.check(step).cpu().mean(dim=0).tolist()
        terms = dict(zip(self._names, means, strict=True))
        images = (len(self._steps) - self._untimed) * self.batch_size
        rate = images / max(time.monotonic() - self._began, 1e-6)  # the clock may be a coarse one
        line = {"step": step, **terms, "images_per_second": round(rate, 1)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        shown = [f"{name} {terms[name]:.{digits}f}" for name, digits in SHOWN.items() if name in terms]
        self.words = "  ".join([*shown, f"{line['images_per_second']:.0f} images/s"])
        self._steps, self._untimed, self._began = [], 0, time.monotonic()


def diverged(what: str) -> Diverged:
    """The error for a number that is not finite."""
    return Diverged(
        f"{what}. The last checkpoint is from before that and is kept, if there was one; "
        "where there is a learning_rate, a smaller one may help (in another folder)"
    )


def trim_history(path: Path, step: int) -> None:
    """Forget lines later than the checkpoint, which will be written again."""
    check_own(path)
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # the half-written last line of a killed process
    write_text(path, "".join(kept))


def read_history(path: Path) -> list[dict[str, float]]:
    """The lines written so far; none where there is no file."""
    if not path.exists():
        return []
    lines: list[dict[str, float]] = read_json_lines(path, Line)
    if not all({"step", "images_per_second"} <= line.keys() for line in lines):
        raise BadInput(f"{path} is damaged: a line is not of a step")
    return lines
