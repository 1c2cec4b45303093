"""The batches of several runs, stacked along a first axis: every run's are those that it has alone."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.errors import BadInput


def stacked_rows(feeds: Sequence[Feed], steps: Sequence[int]) -> tuple[Batch, list[int]]:
    """The batches of N feeds, each at its own step, and the seeds of their noise; all arrays are (N, ...).

    Of images there are the numbers (N, n). BadInput where the batches cannot be stacked.
    """
    batches, seeds = zip(*(feed.rows(step) for feed, step in zip(feeds, steps, strict=True)), strict=True)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(Batch):
        values = [getattr(batch, each.name) for batch in batches]
        if isinstance(values[0], np.ndarray):
            fields[each.name] = torch.from_numpy(np.stack(values))
        elif any(value != values[0] for value in values):
            raise BadInput(f"batches whose '{each.name}' differ cannot be stacked")
        else:
            fields[each.name] = values[0]
    return Batch(**fields), list(seeds)


def stacked_images(feed: Feed, rows: Batch) -> Batch:
    """Such batches with the images (N, n, C, H, W) in 0..1 on the device, of the data set of a feed."""
    count = len(rows.images)
    flat = {name: value.flatten(0, 1) for name, value in tensors_of(rows).items()}
    found = feed.looked_up(dataclasses.replace(rows, **flat))
    whole = {name: value.unflatten(0, (count, -1)) for name, value in tensors_of(found).items()}
    return dataclasses.replace(found, **whole)


def tensors_of(batch: Batch) -> dict[str, Any]:
    """The fields of a batch that are tensors."""
    found = {each.name: getattr(batch, each.name) for each in dataclasses.fields(batch)}
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}
