"""Independently controllable factors: features that policies change one at a time."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.networks import fresh
from distaff.settings import setting


@dataclass(frozen=True)
class ControllableFactors(EncoderDecoder):
    """Independently controllable factors (Thomas et al. 2017): features that policies change one at a time.

    An autoencoder whose codes f(s) = tanh(encoder(s)) are K features, each with a policy pi_k(a|s), a softmax
    of a layer of the features. Minimises -log p(s|f(s)) - selectivity_weight * sum_k E[sel_k(s, a, s')], with
    a drawn from pi_k(.|s) and s' the image that action a leads to: pi_k learns what changes feature k and no
    other, and feature k to be what pi_k can change (arXiv:1708.01289). Of the changes d = f(s') - f(s) sel_k
    is |d_k| / (eps + sum_j |d_j|), or, `directed`, d_k / (eps + sum_j max(d_j, 0)), which tells a feature
    that rises by an action from one that falls. After a move that is blocked it is 0.

    Images are drawn uniformly, and so are actions a out of A; sel_k is weighted by A pi_k(a|s), so that its
    mean is that under the policy and the policy learns by the probability of the action that was taken.
    Actions move the data set's factors (see distaff.batches.actions), all or those that `moves` names; the
    method is told their numbers alone. The features are all that the decoder sees.

    Differences from the paper: the networks are those of Locatello et al. 2019 (arXiv:1811.12359), and the
    policies are a layer of the features, which keeps an action the same over wide parts of the world. Actions
    are uniform, not the policies' own. Bengio et al. 2017 (arXiv:1703.07718) take the logarithm of sel_k,
    which has no bound at 0, and no eps, without which a blocked move divides by 0; here eps also sets how
    far a feature should move, and so spreads its values evenly. A published port decodes a hidden layer of
    the encoder, past the features. The later variant, whose features are embeddings of sampled noise, is left
    out.
    """

    latents: int = setting(4, "number of features, each with a policy", low=1, high=10_000)
    learning_rate: float = setting(2e-3, "Adam's step size", low=0)
    likelihood: str = setting(
        "gaussian", "the decoder's distribution of a pixel", choices=("bernoulli", "gaussian")
    )
    selectivity_weight: float = setting(2.0, "weight of the features' selectivities", low=0)
    eps: float = setting(
        0.05, "what is added to the changes of all features; those far below it count for little", above=0
    )
    directed: bool = setting(True, "whether a feature's own action must make it rise, and not just change")
    moves: str = setting("", "names of the factors that actions move, as in x,y; without, every factor")
    wrapped: bool = setting(
        False, "whether a move at an end of a factor leads to its other end, and is not blocked"
    )

    batches = "actions"
    paired: ClassVar[bool] = True
    smallest_batch: ClassVar[int] = 2
    paper: ClassVar = {"latents": "4 or 6", "learning_rate": "0.0005"}

    @property
    def batch_options(self) -> dict[str, Any]:
        """Which factors move, and what happens at their ends."""
        return {"movable": self._movable or None, "wrapped": self.wrapped}

    @property
    def _movable(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.moves.split(",")) if self.moves else ()

    def check(self, facts: Facts) -> None:
        """There must be factors to move, each named once."""
        super().check(facts)
        if len(set(self._movable)) < len(self._movable):
            raise BadInput(f"moves={self.moves} names a factor twice")
        if not self._count(facts):
            raise BadInput("controllable_factors needs a data set with a grid of factors, which actions move")

    def _count(self, facts: Facts) -> int:
        """A, how many actions there are."""
        return 2 * len(self._movable or facts.factors)

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder, decoder, and the policies' layer, with fresh weights."""
        modules = super().networks(facts, rng)
        modules["policies"] = fresh(lambda: nn.Linear(self.latents, self.latents * self._count(facts)), rng)
        return modules

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The features (n, d) in -1..1, which are their own sample."""
        features = torch.tanh(modules["encoder"](images))
        return Codes(features, None, features)

    def policies(self, modules: nn.ModuleDict, features: Tensor) -> Tensor:
        """The probabilities pi_k(a|s) of features (n, d), as (n, d, A)."""
        logits: Tensor = modules["policies"](features)
        return logits.view(len(logits), self.latents, -1).softmax(dim=2)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction of all images, less the weighted selectivity of features under their policies."""
        features = self.encode(modules, batch.images, rng).mean
        reconstruction = self.reconstruction(modules["decoder"](features), batch.images)
        before, after = features.chunk(2)
        selective = selectivity(after - before, self.eps, self.directed)
        selective = expected(selective, self.policies(modules, before), batch.actions)
        total = self.reconstruction_weight * reconstruction - self.selectivity_weight * selective
        return Loss(total, {"reconstruction": reconstruction, "selectivity": selective})


def selectivity(changes: Tensor, eps: float, directed: bool) -> Tensor:
    """The share of each feature in `eps` and the changes (n, d) of all; 0 where nothing changes.

    `directed`: its change with its sign, over what rises.
    """
    if directed:
        return changes / (changes.clamp(min=0).sum(dim=1, keepdim=True) + eps)
    sizes = changes.abs()
    return sizes / (sizes.sum(dim=1, keepdim=True) + eps)


def expected(selective: Tensor, chosen: Tensor, actions: Tensor) -> Tensor:
    """The sum over features of their mean selectivity, each under its own policy.

    `selective` (n, d) is after `actions` (n,), drawn uniformly, to which policies gave the probabilities
    `chosen` (n, d, A): each row is weighted by what its action is likelier than in the draw.
    """
    count = chosen.shape[2]
    taken = chosen[torch.arange(len(actions), device=actions.device), :, actions]  # (n, d)
    return (count * taken * selective).sum(dim=1).mean()
