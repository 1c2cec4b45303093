"""Autoencoders without a prior: plain, linear, tied, sparse and denoising."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.draws import drawn, noise
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.terms import gaussian_negative_log_likelihood
from distaff.networks.linear import tied_decoder
from distaff.networks.network import Network
from distaff.settings import setting

ACTIVATIONS = {"none": nn.Identity(), "relu": nn.ReLU(), "sigmoid": nn.Sigmoid()}


@dataclass(frozen=True)
class Autoencoder(EncoderDecoder):
    """Autoencoder: reconstruction alone, or with tied weights, sparse codes or corrupted inputs.

    Minimises -log p(x|z) with z = a(f(x)) deterministic, in nats: codes have no log-variance and, without an
    activation a, no scale. With fewer latents than the data have dimensions it is undercomplete, with more
    overcomplete. By its settings it is

    - linear (`network=linear output=linear likelihood=gaussian`): at its optimum it spans the subspace of
      PCA (Baldi and Hornik 1989, doi:10.1016/0893-6080(89)90014-2);
    - tied (`tied=true`): the decoder's weights are the encoder's, transposed (Vincent et al. 2010,
      JMLR 11:3371);
    - sparse: `l1` adds sparsity_weight * mean over images of sum_j |z_j|, `kl` adds sparsity_weight *
      sum_j KL(rho || r_j), where r_j is the mean of z_j over the batch, 0..1 (Ng 2011, "Sparse autoencoder",
      CS294A lecture notes, section 3);
    - denoising: the code is that of a corrupted image, the loss against the clean one (Vincent et al. 2010,
      "Stacked denoising autoencoders", section 3). `gaussian` adds noise of deviation corruption_level, in
      units of pixels 0..1, uncut; `masking` puts that share of pixels and channels to 0; `rectangle` puts
      all channels of one rectangle in every image to 0, at a random place and with sides of up to that share
      of the image's.

    Differences from the paper: by default the networks are those of Locatello et al. 2019. The mean
    activation of the KL is that of a batch, not of all images.
    """

    tied: bool = setting(False, "decoder weights are the transpose of the encoder's; needs network=linear")
    activation: str = setting("none", "what codes pass through", choices=tuple(ACTIVATIONS))
    output: str = setting(
        "sigmoid", "what the decoder's pixels pass through; linear is cut to 0..1 after training",
        choices=("sigmoid", "linear"),
    )  # fmt: skip
    sparsity: str = setting("none", "what makes codes sparse", choices=("none", "l1", "kl"))
    sparsity_weight: float = setting(1.0, "weight of the sparsity term", low=0, only_with="sparsity")
    rho: float = setting(
        0.05, "mean activation that kl asks for", above=0, high=0.999, only_with="sparsity=kl"
    )
    corruption: str = setting(
        "none",
        "what is done to the encoder's images in training",
        choices=("none", "gaussian", "masking", "rectangle"),
    )
    corruption_level: float = setting(
        0.3,
        "deviation of the noise, share of what is masked, or longest side of a rectangle",
        low=0,
        only_with="corruption",
    )

    def check(self, facts: Facts) -> None:
        """Settings must not contradict each other."""
        super().check(facts)
        if self.tied and self.network != "linear":
            raise BadInput(f"tied=true needs network=linear, got network={self.network}")
        if self.sparsity == "kl" and self.activation != "sigmoid":
            raise BadInput(f"sparsity=kl needs activation=sigmoid, got activation={self.activation}")
        if self.output == "linear" and self.likelihood != "gaussian":
            raise BadInput(f"output=linear needs likelihood=gaussian, got likelihood={self.likelihood}")
        most = max(float(self.at(step).corruption_level) for step in (0, 2**62))  # ends of a schedule
        if self.corruption in ("masking", "rectangle") and most > 1:
            given = f"corruption_level={self.corruption_level} is out of range"
            raise BadInput(f"{given}; {self.corruption} takes 0 to 1")

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, with fresh weights."""
        modules = super().networks(facts, rng)
        if self.tied:
            encoder = cast(Network, modules["encoder"])
            modules["decoder"] = tied = tied_decoder(encoder, facts.image_shape)
            tied.lower, tied.compiled = encoder.lower, encoder.compiled
        return modules

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The code (n, d), which is its own sample."""
        codes = ACTIVATIONS[self.activation](modules["encoder"](images))
        return Codes(codes, None, codes)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The image (n, C, H, W), cut to 0..1 where the output is linear."""
        if self.output == "sigmoid":
            return super().decode(modules, codes)
        images: Tensor = modules["decoder"](codes).clamp(0, 1)
        return images

    def encoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The layers that make codes of images."""
        return [*modules["encoder"].children(), ACTIVATIONS[self.activation]]

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The decoder's layers, and a sigmoid or the cut to 0..1."""
        *layers, sigmoid = super().decoding(modules)
        return [*layers, sigmoid if self.output == "sigmoid" else nn.Hardtanh(0, 1)]

    def reconstruction(self, outputs: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z) of the decoder's outputs."""
        if self.output == "sigmoid":
            return super().reconstruction(outputs, images)
        return gaussian_negative_log_likelihood(outputs, images, self.sigma)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction of the clean images from the codes of the corrupted ones, and the sparsity term."""
        codes = self.encode(modules, self.corrupted(batch.images, rng), rng).mean
        reconstruction = self.reconstruction(modules["decoder"](codes), batch.images)
        weighted, terms = self.reconstruction_weight * reconstruction, {"reconstruction": reconstruction}
        if self.sparsity == "none":
            return Loss(weighted, terms)
        sparsity = kl_to_rate(codes, self.rho) if self.sparsity == "kl" else codes.abs().sum(1).mean()
        return Loss(weighted + self.sparsity_weight * sparsity, terms | {"sparsity": sparsity})

    def corrupted(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """What the encoder sees of images while it is trained."""
        if self.corruption == "gaussian":
            return images + self.corruption_level * noise(images, rng)
        if self.corruption == "masking":
            kept = drawn(torch.rand, images.shape, rng=rng) >= self.corruption_level
            return images * kept.to(images.device)
        if self.corruption == "rectangle":
            return images * ~rectangles(images, self.corruption_level, rng)
        return images


def rectangles(images: Tensor, longest: float, rng: torch.Generator) -> Tensor:
    """Where a rectangle lies in each of the images, as truth values (n, 1, H, W).

    Its height and width are uniform over 0, 1, ... pixels up to the share `longest` of the image's, rounded,
    and its place is uniform over those where it lies inside.
    """
    inside = []
    for side in images.shape[2:]:
        size, place = drawn(torch.rand, (2, len(images), 1), rng=rng)
        most = torch.as_tensor(longest * side).round()  # a number, or a tensor where runs are trained as one
        length = (size * (most + 1)).floor()
        first = (place * (side - length + 1)).floor()
        along = torch.arange(side, device=size.device)
        inside.append((along >= first) & (along < first + length))
    rows, columns = inside
    covered: Tensor = rows[:, None, :, None] & columns[:, None, None, :]
    return covered.to(images.device)


def kl_to_rate(codes: Tensor, rho: float) -> Tensor:
    """sum_j KL(Bernoulli(rho) || Bernoulli(r_j)) of codes (n, d) in 0..1 with means r_j, nats."""
    rates = codes.mean(dim=0).clamp(1e-6, 1 - 1e-6)  # a unit that is always off or on has a finite slope
    return (rho * torch.log(rho / rates) + (1 - rho) * torch.log((1 - rho) / (1 - rates))).sum()
