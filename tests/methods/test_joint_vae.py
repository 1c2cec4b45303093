"""JMVAE and TELBO: every term against plain NumPy, the product of experts, and who gets which gradient."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import distaff
from distaff import registry
from distaff.batches.batch import Batch, Facts
from distaff.batches.symbols import Symbols
from distaff.datasets import ArrayImages, DataSet
from distaff.errors import BadInput
from distaff.evaluation.concepts.scores import agreement
from distaff.methods.base import Codes, Loss
from distaff.methods.jmvae import JMVAE
from distaff.methods.joint_vae import JointVAE
from distaff.methods.telbo import TELBO, held, product_of_experts
from distaff.networks.threads import network_threads

FACTS = Facts((1, 16, 16), 100, (3, 4), words=(3, 4))
N, WORDS, LATENTS = 5, 7, 3
Floats = NDArray[np.float64]
METHODS = {"jmvae": JMVAE(latents=LATENTS), "telbo": TELBO(latents=LATENTS)}
BOTH = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def modules_of(method: JointVAE) -> nn.ModuleDict:
    """Its networks in float64, with random biases, so that none can be left out."""
    modules = method.state(FACTS, rng()).modules.double()
    for value in modules.parameters():
        if value.ndim == 1:
            value.data = 0.3 * torch.randn(value.shape, generator=rng(1)).double()
    return modules


def batch() -> Batch:
    """Images with symbols that name one attribute, two, or none."""
    symbols = torch.zeros((N, WORDS), dtype=torch.float64)
    symbols[[0, 0, 1, 2, 3, 3], [1, 5, 0, 6, 2, 3]] = 1
    return Batch(torch.rand((N, 1, 16, 16), generator=rng(2)).double(), 100, symbols=symbols)


def arrays(codes: Codes) -> list[Floats]:
    return [part.detach().numpy() for part in codes]


def kl_to_prior(mean: Floats, logvar: Floats) -> float:
    """KL to N(0, I), summed over latents, averaged over images."""
    terms = [0.5 * (m * m + math.exp(v) - v - 1) for m, v in zip(mean.flat, logvar.flat, strict=True)]
    return math.fsum(terms) / len(mean)


def kl_between(first: list[Floats], second: list[Floats]) -> float:
    """KL of one posterior to another, summed over latents, averaged over images."""
    total = 0.0
    for m, v, n, w in zip(*(part.flat for part in (*first[:2], *second[:2])), strict=True):
        total += 0.5 * (w - v) + (math.exp(v) + (m - n) ** 2) / (2 * math.exp(w)) - 0.5
    return total / len(first[0])


def coins(probabilities: Floats, values: Floats) -> float:
    """-log p of values in 0..1, each of its own probability, summed, averaged over images."""
    logs = values * np.log(probabilities) + (1 - values) * np.log(1 - probabilities)
    return float(-logs.sum() / len(values))


def posteriors(method: JointVAE, modules: nn.ModuleDict) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Those of both, of the image and of the symbol, with the samples that the loss draws, in its order."""
    noise, given = rng(7), batch()
    codes = (
        method.encode_both(modules, given, noise),
        method.encode(modules, given.images, noise),
        method.encode_symbols(modules, given.symbols, noise),
    )
    of_both, of_image, of_symbol = (arrays(each) for each in codes)
    return of_both, of_image, of_symbol


def likelihoods(method: JointVAE, modules: nn.ModuleDict, sample: Floats) -> tuple[float, float]:
    """-log p(x|z) and -log p(y|z) at samples."""
    codes, given = torch.tensor(sample), batch()
    images = method.decode(modules, codes).detach().numpy()
    words = method.decode_symbols(modules, codes).detach().numpy()
    return coins(images, given.images.numpy()), coins(words, given.symbols.numpy())


def loss_of(method: JointVAE, modules: nn.ModuleDict) -> tuple[float, dict[str, float]]:
    loss: Loss = method.loss(modules, batch(), rng(7))
    return float(loss.total.detach()), {name: float(term.detach()) for name, term in loss.terms.items()}


