"""Random numbers of a step: from the generator of a run, or of each of many runs that are trained as one."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor


class Draws(Protocol):
    """What stands for the generator where many runs are trained as one: each run draws from its own."""

    device: torch.device

    def draw(self, make: Callable[..., Tensor], *given: Any, **more: Any) -> Tensor:
        """What `make(*given, generator=rng, **more)` gives with the generator of the run."""


def drawn(make: Callable[..., Tensor], *given: Any, rng: torch.Generator | Draws, **more: Any) -> Tensor:
    """What a function of torch such as torch.rand draws from a generator."""
    if isinstance(rng, torch.Generator):
        return make(*given, generator=rng, device=rng.device, **more)
    return rng.draw(make, *given, **more)


def noise(like: Tensor, rng: torch.Generator | Draws) -> Tensor:
    """Standard normal noise of a tensor's shape, drawn where `rng` is: on the CPU alike for each device."""
    return drawn(torch.randn, like.shape, rng=rng, dtype=like.dtype).to(like.device)
