"""Tables in .safetensors files, as models and their activations are kept; nothing in them can run."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from distaff.files import reading
from distaff.tables.memory import of_tensor
from distaff.tables.readers.named_arrays import choose
from distaff.tables.table import Table


def read_safetensors(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a tensor of a .safetensors file, or in several side by side; bfloat16 becomes float32."""
    from safetensors import safe_open

    with reading(path, ".safetensors"), safe_open(path, framework="pt") as file:  # NumPy has no bfloat16
        held = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        shapes = {name: tuple(part.get_shape()) for name, part in held.items()}
        usable = [name for name, shape in shapes.items() if len(shape) in (1, 2) and math.prod(shape) > 1]
        flat = {name: shapes[name][0] for name in usable if _may_be_key(shapes[name], held[name].get_dtype())}

        def load(asked: list[str]) -> dict[str, NDArray[Any]]:
            return {name: of_tensor(file.get_tensor(name)) for name in asked}

        return choose(path, list(shapes), usable, load, wanted, flat)


def _may_be_key(shape: tuple[int, ...], kind: str) -> bool:
    """Whether a tensor may name the rows: whole numbers in one column."""
    return len(shape) == 1 and kind[0] in "IU"