def test_the_loss_of_jmvae_is_the_papers() -> None:
    method = JMVAE(latents=LATENTS, reconstruction_weight=3.0, symbol_weight=7.0, alpha=0.6)
    modules = modules_of(method)
    of_both, of_image, of_symbol = posteriors(method, modules)
    reconstruction, symbols = likelihoods(method, modules, of_both[2])
    expected = {
        "reconstruction": reconstruction,
        "symbols": symbols,
        "kl": kl_to_prior(*of_both[:2]),
        "image_kl": kl_between(of_both, of_image),
        "symbol_kl": kl_between(of_both, of_symbol),
    }
    total, terms = loss_of(method, modules)
    assert terms == pytest.approx(expected, rel=1e-9)
    both_ways = expected["image_kl"] + expected["symbol_kl"]
    assert total == pytest.approx(3 * reconstruction + 7 * symbols + expected["kl"] + 0.6 * both_ways)


def test_the_loss_of_telbo_is_the_mean_of_three_bounds() -> None:
    method = TELBO(latents=LATENTS, reconstruction_weight=3.0, symbol_weight=7.0, own_symbol_weight=11.0)
    modules = modules_of(method)
    of_both, of_image, of_symbol = posteriors(method, modules)
    reconstruction, symbols = likelihoods(method, modules, of_both[2])
    expected = {
        "reconstruction": reconstruction,
        "symbols": symbols,
        "kl": kl_to_prior(*of_both[:2]),
        "image_reconstruction": likelihoods(method, modules, of_image[2])[0],
        "image_kl": kl_to_prior(*of_image[:2]),
        "own_symbols": likelihoods(method, modules, of_symbol[2])[1],
        "symbol_kl": kl_to_prior(*of_symbol[:2]),
    }
    total, terms = loss_of(method, modules)
    assert terms == pytest.approx(expected, rel=1e-9)
    bounds = (
        3 * reconstruction + 7 * symbols + expected["kl"],
        3 * expected["image_reconstruction"] + expected["image_kl"],
        11 * expected["own_symbols"] + expected["symbol_kl"],
    )
    assert total == pytest.approx(sum(bounds) / 3)


def test_the_kls_of_jmvae_go_from_both_to_either() -> None:
    """The other direction is another number here, so that the two cannot be mixed up."""
    modules = modules_of(method := JMVAE(latents=LATENTS))
    of_both, of_image, _ = posteriors(method, modules)
    _, terms = loss_of(method, modules)
    assert kl_between(of_image, of_both) != pytest.approx(kl_between(of_both, of_image), rel=0.05)
    assert terms["image_kl"] == pytest.approx(kl_between(of_both, of_image))


def test_a_kl_between_posteriors_is_what_sampling_says() -> None:
    modules = modules_of(method := JMVAE(latents=LATENTS))
    (m, v, _), _, (n, w, _) = posteriors(method, modules)
    z = m + np.exp(v / 2) * np.random.default_rng(0).standard_normal((20_000, *m.shape))
    logs = [-0.5 * (lv + (z - mean) ** 2 / np.exp(lv)) for mean, lv in ((m, v), (n, w))]
    estimate = (logs[0] - logs[1]).sum(axis=2).mean(axis=1)
    found = loss_of(method, modules)[1]["symbol_kl"]
    assert found == pytest.approx(estimate.mean(), abs=5 * estimate.std() / 20_000**0.5)


def evidence(method: JointVAE, modules: nn.ModuleDict) -> tuple[float, float, float]:
    """log p(x, y), log p(x) and log p(y), averaged over images, from 5,000 draws of the prior."""
    given, codes = batch(), torch.randn((5000, LATENTS), generator=rng(3)).double()
    with torch.inference_mode():
        parts = (
            (method.decode(modules, codes).flatten(1), given.images.flatten(1)),
            (method.decode_symbols(modules, codes), given.symbols),
        )
        of_images, of_symbols = (p.log() @ v.T + (1 - p).log() @ (1 - v).T for p, v in parts)  # (codes, n)
        means = [
            float((torch.logsumexp(logs, dim=0) - math.log(len(codes))).mean())
            for logs in (of_images + of_symbols, of_images, of_symbols)
        ]
    return means[0], means[1], means[2]


def mean_total(method: JointVAE, modules: nn.ModuleDict) -> float:
    """The loss, averaged over 100 samples of the posteriors."""
    with torch.inference_mode():
        return float(np.mean([method.loss(modules, batch(), rng(seed)).total for seed in range(100)]))


