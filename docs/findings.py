"""Write docs/findings/locatello2019.md from the table of the nano study.

    distaff study run locatello2019 --scale nano      # an hour and a half on two cores
    python docs/findings.py runs/locatello2019-nano   # takes over its table and figures, and writes the page

Without a folder it writes the page from benchmarks/results/locatello2019-nano.parquet.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from distaff.studies.analysis.downstream import scores_and_downstream
from distaff.studies.analysis.rank_correlation import across_datasets, between_metrics, with_unsupervised
from distaff.studies.analysis.sampled_and_mean import trend_with_strength
from distaff.studies.analysis.selection import selection
from distaff.studies.analysis.transfer import transfer
from distaff.studies.analysis.variance import variance_shares

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "benchmarks" / "results" / "locatello2019-nano.parquet"
PAGE = ROOT / "docs" / "findings" / "locatello2019.md"
FIGURES = ROOT / "docs" / "findings" / "locatello2019"


class Finding(NamedTuple):
    """A claim of the paper, what it predicts here, what was found, and whether the two agree."""

    claim: str
    prediction: str
    found: str
    agrees: str


def findings(table: pd.DataFrame) -> Iterator[Finding]:
    """Every claim, in the order of the paper."""
    yield from sampled_and_mean(table)
    yield from agreement(table)
    yield from causes(table)
    yield from unsupervised(table)
    yield from transferred(table)
    yield from downstream(table)
    yield from udr(table)


def sampled_and_mean(table: pd.DataFrame) -> Iterator[Finding]:
    """Figure 1: total correlation of sampled and of mean codes, by strength."""
    trend = trend_with_strength(table)
    trend = trend[trend["method"].isin(("beta_vae", "factor_vae", "beta_tc_vae"))]
    for dataset, part in trend.groupby("dataset"):
        by = part.set_index(["representation", "method"])
        sampled, mean = by.loc["sampled"], by.loc["mean"]
        yield Finding(
            f"A stronger penalty lowers the total correlation of sampled codes ({dataset})",
            "rank correlation with strength <= -.5 for BetaVAE, FactorVAE, BetaTCVAE",
            _each(sampled),
            _verdict((sampled["correlation"] <= -0.5).all()),
        )
        yield Finding(
            f"and not that of mean codes ({dataset})",
            "rank correlation > -.3 for at least two of the three",
            _each(mean),
            _verdict((mean["correlation"] > -0.3).sum() >= 2),
        )


def agreement(table: pd.DataFrame) -> Iterator[Finding]:
    """Figure 2: rank correlations between the metrics."""
    for dataset, part in between_metrics(table).groupby("dataset"):
        pairs = part[part["first"] < part["second"]].set_index(["first", "second"])
        median = pairs["correlation"].median()
        for first, second in (("beta_vae_score", "factor_vae_score"), ("dci.disentanglement", "mig")):
            one = pairs.loc[(first, second)]
            yield Finding(
                f"{first} and {second} agree well ({dataset})",
                "rank correlation above the median pair's",
                f"{_span(one)}; the median pair {median:.2f}",
                _verdict(one["correlation"] > median),
            )
        values = pairs["correlation"].drop(index=[pair for pair in pairs.index if "modularity" in pair])
        yield Finding(
            f"All metrics but modularity correlate ({dataset})",
            "every pair without modularity > 0",
            f"{(values > 0).sum()} of {len(values)} pairs; least {values.min():.2f}",
            _verdict((values > 0).all()),
        )


def causes(table: pd.DataFrame) -> Iterator[Finding]:
    """Figure 3: what the method explains, and what strength and seed do."""
    shares = variance_shares(table)
    wide = shares.pivot(index=["dataset", "metric"], columns="source", values="share")
    rest = wide["strength"] + wide["seed"]
    more = rest >= wide["method"]
    yield Finding(
        "Seed and strength matter at least as much as the method",
        "their share of the variance >= the method's, for half of the metrics",
        f"{more.sum()} of {len(more)} (metric, data set); medians: method {wide['method'].median():.0%}, "
        f"strength {wide['strength'].median():.0%}, seed {wide['seed'].median():.0%}",
        _verdict(more.mean() >= 0.5),
    )
    best = (
        table[(table["representation"] == "mean") & table["metric"].isin(wide.index.levels[1])]
        .groupby(["dataset", "metric", "method"])["value"]
        .median()
        .groupby(["dataset", "metric"])
        .idxmax()
        .map(lambda key: key[2])
    )
    yield Finding(
        "No method is best throughout",
        "different methods are first for different metrics and data sets",
        ", ".join(f"{name} {count}" for name, count in best.value_counts().items())
        + " times first by its median",
        _verdict(best.nunique() > 1),
    )


def unsupervised(table: pd.DataFrame) -> Iterator[Finding]:
    """Figure 4: scores without labels against scores with them; one metric on two data sets."""
    found = with_unsupervised(table)
    found = found[found["first"] != "udr"]
    for dataset, part in found.groupby("dataset"):
        size = part["correlation"].abs()
        strongest = part.loc[size.idxmax()]
        yield Finding(
            f"Losses and total correlations cannot choose a model ({dataset})",
            "median |rank correlation| with the six metrics < .3",
            f"{size.median():.2f}; most {strongest['first']} with {strongest['second']}, {_span(strongest)}",
            _verdict(size.median() < 0.3),
        )
    across = across_datasets(table)
    across = across[across["first"] < across["second"]]
    yield Finding(
        "A metric's ranking of settings carries over to another data set only in part",
        "rank correlations of settings between data sets above 0 and below .8",
        "; ".join(f"{row['metric']} {_span(row)}" for _, row in across.iterrows()),
        _verdict(across["correlation"].between(0, 0.8).all()),
    )


def transferred(table: pd.DataFrame) -> Iterator[Finding]:
    """Table 1: what a transferred choice of settings is worth."""
    found = transfer(table)
    cells = found._asdict()
    words = "; ".join(
        f"{name.replace('_', ' ')} {100 * e.value:.1f} % ({100 * e.low:.1f} to {100 * e.high:.1f})"
        for name, e in cells.items()
    )
    best = max(cells, key=lambda name: cells[name].value)
    clear = found.same_metric_same_data.low > max(
        e.value for name, e in cells.items() if name != "same_metric_same_data"
    )
    yield Finding(
        "Settings transfer best within one metric and data set (54.9, 59.3, 62.6 and 80.7 % in the paper)",
        "same metric, same data is the largest of the four",
        words,
        "yes" if best == "same_metric_same_data" else ("no" if clear else "no, but within the intervals"),
    )
    both = found.random_metric_random_data.value
    yield Finding(
        "A choice from another metric and another data set is worth nothing",
        "45 to 65 %",
        f"{100 * both:.1f} %",
        _verdict(0.45 <= both <= 0.65),
    )


def downstream(table: pd.DataFrame) -> Iterator[Finding]:
    """Figures 5 and 6: is it of use? Logistic regression, at most 1,000 labels."""
    found = scores_and_downstream(table)
    for dataset, part in found.groupby("dataset"):
        accuracy = part[part["second"] == "lr1000"]["correlation"]
        efficient = part[part["second"] == "efficiency.lr"]["correlation"]
        middle = efficient.abs().median()
        yield Finding(
            f"Disentangled codes predict factors better ({dataset})",
            "rank correlation of metrics with accuracy at 1,000 labels > 0 in the median",
            f"median {accuracy.median():.2f} ({accuracy.min():.2f} to {accuracy.max():.2f} over metrics)",
            _verdict(accuracy.median() > 0),
        )
        yield Finding(
            f"but they do not need fewer labels ({dataset})",
            "median |rank correlation| with accuracy(100) / accuracy(1,000) < .3",
            f"median {middle:.2f} ({efficient.min():.2f} to {efficient.max():.2f} over metrics)",
            _verdict(middle < 0.3),
        )


def udr(table: pd.DataFrame) -> Iterator[Finding]:
    """Duan et al. 2020, for comparison: choosing by agreement between seeds."""
    found = with_unsupervised(table)
    found = found[(found["first"] == "udr") & (found["second"] == "mig")]
    chosen = selection(table).set_index(["dataset", "metric", "rule"])["value"]
    for _, row in found.iterrows():
        of = (row["dataset"], "mig")
        yield Finding(
            f"UDR chooses without labels (Duan et al. 2020; {row['dataset']})",
            "rank correlation with MIG > .3",
            f"{_span(row)}; MIG of its choice {chosen[(*of, 'udr')]:.3f}, "
            f"at random {chosen[(*of, 'random')]:.3f}, the best {chosen[(*of, 'oracle')]:.3f}",
            _verdict(row["correlation"] > 0.3),
        )


def _each(part: pd.DataFrame) -> str:
    return "; ".join(f"{method} {_span(row)}" for method, row in part.iterrows())


def _span(row: pd.Series) -> str:
    return f"{row['correlation']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _verdict(agrees: bool | np.bool_) -> str:
    return "yes" if agrees else "no"


def read_table() -> pd.DataFrame:
    """The table that is kept."""
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet(?)", [str(TABLE)]).df()


def page(table: pd.DataFrame) -> str:
    """The whole page."""
    runs = table.drop_duplicates(["dataset", "method", "strength", "seed"])
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in f) + " |" for f in findings(table)]
    agree = sum(row.endswith("| yes |") for row in rows)
    figures = [f"![{path.stem}](locatello2019/{path.name})" for path in sorted(FIGURES.glob("*.png"))]
    introduction = (ROOT / "docs" / "findings_introduction.md").read_text(encoding="utf-8")
    head = ["# The findings of Locatello et al. 2019, at scale nano", "", introduction]
    counts = f"{len(runs)} runs; of {len(rows)} predictions {agree} agree."
    header = [
        "| claim | prediction at this scale | found (95 % interval) | agrees |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, counts, "", *header, *rows, "", "## The report's figures", "", *figures, ""])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        shutil.copy(Path(sys.argv[1]) / "results.parquet", TABLE)
        for path in Path(sys.argv[1]).glob("figures/*.png"):
            shutil.copy(path, FIGURES)
    PAGE.write_text(page(read_table()), encoding="utf-8")
