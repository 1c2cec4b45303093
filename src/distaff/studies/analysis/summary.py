"""A study in a few numbers: those that the papers speak of.

Locatello et al. 2019, arXiv:1811.12359; on UDR, Duan et al. 2020, arXiv:1905.12614.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from distaff.errors import BadInput
from distaff.studies.analysis.downstream import efficiency, most_labels, scores_and_downstream
from distaff.studies.analysis.rank_correlation import across_datasets, between_metrics, with_unsupervised
from distaff.studies.analysis.sampled_and_mean import DEPENDENCE, TRUE, trend_with_strength
from distaff.studies.analysis.score_table import by_run, disentanglement_of, metrics_of
from distaff.studies.analysis.selection import selection
from distaff.studies.analysis.transfer import transfer
from distaff.studies.analysis.variance import variance_shares

PENALISED = ("beta_vae", "factor_vae", "beta_tc_vae")  # whose strength weighs a total correlation or a KL
PAIRS = {"scores": ("beta_vae_score", "factor_vae_score"), "gaps": ("dci.disentanglement", "mig")}
COUNTS = ("active", "informative")  # of latents: no losses, nor dependences
ONCE: Any = {"resamples": 1}  # intervals are of the jackknife
Key = tuple[str, str]


def summary(table: pd.DataFrame) -> dict[Key, float]:
    """Numbers by (what, data set), the data set being "" where all are taken together.

    What a table lacks the scores for is not there; what has no value is NaN. Over metrics and data sets,
    medians are taken.

    - method, setting: the share of a score's variance that the method explains, and the method and strength
      (eta squared); method_unbiased: the former less what noise would explain
    - best: how many methods are first for some metric and data set, by their median
    - random_metric_random_data and the like: wins of `transfer`; transfer: those of the same metric and data,
      less the most of the others
    - across, across_least, across_most: rank correlation of a metric on two data sets
    - sampled, true, mean: rank correlation of total correlation and strength, of PENALISED methods: the
      largest for sampled codes, Gaussian and true (`total_correlation`), the middle one for means, Gaussian
    - tc_sampled, tc_mean, tc_true: Gaussian total correlations, nats, and that of `total_correlation`
    - pairs_median, pairs: rank correlation of two metrics, and the least of them without modularity;
      scores_pair, gaps_pair: those of PAIRS, and scores, gaps: less the median
    - losses: |rank correlation| of unsupervised scores, but udr, with metrics
    - udr: rank correlation of UDR with MIG; udr_metrics: with metrics; udr_choice: how far the model that UDR
      chooses is from a random one (0) to the best (1)
    - accuracy, efficiency, efficiency_factor_vae: rank correlation of metrics with the accuracy at the most
      labels, |rank correlation| with accuracy(100) / accuracy(most), and the FactorVAE score's with the same,
      all by logistic regression where it was scored, else by boosting; efficiency_value: that ratio itself
    """
    found = {(key, ""): float(value) for key, value in _gathered((_variance, _best, _wins, _across), table)}
    for dataset in sorted(table["dataset"].unique()):
        one = table[table["dataset"] == dataset]
        numbers = _gathered((_trends, _dependence, _pairs, _alone, _choice, _downstream), one)
        found |= {(key, str(dataset)): float(value) for key, value in numbers}
    return found


def _gathered(parts: Iterable[Any], table: pd.DataFrame) -> Iterator[tuple[str, float]]:
    for part in parts:
        with contextlib.suppress(BadInput):  # the table lacks something for it
            yield from part(table).items()


def _variance(table: pd.DataFrame) -> dict[str, float]:
    shares = variance_shares(table, **ONCE).groupby("source")[["share", "unbiased"]].median()
    return {
        "method": shares["share"]["method"],
        "method_unbiased": shares["unbiased"]["method"],
        "setting": shares["share"]["method and strength"],
    }


def _best(table: pd.DataFrame) -> dict[str, float]:
    medians = by_run(table, disentanglement_of(table)).groupby(level=["dataset", "method"]).median()
    firsts: Any = medians.unstack("dataset").idxmax()
    return {"best": firsts.nunique()}


def _wins(table: pd.DataFrame) -> dict[str, float]:
    wins = {name: one.value for name, one in transfer(table, **ONCE)._asdict().items() if one is not None}
    others = [value for name, value in wins.items() if name != "same_metric_same_data"]
    own = wins.get("same_metric_same_data", np.nan)
    return wins | {"transfer": own - max(others, default=np.nan)}


def _across(table: pd.DataFrame) -> dict[str, float]:
    found = across_datasets(table, **ONCE).query("first < second")["correlation"]
    return {"across": found.median(), "across_least": found.min(), "across_most": found.max()}


def _trends(table: pd.DataFrame) -> dict[str, float]:
    trend = trend_with_strength(table, **ONCE)
    trends = trend[trend["method"].isin(PENALISED)].groupby("representation")["correlation"]
    most, middle = trends.max(), trends.median()
    # of three means, at least two lie above the middle one or on it
    largest = {key: most.get(which, np.nan) for key, which in (("sampled", "sampled"), ("true", TRUE[1]))}
    return largest | {"mean": middle.get("mean", np.nan)}


def _dependence(table: pd.DataFrame) -> dict[str, float]:
    found = {
        f"tc_{which}": by_run(table, [DEPENDENCE[0]], which)[DEPENDENCE[0]].median()
        for which in ("sampled", "mean")
    }
    if TRUE[0] in metrics_of(table):
        found["tc_true"] = by_run(table, [TRUE[0]])[TRUE[0]].median()
    return found


def _pairs(table: pd.DataFrame) -> dict[str, float]:
    pairs = between_metrics(table, **ONCE).query("first < second")
    keyed = pairs.set_index(["first", "second"])["correlation"]
    few = pairs[~(pairs["first"].eq("modularity") | pairs["second"].eq("modularity"))]["correlation"]
    found = {"pairs": few.min(), "pairs_median": keyed.median()}
    for key, pair in PAIRS.items():
        value = keyed.get(pair, np.nan)
        found |= {f"{key}_pair": value, key: value - keyed.median()}
    return found


def _alone(table: pd.DataFrame) -> dict[str, float]:
    alone = with_unsupervised(table, **ONCE)
    losses = alone[~alone["first"].isin(("udr", *COUNTS))]["correlation"]
    udr = alone[alone["first"] == "udr"].set_index("second")["correlation"]
    found = {"losses": losses.abs().median()}
    return found | ({"udr": udr.get("mig", np.nan), "udr_metrics": udr.median()} if len(udr) else {})


def _choice(table: pd.DataFrame) -> dict[str, float]:
    chosen = selection(table, **ONCE)
    fractions = chosen[chosen["rule"] == "udr"]["fraction"]
    return {"udr_choice": fractions.median()} if len(fractions) else {}


def _downstream(table: pd.DataFrame) -> dict[str, float]:
    ((learner, labels), *_) = most_labels(table).items()
    use = scores_and_downstream(table, **ONCE).set_index(["second", "first"])["correlation"]
    ratios = use[f"efficiency.{learner}"]
    every = efficiency(table)
    return {
        "accuracy": use[f"{learner}{labels}"].median(),
        "efficiency": ratios.abs().median(),
        "efficiency_factor_vae": ratios.get("factor_vae_score", np.nan),
        "efficiency_value": every[every["learner"] == learner]["efficiency"].median(),
    }