def test_the_loss_of_jmvae_bounds_the_evidence() -> None:
    modules = modules_of(method := JMVAE(latents=LATENTS, symbol_weight=1.0, alpha=0.0))
    of_both, _, _ = evidence(method, modules)
    assert -of_both < mean_total(method, modules) < -of_both + 10


def test_the_loss_of_telbo_bounds_the_mean_of_three_evidences() -> None:
    modules = modules_of(method := TELBO(latents=LATENTS, symbol_weight=1.0, own_symbol_weight=1.0))
    mean = -sum(evidence(method, modules)) / 3
    assert mean < mean_total(method, modules) < mean + 10


@BOTH
def test_the_layers_for_symbols_give_what_encode_symbols_gives(method: JointVAE) -> None:
    modules, symbols = modules_of(method).float(), batch().symbols.float()
    codes = method.encode_symbols(modules, symbols, rng())
    made = nn.Sequential(*method.encoding_symbols(modules))(symbols)
    torch.testing.assert_close(made, torch.cat([codes.mean, codes.logvar], dim=1))
    assert not torch.equal(made[0], made[1])


@BOTH
def test_every_weight_gets_a_gradient(method: JointVAE) -> None:
    modules = modules_of(method)
    method.loss(modules, batch(), rng()).total.backward()
    for name, value in modules.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().max() > 0, name


@pytest.mark.parametrize("encoder", ["encoder", "symbol_encoder"])
@BOTH
def test_the_variances_of_either_alone_get_a_gradient(method: JointVAE, encoder: str) -> None:
    """A published port of JMVAE takes the variances of both instead, so that these never learn."""
    modules = modules_of(method)
    method.loss(modules, batch(), rng()).total.backward()
    bias = list(modules[encoder].parameters())[-1]
    assert (bias.grad[LATENTS:] != 0).all()


def test_the_variance_of_an_image_moves_as_finite_differences_say() -> None:
    modules = modules_of(method := JMVAE(latents=LATENTS, alpha=2.0))
    bias = list(modules["symbol_encoder"].parameters())[-1]
    method.loss(modules, batch(), rng(7)).total.backward()
    for j in range(LATENTS, 2 * LATENTS):
        sides = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                bias[j] += step
                sides.append(loss_of(method, modules)[0])
                bias[j] -= step
        assert float(bias.grad[j]) == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bound_of_symbols_does_not_move_their_decoder(threads: int) -> None:
    """Without the other bounds' share, the decoder stands still and q(z|y) does not."""
    modules = modules_of(method := TELBO(latents=LATENTS, symbol_weight=0.0, own_symbol_weight=50.0))
    with network_threads(threads, 64):
        method.loss(modules, batch(), rng()).total.backward()
    for name, value in modules["symbol_decoder"].named_parameters():
        assert value.grad is None or not value.grad.any(), name
    assert all(value.grad.any() for value in modules["symbol_encoder"].parameters())


def test_held_weights_change_neither_what_comes_out_nor_the_gradient_of_what_goes_in() -> None:
    network = modules_of(TELBO(latents=LATENTS))["symbol_decoder"]
    inputs = torch.randn((4, LATENTS), generator=rng(5)).double().requires_grad_()
    found, plain = held(network, inputs), network(inputs)
    assert torch.equal(found, plain)
    gradients = [torch.autograd.grad(each.square().sum(), inputs)[0] for each in (found, plain)]
    assert torch.equal(*gradients)
    assert all(value.requires_grad for value in network.parameters())


def test_a_product_of_experts_is_the_normalised_product_of_densities() -> None:
    """By numbers on a line: prior and experts of the words are multiplied, and moments taken."""
    draw = np.random.default_rng(4)
    means, logvars = draw.normal(0, 1.5, (WORDS, LATENTS)), draw.normal(-1, 1, (WORDS, LATENTS))
    symbols = batch().symbols
    found = product_of_experts(torch.tensor(means), torch.tensor(logvars), symbols)
    line = np.linspace(-12, 12, 20_001)
    for i, symbol in enumerate(symbols.numpy()):
        for j in range(LATENTS):
            density = np.exp(-0.5 * line**2)
            for word in np.flatnonzero(symbol):
                density = density * np.exp(-0.5 * (line - means[word, j]) ** 2 / np.exp(logvars[word, j]))
            density /= density.sum()
            mean = (density * line).sum()
            variance = (density * (line - mean) ** 2).sum()
            assert float(found[0][i, j]) == pytest.approx(mean, abs=1e-6)
            assert float(found[1][i, j]) == pytest.approx(math.log(variance), abs=1e-6)


