"""InfoWGAN-GP: InfoGAN with the critic and gradient penalty of the Wasserstein GAN."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.methods.info_gan import InfoGAN
from distaff.networks.threads import undivided
from distaff.settings import setting


@dataclass(frozen=True)
class InfoWGANGP(InfoGAN):
    """InfoWGAN-GP (Kim and Mnih 2018): InfoGAN on a Wasserstein GAN, whose training is steadier.

    The critic f minimises E f(G(z, c)) - E f(x) + gradient_penalty * E (|grad f(y)| - 1)^2, with y at random
    between a real image x and a generated one (Gulrajani et al. 2017, arXiv:1704.00028, eq. 3),
    `critic_steps` times for each step of G, which minimises -E f(G(z, c)) - lambda L_I (Kim and Mnih 2018,
    arXiv:1802.05983, section 5). L_I, codes and Q are those of info_gan. Logged: `discriminator`, what the
    critic minimises; `gradient_norm`, the mean norm at y, which is near 1 where the penalty does its work;
    `wasserstein`, E f(x) - E f(G(z, c)), in units of the distance of images.

    Differences from the paper: networks as in info_gan. The critic's steps for one step of G see the same
    real images, with new generated ones each.
    """

    latents: int = setting(4, "continuous codes, each uniform on -1..1", low=0, high=10_000)
    categories: int = setting(3, "values of each categorical code", low=2, high=1000)
    information_weight: float = setting(0.2, "lambda, weight of L_I; 0 is a plain WGAN-GP", low=0)
    batch_size: int = setting(64, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(2e-4, "step size of the generator's Adam", low=0)
    critic_steps: int = setting(5, "steps of the critic and Q for one of the generator", low=1, high=1000)
    gradient_penalty: float = setting(10.0, "weight of the squared distance of gradient norms from 1", low=0)

    betas: ClassVar[tuple[float, float]] = (0.0, 0.9)
    paper: ClassVar = {
        "latents": "4 (2D shapes)",
        "categorical": "1",
        "information_weight": "0.2 (best on 2D shapes)",
        "batch_size": "64",
        "learning_rate": "0.0002",
        "discriminator_learning_rate": "0.0002",
        "critic_steps": "5",
        "gradient_penalty": "10",
    }

    def discriminator_loss(
        self, modules: nn.ModuleDict, features: Tensor, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """E f(G(z, c)) - E f(x) and the gradient penalty."""
        of_real, of_fake = modules["discriminator"](features).chunk(2)
        share = torch.rand((len(real), 1, 1, 1), generator=rng, device=rng.device).to(real.device)
        norms = gradient_norms(modules, share * real + (1 - share) * fake)
        wasserstein = of_real.mean() - of_fake.mean()
        loss = self.gradient_penalty * (norms - 1).square().mean() - wasserstein
        return loss, {"wasserstein": wasserstein, "gradient_norm": norms.mean()}

    def generator_loss(self, logits: Tensor) -> Tensor:
        """-E f(G(z, c))."""
        return -logits.mean()


def gradient_norms(modules: nn.ModuleDict, images: Tensor) -> Tensor:
    """The Euclidean norm (n,) of the critic's gradient at each image, itself with a gradient."""
    images = images.detach().requires_grad_()
    with undivided():
        values = modules["discriminator"](modules["trunk"](images))
    (gradients,) = torch.autograd.grad(values.sum(), images, create_graph=True)
    norms: Tensor = gradients.flatten(1).norm(dim=1)
    return norms
