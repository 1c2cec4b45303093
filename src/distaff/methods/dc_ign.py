"""DC-IGN: batches in which one group of factors varies, and latents that may vary only then."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Loss
from distaff.methods.terms import mean_kl, sampled
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class DCIGN(VAE):
    """DC-IGN (Kulkarni et al. 2015): a VAE whose latents are clamped unless their group of factors varies.

    In a batch one group of factors varies and the others are those of one image. Latent j belongs to group j;
    all latents that are left belong to the last group. The latents of the other groups take their batch mean,
    so that the decoder cannot use them, and their gradient is replaced by `invariance` * (z - mean), which
    draws them together (arXiv:1503.03167, section 3.2). The loss is the VAE's, nats, averaged over the batch;
    the invariance is not, so .01 weighs as .32 would beside a sum over 32 images. All that is told of the
    factors is which group varies, so it needs a data set with a grid of factors.

    Differences from the paper: it does not say whether means alone are clamped, nor before or after
    sampling; here both means and log-variances are, before sampling, as in the authors' code. That code
    copies the first image's latents instead of the mean, and leaves the invariance gradient out. Networks,
    optimiser and batches are those of Locatello et al. 2019; the paper has RMSprop and 150-pixel faces.
    """

    batch_size: int = setting(32, "images in a batch", low=2, high=100_000)
    groups: str = setting(
        "", "names of factors, as in x;y;scale;shape,orientation; without, each factor is a group"
    )
    last_ratio: float = setting(
        10.0, "how often the last of the given groups varies for once of each other", above=0
    )
    invariance: float = setting(0.01, "strength of the gradient that draws clamped latents together", low=0)

    batches = "one_group_varies"
    smallest_batch: ClassVar[int] = 2
    paper: ClassVar = {
        "batch_size": "20",
        "latents": "200",
        "groups": "azimuth; elevation; light; identity and the rest",
        "last_ratio": "10",
        "learning_rate": "RMSprop, 0.0005",
    }
    study: ClassVar = {}

    @property
    def batch_options(self) -> dict[str, Any]:
        """The groups by name, and how often the last one varies."""
        groups = [[name.strip() for name in part.split(",")] for part in self.groups.split(";")]
        if not self.groups:
            return {"groups": None, "last_ratio": 1.0}
        return {"groups": groups, "last_ratio": self.last_ratio}

    def check(self, facts: Facts) -> None:
        """There must be factors, and a latent for every group of them."""
        super().check(facts)
        if not facts.factors:
            raise BadInput(
                "dc_ign needs a data set with a grid of factors: one group of them varies at a time"
            )
        count = len(self.batch_options["groups"] or facts.factors)
        if self.latents < count:
            raise BadInput(f"latents={self.latents} is fewer than the {count} groups of factors")

    def blocks(self, facts: Facts) -> dict[str, range]:
        """The latents of each group: one, but for the last, which has all that are left."""
        last = len(self.batch_options["groups"] or facts.factors) - 1
        return {f"g{j}": range(j, self.latents if j == last else j + 1) for j in range(last + 1)}

    def clamped(self, modules: nn.ModuleDict, batch: Batch) -> tuple[Tensor, Tensor]:
        """Means and log-variances (n, d), of which all but those of the group that varies are clamped."""
        mean, logvar = modules["encoder"](batch.images).chunk(2, dim=1)
        varying, groups = batch.varying
        passing = torch.zeros(self.latents, dtype=torch.bool, device=mean.device)
        passing[varying : None if varying == groups - 1 else varying + 1] = True
        return clamp(mean, passing, self.invariance), clamp(logvar, passing, self.invariance)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta KL at posteriors in which the latents of all other groups are clamped."""
        codes = sampled(*self.clamped(modules, batch), rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        total = self.reconstruction_weight * reconstruction + self.beta * kl
        return Loss(total, {"reconstruction": reconstruction, "kl": kl})


def clamp(codes: Tensor, passing: Tensor, invariance: float) -> Tensor:
    """Codes (n, d), where the columns that are not `passing` (d,) take their batch mean.

    Their gradient is `invariance` * (code - mean), whatever comes from above; that of passing columns is
    unchanged.
    """
    clamped: Tensor = _Clamp.apply(codes, passing, invariance)  # type: ignore[no-untyped-call]
    return clamped


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, codes: Tensor, passing: Tensor, invariance: float) -> Tensor:
        mean = codes.mean(dim=0, keepdim=True)
        ctx.save_for_backward(codes - mean, passing)
        ctx.invariance = invariance
        return torch.where(passing, codes, mean)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        apart, passing = ctx.saved_tensors
        return torch.where(passing, gradients[0], ctx.invariance * apart), None, None
