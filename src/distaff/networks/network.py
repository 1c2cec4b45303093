"""Layers in a row, and how they are run while they are trained."""

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from distaff.errors import BadInput
from distaff.networks.threads import in_shares


class Network(nn.Sequential):
    """Layers in a row. `lower` and `compiled` are for training alone: codes and images are made in float32.

    `lower`: a type such as torch.bfloat16, in which layers run where torch's autocast holds it safe; what
    comes out is float32 again, so that losses are not rounded. `compiled`: by torch.compile, after a minute
    of preparation.
    """

    lower: torch.dtype | None = None
    compiled: bool = False

    def forward(self, inputs: Tensor) -> Tensor:
        """What the last layer makes of the inputs, which are taken in the type of the weights."""
        inputs = inputs.to(next(self.weights()).dtype)
        if self.training and self.compiled:
            return self._lowered(self._compiled, inputs)
        run = functools.partial(self._lowered, self._in_a_row) if self.training else self._in_a_row
        return in_shares(run, inputs, self.weights, self._convolves)

    def but_last(self, inputs: Tensor) -> Tensor:
        """What its last layer sees, (n, ...), in evaluation mode."""
        first = Network(*list(self.children())[:-1])
        return in_shares(first._in_a_row, inputs, first.weights, self._convolves)

    @functools.cached_property
    def _convolves(self) -> bool:
        return any(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in self.children())

    def weights(self) -> Iterator[nn.Parameter]:
        """Its parameters, and those of other networks that its layers use."""
        yield from self.parameters()
        for layer in self.children():
            yield from (lender.weight for lender in getattr(layer, "borrowed", ()))

    def _lowered(self, run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        if self.lower is None:
            return run(inputs)
        with torch.autocast(inputs.device.type, self.lower):
            result = run(inputs)
        return result.to(inputs.dtype)

    def _in_a_row(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs)

    @functools.cached_property
    def _compiled(self) -> Callable[[Tensor], Tensor]:
        run = torch.compile(self._in_a_row)

        def guarded(inputs: Tensor) -> Tensor:
            try:
                return run(inputs)
            except torch._dynamo.exc.TorchDynamoException as error:
                reason = str(error).strip().splitlines()[0]
                raise BadInput(f"compile=true does not work here ({reason}); leave it out") from None

        return guarded
