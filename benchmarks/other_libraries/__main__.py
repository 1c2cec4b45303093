"""What other libraries return on fixed arrays, for tests and for the documentation.

    python -m benchmarks.other_libraries --disentanglement-lib DIR     # one or more checkouts, see --help
    python -m benchmarks.other_libraries --ubisoft DIR --situations mixed noise

Runs the metric code of the given checkouts, as it stands there, and merges what it returns into
tests/metrics/other_libraries.json. Libraries that need an old scikit-learn can so be run one by one, with an
interpreter of their own (its versions go into the file). Before a library runs, this needs NumPy alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import GRIDS, SITUATIONS, arrays, recipes
from benchmarks.other_libraries.common import Found, flat, give_up

RESULT = Path(__file__).parents[2] / "tests" / "metrics" / "other_libraries.json"
#: a file each, whose docstring begins with the repository and then says how it is run
LIBRARIES = [
    *("disentanglement_lib", "ubisoft", "latent_quantization", "tripod", "slow_disentanglement"),
    *("correlated_factors", "disentangling_vae", "disent", "latentverse"),
]


def plain(value: Any) -> Any:
    """A value for JSON: NaN becomes null, infinities become strings."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    value = complex(value).real if abs(complex(value).imag) < 1e-9 else repr(complex(value))
    if isinstance(value, str) or np.isfinite(value):
        return value
    return None if np.isnan(value) else repr(float(value))


def returned(module: Any, folder: Path, situations: list[str]) -> Iterator[Found]:
    """What a library returns: its `scores` of the arrays, and what its file calls `others`."""
    module.prepare(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for situation in SITUATIONS if hasattr(module, "scores") else ():
            for name, value in module.scores(*arrays(situation)) if situation in situations else ():
                yield from (("values", situation, *each) for each in flat(name, value))
        for section, situation, name, value in module.others(situations) if hasattr(module, "others") else ():
            yield from ((section, situation, *each) for each in flat(name, value))


def about(docstring: str) -> tuple[str, str]:
    """The repository of a library, and how it is run, from the docstring of its file."""
    first, _, note = docstring.partition("\n\n")
    return first.partition(":")[0], " ".join(note.split())


def commit(folder: Path) -> str | None:
    """The commit in the file COMMIT of an unpacked archive, or of a git checkout."""
    note = folder / "COMMIT"
    if note.exists():
        return note.read_text().strip()
    found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or None


def versions() -> str:
    """Python, NumPy, SciPy and scikit-learn of this interpreter."""
    names = ("numpy", "scipy", "sklearn")
    found = [f"{name} {importlib.import_module(name).__version__}" for name in names]
    return ", ".join([f"Python {sys.version_info.major}.{sys.version_info.minor}", *found])


def record(library: str, made: dict[str, Any], found: list[Found]) -> None:
    """Put the values of one library into their places in RESULT."""
    result: dict[str, Any] = {"arrays": {}, "libraries": {}, "values": {}, "matrices": {}}
    if RESULT.exists():
        result |= json.loads(RESULT.read_text())
    result["arrays"] = recipes()
    result["libraries"][library] = made
    for section, name, metric, value in found:
        result[section].setdefault(name, {}).setdefault(metric, {})[library] = plain(value)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    """Run the libraries given, tell of each value, and rewrite RESULT."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for library in LIBRARIES:
        parser.add_argument(f"--{library.replace('_', '-')}", type=Path, metavar="DIR")
    everything = [*SITUATIONS, *GRIDS, "models", "matrices"]
    parser.add_argument("--situations", nargs="+", choices=everything, default=everything)
    options = vars(parser.parse_args())
    signal.signal(signal.SIGALRM, give_up)
    for library in LIBRARIES:
        if folder := options[library]:
            module = importlib.import_module(f"benchmarks.other_libraries.{library}")
            repository, note = about(module.__doc__)
            made = {"repository": repository, "commit": commit(folder), "versions": versions(), "note": note}
            found = []
            for line in returned(module, folder.resolve(), options["situations"]):
                found.append(line)
                print(library, *line[1:3], str(plain(line[3]))[:90], sep="  ", flush=True)
            record(library, made, found)


if __name__ == "__main__":
    main()
