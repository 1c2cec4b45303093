"""What is scored: codes, and whatever else a metric may need of the same rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NotApplicable

#: why a metric that needs these cannot be had without them
MISSING = {
    "factors": "it needs factors",
    "logvar": "it needs the log-variances of the codes (logvar)",
    "mates": "it needs the codes of other runs with the same settings (mates)",
}

ACTIVE = 0.8


@dataclass(frozen=True)
class Inputs:
    """Codes (n, d), and if there are any: factors (n, k), logvar (n, d), and mates, arrays (n, d').

    `continuous` are the columns of factors that hold real numbers, `unordered` those whose numbers stand for
    words without an order.
    """

    codes: NDArray[Any]
    factors: NDArray[Any] | None
    continuous: tuple[int, ...] = ()
    unordered: tuple[int, ...] = ()
    logvar: NDArray[Any] | None = None
    mates: Sequence[NDArray[Any]] | None = None
    mates_logvar: Sequence[NDArray[Any]] | None = None

    def take(self, rows: NDArray[np.int64]) -> Inputs:
        """The same of some rows."""
        return replace(
            self,
            codes=self.codes[rows],
            factors=None if self.factors is None else self.factors[rows],
            logvar=None if self.logvar is None else self.logvar[rows],
            mates=None if self.mates is None else [mate[rows] for mate in self.mates],
            mates_logvar=None if self.mates_logvar is None else [part[rows] for part in self.mates_logvar],
        )

    def lacks_order(self, values: int | None) -> bool:
        """Whether a factor of words without an order has more than so many values."""
        if values is None or self.factors is None:
            return False
        return any(self.factors[:, j].max() >= values for j in self.unordered)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Result:
    """The numbers of a metric by score name (None where rows were too few), and the learner it names."""

    numbers: dict[str, float | None]
    learner: str | None = None


def call(function: Callable[..., Any], inputs: Inputs, seed: int, settings: Mapping[str, Any]) -> Result:
    """Call a metric on inputs. Raises NotApplicable where it has no meaning on them."""
    declared, allowed = function.declaration, inspect.signature(function).parameters  # type: ignore[attr-defined]
    for need in declared.needs:
        if getattr(inputs, need) is None:
            raise NotApplicable(MISSING[need])
    given = dict(settings) | ({"seed": seed} if "seed" in allowed else {})
    if inputs.continuous and "factors" in declared.needs:
        if not declared.continuous:
            raise NotApplicable("it is defined for factors that are whole numbers")
        given["continuous"] = inputs.continuous
    if inputs.lacks_order(declared.needs_order_above):
        raise NotApplicable("it reads factors as numbers, and words have no order (--order gives them one)")
    if "mates_kl" in allowed and inputs.logvar is not None and inputs.mates_logvar is not None:
        given["kl"] = mean_kl(inputs.codes, inputs.logvar)
        given["mates_kl"] = [
            mean_kl(*pair) for pair in zip(inputs.mates or (), inputs.mates_logvar, strict=True)
        ]
    found = function(inputs.codes, *(getattr(inputs, need) for need in declared.needs), **given)
    if not hasattr(found, "_asdict"):
        return Result({function.__name__: float(found)})
    fields = found._asdict()
    learner = fields.pop("learner", None)
    numbers = {f"{function.__name__}.{key}": None if v is None else float(v) for key, v in fields.items()}
    return Result(numbers, learner)


def mean_variance(logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean posterior variance (d,), of log-variances (n, d)."""
    return np.asarray(np.exp(logvar.astype(np.float64)).mean(axis=0))


def active_latents(logvar: NDArray[Any]) -> NDArray[np.bool_]:
    """Which latents (d,) are active: those of a mean variance below .8 (Zietlow et al. 2020, section 5.4)."""
    return mean_variance(logvar) < ACTIVE


def mean_kl(mean: NDArray[Any], logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean KL divergence from a standard normal prior (d,), nats."""
    mean, logvar = mean.astype(np.float64), logvar.astype(np.float64)
    kl: NDArray[np.float64] = 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).mean(axis=0)
    return kl
