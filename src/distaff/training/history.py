"""The history of a run: a line of averaged loss terms every so many steps, as history.jsonl."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from distaff.errors import BadInput, Diverged
from distaff.files import write_text


class Window:
    """The loss terms since the last line of the history, kept on the device until the line is written."""

    def __init__(self, path: Path, batch_size: int) -> None:
        self.path, self.batch_size = path, batch_size
        self.words = ""
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._began = time.monotonic()

    def add(self, terms: dict[str, Tensor]) -> None:
        """Take in the terms of one step."""
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def write(self, step: int) -> None:
        """Append the averages as a line, or raise Diverged where one is not finite."""
        names = list(self._sums)
        means = (torch.stack([self._sums[name] for name in names]) / self._count).tolist()
        terms = dict(zip(names, means, strict=True))
        for name, value in terms.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} became {value} in steps {step - self._count + 1} to {step}. "
                    "The last checkpoint is kept; a smaller learning_rate may help (in another folder)"
                )
        seconds = time.monotonic() - self._began
        line = {"step": step, **terms, "images_per_second": round(self._count * self.batch_size / seconds, 1)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        kl = f"  kl {terms['kl']:.2f}" if "kl" in terms else ""
        self.words = f"loss {terms['loss']:.1f}{kl}  {line['images_per_second']:.0f} images/s"
        self._sums, self._count, self._began = {}, 0, time.monotonic()


def trim_history(path: Path, step: int) -> None:
    """Forget lines later than the checkpoint, which will be written again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # the half-written last line of a killed process
    write_text(path, "".join(kept))


def read_history(path: Path) -> list[dict[str, float]]:
    """The lines written so far; none where there is no file."""
    if not path.exists():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError:
        raise BadInput(f"{path} is damaged: a line is not JSON") from None
    for line in lines:
        numbers = isinstance(line, dict) and all(isinstance(v, int | float) for v in line.values())
        if not numbers or not {"step", "images_per_second"} <= line.keys():
            raise BadInput(f"{path} is damaged: a line holds no step")
    return lines
