"""What passes from a data set to a method: batches, and what is known before the first one."""

from __future__ import annotations

from typing import Any, NamedTuple


class Batch(NamedTuple):
    """What a training step sees: arrays as a sampler makes them, tensors as a method takes them.

    `images` (n, C, H, W): of pairs, the first image of every pair, then their partners in the same order.
    `population`: how many images they were drawn from. `changed` (n/2, factors): which factors may differ
    within a pair, where that is known. `labelled` (m, C, H, W) and `labels` (m, k): more images, with
    whole-number labels from 0, for semi-supervision. `varying` (group, groups): the only group of
    factors that varies within the batch, and how many there are.
    """

    images: Any
    population: int
    changed: Any = None
    labelled: Any = None
    labels: Any = None
    varying: Any = None


class Facts(NamedTuple):
    """What a method may know of its data before training.

    `image_shape` (C, H, W); how many `images` there are; the sizes of the `factors` that form their grid, ()
    where there is none; the numbers of values of the `labels` that a label term learns from, () without.
    """

    image_shape: tuple[int, int, int]
    images: int
    factors: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
