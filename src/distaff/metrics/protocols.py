"""Published protocols: how many rows each metric takes, and its settings there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distaff.errors import BadInput, unknown
from distaff.metrics.inputs import Inputs


@dataclass(frozen=True)
class Sizes:
    """Rows to learn from and rows to score on (0: all that are given, at least `least`), and settings."""

    learn: int = 0
    score: int = 0
    least: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


#: name -> metric -> sizes; metrics that a protocol does not name take all rows and their defaults
PROTOCOLS: dict[str, dict[str, Sizes]] = {
    # Locatello et al. 2019, appendix C, and the configurations of disentanglement_lib's study; the votes of
    # beta_vae_score and factor_vae_score have the study's numbers by default
    "locatello2019": {
        "beta_vae_score": Sizes(least=10_000),
        "factor_vae_score": Sizes(least=10_000),
        "mig": Sizes(10_000),
        "modularity": Sizes(10_000),
        "explicitness": Sizes(10_000, 5_000),
        "dci": Sizes(10_000, 5_000, settings={"learner": "gradient_boosting"}),
        "sap": Sizes(10_000, 5_000),
        "irs": Sizes(10_000),
        "downstream": Sizes(10_000, 5_000),
        "fairness": Sizes(10_000, 5_000),
        "gaussian_total_correlation": Sizes(10_000),
        "gaussian_wasserstein_correlation": Sizes(10_000),
        "gaussian_wasserstein_correlation_norm": Sizes(10_000),
        "code_mutual_information": Sizes(10_000),
    },
}


def check_protocol(name: str | None, metrics: list[str], rows: int) -> None:
    """An error where there is no such protocol, or it needs more rows for a metric than there are."""
    if name is None:
        return
    if name not in PROTOCOLS:
        raise unknown("protocol", str(name), PROTOCOLS)
    for metric in metrics:
        sizes = PROTOCOLS[name].get(metric, Sizes())
        need = max(sizes.learn + sizes.score, sizes.least)
        if rows < need:
            raise BadInput(
                f"protocol {name} takes {need:,} rows for {metric}, got {rows:,}; "
                "give more rows, fewer metrics, or no protocol"
            )


def prepare(
    name: str | None, function: Callable[..., Any], inputs: Inputs, seed: int, part: float = 1.0
) -> tuple[Inputs, dict[str, Any]]:
    """A metric's inputs and settings under a protocol, or a `part` of its numbers of rows."""
    sizes = PROTOCOLS[name].get(function.__name__, Sizes()) if name else Sizes()
    if not sizes.learn:
        return inputs, dict(sizes.settings)
    learn, score = int(sizes.learn * part), int(sizes.score * part)
    order = np.random.default_rng([seed, 1]).permutation(len(inputs))
    settings = dict(sizes.settings)
    if score:
        test = inputs.take(order[learn : learn + score])
        settings["test"] = (test.codes, test.factors)
    return inputs.take(order[:learn]), settings
