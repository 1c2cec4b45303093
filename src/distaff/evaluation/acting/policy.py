"""What an agent thinks of any code: its layers, on codes as the run makes them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from distaff import registry
from distaff.evaluation.acting.agent import Lesson, kept_at
from distaff.evaluation.acting.returns import Acted, codes_of, scaled, scaling
from distaff.training.checkpoint import load_tensors
from distaff.training.run import Run
from distaff.worlds.world import World


class Policy(NamedTuple):
    """Layers from codes (n, d) to what each action is worth (n, a), and what the actions are called."""

    layers: list[nn.Module]
    actions: list[str]


def policy(run: Run, found: Acted) -> Policy | None:
    """The policy of the agent that a run was judged by; None where its file is not in the folder.

    What is worth is the expected discounted return from there on, as the agent thinks. All frames of the
    world are encoded, for the agent has learned from codes that are scaled by all of them.
    """
    world: World = registry.get("worlds", found.world)(run.data)
    codes, places = codes_of(run, world), world.domains[world.learned_in]
    path = kept_at(Lesson(world, scaled(codes, places), found.steps, found.seed), run.folder)
    if not path.exists():
        return None
    centre, deviation = map(torch.from_numpy, scaling(codes, places))
    return Policy(_layers(load_tensors(path), centre, deviation), world.action_names)


def _layers(tensors: dict[str, Tensor], centre: Tensor, deviation: Tensor) -> list[nn.Module]:
    """Linear layers by their numbers with ReLU between; the first one scales the codes as well."""
    numbers = sorted({int(name.split(".")[1]) for name in tensors})
    made: list[nn.Module] = []
    for number in numbers:
        weight, bias = (tensors[f"q_net.{number}.{part}"].double() for part in ("weight", "bias"))
        if number == numbers[0]:
            weight = weight / deviation
            bias = bias - weight @ centre
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        made += [layer, nn.ReLU()]
    return made[:-1]
