"""What methods that learn concepts share: which are taught, by which images, and words to codes and back."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from distaff.methods.base import Codes, Method
from distaff.settings import setting


@dataclass(frozen=True)
class Taught(Method):
    """A method that learns from images with the k-hot symbols of concepts (see distaff.batches.symbols)."""

    attributes: str = setting(
        "", "the factors that concepts name, with commas between; empty: all that have words, or all"
    )
    concepts: int = setting(133, "concepts that are taught; 0: all", low=0)
    examples: int = setting(10, "images of each; 0: any that shows it", low=0)
    held_out: int = setting(0, "concepts of all attributes that are never shown", low=0)
    lesson_seed: int = setting(0, "seed of the concepts and their images", low=0)

    batches = "symbols"

    @property
    def batch_options(self) -> dict[str, Any]:
        """The lessons."""
        return {
            "attributes": self.attributes,
            "concepts": self.concepts,
            "examples": self.examples,
            "held_out": self.held_out,
            "seed": self.lesson_seed,
        }

    @abstractmethod
    def encode_symbols(self, modules: nn.ModuleDict, symbols: Tensor, rng: torch.Generator) -> Codes:
        """Codes of k-hot symbols (n, m), among those of images."""

    @abstractmethod
    def decode_symbols(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The probability of every word (n, m), 0..1, at codes (n, d)."""
