"""Tables in .safetensors files, as models and their activations are kept; nothing in them can run."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from distaff.files import natural, reading
from distaff.tables.memory import of_tensor
from distaff.tables.readers.named_arrays import choose
from distaff.tables.table import Table


def read_safetensors(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a tensor of a .safetensors file, or in several side by side; bfloat16 becomes float32."""
    from safetensors import safe_open

    with reading(path, ".safetensors"), safe_open(path, framework="pt") as file:  # NumPy has no bfloat16
        names = sorted(file.keys(), key=natural)  # they have no order of their own
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
        usable = [name for name, shape in shapes.items() if len(shape) in (1, 2) and math.prod(shape) > 1]

        def load(asked: list[str]) -> dict[str, NDArray[Any]]:
            return {name: of_tensor(file.get_tensor(name)) for name in asked}

        return choose(path, shapes, usable, load, wanted, names)
