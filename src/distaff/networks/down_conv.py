"""The encoder's layer that halves an image's sides: a convolution, quicker for grey images on a CPU.

With one channel torch's kernels run at a tenth of their rate, the gradient of the weights most of all. Then
forward and backward are one matrix product each, with the 4x4 patches of the images as a matrix. Values are
those of nn.Conv2d up to rounding.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.networks import as_one


class DownConv(nn.Conv2d):
    """A 4x4 convolution of stride 2 and padding 1: (B, C, 2h, 2w) to (B, outputs, h, w)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 4, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """The smaller images."""
        if convolved := as_one.way(images.device):
            return convolved.down(images, self.weight, self.bias)
        quicker = (
            self.in_channels == 1 and images.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        )
        odd = images.shape[2] % 2 or images.shape[3] % 2
        if not quicker or odd or images.requires_grad:
            return super().forward(images)
        result: Tensor = _GreyConv.apply(images, self.weight, self.bias)
        return result


class _GreyConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        taps = patches(images)
        if ctx.needs_input_grad[1]:
            ctx.save_for_backward(taps)
        (b, _, h, w), outputs = images.shape, len(weight)
        size = (b, outputs, h // 2, w // 2)
        result = torch.empty(size, dtype=images.dtype, memory_format=torch.channels_last)
        rows = result.permute(0, 2, 3, 1).view(-1, outputs)
        torch.addmm(bias, taps.t(), weight.reshape(outputs, 16).t(), out=rows)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        (taps,), (gradient,) = ctx.saved_tensors, gradients
        outputs = gradient.shape[1]
        rows = gradient.permute(0, 2, 3, 1).reshape(-1, outputs)
        return None, (taps @ rows).t().reshape(outputs, 1, 4, 4), rows.sum(dim=0)


def patches(images: Tensor) -> Tensor:
    """The 4x4 patches (16, B*h*w) around every second pixel of images (B, 1, 2h, 2w), zeros outside.

    Taken from the four images of even or odd rows and columns, in which neighbours in a row stay neighbours.
    """
    b, _, h, w = images.shape
    h, w = h // 2, w // 2
    parts = F.pad(images, (1, 1, 1, 1)).reshape(b, h + 1, 2, w + 1, 2).permute(2, 4, 0, 1, 3).contiguous()
    taps = images.new_empty(4, 4, b, h, w)
    for i in range(4):
        for j in range(4):
            down, right = i // 2, j // 2
            taps[i, j] = parts[i % 2, j % 2, :, down : down + h, right : right + w]
    return taps.view(16, b * h * w)
