"""Mean field in a three-way machine: what its hidden units are, given pixels and what else is known."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from distaff.networks.three_way import ThreeWay


class Units(NamedTuple):
    """The chances that the units of both groups are 1, or the units: `h` (n, a) and `m` (n, b)."""

    h: Tensor
    m: Tensor


@dataclass(frozen=True)
class Given:
    """What is known of the units beside the pixels.

    `shared_h` and `shared_m` (n / 2,): which rows of the first half have the units of a group in common with
    their partners in the second half. `held` (n, a + b): the values at which units are held, h first; NaN
    where they are free.
    """

    shared_h: Tensor | None = None
    shared_m: Tensor | None = None
    held: Tensor | None = None


def mean_field(machine: ThreeWay, v: Tensor, sweeps: int, given: Given = Given()) -> Units:
    """Chances of independent h and m, close to p(h, m | v) of pixels v (n, p).

    From m of 1/2, `sweeps` times h follows from m, and then m from h. Each is the best for the other as it
    is, so that the free energy, mean E - entropy, never rises. Units in common have one distribution, the
    best for both rows: its log-odds are the sum of theirs.
    """
    seen, size = machine.seen(v), machine.of_h.numel()
    held = (None, None) if given.held is None else given.held.tensor_split([size], dim=1)
    m = _held(torch.full((len(v), machine.of_m.numel()), 0.5, dtype=v.dtype, device=v.device), held[1])
    for _ in range(sweeps):
        h = _held(torch.sigmoid(joined(machine.h_logits(seen, m), given.shared_h)), held[0])
        m = _held(torch.sigmoid(joined(machine.m_logits(seen, h), given.shared_m)), held[1])
    return Units(h, m)


def joined(logits: Tensor, shared: Tensor | None) -> Tensor:
    """Logits (n, d), where row i and row n/2 + i have their sum if they are `shared` (n / 2,)."""
    if shared is None:
        return logits
    first, second = logits.chunk(2)
    both = first + second
    return torch.cat([torch.where(shared[:, None], both, own) for own in (first, second)])


def _held(chances: Tensor, held: Tensor | None) -> Tensor:
    return chances if held is None else torch.where(held.isnan(), chances, held)
