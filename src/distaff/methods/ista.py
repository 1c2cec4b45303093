"""Sparse codes: the h that minimise |x - D h|^2 / 2 + penalty |h|_1, for many x at once.

x is (n, p), D is (p, m) and h is (n, m): a row per image. Nothing is drawn at random.
"""

from __future__ import annotations

import torch
from torch import Tensor


def soft(values: Tensor, threshold: Tensor | float) -> Tensor:
    """Soft thresholding, sign(v) max(|v| - threshold, 0): the proximal map of threshold |v|_1."""
    return values.sign() * (values.abs() - threshold).clamp(min=0)


def lipschitz(dictionary: Tensor) -> Tensor:
    """L = |D|_2^2, the largest curvature of |x - D h|^2 / 2 in h; 1/L is the step size."""
    p, m = dictionary.shape
    smaller = dictionary.T @ dictionary if m <= p else dictionary @ dictionary.T
    largest: Tensor = torch.linalg.eigvalsh(smaller)[-1]
    return largest


def objective(x: Tensor, dictionary: Tensor, h: Tensor, penalty: float) -> Tensor:
    """|x - D h|^2 / 2 + penalty |h|_1 of every row (n,)."""
    return (x - h @ dictionary.T).square().sum(1) / 2 + penalty * h.abs().sum(1)


def correlation(x: Tensor, dictionary: Tensor, h: Tensor) -> Tensor:
    """D'(x - D h) (n, m): at the minimum within +-penalty, and penalty sign(h_j) where h_j is not 0."""
    return (x - h @ dictionary.T) @ dictionary


def ista(
    x: Tensor, dictionary: Tensor, penalty: float, iterations: int, start: Tensor | None = None
) -> Tensor:
    """h <- soft(h + D'(x - D h) / L, penalty / L), from `start` or 0. The objective never rises.

    Daubechies, Defrise and De Mol 2004, doi:10.1002/cpa.20042. One step from 0 is soft(D'x / L, penalty / L):
    an encoder whose weights are tied to the decoder's.
    """
    gram, projected, curvature = dictionary.T @ dictionary, x @ dictionary, lipschitz(dictionary)
    h = torch.zeros_like(projected) if start is None else start
    for _ in range(iterations):
        h = soft(h + (projected - h @ gram) / curvature, penalty / curvature)
    return h


def fista(x: Tensor, dictionary: Tensor, penalty: float, iterations: int) -> Tensor:
    """ISTA with momentum, from 0: error 1/t^2 where ISTA has 1/t.

    Beck and Teboulle 2009, doi:10.1137/080716542, section 4.
    """
    gram, projected, curvature = dictionary.T @ dictionary, x @ dictionary, lipschitz(dictionary)
    h = ahead = torch.zeros_like(projected)
    momentum = 1.0
    for _ in range(iterations):
        before, h = h, soft(ahead + (projected - ahead @ gram) / curvature, penalty / curvature)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = h + (momentum - 1) / grown * (h - before)
        momentum = grown
    return h


ALGORITHMS = {"ista": ista, "fista": fista}
