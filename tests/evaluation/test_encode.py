"""Codes of a whole data set against the weights of a linear encoder, in NumPy."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import kstest

import distaff
from distaff.evaluation.acting.returns import acting
from distaff.evaluation.encode import Encoding, encode_run
from distaff.training.run import ENCODE_BATCH, Run

DATA = distaff.load_dataset("digits")
LATENTS = 4


def run_of(folder: Path, method: str = "vae", **settings: object) -> Run:
    settings = {"latents": LATENTS, "network": "linear", "steps": 40, "learning_rate": 1e-2} | settings
    return distaff.train(method, DATA, out=folder, threads=1, show=False, **settings)


def by_hand(run: Run, rows: np.ndarray) -> np.ndarray:
    """What the encoder's one layer makes of images: their pixels in 0..1, times its weights."""
    (layer,) = (each for each in run.modules["encoder"].modules() if isinstance(each, torch.nn.Linear))
    weight, bias = (each.detach().double().numpy() for each in (layer.weight, layer.bias))
    return (DATA.images(rows).reshape(len(rows), -1) / 255) @ weight.T + bias


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("encode") / "run")


@pytest.fixture(scope="module")
def encoding(run: Run) -> Encoding:
    return encode_run(run, None, show=False)


def test_means_and_logvars_are_those_of_every_image(run: Run, encoding: Encoding) -> None:
    assert len(DATA) > 2 * ENCODE_BATCH
    assert encoding.rows.tolist() == list(range(len(DATA)))
    mean, logvar = np.split(by_hand(run, encoding.rows), 2, axis=1)
    np.testing.assert_allclose(encoding.mean, mean, atol=1e-5)
    np.testing.assert_allclose(encoding.logvar, logvar, atol=1e-5)
    assert mean.std(axis=0).min() > 0.1  # so that another image's would not do


def test_samples_are_drawn_from_the_posteriors(encoding: Encoding) -> None:
    deviation = np.exp(encoding.logvar.astype(np.float64) / 2)
    noise = (encoding.sample - encoding.mean) / deviation
    assert deviation.max() / deviation.min() > 1.2  # so that noise of one size would not do
    assert kstest(noise.ravel(), "norm").pvalue > 1e-3
    assert len(np.unique(noise.round(4), axis=0)) == len(noise)  # anew for every image
    correlation = np.corrcoef(noise.T) - np.eye(LATENTS)
    assert np.abs(correlation).max() < 5 / len(noise) ** 0.5


def test_some_images_have_the_codes_that_they_have_among_all(run: Run, encoding: Encoding) -> None:
    some = encode_run(run, rows=700, seed=5, show=False)
    assert len(np.unique(some.rows)) == 700
    np.testing.assert_allclose(some.mean, encoding.mean[some.rows], atol=1e-5)
    other = encode_run(run, rows=700, seed=6, show=False)
    assert not np.array_equal(some.rows, other.rows)
    again = encode_run(run, rows=700, seed=5, show=False)
    assert all(np.array_equal(one, two) for one, two in zip(some, again, strict=True))


def test_what_has_no_posterior_has_its_code_as_the_sample(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "autoencoder", activation="sigmoid")
    found = encode_run(run, None, show=False)
    assert found.logvar is None
    np.testing.assert_allclose(found.mean, expit(by_hand(run, found.rows)), atol=1e-5)
    assert np.array_equal(found.sample, found.mean)


def test_a_run_that_went_on_since_it_was_loaded_is_not_encoded(tmp_path: Path) -> None:
    first = run_of(tmp_path / "run")
    assert first.modules is not None
    run_of(tmp_path / "run", steps=60)
    with pytest.raises(distaff.BadInput, match="has 60 steps now, and 40 when it was loaded; load it again"):
        distaff.evaluate(first, metrics=["mcc"], rows=100, values_only=True, show=False)
    assert not (tmp_path / "run" / "encoding.npz").exists()
    encode_run(distaff.load_run(tmp_path / "run"), show=False)  # which keeps the codes
    for asked in (encode_run, distaff.evaluate, partial(acting, world="grid", steps=10)):
        with pytest.raises(distaff.BadInput, match="has 60 steps now, and 40 when it was loaded"):
            asked(first, show=False)
