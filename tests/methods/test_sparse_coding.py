"""ISTA, FISTA and dictionary learning against plain NumPy and the conditions of the minimum."""

from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.ista import correlation, fista, ista, lipschitz, objective, soft
from distaff.methods.sparse_coding import SparseCoding, descend, learn

PENALTY = 0.3


def problem(seed: int = 0, atoms: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Rows x (20, 8) and an overcomplete dictionary (8, 12) of unit columns."""
    rng = np.random.default_rng(seed)
    dictionary = rng.normal(size=(8, atoms))
    return rng.normal(size=(20, 8)), dictionary / np.linalg.norm(dictionary, axis=0)


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(a) for a in arrays]


def plain_ista(x: np.ndarray, dictionary: np.ndarray, iterations: int) -> np.ndarray:
    """One row and one coordinate at a time, as the formula has it."""
    step = 1 / np.linalg.norm(dictionary, 2) ** 2
    h = np.zeros((len(x), dictionary.shape[1]))
    for row, code in zip(x, h, strict=True):
        for _ in range(iterations):
            moved = code - step * dictionary.T @ (dictionary @ code - row)
            for j, v in enumerate(moved):
                code[j] = np.sign(v) * max(abs(v) - step * PENALTY, 0)
    return h


@pytest.mark.parametrize("atoms", [5, 12])
def test_ista_is_its_formula(atoms: int) -> None:
    x, dictionary = problem(atoms=atoms)
    assert float(lipschitz(torch.from_numpy(dictionary))) == pytest.approx(np.linalg.norm(dictionary, 2) ** 2)
    found = ista(*tensors(x, dictionary), PENALTY, 7)
    np.testing.assert_allclose(found, plain_ista(x, dictionary, 7), atol=1e-12)
    on = ista(*tensors(x, dictionary), PENALTY, 3, start=ista(*tensors(x, dictionary), PENALTY, 4))
    np.testing.assert_allclose(on, found, atol=1e-12)


def test_the_objective_is_its_formula() -> None:
    x, dictionary = problem()
    h = np.random.default_rng(1).normal(size=(20, 12))
    expected = [
        np.linalg.norm(a - dictionary @ b) ** 2 / 2 + PENALTY * np.abs(b).sum()
        for a, b in zip(x, h, strict=True)
    ]
    np.testing.assert_allclose(objective(*tensors(x, dictionary, h), PENALTY), expected)


@pytest.mark.parametrize("threshold", [0.5, torch.tensor(0.5)])
def test_soft_is_the_minimum_of_its_problem(threshold) -> None:
    values = torch.linspace(-2, 2, 9, dtype=torch.float64)
    grid = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    costs = (values[:, None] - grid).square() / 2 + 0.5 * grid.abs()
    torch.testing.assert_close(soft(values, threshold), grid[costs.argmin(1)], atol=1e-3, rtol=0)


@pytest.mark.parametrize(("algorithm", "iterations"), [(ista, 5000), (fista, 1500)])
def test_the_minimum_meets_its_conditions(algorithm, iterations: int) -> None:
    x, dictionary = tensors(*problem())
    h = algorithm(x, dictionary, PENALTY, iterations)
    slope = correlation(x, dictionary, h)
    np.testing.assert_allclose(slope, (x.numpy() - h.numpy() @ dictionary.numpy().T) @ dictionary.numpy())
    assert slope.abs().max() <= PENALTY * (1 + 1e-6)
    on = h != 0
    assert 0.1 < on.double().mean() < 0.9
    torch.testing.assert_close(slope[on], PENALTY * h[on].sign(), atol=1e-6, rtol=0)


def test_fista_is_ahead_of_ista() -> None:
    x, dictionary = tensors(*problem())
    best = objective(x, dictionary, fista(x, dictionary, PENALTY, 3000), PENALTY).mean()
    slow, fast = (
        objective(x, dictionary, f(x, dictionary, PENALTY, 50), PENALTY).mean() for f in (ista, fista)
    )
    assert best <= fast < best + 0.3 * (slow - best)


def test_a_pass_over_the_atoms_is_best_for_each_in_turn() -> None:
    x, dictionary = problem()
    h = np.random.default_rng(1).normal(size=(20, 12)) * (np.arange(12) != 4)  # the fifth is not used
    expected = dictionary.copy()
    for j in set(range(12)) - {4}:
        others = x - h @ expected.T + np.outer(h[:, j], expected[:, j])
        best = h[:, j] @ others / (h[:, j] @ h[:, j])
        expected[:, j] = best / max(np.linalg.norm(best), 1)
    found, rows, codes = tensors(dictionary, x, h)
    descend(found, codes.T @ codes / 20, rows.T @ codes / 20)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.linalg.norm(x - h @ expected.T) < np.linalg.norm(x - h @ problem()[1].T)


def test_atoms_that_are_not_used_start_again_from_rows() -> None:
    rows = torch.zeros(40, 6, dtype=torch.float64)
    rows[:, 0], rows[:, 1] = torch.randn(2, 40, generator=torch.Generator().manual_seed(0)).double()

    def only_the_first(x: torch.Tensor, dictionary: torch.Tensor) -> torch.Tensor:
        return (x @ dictionary) * (torch.arange(4) == 0)

    found = learn(rows, 4, 1, only_the_first, torch.Generator().manual_seed(0))
    later = learn(rows, 4, 2, only_the_first, torch.Generator().manual_seed(0))
    assert (found[:, 1:] - later[:, 1:]).abs().amax(0).min() > 1e-3
    torch.testing.assert_close(later.norm(dim=0)[1:], torch.ones(3, dtype=torch.float64))
    assert later[:2, 1:].norm(dim=0).min() > 0.9


def blends(count: int = 600) -> torch.Tensor:
    """Grey images (n, 1, 6, 6) with two bars each out of twelve, lighter or darker."""
    rng = np.random.default_rng(0)
    pixels = np.full((count, 6, 6), 0.5)
    for image in pixels:
        for bar in rng.choice(12, 2, replace=False):
            image[(slice(None), bar - 6) if bar > 5 else bar] += rng.choice((-1, 1)) * rng.uniform(0.1, 0.25)
    return torch.from_numpy(pixels).float()[:, None]


def test_it_finds_the_bars_that_images_are_made_of() -> None:
    images = blends()
    method = SparseCoding(latents=12, penalty=0.1, passes=30)
    state = method.state(Facts((1, 6, 6), 600), torch.Generator())
    terms = method.fit(state, Batch(images, 600), torch.Generator().manual_seed(0))
    atoms = method.atoms(state.modules).flatten(1).numpy()
    assert (np.linalg.norm(atoms, axis=1) <= 1 + 1e-6).all()
    bars = np.array([np.outer(np.eye(6)[k], np.ones(6)).ravel() for k in range(6)])
    bars = np.concatenate([bars, bars.reshape(6, 6, 6).transpose(0, 2, 1).reshape(6, 36)]) / np.sqrt(6)
    assert np.mean(np.abs(atoms @ bars.T).max(axis=0) > 0.95) >= 0.9
    codes = method.encode(state.modules, images, torch.Generator()).mean
    x = (images - images.mean(0)).flatten(1)
    assert terms["non_zeros"] == pytest.approx(float((codes != 0).sum(1).float().mean()), rel=0.02)
    error = float((x - codes @ torch.from_numpy(atoms)).square().sum(1).mean())
    assert terms["squared_error"] == pytest.approx(error, rel=1e-3)
    penalty = 0.1 * float(codes.abs().sum(1).mean())
    assert terms["objective"] == pytest.approx(error / 2 + penalty, rel=1e-3)
    assert 0.99 < terms["optimality"] < 1.01
    decoded = method.decode(state.modules, codes)
    assert float((decoded - images).square().mean()) < 0.1 * float(images.var())


def test_ista_and_fista_agree(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    runs = [
        distaff.train(
            "sparse_coding", data, latents=8, passes=2, algorithm=name, iterations=n, images=500,
            out=tmp_path / name, threads=1, show=False,
        )
        for name, n in (("ista", 2000), ("fista", 300))
    ]  # fmt: skip
    one, other = (run.encode(data.images(np.arange(50))).mean for run in runs)
    np.testing.assert_allclose(one, other, atol=2e-2)


def test_what_cannot_be_is_refused_before_training(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    with pytest.raises(BadInput, match="latents=64 is more than the 20 images"):
        distaff.train("sparse_coding", data, images=20, out=tmp_path / "run")
    with pytest.raises(BadInput, match=r"penalty=0\.0 is out of range; it must be more than 0"):
        distaff.train("sparse_coding", data, penalty=0, out=tmp_path / "run")
    with pytest.raises(BadInput, match="penalty='linear:0:1:10' is not allowed"):
        distaff.train("sparse_coding", data, penalty="linear:0:1:10", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("images", "penalty"), [(torch.full((50, 1, 6, 6), 0.3), 0.5), (blends(50), 1e3)])
def test_nothing_to_code_is_coded_as_nothing(images: torch.Tensor, penalty: float) -> None:
    method = SparseCoding(latents=4, penalty=penalty)
    state = method.state(Facts((1, 6, 6), 50), torch.Generator())
    terms = method.fit(state, Batch(images, 50), torch.Generator().manual_seed(0))
    assert np.isfinite(list(terms.values())).all()
    codes = method.encode(state.modules, images, torch.Generator()).mean
    assert not codes.any()
    torch.testing.assert_close(method.decode(state.modules, codes), images.mean(0).expand_as(images))
