"""A Boltzmann machine of pixels and two groups of hidden units, any three of which interact."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from distaff.errors import BadInput
from distaff.networks.initial import LARGEST

#: of the weights of pairs of units, at the start
SMALL = 0.01


class Seen(NamedTuple):
    """What units get from pixels: into the `factors` (n, F), and to `h` (n, a) and `m` (n, b) outright."""

    factors: Tensor
    h: Tensor
    m: Tensor


class ThreeWay(nn.Module):
    """The energy of pixels v (n, p) and units h (n, a) and m (n, b), each 0 or 1, and what follows from it.

        E(v, h, m) = -sum_f (v V)_f (h H)_f (m M)_f - v P h - v Q m - v.of_v - h.of_h - m.of_m

    With p(v, h, m) in proportion to exp(-E). The weight of a pixel and two units is a sum over F factors f,
    V (p, F), H (a, F) and M (b, F), so that there are F (p + a + b) of them and not p a b. Real numbers in
    0..1 stand for the chance of a 1; of independent units E is then the mean, as it is linear in each.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], h: int, m: int, factors: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.image_shape, pixels = image_shape, math.prod(image_shape)
        size = factors * (pixels + h + m) + pixels * (h + m)
        if size > LARGEST:
            raise BadInput(f"a machine of {size:,} weights is not allowed; at most {LARGEST:,}")

        def drawn(rows: int, columns: int, size: float) -> nn.Parameter:
            return nn.Parameter(size * torch.randn((rows, columns), generator=rng))

        # so that products of sums over units are of about unit size
        self.v_factors, self.h_factors, self.m_factors = (drawn(n, factors, n**-0.5) for n in (pixels, h, m))
        self.v_h, self.v_m = drawn(pixels, h, SMALL), drawn(pixels, m, SMALL)
        self.of_v, self.of_h, self.of_m = (nn.Parameter(torch.zeros(units)) for units in (pixels, h, m))

    def energy(self, v: Tensor, h: Tensor, m: Tensor) -> Tensor:
        """E of each row (n,), nats."""
        triples = (v @ self.v_factors) * (h @ self.h_factors) * (m @ self.m_factors)
        pairs = v * (h @ self.v_h.T + m @ self.v_m.T)
        alone = v @ self.of_v + h @ self.of_h + m @ self.of_m
        return -(triples.sum(dim=1) + pairs.sum(dim=1) + alone)

    def v_logits(self, h: Tensor, m: Tensor) -> Tensor:
        """log p(v_i = 1 | h, m) / p(v_i = 0 | h, m), (n, p)."""
        triples = ((h @ self.h_factors) * (m @ self.m_factors)) @ self.v_factors.T
        return triples + h @ self.v_h.T + m @ self.v_m.T + self.of_v

    def seen(self, v: Tensor) -> Seen:
        """What the units get from pixels (n, p), whatever the other group is."""
        return Seen(v @ self.v_factors, v @ self.v_h + self.of_h, v @ self.v_m + self.of_m)

    def h_logits(self, seen: Seen, m: Tensor) -> Tensor:
        """log p(h_j = 1 | v, m) / p(h_j = 0 | v, m), (n, a)."""
        return (seen.factors * (m @ self.m_factors)) @ self.h_factors.T + seen.h

    def m_logits(self, seen: Seen, h: Tensor) -> Tensor:
        """log p(m_k = 1 | v, h) / p(m_k = 0 | v, h), (n, b)."""
        return (seen.factors * (h @ self.h_factors)) @ self.m_factors.T + seen.m


class FromUnits(nn.Module):
    """A machine as a layer: from the activities of h, then m (n, a + b), to the logits of pixels (n, p)."""

    def __init__(self, machine: ThreeWay) -> None:
        super().__init__()
        self.machine = machine

    def forward(self, units: Tensor) -> Tensor:
        h = len(self.machine.h_factors)
        return self.machine.v_logits(units[:, :h], units[:, h:])
