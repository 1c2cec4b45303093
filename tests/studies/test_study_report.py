"""The report of a study: whole, escaped, and honest about what is missing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import SIX, grid, long, noise

from distaff.errors import BadInput
from distaff.studies.study_report import SECTIONS, save_figures, study_report


def study() -> pd.DataFrame:
    runs = grid(methods=2, strengths=2, seeds=3, datasets=2)
    rng = np.random.default_rng(0)
    downstream = ("downstream.lr100", "downstream.lr1000")
    codes = (*SIX[:2], *downstream, "gaussian_total_correlation")
    scores = {metric: rng.random(len(runs)) for metric in codes}
    model = {metric: rng.random(len(runs)) for metric in ("kl", "udr")}
    return pd.concat([long(runs, scores), long(runs, scores, "sampled"), long(runs, model, "model")])


def test_every_section_has_its_figures(tmp_path: Path) -> None:
    page = study_report(study(), title="A study", note="of noise")
    assert page.count("<section>") == 1 + len(SECTIONS)
    assert 'class="problem"' not in page
    assert "http" not in page
    assert "of noise" in page
    written = save_figures(study(), tmp_path / "figures")
    assert len(written) == page.count("<svg")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_a_hostile_table_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    table = noise(0, methods=2, strengths=2, seeds=2, metrics=("mig",))
    mine = table.assign(dataset=bad, method=table.method.map({"beta_vae": bad, "annealed_vae": "_$\\frac{"}))
    page = study_report(pd.concat([mine, mine.assign(metric=bad)]), title=bad, note=bad)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Not analysed" in page


def test_what_is_missing_is_said_in_its_section(tmp_path: Path) -> None:
    table = noise(0, methods=2, strengths=2, seeds=1, metrics=("mig",))
    page = study_report(table, title="Small")
    for line in (
        "no method and strength has two seeds",
        "comparing data sets needs two of them",
        "no unsupervised score",
        "transfer to another seed needs two of them",
        "no downstream accuracy",
    ):
        assert line in page
    assert save_figures(table, tmp_path)
    empty = study_report(noise(0, seeds=1, metrics=("kl",)).assign(value=np.nan), title="Nothing")
    assert empty.count('class="problem"') == len(SECTIONS)
    with pytest.raises(BadInput, match="no column value"):
        study_report(table.drop(columns="value"), title="No table")
