"""Dead runs: told by what a table has, and taken out of it."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from planted import grid, long

from distaff.studies.analysis.dead import dead_by_setting, dead_runs, without_dead
from distaff.studies.metric_roles import is_dead

NAN = float("nan")
KEPT = Path(__file__).parents[3] / "benchmarks" / "results" / "locatello2019-nano.parquet"


@pytest.mark.parametrize(
    ("scores", "dead"),
    [
        ({"informative": 0.0, "kl": 25.0, "factor_vae_score": 0.6}, True),
        ({"informative": 1.0, "kl": 0.01}, False),
        ({"kl": 0.049}, True),
        ({"kl": 0.051}, False),
        ({"kl": 25.0, "factor_vae_score": 0.0}, True),  # spent on posteriors that are the same for all images
        ({"kl": 25.0, "factor_vae_score": 0.2}, False),
        ({"factor_vae_score": 0.0}, True),
        ({"kl": NAN, "informative": None}, None),
        ({}, None),
    ],
)
def test_what_scores_tell(scores: dict, dead: bool | None) -> None:
    assert is_dead(scores) is dead


def table() -> pd.DataFrame:
    """Two data sets, methods and strengths, seeds; run0, run1 and run14 are dead, run15 tells nothing."""
    runs = grid(methods=2, strengths=2, seeds=2, datasets=2)
    kl = np.full(len(runs), 3.0)
    kl[[0, 1, 14]], kl[15] = 0.0, NAN
    return pd.concat([long(runs, {"mig": np.ones(len(runs))}), long(runs, {"kl": kl}, "model")])


def test_which_runs_are_dead() -> None:
    dead = dead_runs(table())
    assert len(dead) == 16
    assert [key for key, value in dead.items() if value is True] == [
        ("data0", "beta_vae", 1, 0),
        ("data0", "beta_vae", 1, 1),
        ("data1", "annealed_vae", 2, 0),
    ]
    assert [key for key, value in dead.items() if value is None] == [("data1", "annealed_vae", 2, 1)]


def test_the_table_without_them() -> None:
    left = without_dead(table())
    assert set(table()["run"]) - set(left["run"]) == {"run0", "run1", "run14"}
    assert len(left) == 2 * 13
    strengthless = table().assign(strength=np.nan).query("seed == 0 and dataset == 'data0'")
    assert set(without_dead(strengthless.head(1))["run"]) == {"run0"}, "nothing tells without its KL"


def test_where_they_are() -> None:
    rows = dead_by_setting(table()).set_index(["dataset", "method"])
    assert rows.loc[("data0", "beta_vae")].tolist() == [4, 2, 0, "1 (2)"]
    assert rows.loc[("data1", "annealed_vae")].tolist() == [4, 1, 1, "2 (1)"]
    assert rows.loc[("data0", "annealed_vae")].tolist() == [4, 0, 0, ""]


def test_kl_alone_would_not_find_the_dead_run_of_the_kept_study() -> None:
    kept = duckdb.read_parquet(str(KEPT)).df()
    dead = dead_runs(kept)
    assert dead[dead].groupby("method").size().to_dict() == {"annealed_vae": 1}
    (gone,) = set(kept["run"]) - set(without_dead(kept)["run"])
    (kl,) = kept.loc[(kept["metric"] == "kl") & (kept["run"] == gone), "value"]
    assert kl > 20
