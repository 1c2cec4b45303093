"""Ways to damage a valid file: as bytes, or as what it is, with its sums and lengths made right again."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from hostile_arrays import bomb, member, outside, promised, rearranged, sheet, strange, tensors
from hostile_bytes import cells, chunk, foreign, noisy, odd, pickled, replaced, unpacked

#: by the ending of a name, what may happen to such a file beside what may happen to any
OWN: dict[str, list[Callable[[Path, random.Random], None]]] = {
    ".json": [replaced, replaced, replaced],
    ".jsonl": [replaced, replaced],
    ".npy": [strange, promised],
    ".npz": [member, member, bomb],
    ".safetensors": [tensors, tensors, tensors],
    ".png": [chunk, foreign],
    ".csv": [cells, cells],
    ".gz": [unpacked, unpacked],
    ".h5": [outside, rearranged],
    ".h5ad": [rearranged, rearranged],
    ".xlsx": [sheet, sheet],
}


def spoil(path: Path, rng: random.Random) -> str:
    """Damage a file in place, in a way that fits its kind, and say how."""
    chosen = pickled if rng.random() < 0.02 else rng.choice([noisy, noisy, odd, *OWN.get(path.suffix, [])])
    chosen(path, rng)
    return chosen.__name__
