"""The decoder's layer that doubles an image's sides: a transposed convolution, quicker on a CPU than torch's.

torch spends a quarter of a decoder's time in two places that this layer goes round: the gradient of the bias,
a sum over channels-last memory in the wrong order; and the forward pass to one or three channels, for which
its kernels are not made. Values are those of nn.ConvTranspose2d up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW = 4  # output channels, up to which the product of taps is quicker


class UpConv(nn.ConvTranspose2d):
    """A 4x4 transposed convolution of stride 2 and padding 1: (B, C, h, w) to (B, outputs, 2h, 2w)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 4, stride=2, padding=1)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The larger images."""
        assert self.bias is not None
        if images.device.type != "cpu":
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
    """The transposed convolution as one matrix product and four shifted sums.

    Pixel (i, j) adds a 4x4 patch to the result, from (2i-1, 2j-1) on. Its four quarters of 2x2 fall on the
    cells (i, j) to (i+1, j+1) of a grid of h+1 by w+1 cells, one pixel wider than the result on each side.
    """
    (b, c, h, w), o = images.shape, weight.shape[1]
    quarters = weight.reshape(c, o, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(c, 16 * o)
    taps = (images.permute(0, 2, 3, 1).reshape(-1, c) @ quarters).view(b, h, w, 2, 2, 4 * o)
    cells = bias.repeat(4).expand(b, h + 1, w + 1, 4 * o).contiguous()
    for down in (0, 1):
        for right in (0, 1):
            cells[:, down : down + h, right : right + w] += taps[:, :, :, down, right]
    grown = cells.view(b, h + 1, w + 1, 2, 2, o).permute(0, 5, 1, 3, 2, 4)  # (b, o, h+1, 2, w+1, 2)
    return grown.reshape(b, o, 2 * h + 2, 2 * w + 2)[:, :, 1:-1, 1:-1]
