"""What all methods with an encoder and a decoder share: networks, likelihood and optimiser."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from distaff.batches.batch import Facts
from distaff.methods.base import Stepped
from distaff.methods.state import State, adam
from distaff.methods.terms import negative_log_likelihood
from distaff.networks import NETWORKS, fresh
from distaff.networks.conv import to_channels_last
from distaff.networks.network import Network
from distaff.settings import setting


class Precision(NamedTuple):
    """The type of weights and codes, and a `lower` one in which networks run in training where it is safe."""

    weights: torch.dtype = torch.float32
    lower: torch.dtype | None = None


PRECISIONS = {
    "float32": Precision(),
    "tf32": Precision(),  # a way to multiply float32
    "bfloat16": Precision(lower=torch.bfloat16),
    "float64": Precision(torch.float64),
}


@dataclass(frozen=True)
class EncoderDecoder(Stepped):
    """A method that codes images and decodes them.

    Reconstruction is summed over pixels and channels and averaged over the batch, in nats. What is logged is
    not weighted.
    """

    network: str = setting("conv", "the encoder and decoder", choices=tuple(NETWORKS))
    likelihood: str = setting(
        "bernoulli", "the decoder's distribution of a pixel", choices=("bernoulli", "gaussian")
    )
    sigma: float = setting(
        1.0, "standard deviation of a pixel in 0..1", above=0, only_with="likelihood=gaussian", later=True
    )
    reconstruction_weight: float = setting(
        1.0, "weight of the reconstruction; 4 at 32 pixels keeps the weights of 64", low=0, later=True
    )
    precision: str = setting(
        "float32",
        "arithmetic; tf32 and bfloat16, in training alone, are for devices that are quicker at them",
        choices=tuple(PRECISIONS),
    )
    compile: bool = setting(False, "torch.compile the networks: a minute at the start, for some devices")

    def __init_subclass__(cls) -> None:
        for name in ("training_codes", "objective", "regulariser"):  # parts of a loss once; now not called
            if name in vars(cls):
                raise TypeError(f"{cls.__name__}.{name} would not be called; say all of it in `loss`")

    @property
    def encoder_outputs(self) -> int:
        """How many numbers the encoder gives an image: one for every latent, unless a method needs more."""
        return self.latents

    @property
    def compares_pixels(self) -> bool:
        """Whether `reconstruction` of the decoder's outputs is what it minimises."""
        return True

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, with fresh weights."""
        make_encoder, make_decoder = NETWORKS[self.network]
        return self.prepared(
            {
                "encoder": fresh(lambda: make_encoder(facts.image_shape, self.encoder_outputs), rng),
                "decoder": fresh(lambda: make_decoder(self.latents, facts.image_shape), rng),
            }
        )

    def prepared(self, networks: dict[str, nn.Module]) -> nn.ModuleDict:
        """Networks that are run in training as `precision` and `compile` say."""
        for network in networks.values():
            assert isinstance(network, Network)
            network.lower, network.compiled = PRECISIONS[self.precision].lower, self.compile
        modules = nn.ModuleDict(networks)
        to_channels_last(modules)
        return modules

    def typed(self, modules: nn.ModuleDict) -> nn.ModuleDict:
        """The same modules, with weights of the precision's type."""
        return modules.to(PRECISIONS[self.precision].weights)

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The networks and one Adam over all of them."""
        modules = self.typed(self.networks(facts, rng))
        return State(modules, {"adam": adam(modules.parameters())})

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The mean image (n, C, H, W) in 0..1."""
        return torch.sigmoid(modules["decoder"](codes))

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The decoder's layers, and a sigmoid."""
        return [*modules["decoder"].children(), nn.Sigmoid()]

    def reconstruction(self, outputs: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z) of the decoder's outputs (n, C, H, W), which are logits; not weighted."""
        return negative_log_likelihood(outputs, images, self.likelihood, self.sigma)
