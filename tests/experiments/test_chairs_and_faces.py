"""Gaps of codes with known answers, the comparison with the best of the others, and a generator's lines."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import distaff
from distaff.experiments.chairs_and_faces import (
    ChairsAndFaces,
    between,
    described,
    drawn,
    factor_gaps,
    generated,
    nearest,
    over_others,
)
from distaff.factors import FactorSpace
from distaff.metrics.information import entropy
from distaff.training.run import Run


def test_the_gap_of_a_factor_is_what_its_best_latent_tells_more_than_the_second() -> None:
    space = FactorSpace(("a", "b", "c"), (4, 4, 2))
    factors = np.asarray(space.rows(np.arange(len(space))))
    a, b, c = factors.T
    latents = np.column_stack(
        [a, b, b // 2, np.zeros(len(a))]
    )  # the third has one of b's two bits, none has c
    bits = entropy(factors)
    assert factor_gaps(latents, factors, bits) == pytest.approx([1, 0.5, 0])
    assert np.mean(factor_gaps(latents, factors, bits)) == pytest.approx(
        distaff.metrics.mig(latents, factors)
    )
    assert factor_gaps(np.column_stack([a, a + 4 * c]), factors, bits) == pytest.approx([0, 0, 1])
    assert factor_gaps(latents, np.zeros_like(factors), bits) == pytest.approx([0, 0, 0]), "one image alone"


def test_an_image_has_the_factors_of_the_nearest_real_one() -> None:
    real = np.random.default_rng(100).random((6, 1, 4, 4))
    order = np.array([3, 3, 0, 5])
    assert nearest(real[order] + 0.01, real).tolist() == order.tolist()


def test_beta_vae_is_compared_with_the_best_of_the_others_of_its_seed() -> None:
    values = {"beta-VAE": (0.5, 0.2), "VAE": (0.1, 0.6), "InfoGAN": (0.4, 0.1), "GAN": (0.2, 0.3)}
    rows = pd.DataFrame(
        [(model, seed, each[seed]) for model, each in values.items() for seed in (0, 1)],
        columns=["model", "seed", "legs"],
    ).set_index("seed")
    assert over_others(rows, "legs") == pytest.approx([0.1, -0.4])


def trained(folder: Path, method: str, **settings: object) -> Run:
    data = distaff.load_dataset("chairs3d", resolution=16, seat_width=1, back_height=1, back=1, arms=1)
    return distaff.train(method, data, seed=3, out=folder, threads=1, show=False, **settings)


def test_a_generator_is_described_and_drawn_between_its_latents(tmp_path: Path) -> None:
    run = trained(tmp_path / "gan", "info_gan", categorical=0, latents=5, steps=2, batch_size=16)
    found = described(run)
    assert [found["data"], found["seed"]] == ["chairs", 3]
    assert found["MIG"] == pytest.approx(np.mean([found[name] for name in ("legs", "azimuth", "elevation")]))
    assert 0 <= found["MIG"] < 0.1
    assert found["interpolation"] > 0
    assert 0 < found["variety"] < 1, "a new generator makes nearly one image"
    latents = drawn(run, 4)
    assert latents.shape == (4, 5 + 62)
    assert np.abs(latents).max() <= 1
    made = generated(run, latents)
    with torch.inference_mode():
        plain = run.method.generate(
            run.modules, torch.from_numpy(latents[:, :5]), torch.from_numpy(latents[:, 5:])
        )
    assert made == pytest.approx(plain.numpy())
    assert made.shape == (4, 1, 16, 16)
    line = between(run, 2, 3)
    assert line[[0, 2, 3, 5]] == pytest.approx(made, abs=1e-5), "a row begins and ends at what was drawn"
    assert line[1] == pytest.approx(generated(run, latents[:2].mean(axis=0)[None])[0], abs=1e-5)


def test_a_vae_is_drawn_from_its_prior_and_every_claim_is_one_that_is_judged(tmp_path: Path) -> None:
    run = trained(tmp_path / "vae", "vae", latents=4, steps=2, batch_size=16)
    latents = drawn(run, 4000)
    assert latents.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.1)
    assert np.cov(latents.T) == pytest.approx(np.eye(4), abs=0.1)
    assert generated(run, latents[:3]) == pytest.approx(run.decode(latents[:3]))
    of_data = {f"{data}_{key}" for data in ("chairs", "faces") for key in ("mig", "info_gan", "gan")}
    assert {claim.key for claim in ChairsAndFaces().claims} == of_data | {"legs"}
