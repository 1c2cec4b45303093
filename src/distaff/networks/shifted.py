"""Products of matrices with shifted rows, the inner loop of convolutions whose weights are stacked.

A convolution over places that lie row after row in memory is a sum of products, one for each tap, of the
same rows from another one on. Nothing is copied for it, neither patches of images on the way there nor their
sum on the way back. Both products are linear, each is the other's gradient, and under torch.vmap those of all
networks are one batched product.
"""

from typing import Any

import torch
from torch import Tensor

Shifts = tuple[int, ...]


def gathered(rows: Tensor, matrices: Tensor, shifts: Shifts) -> Tensor:
    """Row r is the sum over s of rows[r + shifts[s]] @ matrices[s], without those beyond the last.

    `rows` (R, C), `matrices` (S, C, O) and `shifts`, of which the first is 0, give (R, O).
    """
    result: Tensor = _Gathered.apply(*_lowered(rows, matrices), shifts)
    return result


def scattered(rows: Tensor, matrices: Tensor, shifts: Shifts) -> Tensor:
    """Row r is the sum over s of rows[r - shifts[s]] @ matrices[s], without those before the first.

    `rows` (R, C), `matrices` (S, C, O) and `shifts`, of which the first is 0, give (R, O).
    """
    result: Tensor = _Scattered.apply(*_lowered(rows, matrices), shifts)
    return result


def _lowered(rows: Tensor, matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the type of torch's autocast, where that is on: it does not reach sums in place."""
    device = rows.device.type
    if not torch.is_autocast_enabled(device):
        return rows, matrices
    kind = torch.get_autocast_dtype(device)
    return rows.to(kind), matrices.to(kind)


class _Shifted(torch.autograd.Function):
    """What both have in common: tensors may have an axis of networks in front, which vmap puts there."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Shifts], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])
        ctx.shifts = inputs[2]

    @classmethod
    def stacked(cls, in_dims: tuple[int | None, ...], rows: Tensor, matrices: Tensor, shifts: Shifts) -> Any:
        """The function of tensors of which vmap says where the axis of the networks is."""
        moved = [
            given if dim is None else given.movedim(dim, 0)
            for given, dim in zip((rows, matrices), in_dims[:2], strict=True)
        ]
        count = next(len(each) for each, dim in zip(moved, in_dims, strict=False) if dim is not None)
        whole = [
            each.expand(count, *each.shape) if dim is None else each
            for each, dim in zip(moved, in_dims[:2], strict=True)
        ]
        return cls.apply(*whole, shifts), 0


class _Gathered(_Shifted):
    @staticmethod
    def forward(rows: Tensor, matrices: Tensor, shifts: Shifts) -> Tensor:
        return _sum(rows, matrices, shifts, into=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (rows, matrices), (gradient,) = ctx.saved_tensors, gradients
        of_matrices = _products(rows, gradient, ctx.shifts)
        return scattered(gradient, matrices.mT, ctx.shifts), of_matrices, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *given: Any) -> tuple[Tensor, int]:
        found: tuple[Tensor, int] = _Gathered.stacked(in_dims, *given)
        return found


class _Scattered(_Shifted):
    @staticmethod
    def forward(rows: Tensor, matrices: Tensor, shifts: Shifts) -> Tensor:
        return _sum(rows, matrices, shifts, into=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (rows, matrices), (gradient,) = ctx.saved_tensors, gradients
        of_matrices = _products(gradient, rows, ctx.shifts).mT
        return gathered(gradient, matrices.mT, ctx.shifts), of_matrices, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *given: Any) -> tuple[Tensor, int]:
        found: tuple[Tensor, int] = _Scattered.stacked(in_dims, *given)
        return found


def _sum(rows: Tensor, matrices: Tensor, shifts: Shifts, into: bool) -> Tensor:
    """The sum of products of rows (..., R, C) and matrices (..., S, C, O), from shifted rows or into them."""
    whole = rows if rows.ndim == 3 else rows[None]
    first, *others = (matrices if matrices.ndim == 4 else matrices[None]).unbind(1)
    count, total = whole.shape[1], whole @ first
    for shift, matrix in zip(shifts[1:], others, strict=True):
        before, after = slice(0, count - shift), slice(shift, count)
        source, target = (before, after) if into else (after, before)
        total[:, target].baddbmm_(whole[:, source], matrix)
    return total if rows.ndim == 3 else total[0]


def _products(later: Tensor, earlier: Tensor, shifts: Shifts) -> Tensor:
    """For each shift the product of rows later[r + shift] (..., C), transposed, and earlier[r] (..., O)."""
    count = later.shape[-2]
    each = [later[..., shift:, :].mT @ earlier[..., : count - shift, :] for shift in shifts]
    return torch.stack(each, dim=-3)
