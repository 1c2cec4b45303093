"""The decoder's layer that doubles an image's sides: a transposed convolution, quicker on a CPU than torch's.

torch spends a quarter of a decoder's time in two places that this layer goes round: the gradient of the bias,
a sum over channels-last memory in the wrong order; and the forward pass to one or three channels, for which
its kernels are not made. Values are those of nn.ConvTranspose2d up to rounding.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.networks import as_one

FEW = 4  # output channels, up to which the product of taps is quicker


class UpConv(nn.ConvTranspose2d):
    """A 4x4 transposed convolution of stride 2 and padding 1: (B, C, h, w) to (B, outputs, 2h, 2w)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 4, stride=2, padding=1)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The larger images."""
        assert self.bias is not None
        if convolved := as_one.way(images.device):
            return convolved.up(images, self.weight, self.bias)
        if images.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return super().forward(images)
        result: Tensor = _UpConv.apply(images, self.weight, self.bias)
        return result


class _UpConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        if weight.shape[1] <= FEW:
            return sum_of_taps(images, weight, bias)
        return F.conv_transpose2d(images, weight, bias, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        images, weight = ctx.saved_tensors
        (gradient,) = gradients
        wanted = [ctx.needs_input_grad[0], True, False]
        of_images, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient, images, weight, None, [2, 2], [1, 1], [1, 1], True, [0, 0], 1, wanted
        )
        rows = gradient.permute(0, 2, 3, 1).reshape(-1, gradient.shape[1])
        return of_images, of_weight, rows.sum(dim=0)


def sum_of_taps(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The transposed convolution as one matrix product and sums of shifted planes.

    Pixel (i, j) adds a 4x4 patch to the result, from (2i-1, 2j-1) on. So result pixel 2i+p is reached from
    rows i (by tap 1 + p) and i-1+2p (by tap 3 - 3p), and columns likewise: four planes for each of the four
    images of even or odd rows and columns.
    """
    (b, c, h, w), o = images.shape, weight.shape[1]
    rows = images.permute(0, 2, 3, 1).reshape(-1, c)
    taps = (weight.permute(2, 3, 1, 0).reshape(16 * o, c) @ rows.t()).view(4, 4, o, b, h, w)
    parts = images.new_empty(2, 2, o, b, h, w)
    for p in (0, 1):
        for q in (0, 1):
            plane = parts[p, q].copy_(taps[1 + p, 1 + q]).add_(bias.view(o, 1, 1, 1))
            to_down, from_down = _shifted(p)
            to_right, from_right = _shifted(q)
            plane[:, :, to_down] += taps[3 - 3 * p, 1 + q][:, :, from_down]
            plane[..., to_right] += taps[1 + p, 3 - 3 * q][..., from_right]
            plane[:, :, to_down, to_right] += taps[3 - 3 * p, 3 - 3 * q][:, :, from_down, from_right]
    return parts.permute(3, 2, 4, 0, 5, 1).reshape(b, o, 2 * h, 2 * w)


def _shifted(odd: int) -> tuple[slice, slice]:
    """Where in a plane a shifted one is added, and what of it: from the row after (odd) or before."""
    return (slice(None, -1), slice(1, None)) if odd else (slice(1, None), slice(None, -1))
