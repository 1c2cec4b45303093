"""InfoGAN: a generative adversarial network whose codes can be read off its images."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Stepped
from distaff.methods.state import State, adam, descend
from distaff.networks import NETWORKS, fresh
from distaff.networks.conv import to_channels_last
from distaff.networks.network import Network
from distaff.settings import setting

FEATURES, HIDDEN = 256, 128  # outputs of the shared trunk, and units of Q's own layer
SLOPE = 0.1


@dataclass(frozen=True)
class InfoGAN(Stepped):
    """InfoGAN (Chen et al. 2016): a GAN whose codes a network Q can tell from the images they make.

    min over G, Q and max over D of V(D, G) - lambda L_I, with L_I = E log Q(c | G(z, c)) + H(c), a lower
    bound of the mutual information of codes and images in nats (Chen et al. 2016, arXiv:1606.03657, eqs. 5
    and 6). The code c is `categorical` one-hot vectors of `categories` values and `latents` numbers uniform
    on -1..1; the noise z is uniform on -1..1 too. Q shares the trunk of D. G minimises -E log D(G(z, c)) -
    lambda L_I, the non-saturating loss (logged as `loss`); D and Q minimise theirs on images of G held fixed.

    Logged: `discriminator`, D's cross-entropy, and L_I in two parts. `categorical_information` is at most
    categorical * ln categories, in every batch: H(c) is exact and the rest is a cross-entropy. For numbers
    Q is a Gaussian of standard deviation 1, so `continuous_information` is at most -0.226 nats each: only its
    differences mean something. A lambda of 0 is a plain GAN: Q learns, and changes neither the trunk nor G.

    The codes of the paper's data sets, digits standing for MNIST (whose IDX file is a data set too, by its
    path):

        distaff train info_gan --dataset digits --set categorical=1 --set categories=10 --set latents=2
        distaff train info_gan --dataset faces3d --set categorical=0 --set latents=5
        distaff train info_gan --dataset chairs3d --set categorical=4 --set categories=20 --set latents=1
        distaff train info_gan --dataset svhn --set categorical=4 --set categories=10 --set latents=2
        distaff train info_gan --dataset celeba --set categorical=10 --set categories=10 --set latents=0

    The codes of an image are Q's probabilities, `categories` columns for every categorical code, then Q's
    means. Codes are decoded with every categorical code at its largest column, and noise 0.

    Differences from the paper: the networks of Locatello et al. 2019 with leaky rectifiers in the trunk and,
    in the generator, activations normalised over each image in place of batch normalisation, so that no image
    depends on the others of its batch. (Without it D won on digits, and conv networks kept L_I at 0.) Noise
    and Q's fixed variance are those of the authors' code, as is that Q learns in D's step.
    """

    latents: int = setting(2, "continuous codes, each uniform on -1..1", low=0, high=10_000)
    categorical: int = setting(1, "categorical codes", low=0, high=1000)
    categories: int = setting(10, "values of each categorical code", low=2, high=1000)
    noise_dims: int = setting(62, "numbers of noise", low=1, high=10_000)
    information_weight: float = setting(1.0, "lambda, weight of L_I; 0 is a plain GAN", low=0)
    network: str = setting("conv", "the trunk of D and Q, and the generator", choices=tuple(NETWORKS))
    batch_size: int = setting(128, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(1e-3, "step size of the generator's Adam", low=0)
    discriminator_learning_rate: float = setting(2e-4, "step size of the Adam of D and Q", low=0)

    adversarial: ClassVar[bool] = True
    has_prior: ClassVar[bool] = True
    smallest_latents: ClassVar[int] = 0
    critic_steps = 1  # of D and Q for one of G
    betas: ClassVar[tuple[float, float]] = (0.5, 0.999)
    paper: ClassVar = {
        "latents": "2 (MNIST, SVHN), 5 (faces), 1 (chairs), 0 (CelebA)",
        "categorical": "1 (MNIST), 0 (faces), 4 (chairs, SVHN), 10 (CelebA)",
        "categories": "10, 20 (chairs)",
        "noise_dims": "62 (MNIST)",
        "information_weight": "1",
        "batch_size": "128",
        "learning_rate": "0.001",
        "discriminator_learning_rate": "0.0002",
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.latents + self.categorical == 0:
            raise BadInput("latents=0 and categorical=0 leave no code; one must be at least 1")

    def code_size(self, facts: Facts) -> int:
        """A column for each value of each categorical code, and one for each continuous code."""
        return self.categorical * self.categories + self.latents

    def column_names(self, facts: Facts) -> list[str]:
        """k1=0 is the probability that the first categorical code is 0, c1 the first continuous code."""
        chosen = [f"{name}={n}" for name, columns in self.one_hot(facts).items() for n in range(len(columns))]
        return chosen + [f"c{number}" for number in range(1, self.latents + 1)]

    def one_hot(self, facts: Facts) -> dict[str, range]:
        """The categorical codes k1, k2, ... and their columns."""
        size = self.categories
        return {
            f"k{number + 1}": range(number * size, (number + 1) * size) for number in range(self.categorical)
        }

    def blocks(self, facts: Facts) -> dict[str, range]:
        """Each categorical code, and each continuous one; none where all columns are continuous codes."""
        first = self.categorical * self.categories
        alone = {f"c{n + 1}": range(first + n, first + n + 1) for n in range(self.latents)}
        return self.one_hot(facts) | alone if self.categorical else {}

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """G and its Adam; the trunk with the heads of D and Q and theirs."""
        make_trunk, make_generator = NETWORKS[self.network]
        size = self.code_size(facts)
        makers = {
            "generator": lambda: normalised(make_generator(self.noise_dims + size, facts.image_shape)),
            "trunk": lambda: leaky(make_trunk(facts.image_shape, FEATURES)),
            "discriminator": lambda: nn.Linear(FEATURES, 1, bias=False),  # a critic's bias has no gradient
            "recogniser": lambda: nn.Sequential(
                nn.Linear(FEATURES, HIDDEN), nn.LeakyReLU(SLOPE), nn.Linear(HIDDEN, size)
            ),
        }
        modules = nn.ModuleDict({name: fresh(make, rng) for name, make in makers.items()})
        to_channels_last(modules)
        others = [p for name in ("trunk", "discriminator", "recogniser") for p in modules[name].parameters()]
        return State(
            modules,
            {
                "generator": adam(modules["generator"].parameters(), self.betas),
                "discriminator": adam(others, self.betas),
            },
        )

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """Q's probabilities and means (n, d)."""
        outputs = modules["recogniser"](modules["trunk"](images))
        logits, means = split(outputs, self.categorical, self.categories)
        codes = torch.cat([logits.softmax(dim=2).flatten(1), means], dim=1)
        return Codes(codes, None, codes)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """Images (n, C, H, W) in 0..1 of codes (n, d): categorical ones at their largest column, noise 0."""
        exact = Largest(self.categorical, self.categories)(codes)
        return self.generate(modules, exact, codes.new_zeros(len(codes), self.noise_dims))

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The largest columns, zeros of noise before them, the generator's layers and a sigmoid."""
        exact = [Largest(self.categorical, self.categories), nn.ZeroPad1d((self.noise_dims, 0))]
        return [*exact, *modules["generator"].children(), nn.Sigmoid()]

    def generate(self, modules: nn.ModuleDict, codes: Tensor, noise: Tensor) -> Tensor:
        """G(z, c): images in 0..1 of codes (n, d) and noise (n, noise_dims)."""
        return torch.sigmoid(modules["generator"](torch.cat([noise, codes], dim=1)))

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Codes (n, d) and noise (n, noise_dims) from their distributions."""
        where = rng.device
        chosen = torch.randint(self.categories, (count, self.categorical), generator=rng, device=where)
        exact = F.one_hot(chosen, self.categories).flatten(1).float()
        rest = 2 * torch.rand((count, self.latents + self.noise_dims), generator=rng, device=where) - 1
        return torch.cat([exact, rest[:, : self.latents]], dim=1), rest[:, self.latents :]

    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """Some steps of D and Q, the last of which is logged, then one of G."""
        for _ in range(self.critic_steps):
            terms = self.discriminator_step(state, batch.images, rng)
        return self.generator_step(state, batch.images, rng) | terms

    def discriminator_step(self, state: State, real: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of D and Q on real images and as many of G's."""
        modules = state.modules
        codes, noise = (drawn.to(real.device) for drawn in self.draw(len(real), rng))
        with torch.no_grad():
            fake = self.generate(modules, codes, noise)
        features = modules["trunk"](torch.cat([real, fake]))
        own, terms = self.discriminator_loss(modules, features, real, fake, rng)
        heard = features[len(real) :]
        # Q's head learns at full weight whatever lambda is; the trunk gets lambda of its gradient
        heard = heard.detach() + self.information_weight * (heard - heard.detach())
        parts = self.information(modules["recogniser"](heard), codes)
        loss = own - torch.stack(list(parts.values())).sum()
        descend(state.optimisers["discriminator"], loss, self.discriminator_learning_rate)
        return {name: value.detach() for name, value in ({"discriminator": own} | terms).items()}

    def generator_step(self, state: State, real: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of G, on as many images as there are real ones."""
        modules = state.modules
        codes, noise = (drawn.to(real.device) for drawn in self.draw(len(real), rng))
        features = modules["trunk"](self.generate(modules, codes, noise))
        own = self.generator_loss(modules["discriminator"](features))
        parts = self.information(modules["recogniser"](features), codes)
        loss = own - self.information_weight * torch.stack(list(parts.values())).sum()
        descend(state.optimisers["generator"], loss, self.learning_rate)
        terms = {"loss": loss, "generator": own} | parts
        return {name: value.detach() for name, value in terms.items()}

    def discriminator_loss(
        self, modules: nn.ModuleDict, features: Tensor, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """-E log D(x) - E log(1 - D(G(z, c))), from the features of real, then generated images."""
        of_real, of_fake = modules["discriminator"](features).chunk(2)
        return F.softplus(-of_real).mean() + F.softplus(of_fake).mean(), {}

    def generator_loss(self, logits: Tensor) -> Tensor:
        """-E log D(G(z, c))."""
        return F.softplus(-logits).mean()

    def information(self, outputs: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """L_I of Q's outputs (n, d) and the codes (n, d), in nats, by kind of code."""
        logits, means = split(outputs, self.categorical, self.categories)
        values, numbers = split(codes, self.categorical, self.categories)
        parts = {}
        if self.categorical:
            parts["categorical_information"] = categorical_information(logits, values)
        if self.latents:
            parts["continuous_information"] = continuous_information(means, numbers)
        return parts


class Largest(nn.Module):
    """Codes (n, d) of which each categorical one is 1 at its largest column and 0 elsewhere."""

    def __init__(self, categorical: int, categories: int) -> None:
        super().__init__()
        self.categorical, self.categories = categorical, categories

    def forward(self, codes: Tensor) -> Tensor:
        columns, numbers = split(codes, self.categorical, self.categories)
        exact = F.one_hot(columns.argmax(dim=2), self.categories).flatten(1)
        return torch.cat([exact.to(codes.dtype), numbers], dim=1)


def normalised(network: nn.Module) -> nn.Module:
    """The network with each image's activations normalised before they are bent."""
    layers: list[nn.Module] = []
    for layer in network.children():
        if isinstance(layer, nn.ReLU | nn.Tanh):
            layers.append(nn.GroupNorm(1, width(layers)))
        layers.append(layer)
    return Network(*layers)


def width(layers: list[nn.Module]) -> int:
    """The outputs or channels of the last layer that has weights: the length of its bias."""
    return next(len(parameters[-1]) for layer in layers[::-1] if (parameters := list(layer.parameters())))


def leaky(network: nn.Module) -> nn.Module:
    """The network with leaky rectifiers, also after its last layer, through which G gets its gradient."""
    bent = (nn.LeakyReLU(SLOPE) if isinstance(layer, nn.ReLU) else layer for layer in network.children())
    return Network(*bent, nn.LeakyReLU(SLOPE))


def split(columns: Tensor, categorical: int, categories: int) -> tuple[Tensor, Tensor]:
    """Columns (n, d) as those of categorical codes (n, categorical, categories) and of the others."""
    border = categorical * categories
    return columns[:, :border].unflatten(1, (categorical, categories)), columns[:, border:]


def categorical_information(logits: Tensor, values: Tensor) -> Tensor:
    """E log Q(c|x) + H(c), nats, of logits and one-hot values (n, codes, categories), uniform a priori."""
    _, codes, categories = logits.shape
    return (logits.log_softmax(dim=2) * values).sum(dim=(1, 2)).mean() + codes * math.log(categories)


def continuous_information(means: Tensor, values: Tensor) -> Tensor:
    """E log N(c; mean, 1) + H(c), nats, of means and values (n, codes) that are uniform on -1..1."""
    constant = math.log(2) - 0.5 * math.log(2 * math.pi)
    return means.shape[1] * constant - 0.5 * (values - means).square().sum(dim=1).mean()
