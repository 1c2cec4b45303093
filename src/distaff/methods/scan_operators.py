"""The operators of SCAN: AND, IN COMMON and IGNORE, learned as one network of two concepts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Base, Batch, Facts
from distaff.concepts import OPERATORS
from distaff.methods.base import Codes, Loss
from distaff.methods.frozen import frozen
from distaff.methods.on_base import OnBase, base_in
from distaff.methods.scan import GROUNDINGS
from distaff.methods.state import State, adam
from distaff.methods.terms import sampled
from distaff.networks import fresh
from distaff.networks.symbols import perceptron
from distaff.settings import setting

HIDDEN = 1024


@dataclass(frozen=True)
class ScanOperators(OnBase):
    """The operators of SCAN (Higgins et al. 2018): what becomes of two concepts of a finished run.

    psi(mu_1, sigma_1; mu_2, sigma_2; r) -> (mu_r, log-variance_r) of every latent, by one network for all
    latents, where the operator r selects the output (Higgins et al. 2018, arXiv:1707.03389, section 4). The
    concepts are those that the run gives two symbols. Minimises KL(q(z_x|x) || q_psi(z_r)), or the reverse
    where the run was grounded so, over images x that show the concept which the operator makes of the two by
    their words; summed over latents, averaged over the batch, in nats.

    The run is one of `scan`, or of `jmvae` or `telbo`, whose q(z|x) and q(z|y) stand for SCAN's, as in the
    paper's comparison. It is taught of the concepts that the run was taught, and some of their `pairs` may be
    held out. All that the run does it does as well; `combine` applies an operator.

    Differences from the paper: layers of 4 to 1024 to 2 numbers a latent and steps of 1e-3 are those of a
    public implementation, for the paper does not tell; that one is trained against the concept of the
    result's symbol, and the paper's and this against images.
    """

    base: str = setting(
        "none", "the run whose concepts are combined", run=("scan", "jmvae", "telbo"), needed=True
    )
    pairs: int = setting(0, "pairs of concepts that each operator is taught of; 0: all", low=0)
    batch_size: int = setting(100, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(1e-3, "Adam's step size", low=0)

    paper: ClassVar = {"latents": "32"}

    @property
    def batches(self) -> str:
        """Two symbols, an operator, and images that show what becomes of them."""
        return "operators"

    @property
    def batch_options(self) -> dict[str, Any]:
        """How many pairs are taught."""
        return {"pairs": self.pairs}

    def batch_options_on(self, bases: Mapping[str, Base]) -> dict[str, Any]:
        """The lessons of the run that it stands on, and how many pairs are taught."""
        lessons: dict[str, Any] = bases["base"].method.batch_options
        return lessons | self.batch_options

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The run, psi, and Adam over the latter."""
        modules = nn.ModuleDict({"operators": operator_network(rng)})
        modules["base"] = frozen(facts.bases["base"])
        return State(modules, {"adam": adam(modules.parameters())})

    def encode_symbols(self, modules: nn.ModuleDict, symbols: Tensor, rng: torch.Generator) -> Codes:
        """The run's concepts of symbols."""
        base = base_in(modules)
        concepts: Codes = base.method.encode_symbols(base, symbols, rng)
        return concepts

    def encoding_symbols(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The run's layers."""
        base = base_in(modules)
        layers: list[nn.Module] = base.method.encoding_symbols(base)
        return layers

    def decode_symbols(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The run's words of codes."""
        base = base_in(modules)
        words: Tensor = base.method.decode_symbols(base, codes)
        return words

    def combine(
        self, modules: nn.ModuleDict, first: Codes, second: Codes, operators: Tensor, rng: torch.Generator
    ) -> Codes:
        """What the operators (n,) make of concepts (n, d) and others, and one sample of it."""
        return combined(modules["operators"], first, second, operators, rng)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """KL of images that show the result and what psi makes of two concepts."""
        with torch.no_grad():
            seen = self.encode(modules, batch.images, rng)
            first = self.encode_symbols(modules, batch.symbols, rng)
            second = self.encode_symbols(modules, batch.other_symbols, rng)
        made = self.combine(modules, first, second, batch.operators, rng)
        grounding = getattr(base_in(modules).method, "grounding", "forward")  # that of SCAN alone is reversed
        apart = GROUNDINGS[grounding](seen, made)
        return Loss(apart, {"grounding": apart})


def operator_network(rng: torch.Generator) -> nn.Module:
    """psi of one latent: means and deviations of two concepts (n, 4) to (n, 2 * operators), fresh."""
    return fresh(lambda: perceptron(4, 2 * len(OPERATORS), HIDDEN), rng)


def combined(
    network: nn.Module, first: Codes, second: Codes, operators: Tensor, rng: torch.Generator
) -> Codes:
    """psi of concepts (n, d) and others by operators (n,), numbers in the order of OPERATORS."""
    said = [number for each in (first, second) for number in (each.mean, torch.exp(each.logvar / 2))]
    n, d = first.mean.shape
    by_operator = network(torch.stack(said, dim=2).reshape(n * d, 4)).reshape(n, d, len(OPERATORS), 2)
    chosen = by_operator[torch.arange(n, device=operators.device), :, operators]  # (n, d, 2)
    return sampled(chosen[..., 0], chosen[..., 1], rng)
