"""PCA, ICA and raw pixels against statements of their own."""

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Fitted
from distaff.methods.ica import ICA
from distaff.methods.pca import PCA
from distaff.methods.raw import Raw

FACTS = Facts((1, 6, 6), 500)


def fitted(method: Fitted, images: torch.Tensor):
    state = method.state(FACTS, torch.Generator().manual_seed(0))
    terms = method.fit(state, Batch(images, len(images)), torch.Generator().manual_seed(0))
    return state.modules, terms


def blends(sources: np.ndarray) -> torch.Tensor:
    """Images (n, 1, 6, 6) in 0..1 that mix sources (n, 3)."""
    mixing = np.random.default_rng(1).normal(size=(3, 36))
    pixels = sources @ mixing
    pixels = 0.5 + 0.4 * pixels / np.abs(pixels).max()
    return torch.from_numpy(pixels).float().reshape(-1, 1, 6, 6)


def test_pca_is_the_eigenvectors_of_the_covariance() -> None:
    images = blends(np.random.default_rng(0).normal(size=(500, 3)) * (3.0, 2.0, 1.0))
    modules, terms = fitted(PCA(latents=3), images)
    pixels = images.flatten(1).double().numpy()
    values, vectors = np.linalg.eigh(np.cov(pixels.T))
    codes = PCA(latents=3).encode(modules, images, torch.Generator()).mean.numpy()
    expected = (pixels - pixels.mean(axis=0)) @ vectors[:, ::-1][:, :3]
    assert np.abs(np.abs(codes) - np.abs(expected)).max() < 1e-5
    assert np.allclose(codes.var(axis=0, ddof=1), values[::-1][:3], rtol=1e-4)
    assert terms["squared_error"] == pytest.approx(0, abs=1e-9)  # three sources, three components
    back = PCA(latents=3).decode(modules, torch.from_numpy(codes))
    assert (back - images).abs().max() < 1e-5


def test_pca_error_is_the_variance_of_what_is_left_out() -> None:
    images = torch.rand((400, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    _, terms = fitted(PCA(latents=5), images)
    values = np.linalg.eigvalsh(np.cov(images.flatten(1).double().numpy().T, ddof=0))
    assert terms["squared_error"] == pytest.approx(values[:-5].sum(), rel=1e-6)


@pytest.mark.parametrize(("kind", "low", "high"), [("laplace", 0.97, 1.0), ("normal", 0.0, 0.95)])
def test_ica_finds_independent_sources_unless_they_are_gaussian(kind: str, low: float, high: float) -> None:
    sources = getattr(np.random.default_rng(2), kind)(size=(5000, 3))
    images = blends(sources)
    method = ICA(latents=3)
    modules, _ = fitted(method, images)
    codes = method.encode(modules, images, torch.Generator()).mean.numpy()
    found = np.abs(np.corrcoef(codes.T, sources.T)[:3, 3:]).max(axis=0)
    assert low <= found.min() <= high
    assert np.allclose(np.cov(codes.T), np.eye(3), atol=2e-3)
    assert (method.decode(modules, torch.from_numpy(codes)) - images).abs().max() < 1e-4


def test_raw_codes_are_the_pixels() -> None:
    images = torch.rand((20, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    modules, terms = fitted(Raw(), images)
    codes = Raw().encode(modules, images, torch.Generator()).mean
    assert torch.equal(codes, images.flatten(1))
    assert torch.equal(Raw().decode(modules, codes), images)
    assert terms["variance"] == pytest.approx(images.flatten(1).numpy().var(axis=0).sum(), rel=1e-5)


def test_latents_of_raw_pixels_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="latents=3 has no effect"):
        distaff.train("raw", "digits", latents=3, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_more_components_than_pixels_are_refused(tmp_path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    with pytest.raises(BadInput, match="latents=300 is more than the 256 pixels"):
        distaff.train("pca", data, latents=300, out=tmp_path / "run")
    with pytest.raises(BadInput, match="latents=30 is more than the 20 images"):
        distaff.train("ica", data, latents=30, images=20, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_ica_has_no_more_latents_than_its_pixels_have_directions(tmp_path) -> None:
    data = distaff.load_dataset("digits")  # 8 x 8 pixels, drawn larger; three of them are always black
    with pytest.raises(BadInput, match="latents=62 is more than the 61 directions in which pixels vary"):
        distaff.train("ica", data, latents=62, out=tmp_path / "run", show=False)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
    run = distaff.train("ica", data, latents=61, iterations=5, out=tmp_path / "run", show=False)
    assert run.history()[-1]["squared_error"] < 1e-6
    codes = run.encode(data.images(np.arange(len(data)))).mean
    assert np.allclose(codes.std(axis=0), 1, atol=0.2)  # fitted to a sample of them


def test_ica_keeps_what_pca_keeps_where_the_first_pixel_is_black() -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    images = torch.from_numpy(data.unit_images(np.arange(len(data)))).float()
    assert images[:, 0, 0, 0].max() == 0
    errors = []
    for method in (ICA(latents=10, iterations=5), PCA(latents=10)):
        state = method.state(Facts((1, 16, 16), len(images)), torch.Generator())
        terms = method.fit(state, Batch(images, len(images)), torch.Generator().manual_seed(0))
        errors.append(terms["squared_error"])
        if isinstance(method, ICA):
            codes = method.encode(state.modules, images, torch.Generator()).mean.numpy()
            assert np.allclose(np.cov(codes.T, ddof=0), np.eye(10), atol=1e-4)
    assert errors[0] == pytest.approx(errors[1], rel=1e-9)


def test_pca_with_more_latents_than_directions_leaves_the_others_constant() -> None:
    images = blends(np.random.default_rng(0).normal(size=(500, 3)))
    modules, terms = fitted(PCA(latents=5), images)
    assert terms["squared_error"] == pytest.approx(0, abs=1e-9)
    codes = PCA(latents=5).encode(modules, images, torch.Generator()).mean
    assert (codes.std(dim=0) > 1e-4).tolist() == [True] * 3 + [False] * 2


def test_a_fitted_run_ignores_steps_and_is_the_same_again(tmp_path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    one = distaff.train("pca", data, steps=5, latents=4, out=tmp_path / "one", show=False)
    other = distaff.train("pca", data, steps=50, latents=4, out=tmp_path / "other", show=False)
    files = [(run.folder / "model.safetensors").read_bytes() for run in (one, other)]
    assert files[0] == files[1]
    assert one.history()[-1]["squared_error"] > 0
