"""What methods are made for, seen in seconds at 16 pixels; the experiment mechanisms is the long version."""

from pathlib import Path

import numpy as np
import pytest

import distaff

pytestmark = pytest.mark.slow  # hundreds of steps each
#: 384 images: 6 scales, 8 x 8 places of a square
GRID = {"resolution": 16, "shape": 1, "orientation": 1, "x": 8, "y": 8}


def trained(out: Path, method: str, steps: int = 600, **settings: object) -> distaff.Run:
    data = distaff.load_dataset("dsprites", **GRID)
    given = {"learning_rate": 1e-3, "latents": 6} | settings
    return distaff.train(method, data, steps=steps, out=out, threads=1, show=False, **given)


def covariances(run: distaff.Run) -> tuple[np.ndarray, np.ndarray]:
    """Of the means over the whole grid, and the mean posterior variances."""
    codes = run.encode(run.data.images(np.arange(len(run.data))))
    return np.cov(codes.mean.T, bias=True), np.exp(codes.logvar).mean(axis=0)


@pytest.mark.parametrize("method", ["dip_vae_i", "dip_vae_ii"])
def test_dip_vae_has_nearly_an_identity_for_its_covariance(method: str, tmp_path: Path) -> None:
    def farthest(run: distaff.Run) -> float:
        means, variances = covariances(run)
        matrix = means + np.diag(variances) if method == "dip_vae_ii" else means
        return float(np.abs(matrix - np.eye(len(matrix))).max())

    control = farthest(trained(tmp_path / "vae", "vae"))
    assert farthest(trained(tmp_path / method, method)) <= min(0.2, control / 2)


def test_annealed_vae_follows_its_capacity(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", "annealed_vae", capacity="linear:0:6:500", gamma=30)
    for line in run.history()[1:]:
        assert line["kl"] == pytest.approx(line["capacity"], abs=0.5)
    reconstruction = [line["reconstruction"] for line in run.history()]
    assert reconstruction[-1] < reconstruction[0] / 2  # it is filled with what the decoder needs


def test_beta_tc_vae_keeps_more_of_the_kl_than_beta_vae(tmp_path: Path) -> None:
    kl = [trained(tmp_path / name, name, beta=8).history()[-1]["kl"] for name in ("beta_tc_vae", "beta_vae")]
    assert kl[0] > kl[1] + 1


def test_the_label_term_gives_latents_their_factors(tmp_path: Path) -> None:
    found = []
    for weight in (0, 64):
        given = {"label_loss": "cross_entropy", "labelled_images": 100, "label_weight": weight}
        run = trained(tmp_path / str(weight), "beta_vae", beta=0.5, **given)
        rows = np.arange(len(run.data))
        codes, factors = run.encode(run.data.images(rows)).mean, run.data.labels(rows)
        found.append(min(abs(np.corrcoef(codes[:, j], factors[:, j])[0, 1]) for j in range(3)))
    assert found[1] > 0.8 > found[0]
