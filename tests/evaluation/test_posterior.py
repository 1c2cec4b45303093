"""What latents carry; and bounds on log p(x) against integrals over a grid of codes, in NumPy."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, logsumexp
from scipy.stats import norm

import distaff
from distaff.batches.batch import Batch
from distaff.cli import app
from distaff.errors import BadInput
from distaff.evaluation.decomposition import total_correlation
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.posterior import (
    active,
    carried,
    informative,
    latent_kl,
    likelihood,
    log_likelihood_bound,
    of_the_model,
    reconstruction,
)
from distaff.metrics.posterior import latent_information
from distaff.training.run import Run

METHODS = [
    ("vae", {"likelihood": "bernoulli"}),
    ("vae", {"likelihood": "gaussian"}),
    ("beta_vae", {"beta": 4.0}),
    ("deep_vae", {"layers": 2, "upper_latents": 1, "likelihood": "bernoulli"}),
    ("deep_vae", {"layers": 2, "upper_latents": 1, "likelihood": "gaussian"}),
]
DATA = distaff.load_dataset("digits")
IMAGE = DATA.images(np.array([700]))
GRID = np.linspace(-20, 20, 1601)  # of every code


def untrained(folder: Path, name: str, **settings) -> Run:
    """A run of random weights, so large that codes matter to images, and a layer to the one below."""
    run = distaff.train(name, DATA, steps=0, out=folder, network="linear", threads=1, show=False, **settings)
    for part, module in run.modules.items():
        if part != "encoder":
            list(module.parameters())[-2].data *= 2  # the weights of its last layer
    return run


def linear(module, values: np.ndarray) -> np.ndarray:
    (layer,) = (each for each in module.modules() if isinstance(each, torch.nn.Linear))
    weight, bias = (each.detach().double().numpy() for each in (layer.weight, layer.bias))
    return values @ weight.T + bias


def between(module, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (n,) of a code of one number, of those of a neighbouring layer (n,)."""
    first, _, last = module
    hidden = np.tanh(linear(first, values[:, None]))
    mean, logvar = linear(last, hidden).T
    return mean, np.exp(logvar / 2)


def exact(run: Run, pixels: np.ndarray) -> tuple[float, float]:
    """log p(x) and the ELBO of one image by sums over the grid; rows are h_1, columns h_2."""
    step, image = GRID[1] - GRID[0], pixels.reshape(1, -1) / 255
    logits = linear(run.modules["decoder"], GRID[:, None])
    of_pixels = (
        image * logits - np.logaddexp(0, logits)
        if run.method.likelihood == "bernoulli"
        else norm.logpdf(image, expit(logits))
    )
    of_image = of_pixels.sum(axis=1)
    mean, logvar = linear(run.modules["encoder"], image)[0]
    q1 = norm.logpdf(GRID, mean, np.exp(logvar / 2))
    if "generate_1" not in run.modules:
        joint, q, cell = of_image + norm.logpdf(GRID), q1, step
    else:
        mean, deviation = between(run.modules["generate_1"], GRID)
        of_codes = norm.logpdf(GRID) + norm.logpdf(GRID[:, None], mean, deviation)
        mean, deviation = between(run.modules["recognise_1"], GRID)
        q2 = norm.logpdf(GRID, mean[:, None], deviation[:, None])
        joint, q, cell = of_image[:, None] + of_codes, q1[:, None] + q2, step**2
    assert np.exp(q).sum() * cell == pytest.approx(1, abs=1e-4), "the grid holds the posterior"
    return logsumexp(joint) + np.log(cell), float((np.exp(q) * (joint - q)).sum() * cell)


@pytest.mark.parametrize(("name", "settings"), METHODS)
def test_against_the_exact_likelihood(tmp_path: Path, name: str, settings: dict) -> None:
    run = untrained(tmp_path / "run", name, latents=1, **settings)
    truth, elbo = exact(run, IMAGE)
    assert truth - elbo > 0.2  # nats: enough to tell them apart
    same = np.repeat(IMAGE, 20_000, axis=0)
    ones = log_likelihood_bound(run, same, samples=1)
    error = ones.std() / len(ones) ** 0.5
    assert ones.mean() == pytest.approx(elbo, abs=4 * error)
    assert ones.mean() + 4 * error < truth
    many = log_likelihood_bound(run, same[:100], samples=2000)
    assert many.mean() == pytest.approx(truth, abs=0.03)
    losses = training_losses(run, same)
    assert losses.mean() == pytest.approx(-elbo, abs=4 * losses.std() / len(losses) ** 0.5)


