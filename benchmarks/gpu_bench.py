"""What the parts of gpu.py have in common: how a rate is measured, and where what was found is kept."""

from __future__ import annotations

import contextlib
import gc
import json
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import distaff
from distaff.batches.resident import on_device

ROOT = Path(__file__).parents[1]
MFLOP = {1: 98, 3: 110}  # of a 64-pixel image and step, by channels, through encoder and decoder and back
CEILING = "matrix product, float32: TFLOP/s"

Found = dict[str, Any]


class Bench:
    """What was found so far, how much time is left, and how long one measurement goes."""

    def __init__(self, out: Path, until: float, quick: bool, commit: str) -> None:
        self.out, self.until, self.quick = out, until, quick
        self.found: Found = json.loads(out.read_text()) if out.exists() else {}
        self.on = circumstances(commit)
        self.device = torch.device("cuda")
        self._data: dict[str, Any] = {}

    def data(self, name: str = "dsprites") -> Any:
        """A data set on the device."""
        if name not in self._data:
            few = {"orientation": 4} if name != "dsprites" else {}
            self._data[name] = on_device(distaff.load_dataset(name, **few), self.device)
        return self._data[name]

    def keep(self, part: str, what: str, value: Any) -> None:
        """Print and write a number, or the words of an error."""
        if isinstance(value, float):
            value = float(f"{value:.4g}")
        self.found.setdefault(part, {"on": self.on})[what] = value
        self.out.write_text(json.dumps(self.found, indent=2) + "\n")
        print(f"{part:<10} {what:<76} {value if isinstance(value, str) else f'{value:,}'}", flush=True)

    def tried(
        self, part: str, what: str, measure: Callable[..., float], *given: Any, **options: Any
    ) -> float | None:
        """A number that is measured and kept, unless time is up or it fails."""
        if time.monotonic() > self.until:
            return None
        try:
            value = measure(*given, **options)
        except Exception as error:  # whatever it is, the rest goes on
            self.keep(part, f"{what}: failed", f"{type(error).__name__}: {str(error)[:300]}")
            if "CUDA error" in str(error) and "out of memory" not in str(error):
                raise  # nothing works any more in this process
            return None
        finally:
            gc.collect()  # graphs that are no longer needed
            torch.cuda.empty_cache()
        self.keep(part, what, value)
        return value

    def rate(self, step: Callable[[int], Any], images: int) -> float:
        """Images a second of such steps: the median of three stretches, after some to warm up."""
        long = 0.1 if self.quick else 0.15
        done = 0

        def stretch(count: int) -> float:
            nonlocal done
            torch.cuda.synchronize()
            began = time.perf_counter()
            for number in range(done, done + count):
                step(number)
            torch.cuda.synchronize()
            done += count
            return time.perf_counter() - began

        stretch(5)
        count = max(5, int(long / (stretch(10) / 10)))
        return images * count / statistics.median(stretch(count) for _ in range(3))

    def share(self, part: str, what: str, rate: float | None, channels: int = 1) -> None:
        """Keep what share of the card's float32 rate such images a second are."""
        top = self.found.get("ceiling", {}).get(CEILING)
        if rate and top:
            self.keep(part, f"{what}, share of the float32 rate", rate * MFLOP[channels] / 1e6 / top)


def circumstances(commit: str) -> Found:
    """The card, the versions, the day and the commit."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    with contextlib.suppress(OSError):
        commit = commit or subprocess.run(words, capture_output=True, text=True).stdout.strip()
    return {
        "card": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
    }
