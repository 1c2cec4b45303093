"""Does what a loss asks of sampled codes hold for their means, the representation that is used?

Locatello et al. 2019, arXiv:1811.12359.
"""

from typing import Any

import numpy as np
import pandas as pd

from distaff.studies.analysis.bootstrap import RESAMPLES
from distaff.studies.analysis.rank_correlation import spearman
from distaff.studies.analysis.score_table import by_run, metrics_of
from distaff.studies.analysis.variance import scores_by_setting
from distaff.studies.metric_roles import REPRESENTATIONS

#: scores that say how dependent the latents are, lower is better
DEPENDENCE = ("gaussian_total_correlation", "code_mutual_information")
#: the score of the model that sees all dependence, and what its rows are called
TRUE = ("total_correlation", "sampled, all dependence")


def mean_and_sampled(table: pd.DataFrame, metric: str = DEPENDENCE[0]) -> pd.DataFrame:
    """A score of the mean and of the sampled representation, by data set, method and strength.

    Beside the Gaussian total correlation stands that which sees all dependence, where the table has it.
    Columns: representation, dataset, method, strength, runs, mean, sd, min, q25, median, q75, max, over
    seeds and in the score's own units (nats for DEPENDENCE, 0 for independent latents). Raises BadInput
    where either representation lacks the score. Locatello et al. 2019, figure 1.
    """
    parts = [
        scores_by_setting(table, [score], representation=which).assign(representation=name)
        for name, score, which in _shown(table, metric)
    ]
    found = pd.concat(parts, ignore_index=True).drop(columns="metric")
    return found[["representation", *found.columns.drop("representation")]]


def trend_with_strength(
    table: pd.DataFrame, metric: str = DEPENDENCE[0], *, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Spearman correlation of a score with the strength, by data set, method and representation.

    The score is taken as it is: -1 says that it falls with strength in every run, 1 that it rises. Columns:
    dataset, method, representation, correlation (NaN where a method has one strength), low, high (95 %
    bootstrap interval over runs), runs. Raises BadInput as `mean_and_sampled`. Locatello et al. 2019,
    section 5.2.
    """
    rng = np.random.default_rng(seed)
    found = []
    for representation, score, which in _shown(table, metric):
        groups: Any = by_run(table, [score], which)[score].dropna().groupby(level=["dataset", "method"])
        for (dataset, method), part in groups:
            strength = part.index.get_level_values("strength").to_numpy(dtype=float)
            correlation, low, high, runs = spearman(
                strength[:, None], part.to_numpy()[:, None], resamples, rng
            ).ravel()
            found.append((dataset, method, representation, correlation, low, high, int(runs)))
    columns = ["dataset", "method", "representation", "correlation", "low", "high", "runs"]
    return pd.DataFrame(found, columns=columns).sort_values(columns[:3], ignore_index=True)


def _shown(table: pd.DataFrame, metric: str) -> list[tuple[str, str, str]]:
    """What is shown beside each other: a name, a score and the representation that it is of."""
    both = [(which, metric, which) for which in REPRESENTATIONS]
    has_true = metric == DEPENDENCE[0] and TRUE[0] in metrics_of(table, "sampled")
    return [*both, (TRUE[1], TRUE[0], "sampled")] if has_true else both
