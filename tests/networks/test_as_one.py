"""Convolutions of networks that are run as one, against plain loops over their definition."""

from typing import Any

import numpy as np
import pytest
import torch

from distaff.errors import BadInput
from distaff.networks.as_one import WAYS, as_one, way
from distaff.networks.down_conv import DownConv
from distaff.networks.shifted import gathered, scattered
from distaff.networks.up_conv import UpConv

SIZES = [
    (1, 3, 4, 4),
    (3, 2, 3, 5),
    (5, 1, 2, 2),
    (5, 6, 3, 2),
]  # channels in and out, height and width of the smaller


def numbers(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(len(shape)).standard_normal(shape))


def looped_down(images: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    (b, _, h, w), o = images.shape, len(weight)
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    found = np.zeros((b, o, h // 2, w // 2))
    for y in range(h // 2):
        for x in range(w // 2):
            patch = padded[:, :, 2 * y : 2 * y + 4, 2 * x : 2 * x + 4]
            found[:, :, y, x] = np.einsum("bcij,ocij->bo", patch, weight) + bias
    return found


def looped_up(images: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    (b, _, h, w), o = images.shape, weight.shape[1]
    found = np.zeros((b, o, 2 * h + 2, 2 * w + 2))
    for y in range(h):
        for x in range(w):
            patch = np.einsum("bc,coij->boij", images[:, :, y, x], weight)
            found[:, :, 2 * y : 2 * y + 4, 2 * x : 2 * x + 4] += patch
    return found[:, :, 1:-1, 1:-1] + bias[:, None, None]


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(("c", "o", "h", "w"), SIZES)
def test_both_ways_are_the_convolution(name: str, c: int, o: int, h: int, w: int) -> None:
    large, small = numbers(2, c, 2 * h, 2 * w), numbers(2, c, h, w)
    down, up, bias = numbers(o, c, 4, 4), numbers(c, o, 4, 4), numbers(o)
    found = WAYS[name].down(large, down, bias)
    assert found.numpy() == pytest.approx(looped_down(large.numpy(), down.numpy(), bias.numpy()), abs=1e-12)
    found = WAYS[name].up(small, up, bias)
    assert found.numpy() == pytest.approx(looped_up(small.numpy(), up.numpy(), bias.numpy()), abs=1e-12)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("layer", [DownConv(5, 6).double(), UpConv(5, 6).double()])
def test_a_layer_takes_the_way_of_its_block_over_many_weights(name: str, layer: torch.nn.Module) -> None:
    images = numbers(4, 2, 5, 4, 6)  # of 4 networks
    many = {key: torch.stack([value + n for n in range(4)]) for key, value in layer.state_dict().items()}
    with as_one(name):
        assert way(torch.device("cpu")) is way(torch.device("cuda")) is WAYS[name]
        found = torch.vmap(lambda own, inputs: torch.func.functional_call(layer, own, (inputs,)))(
            many, images
        )
    assert way(torch.device("cpu")) is None
    assert way(torch.device("cuda")) is WAYS["mixed"]
    for n in range(4):
        own = {key: value[n] for key, value in many.items()}
        alone = torch.func.functional_call(layer, own, (images[n],))
        assert torch.allclose(found[n], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("layer", [DownConv(5, 6), UpConv(5, 6), DownConv(1, 6), UpConv(5, 1)])
def test_in_lower_precision_all_stays_low(name: str, layer: torch.nn.Module) -> None:
    images = numbers(2, layer.in_channels, 4, 6).float()
    with torch.autocast("cpu", torch.bfloat16):
        alone = layer(images)
        with as_one(name):
            found = layer(images)
    assert found.dtype == alone.dtype == torch.bfloat16
    assert torch.allclose(found.float(), alone.float(), rtol=0, atol=0.1)
    found.float().square().sum().backward()
    assert layer.weight.grad is not None


def test_another_way_is_an_error() -> None:
    with pytest.raises(BadInput, match="unknown way of convolutions 'fft'"), as_one("fft"):
        pass


@pytest.mark.parametrize("product", [gathered, scattered])
def test_gradients_of_shifted_products_are_those_of_finite_differences(product: Any) -> None:
    rows, matrices = numbers(7, 2).requires_grad_(), numbers(3, 2, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda *given: product(*given, (0, 1, 3)), (rows, matrices))
    many = [torch.stack([each, 2 * each]).detach().requires_grad_() for each in (rows, matrices)]
    over = torch.vmap(lambda *given: product(*given, (0, 1, 3)))
    assert torch.autograd.gradcheck(lambda *given: over(*given), many)


def test_shifted_products_are_their_sums() -> None:
    rows, matrices, shifts = numbers(5, 2), numbers(2, 2, 3), (0, 2)
    found, spread = gathered(rows, matrices, shifts), scattered(rows, matrices, shifts)
    for r in range(5):
        near = [(s, r + shift) for s, shift in enumerate(shifts) if r + shift < 5]
        assert torch.allclose(found[r], torch.stack([rows[k] @ matrices[s] for s, k in near]).sum(0))
        near = [(s, r - shift) for s, shift in enumerate(shifts) if r - shift >= 0]
        assert torch.allclose(spread[r], torch.stack([rows[k] @ matrices[s] for s, k in near]).sum(0))
