"""What scores are: which way is better; and which are supervised, unsupervised or downstream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from distaff import registry
from distaff.errors import unknown
from distaff.metrics.declare import Declaration

if TYPE_CHECKING:
    import pandas as pd

REPRESENTATIONS = ("mean", "sampled")
#: the representation under which scores of the model stand, such as its reconstruction
MODEL = "model"
#: scores of the model, which no registered metric gives -> whether higher is better
OF_THE_MODEL = {
    "reconstruction": False,
    "kl": False,
    "elbo": True,
    "total_correlation": False,
    "active": True,
    "informative": True,
}


def higher_is_better(metric: str) -> bool:
    """Whether more of a score is better, as its metric declares; "dci.completeness" belongs to dci.

    Raises BadInput for a score that is neither of a registered metric nor one of OF_THE_MODEL.
    """
    if metric in OF_THE_MODEL:
        return OF_THE_MODEL[metric]
    if not is_known(metric):
        raise unknown("metric", metric, [*OF_THE_MODEL, *registry.names("metrics")])
    return bool(_declaration(metric).higher_is_better)


def turned(wide: pd.DataFrame) -> pd.DataFrame:
    """Scores, a column each, with the sign that makes higher better."""
    return wide * [1.0 if higher_is_better(metric) else -1.0 for metric in wide.columns]


def is_known(metric: str) -> bool:
    """Whether it is known what a score means."""
    return metric in OF_THE_MODEL or metric.partition(".")[0] in registry.names("metrics")


def disentanglement(metrics: Iterable[str]) -> list[str]:
    """The scores among `metrics` that are declared headlines; without any, all that need factors."""
    found = [m for m in metrics if _needs_factors(m) and _declaration(m).role != "downstream"]
    places = {metric: _declaration(metric).headline.get(metric) for metric in found}
    headlines = {metric: place for metric, place in places.items() if place is not None}
    return sorted(headlines, key=lambda metric: headlines[metric]) or found


def unsupervised(metrics: Iterable[str]) -> list[str]:
    """The scores among `metrics` that need no factors: of the model, of the codes, and udr."""
    return [metric for metric in metrics if is_known(metric) and not _needs_factors(metric)]


def _needs_factors(metric: str) -> bool:
    return metric not in OF_THE_MODEL and is_known(metric) and "factors" in _declaration(metric).needs


def _declaration(metric: str) -> Declaration:
    declared: Declaration = registry.get("metrics", metric.partition(".")[0]).declaration
    return declared
