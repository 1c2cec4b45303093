"""The settings of methods that learn concepts: which are taught, and by which images."""

from dataclasses import dataclass
from typing import Any

from distaff.methods.base import Method
from distaff.settings import setting


@dataclass(frozen=True)
class Taught(Method):
    """A method that learns from images with the k-hot symbols of concepts (see distaff.batches.symbols)."""

    attributes: str = setting("", "factors that words name, with commas; none: all with words, or all")
    concepts: int = setting(133, "how many concepts are taught; 0: all", low=0)
    examples: int = setting(10, "images of each concept; 0: all that show it", low=0)
    held_out: int = setting(0, "concepts of every attribute that no image in training shows", low=0)
    lesson_seed: int = setting(0, "seed of which concepts are taught, by which images", low=0)
    synonyms: str = setting(
        "", "words that stand for concepts, as in 'dub = hat, white wall; woog = red floor, ball'", later=True
    )

    @property
    def batches(self) -> str:
        """Images with the symbols of concepts that they show."""
        return "symbols"

    @property
    def batch_options(self) -> dict[str, Any]:
        """What is taught, and by what."""
        names = ("attributes", "concepts", "examples", "held_out", "synonyms")
        return {name: getattr(self, name) for name in names} | {"seed": self.lesson_seed}
