"""The report of a study: whole, escaped, and honest about what is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted import SIX, grid, long, noise

from distaff.errors import BadInput
from distaff.studies.analysis.variance import variance_shares
from distaff.studies.sections import SECTIONS
from distaff.studies.study_report import analyses, save_figures, study_report


def study() -> pd.DataFrame:
    runs = grid(methods=2, strengths=2, seeds=3, datasets=2)
    rng = np.random.default_rng(0)
    downstream = ("downstream.lr100", "downstream.lr1000")
    codes = (*SIX[:2], *downstream, "gaussian_total_correlation")
    scores = {metric: rng.random(len(runs)) for metric in codes}
    model = {metric: rng.random(len(runs)) for metric in ("kl", "udr")}
    return pd.concat([long(runs, scores), long(runs, scores, "sampled"), long(runs, model, "model")])


def report(table: pd.DataFrame, **words: Any) -> str:
    return study_report(table, analyses(table), **words)


def test_every_section_has_its_figures(tmp_path: Path) -> None:
    found = analyses(study())
    page = study_report(study(), found, title="A study", note="of noise")
    assert page.count("<section>") == 2 + len(SECTIONS)
    assert 'class="problem"' not in page
    assert "http" not in page
    assert "of noise" in page
    written = save_figures(found, tmp_path / "figures")
    assert len(written) == page.count("<svg")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_a_hostile_table_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    table = noise(0, methods=2, strengths=2, seeds=2, metrics=("mig",))
    mine = table.assign(dataset=bad, method=table.method.map({"beta_vae": bad, "annealed_vae": "_$\\frac{"}))
    page = report(pd.concat([mine, mine.assign(metric=bad)]), title=bad, note=bad)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Not analysed" in page


def test_what_is_missing_is_said_in_its_section(tmp_path: Path) -> None:
    table = noise(0, methods=2, strengths=2, seeds=1, metrics=("mig",))
    found = analyses(table)
    page = study_report(table, found, title="Small")
    for line in (
        "no method and strength has two seeds",
        "comparing data sets needs two of them",
        "no unsupervised score",
        "transfer to another seed needs two of them",
        "no downstream accuracy",
    ):
        assert line in page
    assert save_figures(found, tmp_path)
    empty = report(noise(0, seeds=1, metrics=("kl",)).assign(value=np.nan), title="Nothing")
    assert empty.count('class="problem"') == len(SECTIONS)
    with pytest.raises(BadInput, match="no column value"):
        analyses(table.drop(columns="value"))


def with_dead(dead: int) -> pd.DataFrame:
    """The study where the first runs of data0 are dead: their scores are 0."""
    table = study()
    informative = long(grid(2, 2, 3, 2), {"informative": np.full(24, 3.0)}, "model")
    table = pd.concat([table, informative], ignore_index=True)
    gone = [f"run{n}" for n in range(dead)]
    return table.assign(value=table["value"].mask(table["run"].isin(gone), 0.0))


def test_dead_runs_are_counted_and_statistics_are_given_without_them() -> None:
    table = with_dead(2)
    page = report(table, title="Some are dead")
    assert "2 of 24 runs are dead. Every statistic below is given with and without them." in page
    shares = next(one for one in analyses(table) if one.heading == "What explains the scores")
    assert [panel.name for panel in shares.panels] == ["all data sets", "all data sets, without dead runs"]
    alive = variance_shares(table[~table["run"].isin(["run0", "run1"])])
    pd.testing.assert_frame_equal(shares.panels[1].numbers, alive)
    agree = next(one for one in analyses(table) if one.heading == "Do metrics agree?")
    assert [panel.name for panel in agree.panels] == ["data0", "data0, without dead runs", "data1"]
    whole = report(with_dead(0), title="None is dead")
    assert "0 of 24 runs are dead." in whole
    assert "without dead runs" not in whole


def test_where_it_is_not_known_which_are_dead_that_is_said() -> None:
    page = report(noise(0, methods=2, strengths=2, seeds=3, metrics=("mig",)), title="Old")
    assert "Of 12 of 12 runs it is not known" in page


def test_published_numbers_stand_beside_ours() -> None:
    table = with_dead(2)
    page = report(table, title="Ours", paper=True)
    assert "0.807 (Locatello et al. 2019, table 1)" in page
    assert "no number at hand (Duan et al. 2020, arXiv:1905.12614)" in page
    assert ">without dead runs</th>" in page
    assert "Published" not in report(table, title="Ours")
