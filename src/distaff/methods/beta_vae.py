"""beta-VAE."""

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.features import LAYERS, feature_loss
from distaff.methods.frozen import Frozen, frozen
from distaff.methods.terms import mean_kl
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class BetaVAE(VAE):
    """beta-VAE (Higgins et al. 2017): a VAE whose KL is weighted by beta.

    Minimises reconstruction + beta * KL(q(z|x) || N(0, I)) (Higgins et al. 2017, openreview:Sy2fzU9gl,
    eq. 4); beta=1 is the VAE. The `kl` that is logged is not weighted. Images of other sizes want another
    beta: the normalised beta * latents / pixels is what carries over.

    With `features=RUN`, a finished run of `autoencoder`, it is the beta-VAE_DAE of DARLA (Higgins et al.
    2017, arXiv:1707.08475) and SCAN (Higgins et al. 2018, arXiv:1707.03389): the reconstruction is
    1/2 |J(x') - J(x)|^2, summed over features and averaged over the batch, where x' is the image that the
    sample is decoded to and J a layer of that run, which stays as it is. It is -log N(J(x); J(x'), I) without
    its constant. Its scale is that of J, so that beta is of another size there. Of x' only what J sees is
    told to the decoder; the rest of it is noise, so codes are decoded to what that run makes of x'. Such a
    method gives images no likelihood; `likelihood` has no part in it.

    Differences from the paper: the networks and optimiser of Locatello et al. 2019 (network=fc has the
    paper's networks for 2D shapes).
    """

    beta: float = setting(4.0, "weight of the KL", low=0)
    features: str = setting(
        "none",
        "the run in whose features images are compared, instead of in pixels",
        run=("autoencoder",),
        later=True,
    )
    feature_layer: str = setting(
        "code",
        "which of its layers: its codes; what its encoder's last layer sees; its images",
        choices=tuple(LAYERS),
        only_with="features",
        later=True,
    )

    paper: ClassVar = {
        "latents": "10 (2D shapes), 32 (faces, chairs)",
        "learning_rate": "Adagrad, .01 (2D shapes); Adam, .0001",
        "network": "fc (2D shapes), conv",
        "beta": "4 (2D shapes), 5 (chairs), 20 (faces), 250 (CelebA)",
    }
    study: ClassVar = VAE.study | {"beta": "1, 2, 4, 6, 8, 16"}

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, with fresh weights, and the finished run of `features`."""
        modules = super().networks(facts, rng)
        if self.features != "none":
            modules["features"] = frozen(facts.bases["features"])
        return modules

    def compared_size(self, facts: Facts) -> int:
        """The number of features, or of pixels and channels."""
        if self.features == "none":
            return super().compared_size(facts)
        base = frozen(facts.bases["features"])
        return LAYERS[self.feature_layer](base, torch.zeros(1, *facts.image_shape)).shape[1]

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The mean image (n, C, H, W) in 0..1; with features as their run decodes its code again."""
        images = super().decode(modules, codes)
        if self.features == "none":
            return images
        base = cast(Frozen, modules["features"])
        return base.decode(base.encode(images, torch.Generator()).mean)

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The decoder's layers and a sigmoid; with features those of their run after them, there and back."""
        layers = super().decoding(modules)
        if self.features == "none":
            return layers
        base = cast(Frozen, modules["features"])
        return [*layers, *base.method.encoding(base), *base.method.decoding(base)]

    @property
    def compares_pixels(self) -> bool:
        """Whether what it minimises is a likelihood of pixels."""
        return self.features == "none"

    def log_weights(
        self, modules: nn.ModuleDict, images: Tensor, codes: Codes, rng: torch.Generator
    ) -> Tensor:
        """log p(x, z) - log q(z|x) (n,), nats; BadInput with features."""
        if not self.compares_pixels:
            raise BadInput("beta_vae with features compares features: it gives images no likelihood")
        return super().log_weights(modules, images, codes, rng)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction, of pixels or features, + beta KL."""
        if self.features == "none":
            return super().loss(modules, batch, rng)
        codes = self.encode(modules, batch.images, rng)
        seen: Tensor = super().decode(modules, codes.sample)
        reconstruction = feature_loss(modules["features"], self.feature_layer, seen, batch.images)
        kl = mean_kl(codes)
        total = self.reconstruction_weight * reconstruction + self.beta * kl
        return Loss(total, {"reconstruction": reconstruction, "kl": kl})
