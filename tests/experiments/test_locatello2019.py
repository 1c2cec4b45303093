"""The findings of the study: what was kept, and the numbers of tables whose answer is known."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from distaff.experiments.claims import record
from distaff.experiments.locatello2019 import Locatello2019, by_jackknife, measures
from distaff.files import read_json

ENDS = ("measured", "low", "high")
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def kept() -> pd.DataFrame:
    with duckdb.connect() as connection:
        path = str(RESULTS / "locatello2019-nano.parquet")
        return connection.execute("SELECT * FROM read_parquet(?)", [path]).df()


def test_the_kept_result_is_what_the_kept_table_says() -> None:
    found, judge = by_jackknife(kept()), Locatello2019()
    assert found.keys() == {claim.key for claim in judge.claims}
    written = {
        each["key"]: each for each in read_json(RESULTS / "experiments" / "locatello2019.json")["claims"]
    }
    assert written.keys() == found.keys()
    for claim in judge.claims:
        was, now = written[claim.key], record(judge.found(claim.key, found[claim.key]), "nano")
        assert [was[key] for key in ENDS] == pytest.approx([now[key] for key in ENDS], abs=1e-9)


def test_two_seeds_have_no_interval() -> None:
    table = kept()
    found = by_jackknife(table[table["seed"] < 2])
    assert {(each.low, each.high, each.seeds) for each in found.values()} == {(None, None, 2)}


def changed(
    table: pd.DataFrame, metric: str, values: pd.Series, representation: str = "mean"
) -> pd.DataFrame:
    """The table with other values of a metric."""
    ours = (table["metric"] == metric) & (table["representation"] == representation)
    assert ours.any()
    return table.assign(value=table["value"].where(~ours, values))


def test_a_total_correlation_that_is_minus_the_strength_falls_with_it_in_every_method() -> None:
    table = kept()
    found = measures(changed(table, "gaussian_total_correlation", -table["strength"], "sampled"))
    assert found["sampled_dsprites"] == found["sampled_shapes3d"] == pytest.approx(-1)
    assert found["mean_dsprites"] == measures(table)["mean_dsprites"]
    found = measures(changed(table, "total_correlation", -table["strength"], "model"))
    assert found["true_dsprites"] == found["true_shapes3d"] == pytest.approx(-1)
    found = measures(changed(table, "gaussian_total_correlation", table["strength"]))
    assert found["mean_dsprites"] == found["mean_shapes3d"] == pytest.approx(1)


def test_two_metrics_that_are_one_agree_fully() -> None:
    table = kept()
    mig = table[(table["metric"] == "mig") & (table["representation"] == "mean")].set_index("run")["value"]
    copied = table["run"].map(mig)
    same = measures(changed(table, "dci.disentanglement", copied))
    plain = measures(table)
    assert same["gaps_shapes3d"] > plain["gaps_shapes3d"]
    assert measures(changed(table, "udr", copied, "model"))["udr_dsprites"] == pytest.approx(1)


def test_a_score_that_is_the_method_alone_is_explained_by_it() -> None:
    table = kept()
    places = table["method"].map({name: n for n, name in enumerate(sorted(table["method"].unique()))})
    for metric in ("beta_vae_score", "factor_vae_score", "mig", "dci.disentanglement", "modularity", "sap"):
        table = changed(table, metric, places.astype(float))
    assert measures(table)["method"] == pytest.approx(1)
    assert measures(table)["best"] == 1
    assert measures(kept())["best"] == 3
    assert measures(table)["across_least"] == pytest.approx(1)
