"""QLAE: an autoencoder whose latents take few values."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes, Loss
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.state import State
from distaff.settings import setting


@dataclass(frozen=True)
class QLAE(EncoderDecoder):
    """QLAE (Hsu et al. 2023): an autoencoder of latents that each take one of a few learned values.

    Every output of the encoder snaps to the nearest of its latent's `values`; gradients pass straight
    through. Minimises reconstruction + pixels * (quantisation * mean squared distance of the values from the
    fixed outputs + commitment * that of the outputs from the fixed values), with strong weight decay on the
    weight matrices (Hsu et al. 2023, arXiv:2305.18378, "Disentanglement via latent quantization"). Codes are
    the values, so a discrete code is scored like any other. Logged: `quantisation_error`, the mean squared
    distance of outputs from values, in squared units of the codes.

    Differences from the paper: the reconstruction is summed over pixels as everywhere here, where the paper
    averages; the two other terms are multiplied by the number of pixels instead, which is the same
    objective to Adam. Its clipping of gradients, at 1 for averaged pixels, is left out. The networks are
    those of Locatello et al. 2019, in place of residual ones and a decoder with style inputs.
    """

    latents: int = setting(12, "number of latents; twice the factors in the paper", low=1, high=10_000)
    batch_size: int = setting(128, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(1e-3, "Adam's step size", low=0)
    values: int = setting(10, "values that each latent can take", low=2, high=10_000)
    quantisation: float = setting(0.01, "weight that draws values to outputs", low=0)
    commitment: float = setting(0.01, "weight that draws outputs to values", low=0)
    weight_decay: float = setting(0.1, "AdamW's decay of the weight matrices", low=0)

    paper: ClassVar = {
        "latents": "12 (3D Shapes), 14 (MPI3D)",
        "batch_size": "128",
        "learning_rate": "0.001",
        "likelihood": "bernoulli",
        "values": "10",
        "quantisation": "0.01",
        "commitment": "0.01",
        "weight_decay": "0.1, 0.001 (MPI3D)",
    }

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The networks, the values, evenly spread over -.5 to .5, and one AdamW with decay on matrices."""
        modules = self.networks(facts, rng)
        modules["quantiser"] = Quantiser(self.latents, self.values)
        self.typed(modules)
        networks = [*modules["encoder"].parameters(), *modules["decoder"].parameters()]
        matrices = [p for p in networks if p.ndim > 1]
        others = [*(p for p in networks if p.ndim == 1), modules["quantiser"].values]
        groups: list[dict[str, Any]] = [{"params": matrices}, {"params": others}]
        return State(modules, {"adam": torch.optim.AdamW(groups, weight_decay=0, fused=True)})

    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """One step, with the decay of the weight matrices as it is now."""
        state.optimisers["adam"].param_groups[0]["weight_decay"] = self.weight_decay
        return super().step(state, batch, rng)

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The values (n, d) nearest to the encoder's outputs."""
        codes = modules["quantiser"](modules["encoder"](images))
        return Codes(codes, None, codes)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction of the values, and what draws values and outputs to each other."""
        outputs = modules["encoder"](batch.images)
        values = modules["quantiser"](outputs)
        passed = outputs + (values - outputs).detach()  # the values, with the gradient of the outputs
        reconstruction = self.reconstruction(modules["decoder"](passed), batch.images)
        to_outputs = (values - outputs.detach()).square().mean()
        to_values = (outputs - values.detach()).square().mean()
        pixels = batch.images[0].numel()
        apart = pixels * (self.quantisation * to_outputs + self.commitment * to_values)
        terms = {"reconstruction": reconstruction, "quantisation_error": to_values.detach()}
        return Loss(self.reconstruction_weight * reconstruction + apart, terms)


class Quantiser(nn.Module):
    """The learned values of every latent (latents, values)."""

    def __init__(self, latents: int, values: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.linspace(-0.5, 0.5, values).repeat(latents, 1))

    def forward(self, outputs: Tensor) -> Tensor:
        """Outputs (n, latents) as the nearest values, through which gradients reach the values."""
        nearest = (outputs[:, :, None] - self.values).abs().argmin(dim=2)  # (n, latents)
        return self.values[torch.arange(len(self.values), device=outputs.device), nearest]
