"""Convolutions of networks that are run as one, against plain loops over their definition."""

import numpy as np
import pytest
import torch

from distaff.errors import BadInput
from distaff.networks.as_one import WAYS, as_one, way
from distaff.networks.down_conv import DownConv
from distaff.networks.up_conv import UpConv

SIZES = [(1, 3, 4, 4), (3, 2, 3, 5), (5, 1, 2, 2)]  # channels in and out, height and width of the smaller


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
@pytest.mark.parametrize("layer", [DownConv(3, 2).double(), UpConv(3, 2).double()])
def test_a_layer_takes_the_way_of_its_block_over_many_weights(name: str, layer: torch.nn.Module) -> None:
    images = numbers(4, 2, 3, 4, 6)  # of 4 networks
    many = {key: torch.stack([value + n for n in range(4)]) for key, value in layer.state_dict().items()}
    with as_one(name):
        assert way() is WAYS[name]
        found = torch.vmap(lambda own, inputs: torch.func.functional_call(layer, own, (inputs,)))(
            many, images
        )
    assert way() is None
    for n in range(4):
        own = {key: value[n] for key, value in many.items()}
        alone = torch.func.functional_call(layer, own, (images[n],))
        assert torch.allclose(found[n], alone, rtol=0, atol=1e-12)


def test_another_way_is_an_error() -> None:
    with pytest.raises(BadInput, match="unknown way of convolutions 'fft'"), as_one("fft"):
        pass
