"""What training changes: modules and optimisers, whose tensors by flat names make a checkpoint one file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from distaff.errors import BadInput


@dataclass
class State:
    """Everything that training changes.

    `modules` are what is left when it is done. `chains` hold what only training needs beside optimisers, as
    buffers, such as persistent Markov chains: they are in checkpoints alone.
    """

    modules: nn.ModuleDict
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    chains: nn.ModuleDict = field(default_factory=nn.ModuleDict)

    def tensors(self) -> dict[str, Tensor]:
        """All weights, chains and optimiser values, by a flat name; with `load`, an exact round trip."""
        flat = {
            f"{part}{name}": value
            for part, modules in self._parts().items()
            for name, value in modules.state_dict().items()
        }
        for name, optimiser in self.optimisers.items():
            for number, values in optimiser.state_dict()["state"].items():
                for key, value in values.items():
                    flat[f"optimiser/{name}/{number}/{key}"] = torch.as_tensor(value)
        return flat

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the finished weights of the modules alone, by their names there."""
        _fill(self.modules, weights)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave. Names, shapes and types must match."""
        for part, modules in self._parts().items():
            own = {name.removeprefix(part): value for name, value in tensors.items() if name.startswith(part)}
            _fill(modules, own)
        known = (*self._parts(), *(f"optimiser/{optimiser}/" for optimiser in self.optimisers))
        for name in tensors:
            if not name.startswith(known):
                raise BadInput(f"these weights do not fit the method: it has no {name}")
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(self._optimiser_state(name, optimiser, tensors))

    def to(self, device: torch.device) -> None:
        """Bring modules and chains to a device, for training."""
        self.modules.to(device).train()
        self.chains.to(device)

    def _parts(self) -> dict[str, nn.ModuleDict]:
        """What is kept by name, by what its flat names begin with."""
        return {"model/": self.modules, "chains/": self.chains}

    @staticmethod
    def _optimiser_state(
        name: str, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]
    ) -> dict[str, Any]:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for path, value in tensors.items():
            if path.startswith(f"optimiser/{name}/"):
                number, _, key = path.removeprefix(f"optimiser/{name}/").partition("/")
                like = parameters[int(number)] if number in map(str, range(len(parameters))) else None
                if like is None or value.shape not in ((), like.shape):
                    raise BadInput(f"the optimiser values in this checkpoint do not fit: {path}")
                if value.dtype != (torch.float32 if key == "step" else like.dtype):
                    raise BadInput(f"the optimiser values in this checkpoint do not fit: {path}")
                if value.shape == like.shape:  # in the memory layout of its parameter, as fused steps expect
                    value = torch.empty_like(like).copy_(value)
                state.setdefault(int(number), {})[key] = value
        for n, values in state.items():
            shapes = {"step": torch.Size(), "exp_avg": parameters[n].shape, "exp_avg_sq": parameters[n].shape}
            found = {key: value.shape for key, value in values.items()}
            if isinstance(optimiser, torch.optim.Adam) and found != shapes:
                raise BadInput(f"the optimiser values in this checkpoint do not fit: optimiser/{name}/{n}")
        return {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}


def _fill(modules: nn.ModuleDict, tensors: Mapping[str, Tensor]) -> None:
    for name, like in modules.state_dict().items():
        if name in tensors and tensors[name].dtype != like.dtype:
            found = tensors[name].dtype
            raise BadInput(f"these weights do not fit the method: {name} is {found}, not {like.dtype}")
    try:
        modules.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise BadInput(
            f"these weights do not fit the method: {str(error).splitlines()[-1].strip()}"
        ) from None


def unfitted(name: str, **shapes: tuple[int, ...]) -> State:
    """A state of one module that holds zeros of these shapes, by name, for a fit to fill."""
    module = nn.Module()
    for buffer, shape in shapes.items():
        module.register_buffer(buffer, torch.zeros(shape))
    return State(nn.ModuleDict({name: module}))


def adam(parameters: Iterable[nn.Parameter], betas: tuple[float, float] = (0.9, 0.999)) -> torch.optim.Adam:
    """Adam of what is trained, fused (one pass over memory). Its step size is given to `descend`."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.Adam(trained, betas=betas, fused=True)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, learning_rate: float) -> None:
    """One step of the optimiser down the loss; no other parameters get gradients."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=[p for group in optimiser.param_groups for p in group["params"]])
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    optimiser.step()
