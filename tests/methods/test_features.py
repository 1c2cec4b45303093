"""A beta-VAE that compares images in the features of a finished run, by plain statements of its loss."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from distaff.batches.batch import Base, Batch, Facts
from distaff.errors import BadInput
from distaff.methods.autoencoder import Autoencoder, rectangles
from distaff.methods.base import Loss
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.features import LAYERS, feature_loss
from distaff.methods.frozen import frozen
from distaff.testing import check_method

SHAPE = (2, 8, 8)
PIXELS = 2 * 8 * 8
LINEAR = Autoencoder(latents=5, network="linear")
CONV = Autoencoder(latents=5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 6, seed: int = 1) -> Tensor:
    return torch.rand((n, *SHAPE), generator=generator(seed))


def on(base: Autoencoder) -> Facts:
    state = base.state(Facts(SHAPE, 100), generator(7))
    weights = {name: value + 0.01 for name, value in state.modules.state_dict().items()}
    return Facts(SHAPE, 100, bases={"features": Base(base, Facts(SHAPE, 100), weights)})


def loss(method: BetaVAE, facts: Facts) -> tuple[Loss, torch.nn.ModuleDict]:
    modules = method.state(facts, generator()).modules
    return method.loss(modules, Batch(images(), 100), generator(3)), modules


def test_the_loss_is_half_the_squared_distance_of_the_codes() -> None:
    method = BetaVAE(latents=3, beta=2.0, features="given", reconstruction_weight=3)
    found, modules = loss(method, on(LINEAR))
    codes = method.encode(modules, images(), generator(3))
    seen = torch.sigmoid(modules["decoder"](codes.sample)).detach().flatten(1).numpy()
    weight = modules["features"]["encoder"][1].weight.numpy()  # type: ignore[index]
    assert weight.shape == (5, PIXELS)
    difference = (seen - images().flatten(1).numpy()) @ weight.T
    expected = 0.5 * (difference**2).sum(axis=1).mean()
    assert found.terms["reconstruction"].item() == pytest.approx(expected, rel=1e-5)
    mean, logvar = codes.mean.detach().numpy(), codes.logvar.detach().numpy()
    kl = 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).sum(axis=1).mean()
    assert found.total.item() == pytest.approx(3 * expected + 2 * kl, rel=1e-5)


def test_a_layer_by_hand() -> None:
    base = frozen(on(CONV).bases["features"])
    x = images().to(memory_format=torch.channels_last)
    with torch.no_grad():
        hidden = x
        for layer in list(base["encoder"].children())[:-1]:
            hidden = layer(hidden)
        codes = base["encoder"](x)
        seen = torch.sigmoid(base["decoder"](codes)).flatten(1)
    for name, expected, size in (("hidden", hidden, 256), ("code", codes, 5), ("output", seen, PIXELS)):
        torch.testing.assert_close(LAYERS[name](base, x), expected)
        method = BetaVAE(features="given", feature_layer=name)
        assert method.compared_size(on(CONV)) == size == expected.shape[1]
    assert BetaVAE().compared_size(Facts(SHAPE, 100)) == PIXELS


@pytest.mark.parametrize("layer", LAYERS)
def test_its_gradient_is_that_of_finite_differences(layer: str) -> None:
    base = frozen(on(dataclasses.replace(CONV, activation="sigmoid")).bases["features"]).double()
    seen, wanted = images().double().requires_grad_(), images(seed=2).double()
    (gradient,) = torch.autograd.grad(feature_loss(base, layer, seen, wanted), seen)
    direction = torch.randn(seen.shape, generator=generator(5), dtype=torch.float64)
    step = 1e-6 * direction
    with torch.no_grad():
        up, down = (feature_loss(base, layer, seen + s, wanted) for s in (step, -step))
    assert (gradient * direction).sum().item() == pytest.approx(((up - down) / 2e-6).item(), rel=1e-4)


def test_the_decoder_learns_and_the_features_stay() -> None:
    method = BetaVAE(latents=3, features="given", learning_rate=1e-3)
    state = method.state(on(CONV), generator())
    before = {name: value.clone() for name, value in state.modules.named_parameters()}
    method.step(state, Batch(images(), 100), generator(3))
    for name, value in state.modules.named_parameters():
        assert torch.equal(value, before[name]) == name.startswith("features."), name


@pytest.mark.parametrize("layer", LAYERS)
def test_the_battery(layer: str) -> None:
    check_method(BetaVAE(features="an example", feature_layer=layer), steps=60)


def test_codes_are_decoded_to_what_the_finished_run_makes_of_them() -> None:
    method = BetaVAE(latents=3, features="given")
    modules = method.state(on(CONV), generator()).modules
    z = torch.randn((4, 3), generator=generator(2))
    with torch.no_grad():
        raw = torch.sigmoid(modules["decoder"](z))
        base = modules["features"]
        again = torch.sigmoid(base["decoder"](base["encoder"](raw)))  # type: ignore[index]
        torch.testing.assert_close(method.decode(modules, z), again)
        assert (again - raw).abs().max() > 0.01
        codes = method.encode(modules, images(), generator())
        with pytest.raises(BadInput, match="it gives images no likelihood"):
            method.log_weights(modules, images(), codes, generator())


def test_a_layer_needs_features() -> None:
    with pytest.raises(ValueError, match="feature_layer=hidden has no effect without features"):
        BetaVAE(feature_layer="hidden")


def test_one_rectangle_is_masked_inside_every_image() -> None:
    x = torch.ones(2000, 3, 12, 20)
    seen = Autoencoder(corruption="rectangle", corruption_level=0.5).corrupted(x, generator()).numpy()
    assert set(np.unique(seen)) == {0.0, 1.0}
    assert (seen == seen[:, :1]).all(), "all channels alike"
    heights, widths = [], []
    for hidden in 1 - seen[:, 0]:
        rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
        assert hidden.sum() == len(rows) * len(columns), "it is whole"
        if len(rows):
            assert rows[-1] - rows[0] + 1 == len(rows)
            assert columns[-1] - columns[0] + 1 == len(columns)
        heights.append(len(rows))
        widths.append(len(columns))
    counts = np.bincount(heights, minlength=7)[1:]
    assert len(counts) == 6, "up to half of 12 rows"
    assert max(widths) == 10, "up to half of 20 columns"
    # of heights 0 to 6 and widths 0 to 10 each, a rectangle is empty where one of them is 0
    expected = 2000 / 7 * 10 / 11
    assert (abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_a_rectangle_lies_anywhere() -> None:
    covered = rectangles(torch.ones(6000, 1, 3, 4), 0.34, generator())[:, 0].numpy()
    assert covered.sum(axis=(1, 2)).max() == 1, "a third of three rows is one, and of four columns too"
    expected = 6000 / 2 / 2 / 12  # a height of 1, a width of 1, one of twelve places
    assert (abs(covered.sum(axis=0) - expected) < 5 * np.sqrt(expected)).all()
