"""What agents observe is of the same states, and what claims make of a table of agents."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.evaluation.acting.returns import Acted, Returns
from distaff.experiments.darla import AGENTS, Darla, observed, of_returns, returns
from distaff.worlds.collect import CollectWorld


def test_all_agents_observe_the_same_states(tmp_path: Path) -> None:
    seen = distaff.load_dataset("collect", domain="target")
    run = distaff.train("pca", seen, latents=4, out=tmp_path / "pca", threads=1, show=False)
    world = CollectWorld(seen)
    found = observed(world, {"darla": run, "entangled": run})
    assert found.keys() == {*AGENTS}
    assert {len(each) for each in found.values()} == {len(world.states)}
    source = world.domains["source"]
    for name in ("darla", "factors"):
        np.testing.assert_allclose(found[name][source].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(found[name][source].std(axis=0).max(), 1, rtol=1e-4)
    place = 12_345
    row = world.space.rows(world.states[[place]])
    np.testing.assert_array_equal(
        found["pixels"][place], distaff.load_dataset("collect").images(world.states[[place]])[0]
    )
    same = world.space.rows(world.states)[:, 0] == row[0, 0]
    assert len(set(found["factors"][same, 0].tolist())) == 1
    codes = run.encode(found["pixels"][[place, 7]]).mean
    scale = found["darla"][place] - found["darla"][7]
    each = np.abs(codes[0] - codes[1]) / np.abs(scale)
    deviations = run.encode(found["pixels"][source]).mean.std(axis=0)
    np.testing.assert_allclose(each, np.maximum(deviations, 0.1 * deviations.max()), rtol=1e-2)


def test_transfer_is_of_what_was_learned() -> None:
    acted = Acted("collect", 10, 0, {"source": Returns(1.5, 2.0, 0.0), "target": Returns(0.9, 2.0, 0.0)})
    assert of_returns(acted) == {"source": 1.5, "target": 0.9, "best": 2.0, "transfer": pytest.approx(0.6)}
    nothing = Acted("collect", 10, 0, {"source": Returns(-0.1, 2.0, 0.0), "target": Returns(0.9, 2.0, 0.0)})
    assert np.isnan(of_returns(nothing)["transfer"])


def table() -> pd.DataFrame:
    """Two seeds: what each agent gets in the source and in the target, the second .1 less."""
    values = {"factors": (2.0, 1.9), "pixels": (1.8, 0.9), "entangled": (1.7, 1.2), "darla": (1.6, 1.4)}
    migs = {"darla": 0.4, "entangled": 0.1}
    rows = [
        {
            "agent": name,
            "seed": seed,
            "source": first - 0.1 * seed,
            "target": second - 0.1 * seed,
            "best": 2.1,
        }
        | {"transfer": (second - 0.1 * seed) / (first - 0.1 * seed), "mig": migs.get(name, np.nan)}
        for seed in (0, 1)
        for name, (first, second) in values.items()
    ]
    return pd.DataFrame(rows)


def test_claims_compare_agents_of_the_same_seed() -> None:
    found = {each.claim.key: each.measured for each in Darla().judged_by(table())}
    assert found.keys() == {claim.key for claim in Darla().claims}
    assert {each.seeds for each in found.values()} == {2}
    assert found["ceiling"].value == pytest.approx((2.0 + 1.9) / 2 / 2.1)
    assert found["source_pixels"].value == pytest.approx((1.8 / 2.0 + 1.7 / 1.9) / 2)
    assert found["source_darla"].value == pytest.approx((1.6 / 2.0 + 1.5 / 1.9) / 2)
    assert found["transfer"].value == pytest.approx((1.4 / 1.6 + 1.3 / 1.5) / 2)
    assert found["over_pixels"].value == pytest.approx((1.4 / 1.6 - 0.9 / 1.8 + 1.3 / 1.5 - 0.8 / 1.7) / 2)
    assert found["over_entangled"].value == pytest.approx((1.4 / 1.6 - 1.2 / 1.7 + 1.3 / 1.5 - 1.1 / 1.6) / 2)
    assert found["disentangled"].value == pytest.approx(0.3)


def test_the_figure_has_a_line_for_every_seed_of_every_agent() -> None:
    (ax,) = returns(table()).axes
    lines = [list(line.get_ydata()) for line in ax.lines]
    assert len(lines) == 2 * len(AGENTS) + 1
    assert lines[0] == [2.0, 1.9]
    assert lines[-1] == [2.1, 2.1]


def test_its_runs_see_everything_but_the_target() -> None:
    plan = Darla().plan("nano")
    assert {(run.dataset, run.options["domain"]) for run in plan.runs} == {("collect", "seen")}
    assert {run.name: len(run.bases) for run in plan.runs} == {"denoiser": 0, "darla": 1, "entangled": 1}
