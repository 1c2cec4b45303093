"""A relation network learns from a run, is kept, resumed and extended, and says how soon it learned."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group

import distaff
from distaff.errors import BadInput
from distaff.evaluation.reasoning import reasoner
from distaff.evaluation.reasoning.lesson import FILE, WEIGHTS, lines, read_reasoning, reasoning, spaced
from distaff.evaluation.reasoning.matrices import Matrices
from distaff.evaluation.reasoning.reasoner import Reasoner, sight_of
from distaff.factors import FactorSpace
from distaff.training.run import Run

SPACE = FactorSpace(("a", "b", "c", "d"), (4, 3, 3, 3))
GRID = {"resolution": 16, "x": 4, "y": 4, "orientation": 1, "scale": 3}
LITTLE = {"steps": 6, "every": 2, "seed": 100, "show": False}


def of_factors(path: Path, seed: int = 100, kind: str = "easy") -> Reasoner:
    return Reasoner(sight_of(SPACE.rows(np.arange(len(SPACE))), "factors"), Matrices(SPACE, kind), path, seed)


@pytest.fixture(autouse=True)
def few_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoner, "TESTED", 200)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    data = distaff.load_dataset("dsprites", **GRID)
    folder = tmp_path_factory.mktemp("runs") / "run"
    return distaff.train("beta_vae", data, latents=4, steps=5, seed=100, out=folder, threads=1, show=False)


@pytest.fixture
def copied(run: Run, tmp_path: Path) -> Run:
    shutil.copytree(run.folder, tmp_path / "run")
    return distaff.load_run(tmp_path / "run")


def test_it_learns_from_factors_and_not_from_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoner, "TESTED", 1000)
    learned = of_factors(tmp_path / "a").learn(300, 150, show=False)
    noise = np.zeros((len(SPACE), 4))
    blind = Reasoner(sight_of(noise, "nothing"), Matrices(SPACE), tmp_path / "b", 100)
    chance, error = 1 / 6, np.sqrt(5 / 36 / 1000)
    assert learned[1] > chance + 6 * error
    assert abs(blind.learn(20, 20, show=False)[0] - chance) < 4 * error


def plain_accuracy(network: Reasoner, matrices: Matrices, codes: np.ndarray) -> float:
    """The same number, a matrix and an answer at a time, from codes by row."""
    tested = matrices.draw(reasoner.TESTED, reasoner.derived(network.seed, "tested matrices"))
    table = {
        tuple(row): code for row, code in zip(SPACE.rows(np.arange(len(SPACE))).tolist(), codes, strict=True)
    }
    relations, right = network.state.modules["relations"], 0
    for context, answers, place in zip(
        tested.context.tolist(), tested.answers.tolist(), tested.right, strict=True
    ):
        seen = torch.tensor(np.array([table[tuple(row)] for row in context]), dtype=torch.float32)
        logits = [
            float(relations(seen[None], torch.tensor(table[tuple(row)], dtype=torch.float32)[None, None]))
            for row in answers
        ]
        right += int(np.argmax(logits)) == place
    return right / len(tested.right)


def test_accuracy_is_the_share_of_matrices_completed_rightly(tmp_path: Path) -> None:
    network = of_factors(tmp_path / "a")
    network.learn(60, 60, show=False)
    codes = SPACE.rows(np.arange(len(SPACE))).astype(float)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0).max()
    with torch.no_grad():
        assert network.accuracies == [plain_accuracy(network, network.matrices, codes)]


def test_codes_keep_their_shape_under_scaling() -> None:
    codes = np.array([[0.0, 1.0], [4.0, 1.5], [8.0, 2.0]]) * 10
    seen = sight_of(codes, "codes").look(np.array([2, 0])).numpy()
    deviation = np.std([0, 4, 8])
    np.testing.assert_allclose(seen, np.array([[4.0, 0.5], [-4.0, -0.5]]) / deviation, rtol=1e-6)
    turn = ortho_group.rvs(2, random_state=100)
    assert sight_of(codes @ turn, "codes").name != sight_of(codes, "codes").name
    assert not sight_of(np.full((3, 2), 7.0), "codes").look(np.arange(3)).any(), "dead codes stay dead"


def test_a_stopped_network_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_factors(tmp_path / "whole").learn(8, 2, show=False)
    stopped = of_factors(tmp_path / "stopped")
    learn, calls = Reasoner._learn_from, []

    def interrupted(self: Reasoner, drawn: object) -> None:
        calls.append(drawn)
        if len(calls) == 6:
            raise KeyboardInterrupt
        learn(self, drawn)

    monkeypatch.setattr(Reasoner, "_learn_from", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stopped.learn(8, 2, show=False)
    again = of_factors(tmp_path / "stopped")
    assert again.learn(8, 2, show=False) == whole
    assert len(calls) == 6 + 4, "it went on from step 4, where it was kept last"
    assert (tmp_path / "stopped").read_bytes() == (tmp_path / "whole").read_bytes()


def test_more_steps_go_on_and_another_task_begins_anew(tmp_path: Path) -> None:
    whole = of_factors(tmp_path / "whole").learn(8, 2, show=False)
    assert of_factors(tmp_path / "a").learn(4, 2, show=False) == whole[:2]
    assert of_factors(tmp_path / "a").learn(8, 2, show=False) == whole
    assert (tmp_path / "a").read_bytes() == (tmp_path / "whole").read_bytes()
    assert of_factors(tmp_path / "a").learn(4, 2, show=False) == whole[:2], "and none is taken back"
    for other in (of_factors(tmp_path / "a", seed=101), of_factors(tmp_path / "a", kind="hard")):
        assert other.learn(2, 2, show=False)
        assert other.step == 2


@pytest.mark.parametrize("seen", ["codes", "factors", "pixels"])
def test_what_is_found_is_kept_and_read(copied: Run, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = reasoning(copied, seen=seen, **LITTLE)
    assert found.steps == (2, 4, 6)
    assert found.grid == {"shape": 3, "scale": 3, "x": 4, "y": 4}
    assert len(found.accuracies) == 3
    assert found.mean == pytest.approx(sum(found.accuracies) / 3)
    assert read_reasoning(copied.folder) == found
    told = "\n".join(lines(found))
    assert f"{found.accuracies[0]:.3f}" in told
    assert f"{seen} are seen" in told
    weights = (copied.folder / WEIGHTS).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Reasoner, "learn", None)
        assert reasoning(copied, seen=seen, **LITTLE) == found
    assert (copied.folder / WEIGHTS).read_bytes() == weights
    (copied.folder / FILE).unlink()
    assert reasoning(copied, seen=seen, **{**LITTLE, "show": True}).accuracies == found.accuracies


def test_a_run_that_went_on_since_it_was_loaded_is_refused(copied: Run) -> None:
    settings = {"latents": 4, "seed": 100, "threads": 1, "show": False}
    distaff.train("beta_vae", copied.data, steps=6, out=copied.folder, **settings)
    with pytest.raises(BadInput, match="has 6 steps now, and 5 when it was loaded"):
        reasoning(copied, seen="factors", **LITTLE)


def test_in_a_folder_for_several_runs_each_has_its_own(copied: Run, run: Run, tmp_path: Path) -> None:
    other = distaff.train("beta_vae", run.data, latents=4, steps=5, seed=101, out=tmp_path / "b", show=False)
    found = [reasoning(each, out=tmp_path / "shared", **LITTLE) for each in (copied, other, copied)]
    assert found[0] == found[2] == reasoning(copied, **LITTLE)
    assert found[1] == reasoning(other, **LITTLE)
    assert read_reasoning(tmp_path / "shared") == found[2]


def test_panels_are_looked_up_by_their_cells(copied: Run, tmp_path: Path) -> None:
    """The codes of a matrix are those of its images, encoded one by one."""
    from distaff.evaluation.reasoning.lesson import _sight, matrices_of

    matrices, index = matrices_of(copied)
    drawn = matrices.draw(3, 100)
    cells = matrices.space.index(drawn.answers.reshape(-1, 4))
    sight = _sight(copied, "codes", matrices.space, index, False)
    every = copied.encode(copied.data.images(np.arange(len(copied.data)))).mean.astype(np.float64)
    shown = [copied.data.images([i]) for i in copied.data.factors.index(drawn.answers.reshape(-1, 4))]
    own = np.concatenate([copied.encode(image).mean for image in shown])
    expected = (own - every.mean(axis=0)) / every.std(axis=0).max()
    np.testing.assert_allclose(sight.look(cells).numpy(), expected, rtol=1e-3, atol=1e-4)
    pixels = _sight(copied, "pixels", matrices.space, index, False).look(cells).numpy()
    np.testing.assert_allclose(pixels, np.concatenate(shown) / 255, atol=1e-6)


def test_a_large_grid_keeps_evenly_spaced_values() -> None:
    space = FactorSpace(("a", "b", "c"), (3, 10, 7))
    same, everywhere = spaced(space, 210)
    assert same == space
    np.testing.assert_array_equal(everywhere, np.arange(210))
    part, index = spaced(space, 80)
    assert part.sizes == (3, 5, 5)
    rows = space.rows(index)
    assert [sorted(set(column)) for column in rows.T] == [[0, 1, 2], [0, 2, 4, 6, 8], [0, 1, 2, 4, 5]]
    np.testing.assert_array_equal(part.index(np.unique(part.rows(np.arange(75)), axis=0)), np.arange(75))


def test_training_further_forgets_it(copied: Run) -> None:
    reasoning(copied, **LITTLE)
    data = distaff.load_dataset("dsprites", **GRID)
    distaff.train("beta_vae", data, latents=4, steps=8, seed=100, out=copied.folder, threads=1, show=False)
    assert not (copied.folder / FILE).exists()
    assert not (copied.folder / WEIGHTS).exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seen": "pixel"}, "unknown thing to be seen 'pixel'; did you mean 'pixels'"),
        ({"answers": "hardest"}, "unknown kind of answers"),
        ({"steps": 7}, "steps=7 is not allowed; it must be a multiple of 2"),
        ({"steps": 0}, "steps=0 is not allowed"),
        ({"seed": -1}, "seed=-1 is not allowed"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(copied: Run, options: dict, message: str) -> None:
    before = sorted(path.name for path in copied.folder.iterdir())
    with pytest.raises(BadInput, match=message):
        reasoning(copied, **{**LITTLE, **options})
    assert sorted(path.name for path in copied.folder.iterdir()) == before


def test_a_grid_that_is_too_small_is_one_line(tmp_path: Path) -> None:
    small = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1, scale=1)
    run = distaff.train("beta_vae", small, steps=1, seed=100, out=tmp_path / "run", threads=1, show=False)
    with pytest.raises(BadInput, match=r"3 rules needs at least 4 factors .* has 3: shape, x, y"):
        reasoning(run, **LITTLE)
    hidden = distaff.load_dataset("dsprites", **GRID, hide=["x"])
    run = distaff.train("beta_vae", hidden, steps=1, seed=100, out=tmp_path / "hid", threads=1, show=False)
    with pytest.raises(BadInput, match="no grid of factors, of which matrices could be drawn"):
        reasoning(run, **LITTLE)
    assert not list(tmp_path.glob("*/reasoning*"))