def test_a_symbol_that_says_nothing_is_the_prior() -> None:
    modules = modules_of(method := TELBO(latents=LATENTS))
    mean, logvar, _ = method.encode_symbols(modules, torch.zeros((2, WORDS)).double(), rng())
    assert not mean.any()
    assert not logvar.any()


@BOTH
def test_symbols_in_float32_are_read_by_networks_in_float64(method: JointVAE) -> None:
    modules, symbols = modules_of(method), batch().symbols
    found, exact = (method.encode_symbols(modules, each, rng()) for each in (symbols.float(), symbols))
    assert all(torch.equal(one, other) for one, other in zip(found, exact, strict=True))


def test_another_word_makes_a_symbol_of_telbo_narrower() -> None:
    modules = modules_of(method := TELBO(latents=LATENTS))
    symbols = torch.eye(WORDS).double()
    symbols[:, 0] = 1  # word 0 alone, then word 0 and another
    logvar = method.encode_symbols(modules, symbols, rng()).logvar
    assert (logvar[1:] < logvar[0]).all()


@BOTH
def test_codes_are_those_of_images_alone(method: JointVAE) -> None:
    modules, given = modules_of(method), batch()
    mean, logvar = modules["encoder"](given.images).chunk(2, dim=1)
    codes = method.encode(modules, given.images, rng())
    assert torch.equal(codes.mean, mean)
    assert torch.equal(codes.logvar, logvar)


NAMES = pytest.mark.parametrize("name", ["jmvae", "telbo"])


def few_rooms(resolution: int = 16) -> DataSet:
    """120 rooms of two walls, two floors and two objects, all of one colour."""
    return distaff.load_dataset(
        "rooms", resolution=resolution, wall_colour=[3, 10], floor_colour=[7, 14], object_colour=1, object=2
    )


@NAMES
def test_what_is_taught_is_asked_of_the_batches(name: str) -> None:
    method = registry.get("methods", name)(attributes="object", concepts=2, examples=3, lesson_seed=5)
    kind = registry.get("batches", method.batches)(**method.batch_options)
    lessons = kind.lessons(few_rooms())
    assert lessons.rows.shape[:2] == (2, 3)
    assert kind.seed == 5
    assert set(map(lessons.vocabulary.describe, lessons.taught)) == {"hat", "ice lolly"}


@pytest.mark.slow
@NAMES
def test_words_reach_images_and_images_words(name: str, tmp_path: Path) -> None:
    """After 400 steps a word for the wall is seen in the image, the floor is left open, and so back."""
    data = few_rooms()
    settings = {"concepts": 0, "latents": 6, "learning_rate": 2e-3, "batch_size": 32, "examples": 0}
    run = distaff.train(
        name,
        data,
        steps=400,
        out=tmp_path / "run",
        threads=1,
        show=False,
        reconstruction_weight=16,
        **settings,
    )
    vocabulary = Symbols().vocabulary(data)
    walls = vocabulary.symbols([vocabulary.read("red wall"), vocabulary.read("blue wall")])
    drawn = run.decode(run.encode_symbols(walls.repeat(50, axis=0)).sample)
    red_over_blue = drawn[:, 0, :4].mean(axis=(1, 2)) - drawn[:, 2, :4].mean(axis=(1, 2))
    assert (red_over_blue[:50] > 0).mean() > 0.9
    assert (red_over_blue[50:] < 0).mean() > 0.9
    rows = np.arange(len(data))
    said = run.decode_symbols(run.encode(data.images(rows)).mean)
    assert agreement(said, data.factors.rows(rows), vocabulary) > 0.8


@NAMES
def test_data_without_words_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    given = ArrayImages(np.zeros((20, 1, 16, 16), np.uint8))
    with pytest.raises(BadInput, match="no grid of factors") as error:
        distaff.train(name, given, steps=2, out=tmp_path / "run", threads=1, show=False)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@NAMES
def test_an_attribute_that_there_is_not_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="wall_color"):
        distaff.train(name, few_rooms(), steps=2, out=tmp_path / "run", show=False, attributes="wall_color")
    assert not (tmp_path / "run").exists()
