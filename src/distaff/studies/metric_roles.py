"""What scores are: which way is better; and which are supervised, unsupervised or downstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from distaff import registry
from distaff.errors import unknown
from distaff.metrics.declare import Declaration
from distaff.metrics.posterior import ACTIVE_KL

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
FACTOR_VAE = "factor_vae_score"  # which is 0 where no code varies


def higher_is_better(metric: str) -> bool:
    """Whether more of a score is better, as its metric declares; "dci.completeness" belongs to dci.

    Raises BadInput for a score that is neither of a registered metric nor one of OF_THE_MODEL.
    """
    if metric in OF_THE_MODEL:
        return OF_THE_MODEL[metric]
    if not is_known(metric):
        raise unknown("metric", metric, [*OF_THE_MODEL, *registry.names("metrics")])
    return bool(_declaration(metric).higher_is_better)


def is_dead(scores: Mapping[str, float | None]) -> bool | None:
    """Whether a run tells images apart by no latent, as its scores say; None where they do not say it.

    The scores are of the model and of its mean codes. Older tables have no `informative`: there a run is
    dead whose KL is below .05 nats in all, or whose FactorVAE score is 0, as it is where no code has a
    standard deviation of .05.
    """
    known = {name: value for name, value in scores.items() if value is not None and value == value}
    if "informative" in known:
        return known["informative"] == 0
    signs = [known["kl"] < ACTIVE_KL] if "kl" in known else []
    signs += [known[FACTOR_VAE] == 0] if FACTOR_VAE in known else []
    return any(signs) if signs else None


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
