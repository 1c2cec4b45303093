"""What the libraries' files share: arrays as ground truth, scores by name, stand-ins for what is absent."""

from __future__ import annotations

import signal
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import GRID_SIZES

PATIENCE = 200  # seconds for one score; a Munkres assignment of NaNs never ends
Scores = Iterable[tuple[str, Any]]  # values by name, or dictionaries of them
Found = tuple[str, str, str, Any]  # section of the file, situation, metric, value


def attempt(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the function returns, or the error it ends with; its warnings and prints are kept quiet."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        signal.alarm(PATIENCE)
        try:
            return function(*arguments, **options)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {str(error).split(chr(10))[0][:120]}"}
        finally:
            signal.alarm(0)


def give_up(*_: Any) -> None:
    """The answer to the alarm that `attempt` sets."""
    raise TimeoutError(f"no result after {PATIENCE} seconds")


def spread(function: Callable[[int], Any], runs: int) -> Any:
    """The smallest and largest of each value over runs with the seeds 0, 1 ..., for NumPy's generator too."""
    results = []
    for seed in range(runs):
        np.random.seed(seed)  # noqa: NPY002  the other libraries draw from it
        results.append(attempt(function, seed))
        if isinstance(results[-1], dict) and "error" in results[-1]:
            return results[-1]
    if isinstance(results[0], dict):
        return {key: extremes([result[key] for result in results]) for key in results[0]}
    return extremes(results)


def extremes(values: list[float]) -> dict[str, float | None]:
    """Smallest and largest value, how many there are, and how many of them are NaN if any."""
    finite = [value for value in values if not np.isnan(value)]
    found = {"min": min(finite, default=None), "max": max(finite, default=None), "runs": len(values)}
    return found | ({"nan": len(values) - len(finite)} if len(finite) < len(values) else {})


def part_of(scores: dict[str, Any], key: str) -> Any:
    """One score of several, or the error."""
    return scores.get(key, scores)


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a dictionary of scores under dotted names; one error or value under the name itself."""
    if isinstance(value, dict) and not {"error", "min"} & value.keys():
        for key, part in value.items():
            yield from flat(f"{name}.{key}".strip("."), part)
    else:
        yield name, value


def stub(name: str, **content: Any) -> types.ModuleType:
    """Put a module with this content, and nothing else, in the place of one that is not installed."""
    module = types.ModuleType(name)
    module.__dict__.update(content)
    sys.modules[name] = module
    return module


def packages(folder: Path, *names: str) -> None:
    """Make the modules of packages importable without running their __init__, which asks for much more."""
    for name in names:
        for loaded in [module for module in sys.modules if module.startswith(f"{name}.")]:
            del sys.modules[loaded]
        stub(name, __path__=[str(folder / Path(*name.split(".")))])


def stub_google() -> None:
    """Stand-ins for gin, absl and six, all that disentanglement_lib's metrics need of its old stack."""

    def configurable(target: Any = None, *_: Any, **__: Any) -> Any:
        return target if callable(target) else lambda function: function

    gin = stub("gin", configurable=configurable, REQUIRED=object())
    gin.tf = stub("gin.tf", configurable=configurable, REQUIRED=gin.REQUIRED)  # type: ignore[attr-defined]
    silent = types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    stub("absl", logging=silent)
    six = stub("six", range=range)
    six.moves = stub("six.moves", range=range)  # type: ignore[attr-defined]


class Rows:
    """Ground truth for disentanglement_lib that hands out given rows in order; observations are the codes."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.codes, self.factors, self.next = codes, factors, 0

    def sample(self, count: int, _: Any) -> tuple[np.ndarray, np.ndarray]:
        """The next rows."""
        rows = np.arange(self.next, self.next + count)
        self.next += count
        return self.factors[rows], self.codes[rows]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of the next rows."""
        return self.sample(count, random_state)[1]


class Grid:
    """Ground truth for disentanglement_lib over the complete grid; observations are the codes."""

    num_factors = len(GRID_SIZES)

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes

    def sample_factors(self, count: int, random_state: Any) -> np.ndarray:
        """Uniform values, one factor after the other."""
        return np.stack([random_state.randint(size, size=count) for size in GRID_SIZES], axis=1)

    def sample_observations_from_factors(self, factors: np.ndarray, _: Any) -> np.ndarray:
        """The codes of these combinations."""
        return self.codes[np.ravel_multi_index(tuple(factors.T), GRID_SIZES)]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of random combinations."""
        return self.sample_observations_from_factors(self.sample_factors(count, random_state), random_state)


def same(observations: np.ndarray) -> np.ndarray:
    """The representation of an observation that is a code already."""
    return observations
