"""DisBM: a Boltzmann machine with two groups of hidden units that multiply each other's effects."""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Stepped
from distaff.methods.draws import drawn
from distaff.methods.mean_field import Given, Units, mean_field
from distaff.methods.state import State, adam, descend
from distaff.methods.terms import negative_log_likelihood
from distaff.networks.three_way import FromUnits, ThreeWay
from distaff.settings import setting

LEAST = 1e-12  # a squared distance whose root still has a slope


@dataclass(frozen=True)
class DisBM(Stepped):
    """DisBM (Reed et al. 2014): a Boltzmann machine with two groups of hidden units that interact.

    p(v, h, m) is in proportion to exp(-E), with the energy E of `distaff.networks.three_way`: pixels v, units
    h that are to stand for an image's identity and units m for all else, such as its pose (PMLR 32(2):1431).
    The code is the mean activity of h, then m, by mean field; it is decoded to the pixels' chances given it.
    The weights go up log p(v) by contrastive divergence, CD-k (Hinton 2002,
    doi:10.1162/089976602760128018), or, where `persistent`, by chains that go on from step to step (Tieleman
    2008, doi:10.1145/1390156.1390290).

    Nothing in this tells h from m. What does are pairs of images that share the first `identity_factors`
    factors of the data set, or the others. By `clamping` such a pair has one h, or one m: the weights go up
    log sum_h p(v1, h) p(v2, h). By the manifold loss |h1 - h2|^2 is to be 0 for units that each image has on
    its own, where the two share what h is of, and else max(0, margin - |h1 - h2|)^2; and the same of m. Its
    gradient goes through the sweeps of mean field. With `labelled_images` some units are the labels, a unit
    for each value: h begins with those of the first `identity_factors` labels, m with those of the others.
    On such images the weights go up log p(v, labels).

    The history's `loss` is the cross-entropy of pixels given the units found for them, in nats, and the
    weighted manifold loss. Contrastive divergence goes down no function that is known; `contrast` is the
    difference of mean energies, of images less samples, whose gradient it takes.

    Differences from the paper: its text was not at hand, only its equations as others cite them. How labels
    are held is ours, and that samples are of single images, not of clamped pairs. It has layers of features
    below the machine; here are pixels, grey ones as chances. Adam.
    """

    latents: int = setting(40, "units; the first half of them are h, the others m", low=2, high=10_000)
    interactions: int = setting(32, "factors of the weights of triples of units", low=1, high=10_000)
    learning_rate: float = setting(2e-3, "Adam's step size", low=0)
    sweeps: int = setting(10, "updates of each group in mean field", low=1, high=1000)
    gibbs_steps: int = setting(
        1, "k of CD-k, or how far chains go for a batch, and again for labelled images", low=1, high=1000
    )
    persistent: bool = setting(False, "whether chains go on from step to step, one for each image of a batch")
    pairs: str = setting(
        "clamping",
        "what is done with pairs of images that share factors; both: clamping and the manifold loss",
        choices=("none", "clamping", "manifold", "both"),
    )
    identity_factors: int = setting(1, "how many of the data set's factors, the first ones, h is of", low=1)
    manifold_weight: float = setting(1.0, "weight of the manifold loss", low=0, only_with="pairs")
    margin: float = setting(1.0, "how far it wants units of what differs", above=0, only_with="pairs")
    labelled_images: int = setting(0, "images with labels, at which units are held; 0: none", low=0)
    label_weight: float = setting(1.0, "weight of the labelled images", low=0)

    paired: ClassVar[bool] = True
    smallest_batch: ClassVar[int] = 2
    smallest_latents: ClassVar[int] = 2

    @property
    def batches(self) -> str:
        """Pairs, where there is something to do with them."""
        return "images" if self.pairs == "none" else "pairs"

    @property
    def batch_options(self) -> dict[str, Any]:
        """What pairs share: the first factors, or the others."""
        return {} if self.pairs == "none" else {"known": True, "split": self.identity_factors}

    @property
    def labelled_part(self) -> dict[str, Any] | None:
        """The labelled images, if there are any."""
        return {"count": self.labelled_images} if self.labelled_images else None

    @property
    def sizes(self) -> tuple[int, int]:
        """The numbers of units of h and m."""
        return self.latents // 2, self.latents - self.latents // 2

    def column_names(self, facts: Facts) -> list[str]:
        """The units of h, then those of m."""
        return [f"{group}{n + 1}" for group, size in zip("hm", self.sizes, strict=True) for n in range(size)]

    def blocks(self, facts: Facts) -> dict[str, range]:
        """The units h and the units m."""
        return {"h": range(self.sizes[0]), "m": range(self.sizes[0], self.latents)}

    def check(self, facts: Facts) -> None:
        """Both groups need a factor of their own, and a unit for each value of their labels."""
        super().check(facts)
        if self.pairs != "none" and len(facts.factors) <= self.identity_factors:
            raise BadInput(
                f"identity_factors={self.identity_factors} of the data set's {len(facts.factors)} factors "
                "leaves m without any; pairs=none needs no factors"
            )
        for group, size, values in zip("hm", self.sizes, self._label_units(facts), strict=True):
            if values > size:
                raise BadInput(
                    f"latents={self.latents} gives {group} {size} units, and its labels need {values}"
                )

    def _label_units(self, facts: Facts) -> tuple[int, int]:
        """How many units of h and of m are values of labels."""
        return sum(facts.labels[: self.identity_factors]), sum(facts.labels[self.identity_factors :])

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The machine, its Adam, and chains whose units are 0 or 1 by chance."""
        machine = ThreeWay(facts.image_shape, *self.sizes, self.interactions, rng)
        found = State(nn.ModuleDict({"machine": machine}), {"adam": adam(machine.parameters())})
        if self.labelled_images:
            h, m = facts.labels[: self.identity_factors], facts.labels[self.identity_factors :]
            found.modules["labels"] = LabelUnits(h, m, *self.sizes)
        if self.persistent:
            begun = torch.rand((self.batch_size, self.latents), generator=rng).round()
            found.chains["units"] = nn.Module()
            found.chains["units"].register_buffer("h_and_m", begun)
        return found

    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of Adam: up the likelihood of all images, and down the manifold loss if there is one."""
        machine, v = machine_of(state.modules), batch.images.flatten(1)
        given = Given(*self.shared(batch)) if self.pairs in ("clamping", "both") else Given()
        total, units = self.contrast(state, v, given, rng)
        loss: Tensor = negative_log_likelihood(machine.v_logits(*units), v, "bernoulli")
        terms = {"contrast": total, "reconstruction": loss}
        if self.labelled_images:
            held = Given(held=state.modules["labels"](batch.labels))
            terms["label_contrast"], _ = self.contrast(state, batch.labelled.flatten(1), held, rng)
            total = total + self.label_weight * terms["label_contrast"]
        if self.pairs in ("manifold", "both"):
            own = mean_field(machine, v, self.sweeps)
            terms["manifold"] = manifold_loss(own, *self.shared(batch), self.margin)
            total, loss = (each + self.manifold_weight * terms["manifold"] for each in (total, loss))
        descend(state.optimisers["adam"], total, self.learning_rate)
        return {name: value.detach() for name, value in ({"loss": loss} | terms).items()}

    def shared(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Which pairs (n / 2,) share what h is of, and which what m is of."""
        of_h, of_m = batch.changed.tensor_split([self.identity_factors], dim=1)
        return ~of_h.any(dim=1), ~of_m.any(dim=1)

    def contrast(self, state: State, v: Tensor, given: Given, rng: torch.Generator) -> tuple[Tensor, Units]:
        """The mean energy of pixels (n, p) and their units, less that of samples; and the units.

        Neither units nor samples have a gradient, so that the difference has that of contrastive divergence.
        """
        machine = machine_of(state.modules)
        with torch.no_grad():
            units = mean_field(machine, v, self.sweeps, given)
            if self.persistent:
                chains = state.chains["units"].get_buffer("h_and_m")
                sampled, hidden = self.gone_on(machine, chains, rng)
            else:
                sampled, hidden = self.reconstructed(machine, units, rng)
        return machine.energy(v, *units).mean() - machine.energy(sampled, *hidden).mean(), units

    def reconstructed(self, machine: ThreeWay, units: Units, rng: torch.Generator) -> tuple[Tensor, Units]:
        """Pixels (n, p) drawn `gibbs_steps` times from drawn units, each time with new units of their own."""
        for _ in range(self.gibbs_steps):
            v = bits(torch.sigmoid(machine.v_logits(*(bits(each, rng) for each in units))), rng)
            units = mean_field(machine, v, self.sweeps)
        return v, units

    def gone_on(self, machine: ThreeWay, chains: Tensor, rng: torch.Generator) -> tuple[Tensor, Units]:
        """Pixels and units (n, p) after `gibbs_steps` of Gibbs sampling, by which chains (n, a + b) go on.

        Each of pixels, h and m is drawn given the other two. Of h the chances are given: with less noise
        they have the mean of what is drawn.
        """
        h, m = chains.split(self.sizes, dim=1)
        for _ in range(self.gibbs_steps):
            v = bits(torch.sigmoid(machine.v_logits(h, m)), rng)
            seen = machine.seen(v)
            m = bits(torch.sigmoid(machine.m_logits(seen, h)), rng)
            chances = torch.sigmoid(machine.h_logits(seen, m))
            h = bits(chances, rng)
        chains.copy_(torch.cat([h, m], dim=1))
        return v, Units(chances, m)

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The mean activities (n, d) of h, then m, which are their own samples."""
        codes = torch.cat(mean_field(machine_of(modules), images.flatten(1), self.sweeps), dim=1)
        return Codes(codes, None, codes)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The chance (n, C, H, W) of each pixel given the units' activities."""
        machine = machine_of(modules)
        chances = torch.sigmoid(machine.v_logits(*codes.split(self.sizes, dim=1)))
        images: Tensor = chances.unflatten(1, machine.image_shape)
        return images

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The machine as one layer, the shape of an image, and a sigmoid."""
        machine = machine_of(modules)
        return [FromUnits(machine), nn.Unflatten(1, machine.image_shape), nn.Sigmoid()]


class LabelUnits(nn.Module):
    """Which units labels are: h begins with a unit for each value of some labels, m with those of others."""

    def __init__(self, h_labels: tuple[int, ...], m_labels: tuple[int, ...], h: int, m: int) -> None:
        super().__init__()
        self.units = h + m
        sizes = torch.tensor([*h_labels, *m_labels])
        first = sizes.cumsum(0) - sizes
        first[len(h_labels) :] += h - sum(h_labels)
        self.sizes: Tensor
        self.first: Tensor
        self.register_buffer("sizes", sizes, persistent=False)
        self.register_buffer("first", first, persistent=False)

    def forward(self, labels: Tensor) -> Tensor:
        """What units (n, a + b) labels (n, k) hold: 1 for their values, 0 for others, NaN for other units."""
        unit = torch.arange(self.units, device=labels.device)
        own = (unit >= self.first[:, None]) & (unit < (self.first + self.sizes)[:, None])  # (k, a + b)
        on = (unit == (self.first + labels)[:, :, None]).any(dim=1)
        return torch.where(own.any(dim=0), on.float(), torch.nan)


def manifold_loss(units: Units, shared_h: Tensor, shared_m: Tensor, margin: float) -> Tensor:
    """|x1 - x2|^2 of units x of pairs that share them, max(0, margin - |x1 - x2|)^2 of others.

    Of h and of m in turn, summed, averaged over the pairs (n / 2,); the first images come first in `units`.
    """
    total = torch.zeros(())
    for each, shared in ((units.h, shared_h), (units.m, shared_m)):
        first, second = each.chunk(2)
        squares = (first - second).square().sum(dim=1)
        hinge = (margin - (squares + LEAST).sqrt()).clamp(min=0).square()
        total = total + torch.where(shared, squares, hinge).mean()
    return total


def machine_of(modules: nn.ModuleDict) -> ThreeWay:
    """The machine among the modules of a run."""
    return cast(ThreeWay, modules["machine"])


def bits(chances: Tensor, rng: torch.Generator) -> Tensor:
    """Independent draws of 1 with these chances, else 0."""
    return (drawn(torch.rand, chances.shape, rng=rng).to(chances.device) < chances).to(chances.dtype)
