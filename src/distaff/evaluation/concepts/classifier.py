"""A classifier of the factors of images, trained apart, which says what images that a model makes show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batches.batch import to_unit
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.networks import conv
from distaff.networks.initial import fresh
from distaff.randomness import derived
from distaff.training.checkpoint import load_tensors, save_tensors
from distaff.training.device import choose_device
from distaff.training.run import ENCODE_BATCH

BATCH, RATE = 64, 1e-3
HELD_OUT, MOST_HELD_OUT = 0.1, 2000  # of the images


@dataclass(frozen=True)
class FactorClassifier:
    """Tells `named` factors of `sizes` (a,) from images; `accuracies` (a,) on images that it never saw."""

    named: tuple[str, ...]
    sizes: tuple[int, ...]
    network: nn.Module
    device: torch.device
    accuracies: tuple[float, ...] = ()

    @property
    def accuracy(self) -> float:
        """The mean of its accuracies, 0..1."""
        return float(np.mean(self.accuracies))

    @torch.inference_mode()
    def shown(self, images: ArrayLike) -> NDArray[np.int64]:
        """The likeliest value of every factor (n, a) of images (n, C, H, W) in 0..1."""
        pixels = torch.from_numpy(np.array(images, dtype=np.float32))
        parts = [self._likeliest(part.to(self.device)) for part in pixels.split(ENCODE_BATCH)]
        return np.asarray(torch.cat(parts).cpu().numpy())

    def _likeliest(self, images: Tensor) -> Tensor:
        each = self.network(images).split(self.sizes, dim=1)
        return torch.stack([logits.argmax(dim=1) for logits in each], dim=1)


def factor_classifier(
    data: DataSet,
    named: Sequence[str],
    folder: Path,
    *,
    steps: int = 2000,
    seed: int = 0,
    device: str = "auto",
) -> FactorClassifier:
    """A classifier of the factors of a data set that are `named`, kept in a folder and read from there.

    The encoder of the VAEs with a softmax for every factor, trained by Adam at 1e-3 on batches of 64. A
    tenth of the images, 2,000 at the most, is held out of its training and gives its accuracies.
    """
    if data.factors is None:
        raise BadInput(f"{data.name} has no grid of factors to tell from its images")
    places = [data.factors.position(name) for name in named]
    sizes = tuple(data.factors.sizes[place] for place in places)
    where, rng = choose_device(device), torch.Generator().manual_seed(seed)
    network = fresh(lambda: conv.encoder(data.image_shape, sum(sizes)), rng).to(where)
    found = FactorClassifier(tuple(named), sizes, network, where)
    path = folder / f"classifier-{_key(data, found.named, steps, seed)}.safetensors"
    order = np.random.default_rng(derived(seed, "held out")).permutation(len(data))
    held, learned = np.split(order, [max(1, min(int(HELD_OUT * len(data)), MOST_HELD_OUT))])
    if path.exists():
        network.load_state_dict(load_tensors(path))
    else:
        _train(found, data, places, learned, steps, derived(seed, "batches"))
        save_tensors(path, network.state_dict())
    network.eval()
    right = found.shown(data.unit_images(held)) == data.factors.rows(held)[:, places]
    return FactorClassifier(found.named, sizes, network, where, tuple(map(float, right.mean(axis=0))))


def _key(data: DataSet, named: tuple[str, ...], steps: int, seed: int) -> str:
    """What tells the classifiers in a folder apart: all that determines one."""
    return hashlib.sha256(repr((data.fingerprint(), named, steps, seed)).encode()).hexdigest()[:12]


def _train(
    found: FactorClassifier, data: DataSet, places: list[int], rows: NDArray[np.int64], steps: int, seed: int
) -> None:
    """Steps of Adam down the sum of the factors' cross-entropies, on images at `rows`."""
    assert data.factors is not None
    adam, rng = torch.optim.Adam(found.network.parameters(), RATE), np.random.default_rng(seed)
    for _ in range(steps):
        drawn = rng.choice(rows, BATCH)
        targets = torch.from_numpy(data.factors.rows(drawn)[:, places]).to(found.device)
        logits = found.network(to_unit(data.images(drawn), data.pixel_range, found.device))
        each = zip(logits.split(found.sizes, dim=1), targets.unbind(dim=1), strict=True)
        adam.zero_grad(set_to_none=True)
        torch.stack([F.cross_entropy(*one) for one in each]).sum().backward()
        adam.step()
