"""The decoder's layer against torch's own transposed convolution, its obvious twin."""

import pytest
import torch
from torch import nn

from distaff.networks.up_conv import UpConv, sum_of_taps


def twins(channels: int, outputs: int) -> tuple[UpConv, nn.ConvTranspose2d]:
    ours, theirs = UpConv(channels, outputs).double(), nn.ConvTranspose2d(channels, outputs, 4, 2, 1).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in theirs.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("outputs", [1, 3, 4, 5, 32])
@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients(outputs: int, size: tuple[int, int], layout: torch.memory_format) -> None:
    ours, theirs = twins(6, outputs)
    generator = torch.Generator().manual_seed(1)
    images = torch.randn((3, 6, *size), generator=generator, dtype=torch.float64)
    images = images.to(memory_format=layout).requires_grad_()
    result, expected = ours(images), theirs(images)
    torch.testing.assert_close(result, expected)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    found = torch.autograd.grad(result, [images, *ours.parameters()], weights)
    wanted = torch.autograd.grad(expected, [images, *theirs.parameters()], weights)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_many_channels_by_taps_too() -> None:
    ours, theirs = twins(2, 7)
    images = torch.randn((2, 2, 3, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert ours.bias is not None
    torch.testing.assert_close(sum_of_taps(images, ours.weight, ours.bias), theirs(images))


def test_no_gradient_of_images_where_none_is_wanted() -> None:
    ours, theirs = twins(2, 1)
    images = torch.randn((1, 2, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for each in (ours, theirs):
        each(images).square().sum().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
