"""The encoder's layer against torch's own convolution, its obvious twin."""

import pytest
import torch
from torch import nn

from distaff.networks.down_conv import DownConv


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(2, 2), (8, 8), (10, 6), (5, 7)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("gradient_of_images", [False, True])
def test_values_and_gradients(
    channels: int, size: tuple[int, int], layout: torch.memory_format, gradient_of_images: bool
) -> None:
    generator = torch.Generator().manual_seed(0)
    ours, theirs = DownConv(channels, 6).double(), nn.Conv2d(channels, 6, 4, 2, 1).double()
    for parameter in theirs.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn((3, channels, *size), generator=generator, dtype=torch.float64)
    images = images.to(memory_format=layout).requires_grad_(gradient_of_images)
    result, expected = ours(images).relu_(), theirs(images).relu_()
    torch.testing.assert_close(result, expected)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    wanted = [*ours.parameters(), *([images] if gradient_of_images else [])]
    other = [*theirs.parameters(), *([images] if gradient_of_images else [])]
    found = torch.autograd.grad(result, wanted, weights)
    for one, twin in zip(found, torch.autograd.grad(expected, other, weights), strict=True):
        torch.testing.assert_close(one, twin)


def test_grey_images_take_the_quicker_way() -> None:
    images = torch.ones(1, 1, 4, 4)
    assert "GreyConv" in str(DownConv(1, 2)(images).grad_fn)
    assert "GreyConv" not in str(DownConv(3, 2)(images.expand(1, 3, 4, 4)).grad_fn)