def training_losses(run: Run, same: np.ndarray) -> np.ndarray:
    """The loss of batches of an image, at beta = 1."""
    method = run.method
    method = dataclasses.replace(method, beta=1.0) if hasattr(method, "beta") else method
    batches = torch.from_numpy(same / 255).float().split(400)
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return np.array([float(method.loss(run.modules, Batch(x, 100), generator).total) for x in batches])


def test_one_layer_is_the_vae_and_more_samples_are_a_higher_bound(tmp_path: Path) -> None:
    images = DATA.images(np.arange(600))  # more than one batch
    bounds = {}
    for name, settings in (("vae", {}), ("deep_vae", {"layers": 1})):
        run = untrained(tmp_path / name, name, latents=3, **settings)
        bounds[name] = [log_likelihood_bound(run, images, k, seed=2) for k in (1, 5, 25)]
    assert np.array_equal(bounds["vae"], bounds["deep_vae"])
    assert np.shape(bounds["vae"]) == (3, 600)
    one, five, many = np.mean(bounds["vae"], axis=1)
    assert one < five < many


def test_of_every_vae_from_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    untrained(folder, "factor_vae")
    app(["evaluate", str(folder), "--likelihood", "--rows", "40", "--json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((folder / "likelihood.json").read_text()) == likelihood(folder, images=40)
    assert (found["images"], found["samples"]) == (40, 100)
    assert found["elbo"] < found["bound"] < 0
    app(["evaluate", str(folder), "--likelihood"], standalone_mode=False)
    assert "nats per image, 1,000 images" in capsys.readouterr().out
    with pytest.raises(BadInput, match="--likelihood takes --rows and --seed alone"):
        app(["evaluate", str(folder), "--likelihood", "--metric", "mig"], standalone_mode=False)
    distaff.train("factor_vae", DATA, steps=1, out=folder, network="linear", threads=1, show=False)
    assert not (folder / "likelihood.json").exists()  # it spoke of the shorter run


def test_what_is_no_vae_has_no_likelihood(tmp_path: Path) -> None:
    run = distaff.train("pca", "digits", images=300, out=tmp_path / "run", threads=1, show=False)
    with pytest.raises(BadInput, match="pca is not a VAE"):
        log_likelihood_bound(run, IMAGE)


RNG = np.random.default_rng(0)
MEAN = (RNG.standard_normal((500, 3)) * [3, 0.2, 0.4] + 7).astype(np.float32)
ROWS = np.arange(500)


def test_without_a_posterior_variances_order_the_latents() -> None:
    encoding = Encoding(ROWS, MEAN, None, MEAN)
    assert latent_kl(encoding) is None
    np.testing.assert_allclose(carried(encoding), MEAN.astype(np.float64).var(axis=0))
    assert active(encoding).tolist() == [True, False, True]  # variances near 9, .04 and .16
    tiny = Encoding(ROWS, 1e-4 * MEAN, None, 1e-4 * MEAN)
    assert active(tiny).tolist() == [True, False, True]  # whatever the unit of the codes is
    assert not active(Encoding(ROWS, 0 * MEAN, None, 0 * MEAN)).any()


def test_with_a_posterior_nats_order_the_latents() -> None:
    mean = np.tile(np.float32([2, 0, 0.4]), (500, 1))
    encoding = Encoding(ROWS, mean, np.zeros_like(mean), mean)
    assert carried(encoding) == pytest.approx([2, 0, 0.08])
    np.testing.assert_array_equal(carried(encoding), latent_kl(encoding))
    assert active(encoding).tolist() == [True, False, True]
    just_below = Encoding(ROWS, mean / 2, np.zeros_like(mean), mean)
    assert active(just_below).tolist() == [True, False, False]  # .02 nats


def test_a_posterior_that_is_the_same_for_all_images_is_active_and_tells_nothing() -> None:
    spread = np.linspace(-1, 1, 500)
    spread /= spread.std()
    varied = 0.6 * spread  # of .36 + .64 = 1: -log(.64) / 2 = .223 nats, all of its KL
    mean = np.stack([np.full(500, 3.0), 0 * spread, varied], axis=1)
    logvar = np.log(np.tile([1.0, 0.04, 0.64], (500, 1)))
    assert latent_information(mean, logvar) == pytest.approx([0, 0, -np.log(0.64) / 2])
    encoding = Encoding(ROWS, mean.astype(np.float32), logvar.astype(np.float32), mean.astype(np.float32))
    assert active(encoding).tolist() == [True, True, True]
    assert informative(encoding).tolist() == [False, False, True]
    assert latent_kl(encoding)[2] == pytest.approx(-np.log(0.64) / 2)


def gaussian(module, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances (n, d) of a layer, of a neighbouring one's codes."""
    first, _, last = module
    mean, logvar = np.split(linear(last, np.tanh(linear(first, values))), 2, axis=1)
    return mean, logvar


def kl_by_hand(run: Run, encoding: Encoding) -> np.ndarray:
    """log q(h|x) - log p(h) of every image (n,), in closed form for the last layer, at samples below it."""
    mean, logvar, h1 = (part.astype(np.float64) for part in encoding[1:])
    below = np.zeros(len(mean))
    if "generate_1" in run.modules:
        below = norm.logpdf(h1, mean, np.exp(logvar / 2)).sum(axis=1)
        mean, logvar = gaussian(run.modules["recognise_1"], h1)
        h2 = mean + np.exp(logvar / 2) * np.random.default_rng(0).standard_normal(mean.shape)
        prior_mean, prior_logvar = gaussian(run.modules["generate_1"], h2)
        below -= norm.logpdf(h1, prior_mean, np.exp(prior_logvar / 2)).sum(axis=1)
    return below + 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).sum(axis=1)


@pytest.mark.parametrize(("name", "settings"), METHODS)
def test_a_model_is_measured_by_its_own_likelihood_and_all_its_layers(
    tmp_path: Path, name: str, settings: dict
) -> None:
    run = untrained(tmp_path / "run", name, latents=3, **settings)
    encoding = encode_run(run, None, show=False)
    found = of_the_model(run, encoding)
    assert found["elbo"] == -found["reconstruction"] - found["kl"]
    assert found["total_correlation"] == total_correlation(encoding.sample, encoding.mean, encoding.logvar)
    assert found["active"] == (latent_kl(encoding) > 0.05).sum()
    assert found["informative"] == (latent_information(encoding.mean, encoding.logvar) > 0.05).sum()
    each = kl_by_hand(run, encoding)
    error = each.std() / len(each) ** 0.5 if "generate_1" in run.modules else 0  # only h_2 is drawn again
    assert found["kl"] == pytest.approx(each.mean(), rel=1e-5, abs=4 * error)
    assert error < 0.05 * found["kl"]
    encoding = encode_run(run, 5, show=False)
    logits = linear(run.modules["decoder"], encoding.sample.astype(np.float64))
    x = DATA.unit_images(encoding.rows).reshape(5, -1).astype(np.float64)
    of_pixels = np.logaddexp(0, logits) - x * logits
    if run.method.likelihood == "gaussian":
        of_pixels = -norm.logpdf(x, expit(logits))
    assert of_the_model(run, encoding)["reconstruction"] == pytest.approx(of_pixels.sum() / 5, rel=1e-5)


def test_what_has_no_posterior_has_a_reconstruction_alone(tmp_path: Path) -> None:
    run = distaff.train("pca", "digits", images=300, out=tmp_path / "run", threads=1, show=False)
    encoding = encode_run(run, 700, show=False)  # more than one batch
    p = run.decode(encoding.sample).astype(np.float64).clip(1e-7, 1 - 1e-7)
    x = run.data.unit_images(encoding.rows)
    expected = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / 700
    live = float(active(encoding).sum())
    assert of_the_model(run, encoding) == {
        "reconstruction": pytest.approx(expected),
        "active": live,
        "informative": live,
    }
    assert reconstruction(run, encoding.rows[:3], encoding.sample[:3]) > 0


@pytest.mark.parametrize("method", ["vae", "autoencoder"])
def test_a_run_is_judged_at_the_end_of_its_schedules(method: str, tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1, scale=2)
    runs = [
        distaff.train(method, data, likelihood="gaussian", sigma=sigma, steps=2, out=tmp_path / str(n),
                      threads=1, show=False)
        for n, sigma in enumerate(("linear:1:0.5:2", "constant:1:0.5:1"))
    ]  # fmt: skip
    encoding = encode_run(runs[0], 50, show=False)
    ended = dataclasses.replace(runs[0], method=dataclasses.replace(runs[0].method, sigma=0.5))
    assert of_the_model(runs[0], encoding) == of_the_model(ended, encoding)
    if method == "vae":
        assert likelihood(runs[0], images=5, samples=2)["elbo"] < 0
