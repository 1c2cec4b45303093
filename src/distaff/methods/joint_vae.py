"""What VAEs of images and symbols share: networks for each of the two and for both."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes
from distaff.methods.taught import Taught
from distaff.methods.terms import sampled
from distaff.methods.variational import Variational
from distaff.networks import NETWORKS, fresh
from distaff.networks.symbols import perceptron
from distaff.settings import setting

FEATURES = 256  # of an image, for the encoder of image and symbol


@dataclass(frozen=True)
class JointVAE(Taught, Variational):
    """A method with posteriors q(z|x) of images, q(z|y) of k-hot symbols (n, m) and q(z|x,y) of both.

    Its codes are those of images alone, so that it is measured as any method is.
    """

    symbol_weight: float = setting(10.0, "weight of -log p(y|z) where z is of image and symbol", low=0)

    @property
    def kl_weight(self) -> float:
        """What the KL of an image is multiplied by for once its reconstruction."""
        return 1.0

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder of images, of symbols, and the encoder of both, which sees by itself."""
        modules = super().networks(facts, rng)
        see, words, outputs = NETWORKS[self.network][0], sum(facts.words), self.encoder_outputs
        makers = {
            "symbol_encoder": lambda: perceptron(words, outputs),
            "symbol_decoder": lambda: perceptron(self.latents, words),
            "joint_features": lambda: see(facts.image_shape, FEATURES),
            "joint_encoder": lambda: perceptron(FEATURES + words, outputs, FEATURES),
        }
        of_symbols = self.prepared({name: fresh(make, rng) for name, make in makers.items()})
        return nn.ModuleDict({**modules, **of_symbols})

    def encode_both(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Codes:
        """q(z|x,y) of a batch of images and symbols."""
        features = torch.relu(modules["joint_features"](batch.images))
        outputs = modules["joint_encoder"](torch.cat([features, batch.symbols], dim=1))
        mean, logvar = outputs.chunk(2, dim=1)
        return sampled(mean, logvar, rng)

    def encode_symbols(self, modules: nn.ModuleDict, symbols: Tensor, rng: torch.Generator) -> Codes:
        """q(z|y) of symbols (n, m)."""
        mean, logvar = modules["symbol_encoder"](symbols).chunk(2, dim=1)
        return sampled(mean, logvar, rng)

    def encoding_symbols(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The symbol encoder's layers."""
        return [*modules["symbol_encoder"].children()]

    def decode_symbols(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The probability of every word (n, m), 0..1, at codes (n, d)."""
        return torch.sigmoid(modules["symbol_decoder"](codes))
