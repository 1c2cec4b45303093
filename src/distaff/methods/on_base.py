"""What methods share that add to a finished run, their base, whose codes and images are theirs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from distaff.batches.batch import Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Stepped
from distaff.methods.frozen import Frozen


@dataclass(frozen=True)
class OnBase(Stepped):
    """A method with a setting `base`, whose run codes and decodes images for it, and so has its scores."""

    def code_size(self, facts: Facts) -> int:
        """As many numbers as the base's codes have."""
        return int(_of_base(facts, "code_size"))

    def column_names(self, facts: Facts) -> list[str]:
        """What the base calls them."""
        names: list[str] = _of_base(facts, "column_names")
        return names

    def blocks(self, facts: Facts) -> dict[str, range]:
        """The base's."""
        found: dict[str, range] = _of_base(facts, "blocks")
        return found

    def check(self, facts: Facts) -> None:
        """There is no number of latents to choose."""
        if self.latents != type(self).latents:
            raise BadInput(f"latents={self.latents} has no effect; a concept has the latents of its base")

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The base's codes of images."""
        return base_in(modules).encode(images, rng)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The base's images of codes."""
        return base_in(modules).decode(codes)

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The base's layers."""
        base = base_in(modules)
        layers: list[nn.Module] = base.method.decoding(base)
        return layers


def base_in(modules: nn.ModuleDict) -> Frozen:
    """The finished run among modules."""
    base = modules["base"]
    assert isinstance(base, Frozen)
    return base


def _of_base(facts: Facts, what: str) -> Any:
    """What the base's method says of its own data."""
    base = facts.bases["base"]
    return getattr(base.method, what)(base.facts)
