"""Adam for runs that are trained as one: one update of all their weights, each run with its own step size."""

from collections.abc import Sequence

import torch
from torch import Tensor


class StackedAdam:
    """The Adams of N runs as one. Their weights and values become views of stacked tensors (N, weights).

    The update is that of torch.optim.Adam without weight decay, element by element (Kingma and Ba 2015,
    arXiv:1412.6980, algorithm 1). Each run counts its own steps. `parameters` are the stacked weights
    (N, ...), to which gradients are taken.
    """

    def __init__(self, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        ((self._beta1, self._beta2),) = {o.param_groups[0]["betas"] for o in optimisers}
        (self._eps,) = {o.param_groups[0]["eps"] for o in optimisers}
        rows = [[p for group in o.param_groups for p in group["params"]] for o in optimisers]
        self.first = rows[0]
        self._weights = torch.stack([torch.cat([p.detach().flatten() for p in row]) for row in rows])
        self._mean, self._square = torch.zeros_like(self._weights), torch.zeros_like(self._weights)
        counts = (len(rows), len(self.first))  # a count for every parameter, as torch has them
        self._steps = torch.zeros(counts, dtype=torch.float32, device=self._weights.device)
        self._adopt(optimisers, rows)
        shapes = [p.shape for p in self.first]
        views = self._weights.split([shape.numel() for shape in shapes], dim=1)
        self.parameters = [
            view.view(len(rows), *shape).detach().requires_grad_()
            for view, shape in zip(views, shapes, strict=True)
        ]

    def _adopt(self, optimisers: Sequence[torch.optim.Optimizer], rows: list[list[Tensor]]) -> None:
        """Take over what the optimisers hold, and let them and their parameters show the stacked tensors."""
        for n, (optimiser, row) in enumerate(zip(optimisers, rows, strict=True)):
            start = 0
            for count, parameter in zip(self._steps[n], row, strict=True):
                place = slice(start, start := start + parameter.numel())
                weights, mean, square = (
                    whole[n, place].view(parameter.shape)
                    for whole in (self._weights, self._mean, self._square)
                )
                values = optimiser.state.get(parameter)
                if values:
                    mean.copy_(values["exp_avg"])
                    square.copy_(values["exp_avg_sq"])
                    count.copy_(values["step"])
                parameter.data = weights
                optimiser.state[parameter] = {"step": count, "exp_avg": mean, "exp_avg_sq": square}

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], learning_rates: Tensor | float) -> None:
        """One step of every run with gradients (N, ...) of the parameters, and step sizes (N,)."""
        gradient = torch.cat([g.flatten(1) for g in gradients], dim=1)
        self._steps += 1
        self._mean.lerp_(gradient, 1 - self._beta1)
        self._square.mul_(self._beta2).addcmul_(gradient, gradient, value=1 - self._beta2)
        steps = self._steps[:, 0].double()
        first = learning_rates / (1 - self._beta1**steps)
        second = (1 - self._beta2**steps).sqrt()
        kind = self._weights.dtype
        apart = (self._square.sqrt() / second.to(kind)[:, None]).add_(self._eps)
        self._weights.sub_(self._mean / apart * first.to(kind)[:, None])

    def tensors(self) -> dict[str, Tensor]:
        """What a step changes, each (N, ...)."""
        return {"weights": self._weights, "mean": self._mean, "square": self._square, "steps": self._steps}


def refused(optimiser: torch.optim.Optimizer) -> str:
    """Why an optimiser is none that can be stacked, or nothing where it can."""
    if type(optimiser) is not torch.optim.Adam:
        return f"their optimiser is {type(optimiser).__name__}, not Adam"
    groups = optimiser.param_groups
    if len(groups) > 1 or any(groups[0][name] for name in ("weight_decay", "amsgrad", "maximize")):
        return "their Adam has weight decay or groups of parameters"
    return ""
