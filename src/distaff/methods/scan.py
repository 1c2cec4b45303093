"""SCAN: words grounded in the latents of a finished VAE."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes, Loss
from distaff.methods.frozen import frozen
from distaff.methods.group_vae import kl_of_pair
from distaff.methods.on_base import OnBase
from distaff.methods.state import State, adam
from distaff.methods.taught import Taught
from distaff.methods.terms import mean_kl, sampled, symbols_negative_log_likelihood
from distaff.networks import fresh
from distaff.networks.symbols import perceptron
from distaff.settings import setting

#: whose codes are Gaussian posteriors of independent latents
VISION = (
    "beta_vae",
    "vae",
    "annealed_vae",
    "factor_vae",
    "beta_tc_vae",
    "dip_vae_i",
    "dip_vae_ii",
    "ada_gvae",
    "ada_ml_vae",
    "slow_vae",
)


@dataclass(frozen=True)
class Scan(Taught, OnBase):
    """SCAN (Higgins et al. 2018): concepts are Gaussians over the latents of a finished vision run, its base.

    A symbol y says something of some attributes and nothing of others. Its concept q(z_y|y) has a mean and a
    variance for every latent of the base, whose q(z_x|x) and decoder stay as they are. Minimises
    -log p(y|z_y) + beta KL(q(z_y|y) || N(0, I)) + grounding_weight KL(q(z_x|x) || q(z_y|y)) with one sample
    of z_y (Higgins et al. 2018, arXiv:1707.03389, eq. 3; the weight is its lambda), where images x show what
    y says: summed over words or latents, averaged over the batch, in nats. The forward KL spreads a concept
    over all that its images differ in; `grounding=reverse`, KL(q(z_y|y) || q(z_x|x)), the paper's SCAN_R,
    does not. A base of low beta makes SCAN_U.

    Codes of images are those of the base, and so are its scores. `encode_symbols` gives the concept of a
    symbol, whose samples `decode` draws (sym2img); `decode_symbols` gives the words of any code (img2sym).

    Differences from the paper: the base is any VAE of independent latents, and has seen every image; the
    paper's had not seen those of the concepts that are held out. Every level of concepts is taught about as
    often (see `symbols` in distaff.batches). Where the paper contradicts itself, beta is 1 and lambda 10. It
    has words that stand for concepts and does not tell how they were taught: of `synonyms` each is said in
    half of the cases wherever a concept says all that it means, instead of that.
    """

    base: str = setting("none", "the vision run that words are grounded in", run=VISION, needed=True)
    grounding: str = setting(
        "forward", "the direction of the KL to the codes of images", choices=("forward", "reverse")
    )
    beta: float = setting(1.0, "weight of the KL of concepts to the prior", low=0)
    grounding_weight: float = setting(10.0, "weight of the KL between codes of images and concepts", low=0)
    batch_size: int = setting(16, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(1e-3, "Adam's step size", low=0)

    paper: ClassVar = {
        "latents": "32",
        "beta": "1",
        "grounding_weight": "10",
        "concepts": "133",
        "examples": "10",
        "held_out": "300",
    }

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The base, the networks of symbols, and Adam over the latter."""
        modules = symbol_networks(self.code_size(facts), sum(facts.words), rng)
        modules["base"] = frozen(facts.bases["base"])
        return State(modules, {"adam": adam(modules.parameters())})

    def encode_symbols(self, modules: nn.ModuleDict, symbols: Tensor, rng: torch.Generator) -> Codes:
        """q(z_y|y) of symbols (n, m), and one sample of it."""
        mean, logvar = modules["symbol_encoder"](symbols).chunk(2, dim=1)
        return sampled(mean, logvar, rng)

    def encoding_symbols(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The symbol encoder's layers."""
        return [*modules["symbol_encoder"].children()]

    def decode_symbols(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The probability of every word (n, m), 0..1, at codes (n, d)."""
        return torch.sigmoid(modules["symbol_decoder"](codes))

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """The grounded words of a batch of images and symbols."""
        with torch.no_grad():
            seen = self.encode(modules, batch.images, rng)
        return self.grounded(modules, seen, batch.symbols, rng)

    def grounded(self, modules: nn.ModuleDict, seen: Codes, symbols: Tensor, rng: torch.Generator) -> Loss:
        """-log p(y|z_y) + beta KL + grounding_weight KL of posteriors `seen` (n, d) and symbols (n, m)."""
        concepts = self.encode_symbols(modules, symbols, rng)
        words = symbols_negative_log_likelihood(modules["symbol_decoder"](concepts.sample), symbols)
        kl = mean_kl(concepts)
        apart = GROUNDINGS[self.grounding](seen, concepts)
        total = words + self.beta * kl + self.grounding_weight * apart
        return Loss(total, {"symbols": words, "kl": kl, "grounding": apart})


def symbol_networks(latents: int, words: int, rng: torch.Generator) -> nn.ModuleDict:
    """The encoder of symbols (n, words) and their decoder, with fresh weights."""
    return nn.ModuleDict(
        {
            "symbol_encoder": fresh(lambda: perceptron(words, 2 * latents), rng),
            "symbol_decoder": fresh(lambda: perceptron(latents, words), rng),
        }
    )


def forward(seen: Codes, concepts: Codes) -> Tensor:
    """KL(q(z_x|x) || q(z_y|y)), summed over latents, averaged over the batch, nats."""
    return kl_of_pair(seen, concepts).sum(dim=1).mean()


def reverse(seen: Codes, concepts: Codes) -> Tensor:
    """KL(q(z_y|y) || q(z_x|x)), summed over latents, averaged over the batch, nats."""
    return forward(concepts, seen)


GROUNDINGS: dict[str, Callable[[Codes, Codes], Tensor]] = {"forward": forward, "reverse": reverse}
